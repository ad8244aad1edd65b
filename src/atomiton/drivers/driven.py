"""What is known of a run while it is driven, and how the driving of it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec import field

from atomiton.drivers.jobs import TaskJob
from atomiton.drivers.log import Log, write_out
from atomiton.drivers.program import Step
from atomiton.drivers.recorder import Recorder
from atomiton.drivers.timers import WallTimers
from atomiton.machine import RunState
from atomiton.machine.commands import FinishRun, StartAttempt
from atomiton.machine.events import Event
from atomiton.machine.progress import ProgressMeter
from atomiton.ports.calls import Attempt
from atomiton.ports.runtime import Job

if TYPE_CHECKING:
    from atomiton.drivers.local import LocalDriver

Key = tuple[int, int]
_Facts: type[deque[Event]] = deque
_Starts: type[deque[StartAttempt]] = deque


class Driven(msgspec.Struct, eq=False):
    """A run that is driven.

    It is a struct because one is made for every run, and that is the quickest way to make one.

    Attributes:
        driver: Who drives it.
        state: Where the run is.
        steps: How its nodes are called, by number.
        firsts: The command that starts the first attempt of each node of the top body.
        recorder: Puts the facts on record; None when the run is kept in memory only.
        log: Every fact so far, in order, some of them in short: ``facts`` has them in full.
        saved: How many of them the journal has.
        finish: The last command, once the run has ended.
        waiters: Resolved when the run is driven no more.
        failure: What kept the run from being driven to its end.
        stopped: Whether the run is driven no more: it has ended, or goes on elsewhere.
        ending: Whether it has ended and that is on record, but hooks are still at work.
    """

    driver: LocalDriver
    state: RunState
    steps: Sequence[Step]
    firsts: Sequence[StartAttempt]
    recorder: Recorder | None = None
    log: Log = []
    saved: int = 0
    finish: FinishRun | None = None
    waiters: list[asyncio.Future[None]] = []
    failure: BaseException | None = None
    stopped: bool = False
    ending: bool = False
    _told: int = 0
    _inbox: deque[Event] = field(default_factory=_Facts)
    _starts: deque[StartAttempt] = field(default_factory=_Starts)
    _busy: bool = False
    _drain_due: bool = False
    _current: StartAttempt | None = None
    _jobs: dict[Key, Job] = {}
    _attempts: dict[Key, Attempt] = {}
    _grace: dict[Key, asyncio.TimerHandle] = {}
    _timers: WallTimers | None = None
    _meter: ProgressMeter | None = None

    def __repr__(self) -> str:
        """Show the id, and nothing of what the run holds."""
        return f"Execution({self.state.id!r})"

    @property
    def at_work(self) -> bool:
        """Whether a node of the run waits, or runs elsewhere."""
        return bool(self._jobs)

    @property
    def facts(self) -> list[Event]:
        """Every fact so far, in order; a fact's number is its place, from 1."""
        log = self.log
        if self._told < len(log):
            write_out(log, self._told, self.state)
            self._told = len(log)
        return cast("list[Event]", log)

    @property
    def meter(self) -> ProgressMeter:
        """How far the run is."""
        if self._meter is None:
            self._meter = ProgressMeter(self.state)
        return self._meter

    def wake(self) -> None:
        """Tell those who wait for the run."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Wait until the run has ended; raises what kept it from being driven to its end."""
        if not self.stopped:
            waiter: asyncio.Future[None] = self.driver.loop.create_future()
            self.waiters.append(waiter)
            try:
                await waiter
            finally:
                self.waiters.remove(waiter)
        if self.failure is not None:
            raise self.failure

    def interrupt(self) -> None:
        """Stop driving without ending the run: its facts stay, another process may go on."""
        self.stopped = True
        if self._timers is not None:
            self._timers.close()
            self._timers = None
        for handle in self._grace.values():
            handle.cancel()
        for job in self._jobs.values():
            job.cancel()
        for waiter in self.waiters:
            waiter.cancel()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The tasks of nodes that wait."""
        return [job.task for job in self._jobs.values() if isinstance(job, TaskJob)]

    def abandon(self) -> None:
        """Give up what has not stopped after ``interrupt``."""
        for job in self._jobs.values():
            if not isinstance(job, TaskJob) or not job.task.done():
                job.abandon()
        self._jobs.clear()
