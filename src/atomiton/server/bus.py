"""The bus of a server, joined with those of other processes: heard as a stream, and told."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator
from typing import Self

import msgspec

from atomiton.conductor.wire import PREFIX, SSE, Announce, Announced
from atomiton.events import Announcement, Bus
from atomiton.server.problems import Refusal
from atomiton.server.streams import Stream
from atomiton.server.table import Call, Route, checked

#: Bytes of announcements that are kept for those who read slowly, or come back.
KEPT = 8 * 1024 * 1024
#: Seconds for which they are kept when nobody reads any more.
_AFTERWARDS = 60.0
#: Seconds between looks whether the server stops.
_LOOK = 0.5


class Recent:
    """The latest announcements of a bus, for as long as somebody reads them.

    Args:
        bus: Of this process.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._kept: deque[bytes] = deque()
        self._size = 0
        #: Number of the announcement after the last kept one: our own count.
        self.end = 0
        self._readers = 0
        self._stop: object = None
        self._moved = asyncio.Event()

    def __enter__(self) -> Self:
        """Somebody reads."""
        self._readers += 1
        if self._stop is None:
            self._stop = self._bus.tap(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        """Somebody reads no more."""
        self._readers -= 1
        if not self._readers:
            asyncio.get_running_loop().call_later(_AFTERWARDS, self._forget)

    def _forget(self) -> None:
        if not self._readers and callable(self._stop):
            self._stop()
            self._stop = None
            self._kept.clear()
            self._size = 0

    def _hear(self, announcement: Announcement) -> None:
        encoded = msgspec.msgpack.encode(announcement)
        self._kept.append(encoded)
        self._size += len(encoded)
        self.end += 1
        while self._size > KEPT and len(self._kept) > 1:
            self._size -= len(self._kept.popleft())
        self._moved.set()
        self._moved = asyncio.Event()

    @property
    def begin(self) -> int:
        """Number of the oldest that is kept."""
        return self.end - len(self._kept)

    def get(self, number: int) -> bytes:
        """One that is kept."""
        return self._kept[number - self.begin]

    async def more(self, seconds: float) -> bool:
        """Wait until there is another one; False if there is none in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True


async def hear(call: Call) -> Stream:
    """Everything that is announced from now on, or from where a reader was."""
    if SSE not in call.headers.get("accept", ""):
        raise Refusal(406, f"this is a stream of events: ask for it with Accept: {SSE}")
    bus, recent = call.around.conductor.bus, call.around.recent
    origin, _, number = call.headers.get("last-event-id", "").rpartition(":")
    at = int(number) + 1 if origin == bus.origin and number.isdecimal() else None
    return Stream(_pieces(call, recent, at))


async def _pieces(call: Call, recent: Recent, at: int | None) -> AsyncIterator[bytes]:
    origin = call.around.conductor.bus.origin
    with recent:
        place = recent.end if at is None or at > recent.end else at
        quiet = 0.0
        yield b"event: hello\ndata: %s\n\n" % msgspec.json.encode({"origin": origin})
        while not call.around.stopping.is_set():
            if place < recent.begin:
                # What a slow reader has missed is on record; it is told how much it is.
                lost = recent.begin - place
                place = recent.begin
                yield b"event: gap\ndata: %d\n\n" % lost
            if place < recent.end:
                data = base64.b64encode(recent.get(place))
                yield b"id: %s:%d\nevent: announcement\ndata: %s\n\n" % (
                    origin.encode(), place, data,
                )  # fmt: skip
                place += 1
            elif not await recent.more(_LOOK):
                quiet += _LOOK
                if quiet >= call.around.heartbeat:
                    quiet = 0.0
                    yield b": alive\n\n"
        yield b"event: stopping\ndata: {}\n\n"


async def tell(call: Call) -> Announced:
    """Take what another process has announced."""
    bus = call.around.conductor.bus
    told = checked(call.body, Announce).announcements
    return Announced(sum(bus.relay(announcement) for announcement in told))


ROUTES = (
    Route(
        "GET", PREFIX + "/bus", "viewer", hear, "Hear everything that is announced", streams=True
    ),
    Route(
        "POST",
        PREFIX + "/bus",
        "owner",
        tell,
        "Tell what another process has announced",
        Announce,
        answer=Announced,
    ),
)
