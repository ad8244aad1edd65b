"""Timers by the wall clock on an event loop, whose own clock does not know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Longest time a timer sleeps before it looks at the wall clock again, in seconds.
LONGEST_SLEEP = 600.0


class WallTimers:
    """The timers of one run.

    Args:
        loop: The event loop.
        now: The wall clock; seconds since 1970, UTC.
        fire: Called with the number of a timer when its moment has come.
    """

    __slots__ = ("_fire", "_handles", "_loop", "_now")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        now: Callable[[], float],
        fire: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._now = now
        self._fire = fire
        self._handles: dict[int, asyncio.TimerHandle] = {}

    def set(self, timer: int, at: float) -> None:
        """Fire at a moment, or as soon as possible after it."""
        delay = min(max(0.0, at - self._now()), LONGEST_SLEEP)
        self._handles[timer] = self._loop.call_later(delay, self._due, timer, at)

    def cancel(self, timer: int) -> None:
        """Forget a timer; one that has fired is forgotten already."""
        handle = self._handles.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def close(self) -> None:
        """Forget all."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _due(self, timer: int, at: float) -> None:
        """The loop says that a timer is due: it is when the wall clock agrees."""
        if self._now() < at:
            self.set(timer, at)
            return
        del self._handles[timer]
        self._fire(timer)
