"""Streams of events (SSE): nothing is kept for a slow reader, who reads on from a cursor."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.server.problems import details_of

if TYPE_CHECKING:
    from atomiton.server.table import Call

#: Seconds without an event after which a line is sent that says that the server is there.
HEARTBEAT = 15.0


@dataclass(frozen=True)
class Stream:
    """An answer that is sent piece by piece."""

    pieces: AsyncIterator[bytes]


def frame(kind: str, data: object, number: int | None = None, *, binary: bool = False) -> bytes:
    r"""One event as it is sent.

    Example:
        >>> frame("end", {"run": "r"}, 7)
        b'id: 7\nevent: end\ndata: {"run":"r"}\n\n'
    """
    packed = base64.b64encode(msgspec.msgpack.encode(data)) if binary else None
    body = packed or msgspec.json.encode(data)
    id_ = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (id_, kind.encode(), body)


def run_stream(call: Call, run: str, after: int, *, binary: bool) -> Stream:
    """The facts of a run from a number on; ends with the run, or when the server stops."""

    def shown(event: RunEvent) -> bytes:
        return frame(event.kind, event, event.number, binary=binary)

    source = call.conductor.events(run, after)
    return Stream(_run_pieces(call, source, shown))


async def _run_pieces(
    call: Call, source: AsyncIterator[RunEvent], shown: Callable[[RunEvent], bytes]
) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    stopping = asyncio.ensure_future(call.around.stopping.wait())
    waiting: asyncio.Future[RunEvent] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(source))
            awaited: list[asyncio.Future[Any]] = [waiting, stopping]
            await asyncio.wait(
                awaited,
                timeout=call.around.heartbeat,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waiting.done():
                event, waiting = waiting.result(), None
                yield shown(event)
            elif stopping.done():
                yield b"event: stopping\ndata: {}\n\n"
                return
            else:
                yield b": alive\n\n"
    except StopAsyncIteration:
        yield b"event: end\ndata: {}\n\n"
    except AtomitonError as error:
        yield frame("error", details_of(error))
    finally:
        stopping.cancel()
        if waiting is not None:
            waiting.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, AtomitonError):
                await waiting
