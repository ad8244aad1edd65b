"""Time limits of attempts: the server has one timer for all that are equally long.

A wide map sets one for each of its items, and drops most of them soon after: as timers of their own
they would be two events each, and too many to be set in one step. Those of the same length end in
the order in which they were set. So one timer is enough, for the first; when it fires it is set
again for the first that still counts. What is decided here goes by that order alone, never by the
clock, which may differ by a moment in a replay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Sequence

import msgspec

from atomiton.drivers.temporal.turns import Timer
from atomiton.machine import RunState
from atomiton.machine.state import TIMER_ATTEMPT


class Limit(msgspec.Struct, frozen=True):
    """A time limit.

    Attributes:
        timer: Number of the machine's timer.
        at: When it ends.
        turn: Number of the fact that has set it.
    """

    timer: int
    at: float
    turn: int

    def ends_with(self, other: Limit) -> bool:
        """Whether both end at once: they are equally long, and were set by the same fact."""
        return self.turn == other.turn and self.at == other.at


class Limits:
    """The time limits of a run, by their length.

    Args:
        counts: The timers of the machine that are still wanted.
        set_timer: Lets the server say when a moment has come.
        end: Called with the limits that have come to their end.

    Attributes:
        timers: Those of the server that are set, by length.
    """

    def __init__(
        self,
        counts: Container[int],
        set_timer: Callable[[float, Callable[[], None]], Timer],
        end: Callable[[Sequence[Limit]], None],
    ) -> None:
        self._counts = counts
        self._set_timer = set_timer
        self._end = end
        self._lines: dict[float, deque[Limit]] = {}
        self.timers: dict[float, Timer] = {}

    def add(self, length: float, limit: Limit) -> None:
        """Set a limit."""
        line = self._lines.setdefault(length, deque())
        line.append(limit)
        if length not in self.timers:
            self._wait(length, line)

    def _wait(self, length: float, line: deque[Limit]) -> None:
        while line and line[0].timer not in self._counts:
            line.popleft()
        if line:
            self.timers[length] = self._set_timer(line[0].at, lambda: self._over(length, line))

    def _over(self, length: float, line: deque[Limit]) -> None:
        """The timer for the first in line has fired."""
        del self.timers[length]
        first = line.popleft()
        ended = [first]
        while line and line[0].ends_with(first):
            ended.append(line.popleft())
        self._end([limit for limit in ended if limit.timer in self._counts])
        self._wait(length, line)


def length_of(state: RunState, timer: int) -> float | None:
    """How long the time limit of an attempt is; None for a timer that is something else."""
    found = state.timers[timer]
    if found.kind != TIMER_ATTEMPT:
        return None
    node = state.frames[found.frame].nodes[found.node]
    return node.timeout if node.deadline is None else None
