"""Events of a server as they come: a stream that is lost goes on from its cursor."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import NamedTuple


class Sent(NamedTuple):
    """One event as it was sent."""

    kind: str
    data: bytes


async def read_events(pieces: AsyncIterator[bytes]) -> AsyncIterator[Sent | None]:
    """Read a stream of events; None is a sign of life that says nothing else.

    Args:
        pieces: The body, cut anywhere.
    """
    rest = b""
    kind, data = "message", b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not line:
                if data:
                    yield Sent(kind, data)
                kind, data = "message", b""
            elif line.startswith(b":"):
                yield None
            elif line.startswith(b"event: "):
                kind = line[7:].decode()
            elif line.startswith(b"data: "):
                data += line[6:]


def unpacked(sent: Sent) -> bytes:
    """The MessagePack of an event that was asked for as such."""
    return base64.b64decode(sent.data, validate=True)
