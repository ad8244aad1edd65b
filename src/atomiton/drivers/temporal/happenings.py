"""What happens to a run, taken one after the other, in the order that its history has.

When somebody asks a run something while a local activity is at work, the end of that is on record
before the workflow hears of it, and it hears of it together with what the server has to say next:
the library tells of that first, a replay last. So of what comes together the ends of local
activities are taken first. Each is taken up to its end, with all that follows from it, before the
next one is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

#: Turns of the loop between the end of an activity and the callbacks of its handle: timers, which
#: the library tells of at once, are as far behind.
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
        self._near: deque[Callable[[], None]] = deque()
        self._others: deque[Callable[[], None]] = deque()
        self._taking = False

    def take(self, act: Callable[[], None], *, near: bool = False) -> None:
        """Do what follows from something that has happened, once what came before it is done.

        Args:
            act: Does it.
            near: Whether it is the end of a local activity.
        """
        (self._near if near else self._others).append(act)
        if not self._taking:
            self._taking = True
            self._loop.call_soon(self._next)  # when all that comes together is there

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
        (self._near or self._others).popleft()()
        if self._near or self._others:
            self._after(SETTLED, self._next)
        else:
            self._taking = False

    def _after(self, turns: int, act: Callable[..., None], *of: object) -> None:
        if turns:
            self._loop.call_soon(self._after, turns - 1, act, *of)
        else:
            act(*of)
