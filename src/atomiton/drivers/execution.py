"""One run while it is being driven: facts in, commands performed, answers back as facts.

Under durability ``sync`` and ``async`` the facts go to the journal in turns: everything that
happened since the last commit, together with the starts it led to, is one append; only then do
those starts act. Pure nodes act at once, since nothing they do can be lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from atomiton.drivers.answers import answers, blotted, error_info, status_change, stopped
from atomiton.drivers.jobs import TaskJob
from atomiton.drivers.program import Step
from atomiton.drivers.timers import WallTimers
from atomiton.errors import AtomitonError, ErrorInfo, StoreError
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import (
    CancelAttempt,
    CancelTimer,
    Command,
    FinishRun,
    SetTimer,
    StartAttempt,
)
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    Event,
    TimerFired,
)
from atomiton.machine.progress import ProgressMeter
from atomiton.machine.records import pieces
from atomiton.ports.calls import Attempt, Call
from atomiton.ports.journal import StatusChange
from atomiton.ports.runtime import Job

if TYPE_CHECKING:
    from atomiton.drivers.local import LocalDriver

Key = tuple[int, int]
#: How many attempts are made in one go before others on the event loop have their turn.
BURST = 1000


class Execution:
    """A run that this process drives.

    Attributes:
        state: Where the run is.
        facts: Every fact so far, in order; a fact's number is its place, from 1.
        saved: How many of them the journal has.
        finish: The last command, once the run has ended.
        finished: Resolved when the run has ended and that is on record.
        flushing: The task that puts facts on record, while there is one.
    """

    __slots__ = (
        "_attempts", "_busy", "_current", "_drain_due", "_driver", "_grace",
        "_held", "_inbox", "_jobs", "_loop", "_meter", "_shown", "_starts", "_steps", "_timers",
        "durable", "facts", "failure", "finish", "finished", "flushing", "saved", "state",
        "stopped",
    )  # fmt: skip

    def __init__(
        self, driver: LocalDriver, state: RunState, steps: Sequence[Step], *, durable: bool
    ) -> None:
        self._driver = driver
        self._loop = driver.loop
        self._steps = steps
        self._inbox: deque[Event] = deque()
        self._busy = False
        self._current: StartAttempt | None = None
        self._drain_due = False
        self._shown: StatusChange | None = StatusChange("running")
        self._starts: deque[StartAttempt] = deque()
        self._held: list[StartAttempt] = []
        self._jobs: dict[Key, Job] = {}
        self._attempts: dict[Key, Attempt] = {}
        self._grace: dict[Key, asyncio.TimerHandle] = {}
        self._timers: WallTimers | None = None
        self.flushing: asyncio.Task[None] | None = None
        self._meter: ProgressMeter | None = None
        self.state = state
        self.durable = durable
        self.facts: list[Event] = []
        self.saved = 0
        self.finish: FinishRun | None = None
        self.finished: asyncio.Future[None] | None = None
        self.failure: BaseException | None = None
        self.stopped = False

    # -- facts in ----------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """Add a fact and do what follows from it."""
        self._inbox.append(event)
        if not self._busy:
            self._drain()

    def _drain(self) -> None:
        """Do all that follows at once from what has come in."""
        self._busy = True
        try:
            while self._driver.starter.run(self._open_lane):
                pass
        finally:
            self._busy = False
            if self.durable:
                self._flush_soon()
            else:
                self._settle(len(self.facts))

    def _open_lane(self) -> bool:
        """Work in a lane until nothing more follows at once, or until a node waits.

        Returns:
            Whether a node waits: the lane is its now, and what is left needs another.
        """
        lane = self._lane()
        try:
            first = lane.send(None)
        except StopIteration:
            return False
        command = self._current
        assert command is not None
        self._current = None
        key = (command.frame, command.node)
        self._driver.waiting.add(self._steps[command.step].call)
        spare = self._driver.starter.hand_over(lane, first)
        self._jobs[key] = TaskJob(command, spare.task, lane.close, spare.cancel)
        return True

    async def _lane(self, own: StartAttempt | None = None) -> None:  # noqa: C901 - one loop
        """Make the attempts that may act, then feed the next fact, and again.

        The nodes that this lane calls run inside of it. The first that waits keeps it: the rest
        of the lane is then that node's task, and ends with it.

        Args:
            own: The one attempt of a lane that was a task from the beginning.
        """
        inbox, starts, state, facts = self._inbox, self._starts, self.state, self.facts
        clock, durable, steps = self._driver.now, self.durable, self._steps
        waiting, left = self._driver.waiting, BURST
        while True:
            if own is None:
                if inbox:
                    event = inbox.popleft()
                    commands = apply(state, event)
                    facts.append(event)
                    unsaved = durable and self.saved < len(facts)
                    for command in commands:
                        if type(command) is not StartAttempt:
                            self._perform(command)
                            continue
                        facts.append(
                            AttemptStarted(event.time, command.frame, command.node, command.attempt)
                        )
                        if durable and self._must_wait(command, unsaved=unsaved):
                            self._held.append(command)
                        else:
                            starts.append(command)
                if not starts:
                    if not inbox:
                        return
                    continue
                left -= 1
                if not left:  # others on this loop have their turn
                    self._drain_soon()
                    return
                start = starts.popleft()
                step = steps[start.step]
                if step.call in waiting:
                    self._spawn(start)
                    continue
                self._current = start
            else:
                start = own
                step = steps[start.step]
            fact: Event
            try:
                attempt = self._attempt(start) if step.needs_attempt else None
                frame = state.frames[start.frame]
                scope = frame if not frame.kind else frame.scope(start.node)
                arguments = step.arguments(step.prepare(scope), attempt)
                if step.is_async:
                    output = step.result(await step.function(**arguments))  # type: ignore[misc]
                elif step.is_inline:
                    output = step.result(step.function(**arguments))
                else:
                    self._begin_job(start, step.call, arguments)
                    continue
                fact = AttemptCompleted(clock(), start.frame, start.node, start.attempt, output)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # whatever a node raises is that node's end
                fact = self._failed(start, error_info(error))
            if self._current is not start:
                self._resumed(start, fact)
                return
            if step.needs_attempt:
                self._forget((start.frame, start.node))
            inbox.append(fact)

    def _spawn(self, start: StartAttempt) -> None:
        """Give an attempt of a node that is known to wait a task from the beginning."""
        lane = self._lane(start)
        task = self._loop.create_task(lane)
        self._jobs[start.frame, start.node] = TaskJob(start, task, lane.close, task.cancel)

    def _must_wait(self, command: StartAttempt, *, unsaved: bool) -> bool:
        """Whether an attempt may act only after the next commit.

        What it depends on must be on record before it acts on the world; under effect ``once``
        so must its start. A pure node acts on nothing.
        """
        node = self.state.plan.uses[command.step]
        return node.once or (unsaved and not node.pure)

    def _resumed(self, start: StartAttempt, fact: Event) -> None:
        """A node that waited has ended, unless it was given up before."""
        key = (start.frame, start.node)
        job = self._jobs.get(key)
        if not isinstance(job, TaskJob) or job.start is not start or self.stopped:
            return
        del self._jobs[key]
        self._forget(key)
        if not self._jobs:
            self.feed(fact)
            return
        # Others may end in the same turn of the loop: what follows is done for all together.
        self._inbox.append(fact)
        self._drain_soon()

    def _drain_soon(self) -> None:
        if not self._drain_due:
            self._drain_due = True
            self._loop.call_soon(self._drain_once)

    def _drain_once(self) -> None:
        self._drain_due = False
        if (self._inbox or self._starts) and not self._busy and not self.stopped:
            self._drain()

    def _settle(self, last: int) -> None:
        """Facts up to number ``last`` are on record: announce them, and the end of the run."""
        first, self.saved = self.saved, last
        announce = self._driver.announce
        if announce is not None and first < last:
            announce(self, first, last)
        if self.finish is not None and last == len(self.facts) and not self.stopped:
            self._end()

    def _end(self) -> None:
        self.stopped = True
        if self._timers is not None:
            self._timers.close()
            self._timers = None
        self._driver.ended(self)
        if self.finished is not None and not self.finished.done():
            self.finished.set_result(None)

    async def wait(self) -> None:
        """Wait until the run has ended; raises what kept it from being driven to its end."""
        if not self.stopped:
            if self.finished is None:
                self.finished = self._loop.create_future()
            await asyncio.shield(self.finished)
        if self.failure is not None:
            raise self.failure

    # -- commands out --------------------------------------------------------------------------

    def _perform(self, command: Command) -> None:
        if isinstance(command, SetTimer):
            if self._timers is None:
                self._timers = WallTimers(self._loop, self._driver.now, self._fire)
            self._timers.set(command.timer, command.at)
        elif isinstance(command, CancelTimer) and self._timers is not None:
            self._timers.cancel(command.timer)
        elif isinstance(command, CancelAttempt):
            self._cancel(command)
        elif isinstance(command, FinishRun):
            self.finish = command

    def _fire(self, timer: int) -> None:
        self._drain_once()  # an answer that came in first may have dropped the timer
        if not self.stopped and timer in self.state.timers:
            self.feed(TimerFired(self._driver.now(), timer))

    def _begin_job(self, command: StartAttempt, call: Call, arguments: dict[str, object]) -> None:
        key = (command.frame, command.node)

        def done(result: object, error: BaseException | None) -> None:
            self._jobs.pop(key, None)
            self._answer(command, call, result, error)

        runtime = self._driver.runtime(call.runtime)
        self._jobs[key] = runtime.start(call.function, arguments, done)

    def _attempt(self, command: StartAttempt) -> Attempt:
        key = (command.frame, command.node)
        path = self.state.frames[command.frame].path(command.node)
        attempt = Attempt(
            self.state.id,
            path,
            command.attempt,
            command.deadline,
            self._driver.now,
            lambda fraction, message: self._report(key, path, fraction, message),
            lambda level, message: self._driver.log(self, path, level, message),
            self.state.secrets,
        )
        self._attempts[key] = attempt
        return attempt

    def _cancel(self, command: CancelAttempt) -> None:
        """Ask an attempt to stop, and give it up when it has not within the grace period."""
        key = (command.frame, command.node)
        job = self._jobs.get(key)
        if job is None:
            self._held = [held for held in self._held if (held.frame, held.node) != key]
            for start in [st for st in self._starts if (st.frame, st.node) == key]:
                self._starts.remove(start)  # in place: the lane is going through them
            if not any(answers(event, command) for event in self._inbox):
                self._inbox.append(self._failed(command, stopped()))
            return
        if key in self._attempts:
            self._attempts[key].cancelled = True
        grace = self._driver.grace
        self._grace[key] = self._loop.call_later(grace, self._give_up, command, job)
        job.cancel()
        if isinstance(job, TaskJob):
            # A task that is cancelled before its first step never comes to answer.
            job.task.add_done_callback(lambda _task: self._give_up(command, job))

    def _give_up(self, command: CancelAttempt, job: Job) -> None:
        key = (command.frame, command.node)
        if self._jobs.get(key) is not job or self.stopped:
            return
        del self._jobs[key]
        ended = isinstance(job, TaskJob) and job.task.done()
        if not ended:
            job.abandon()
        self._forget(key)
        message = "it did not stop when asked to, and was given up"
        self.feed(self._failed(command, stopped() if ended else stopped(message)))

    # -- answers back ----------------------------------------------------------------------------

    def _answer(
        self, command: StartAttempt, call: Call, result: object, error: BaseException | None
    ) -> None:
        """An attempt has ended: that is a fact."""
        if self.stopped:
            return
        self._forget((command.frame, command.node))
        if error is None:
            try:
                output = call.result(result)
            except AtomitonError as unfit:
                error = unfit
            else:
                now = self._driver.now()
                self.feed(
                    AttemptCompleted(now, command.frame, command.node, command.attempt, output)
                )
                return
        if isinstance(error, KeyboardInterrupt):
            raise error
        self.feed(self._failed(command, error_info(error)))

    def _forget(self, key: Key) -> None:
        self._attempts.pop(key, None)
        handle = self._grace.pop(key, None)
        if handle is not None:
            handle.cancel()

    def _failed(self, command: StartAttempt | CancelAttempt, error: ErrorInfo) -> AttemptFailed:
        now = self._driver.now()
        if self.state.secrets:
            error = blotted(error, self.state.secrets)
        return AttemptFailed(now, command.frame, command.node, command.attempt, error)

    def _report(self, key: Key, path: str, fraction: float, message: str) -> None:
        self.meter.report(key[0], key[1], fraction)
        self._driver.progressed(self, path, fraction, message)

    @property
    def meter(self) -> ProgressMeter:
        """How far the run is."""
        if self._meter is None:
            self._meter = ProgressMeter(self.state)
        return self._meter

    # -- the journal -------------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if self.flushing is None and self._unsaved():
            self.flushing = self._loop.create_task(self._flush())

    def _unsaved(self) -> bool:
        # A run that ends as soon as it is asked for has all facts on record, but not its end.
        ended = self.finish is not None and not self.stopped
        return bool(self._held) or self.saved < len(self.facts) or ended

    async def _flush(self) -> None:
        """Put facts on record and let what they led to act, until nothing is left."""
        try:
            while self._unsaved() and not self.stopped:
                await self._commit()
        except Exception as error:  # also facts that cannot be stored: nobody may wait for ever
            lost = StoreError(f"run {self.state.id} cannot be put on record: {error}")
            self._driver.lost_store(self, error if isinstance(error, StoreError) else lost)
        finally:
            self.flushing = None

    async def _commit(self) -> None:
        held, self._held = self._held, []
        first = self.saved
        last = len(self.facts)
        # A sync protects what acts on the world, what people are told, and what only waits.
        sync = self.state.plan.durability == "sync" and (
            bool(held) or self.finish is not None or not self._jobs
        )
        await self._driver.journal.append(
            self.state.id,
            first,
            [pieces(fact) for fact in self.facts[first:last]],
            self._news(),
            sync=sync,
        )
        self._settle(last)
        for start in held:
            if self.state.expects(start.frame, start.node, start.attempt):
                self._starts.append(start)
        if self._starts or self._inbox:
            self._drain()

    def _news(self) -> StatusChange | None:
        """What the list of runs is to show, if that is not what it shows already."""
        change = status_change(self.state)
        if change == self._shown:
            return None
        self._shown = change
        return change

    # -- after a restart -------------------------------------------------------------------------

    def recover(self, facts: Sequence[Event]) -> None:
        """Go on from stored facts: rebuild the state, reissue what has no answer."""
        state = self.state
        self._shown = None
        acted: set[tuple[int, int, int]] = set()
        for fact in facts:
            apply(state, fact)
            if isinstance(fact, AttemptStarted):
                acted.add((fact.frame, fact.node, fact.attempt))
        self.facts.extend(facts)
        self.saved = len(facts)
        if state.ended:
            self.finish = FinishRun(state.status, state.output, state.failure)
            self._flush_soon()
            return
        now = self._driver.now()
        for command in outstanding(state):
            if isinstance(command, StartAttempt):
                of = (command.frame, command.node, command.attempt)
                self._inbox.append(AttemptLost(now, *of, acted=of in acted))
            else:
                self._perform(command)
        self._drain()

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
        if self.finished is not None and not self.finished.done():
            self.finished.cancel()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The tasks of nodes that wait."""
        return [job.task for job in self._jobs.values() if isinstance(job, TaskJob)]

    def abandon(self) -> None:
        """Give up what has not stopped after ``interrupt``."""
        for job in self._jobs.values():
            if not isinstance(job, TaskJob) or not job.task.done():
                job.abandon()
        self._jobs.clear()
