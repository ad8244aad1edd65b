"""Two buses in two processes as one: what is announced on either is heard on both, once."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections import deque
from types import TracebackType
from typing import Self

import msgspec

from atomiton.client.conductor import RemoteConductor
from atomiton.conductor.wire import Announce, Announced
from atomiton.errors import AtomitonError
from atomiton.events import Announcement, Bus

_log = logging.getLogger("atomiton.events")
#: How many announcements wait for a server that is away; the oldest go first.
_WAITING = 10_000
_BATCH = 500
#: Seconds before a lost connection is tried again.
_PAUSE = 0.2


class Bridge:
    """Joins the bus of this process with that of a server, for as long as it is entered.

    Each announcement keeps its origin and its number there: a bus takes none twice, and none of its
    own, so bridges may form rings. What is dropped on the way, as when a reader is too slow, is on
    record all the same.

    Args:
        bus: Of this process, such as ``conductor.bus``.
        server: The way to the other one.

    Example:
        >>> async def main() -> None:
        ...     async with connect() as server, Bridge(conductor.bus, server):
        ...         conductor.bus.listen(print)  # what happens there, too
    """

    def __init__(self, bus: Bus, server: RemoteConductor) -> None:
        self._bus = bus
        self._server = server
        self._incoming = False
        self._out: deque[Announcement] = deque(maxlen=_WAITING)
        self._more = asyncio.Event()
        self._joined = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._last = ""

    async def __aenter__(self) -> Self:
        """Join them; returns when what is announced there is heard here."""
        stop = self._bus.tap(self._hear)
        self._stop = stop
        self._tasks = [asyncio.create_task(self._pull()), asyncio.create_task(self._push())]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self._joined.wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Part them."""
        self._stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def _hear(self, announcement: Announcement) -> None:
        if not self._incoming:  # what came over this bridge does not go back
            self._out.append(announcement)
            self._more.set()

    async def _pull(self) -> None:
        while True:
            try:
                known = {"last-event-id": self._last} if self._last else {}
                async for sent in self._server.calls.stream("/bus", headers=known):
                    self._joined.set()
                    if sent.kind == "announcement":
                        self._take(base64.b64decode(sent.data))
                        self._last = sent.id
                    elif sent.kind == "gap":
                        _log.warning("%s announcements of a server were missed", sent.data)
            except AtomitonError:
                pass  # it is away: the next stream goes on where this one was
            await asyncio.sleep(_PAUSE)

    def _take(self, data: bytes) -> None:
        announcement = msgspec.msgpack.decode(data, type=Announcement)
        self._incoming = True
        try:
            self._bus.relay(announcement)
        finally:
            self._incoming = False

    async def _push(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._out:
                batch = [self._out[at] for at in range(min(_BATCH, len(self._out)))]
                try:
                    asked = Announce(announcements=batch)
                    await self._server.calls.post("/bus", asked, Announced)
                except AtomitonError:
                    await asyncio.sleep(_PAUSE)
                    continue
                for announcement in batch:  # unless it was dropped meanwhile
                    if self._out and self._out[0] is announcement:
                        self._out.popleft()
