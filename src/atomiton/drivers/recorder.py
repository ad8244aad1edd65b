"""Putting the facts of a run on record, and holding back what must wait for that.

Under durability ``sync`` and ``async`` the facts go to the journal in turns: everything that
happened since the last commit, together with the starts it led to, is one append; only then do
those starts act. Pure nodes act at once, since nothing they do can be lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from atomiton.drivers.answers import status_change
from atomiton.drivers.eager import begin
from atomiton.errors import StoreError
from atomiton.machine.commands import StartAttempt
from atomiton.machine.records import pieces
from atomiton.ports.journal import StatusChange

if TYPE_CHECKING:
    from atomiton.drivers.execution import Execution
    from atomiton.drivers.local import LocalDriver

_RUNNING = StatusChange("running")


class Recorder:
    """Keeps the journal of one run up with its facts.

    Args:
        execution: The run.
        driver: Has the journal, and is told when it cannot be written.

    Attributes:
        held: Attempts that may act once the facts so far are on record.
        flushing: The task that puts facts on record, while there is one: where the journal is
            quick, all may be done before one is needed.
        shown: What the list of runs shows of the run; None when that is not known.
        urgent: Whether a node at work waits until what is new is on disk.
    """

    __slots__ = (
        "_appending", "_at_it", "_driver", "_execution", "flushing", "held", "shown", "urgent",
    )  # fmt: skip

    def __init__(self, execution: Execution, driver: LocalDriver) -> None:
        self._execution = execution
        self._driver = driver
        self._appending = False
        self._at_it = False
        self.held: list[StartAttempt] = []
        self.flushing: asyncio.Task[None] | None = None
        self.shown: StatusChange | None = _RUNNING
        self.urgent = False

    def must_wait(self, command: StartAttempt, *, unsaved: bool) -> bool:
        """Whether an attempt may act only after the next commit.

        What it depends on must be on record before it acts on the world; under effect ``once``
        so must its start. A pure node acts on nothing.

        Args:
            command: The attempt.
            unsaved: Whether there was something to be put on record before it was started.
        """
        node = self._execution.state.plan.uses[command.step]
        return node.once or (unsaved and not node.pure)

    def drop(self, key: tuple[int, int]) -> None:
        """Let the attempt of a node, named by frame and number, not act any more."""
        self.held = [held for held in self.held if (held.frame, held.node) != key]

    def flush_soon(self) -> None:
        """Put what is new on record: with what else comes in this turn of the loop, if any can."""
        if self._at_it or not self._unsaved():
            return
        self._at_it = True
        execution = self._execution
        if execution.at_work or execution.state.timers:
            self.flushing = self._driver.loop.create_task(self._flush())
            return
        begun = begin(self._flush())
        if not isinstance(begun, tuple):
            self.flushing = begun

    def _unsaved(self) -> bool:
        execution = self._execution
        # A run that ends as soon as it is asked for has all facts on record, but not its end.
        ended = execution.finish is not None and not (execution.stopped or execution.ending)
        if self.held or execution.saved < len(execution.facts) or ended:
            return True
        # One that waits as soon as it is asked for has no new facts, but is not running.
        state = execution.state
        return not state.running and self.shown is _RUNNING and status_change(state) != _RUNNING

    async def _flush(self) -> None:
        """Put facts on record and let what they led to act, until nothing is left."""
        execution = self._execution
        try:
            while self._unsaved() and not execution.stopped:
                await self._commit()
        except Exception as error:  # also facts that cannot be stored: nobody may wait for ever
            lost = StoreError(f"run {execution.state.id} cannot be put on record: {error}")
            self._driver.lost_store(execution, error if isinstance(error, StoreError) else lost)
        finally:
            self._at_it = False
            self.flushing = None

    def commit_now(self) -> bool:
        """Put what is new on record here and now, where the journal can; False if it did not.

        For attempts that act on the world: what they depend on is on disk when this is true.
        """
        execution = self._execution
        state, facts, first = execution.state, execution.facts, execution.saved
        if self._appending or self.held or state.plan.durability != "sync":
            return False
        try:
            records = [pieces(fact) for fact in facts[first:]]
        except Exception:  # facts that cannot be stored: the long way tells of them
            return False
        change = self._news()
        if not self._driver.journal.append_now(state.id, first, records, change):
            return False
        if change is not None:
            self.shown = change
        execution.settle(len(facts))
        return True

    async def _commit(self) -> None:
        execution = self._execution
        state, facts = execution.state, execution.facts
        held, self.held = self.held, []
        first, last = execution.saved, len(facts)
        # A sync protects what acts on the world, what people are told, and what only waits.
        sync = state.plan.durability == "sync" and (
            bool(held) or self.urgent or execution.finish is not None or not execution.at_work
        )
        self.urgent = False
        records = [pieces(fact) for fact in facts[first:last]]
        change = self._news()
        if change is not None:
            self.shown = change
        self._appending = True
        try:
            await self._driver.journal.append(state.id, first, records, change, sync=sync)
        finally:
            self._appending = False
        execution.settle(last)
        execution.let_act(held)
        if self.shown is not None and self.shown.status == "waiting":
            self._driver.rested(execution)

    def _news(self) -> StatusChange | None:
        """What the list of runs is to show, if that is not what it shows already."""
        state = self._execution.state
        # While an attempt is out the run is running, whatever else it does.
        change = _RUNNING if state.running else status_change(state)
        return None if change == self.shown else change
