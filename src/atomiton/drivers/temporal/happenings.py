"""What happens to a run, taken one after the other, in the order that its history has.

Several answers may reach a workflow in one step of a replay that came in different steps before:
how a local activity ended is known there as soon as its marker is. So each is taken up to its end,
with all that follows from it, before the next one is; and timers, which the library tells of at
once, are as far behind as activities, which it tells of a moment later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

#: Turns of the loop between the end of an activity and the callbacks of its handle.
BEHIND = 2
#: Turns of the loop within which all that was wished has become commands: to cancel an activity
#: takes some.
SETTLED = 4


class Happenings:
    """Takes what happens, in order.

    Args:
        loop: Of the workflow.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()
        self._taking = False

    def take(self, act: Callable[[], None]) -> None:
        """Do what follows from something that has happened, once what came before it is done."""
        self._waiting.append(act)
        if not self._taking:
            self._taking = True
            self._next()

    def timer(self, delay: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """Let the server say when it is time for something.

        Args:
            delay: Seconds until then.
            act: What is done then.
        """
        return self._loop.call_later(max(0.0, delay), self._after, BEHIND, self.take, act)

    def soon(self, act: Callable[[], None]) -> None:
        """Do something when what was begun before it has begun."""
        self._loop.call_soon(act)

    def _next(self) -> None:
        while self._waiting:
            self._waiting.popleft()()
            if self._waiting:
                self._after(SETTLED, self._next)
                return
        self._taking = False

    def _after(self, turns: int, act: Callable[..., None], *of: object) -> None:
        if turns:
            self._loop.call_soon(self._after, turns - 1, act, *of)
        else:
            act(*of)
