"""What a workflow can be sure of in a replay: which of its wishes the server has on record.

An activity that runs where the workflow is (a near one) may end within the task of the workflow
that began it, or in a later one, and a replay cannot tell: when somebody asks the run something
meanwhile, its answer goes on record before the workflow has seen it. What was begun before that
answer and is taken back after it would be on record at first, and nowhere in a replay. So nothing
is taken back, and no length of the history believed, before the server itself has answered; and a
message waits until no near activity is out, since it may come before or after the answer of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from temporalio import workflow

from atomiton.drivers.temporal.happenings import Happenings

#: Answers of near activities that may follow each other before one of the server's is awaited.
MOST_NEAR = 50
#: Bytes of them: they go to the server together, which takes 4 MB at once.
MOST_NEAR_BYTES = 1024 * 1024
#: Seconds until the server answers a timer that is set for nothing else.
_SOON = 0.001


class Since(msgspec.Struct, frozen=True):
    """When something was begun: in which task of the workflow, after how many near activities."""

    turn: int
    near: int


class Timer(msgspec.Struct, frozen=True, eq=False):
    """A timer of the server, and when it was set."""

    handle: asyncio.TimerHandle
    since: Since


class Turns:
    """Counts the answers of the server, and keeps what waits for the next.

    Args:
        happenings: What says when it is time.

    Attributes:
        length, size: Of the history, when the server last answered.
        near: How many answers of near activities there were in this history.
        out: How many near activities are out.
    """

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings
        self.near = self.out = 0
        self._turn = 0
        self._near_here = 0
        self._near_bytes = 0
        self._later: list[Callable[[], None]] = []
        self._awaiting = False
        self.look()

    def look(self) -> None:
        """See how long the history is; only when the server has begun something."""
        info = workflow.info()
        self.length = info.get_current_history_length()
        self.size = info.get_current_history_size()

    def answered(self) -> None:
        """The server has answered, or brought word: what was wished before is on record there."""
        before = self.length
        self.look()
        self._turn += self.length != before  # several may be told of in one task of the workflow
        self._near_here = self._near_bytes = 0
        later, self._later = self._later, []
        for act in later:
            act()

    def answered_near(self, size: int) -> None:
        """A near activity has answered, with so many bytes."""
        self.out -= 1
        self.near += 1
        self._near_here += 1
        self._near_bytes += size

    @property
    def now(self) -> Since:
        """When something is that is begun now."""
        return Since(self._turn, self.near)

    @property
    def full(self) -> bool:
        """Whether so much was answered nearby that the server has to be heard first."""
        return self._near_here >= MOST_NEAR or self._near_bytes >= MOST_NEAR_BYTES

    def can_take_back(self, since: Since) -> bool:
        """Whether a replay would take something back now that was begun then, just so."""
        return since.turn != self._turn or since.near == self.near

    def take_back(self, since: Since, act: Callable[[], None], *, urgent: bool = False) -> None:
        """Take something back that was begun, as soon as a replay would do the same.

        Args:
            since: When it was begun.
            act: Takes it back.
            urgent: Whether the server is made to answer soon, if it has not yet.
        """
        if self.can_take_back(since):
            act()
            return
        self._later.append(act)
        if urgent and not self._awaiting:
            self._awaiting = True
            self._happenings.timer(_SOON, self._woken)

    def _woken(self) -> None:
        self._awaiting = False
        self.answered()
