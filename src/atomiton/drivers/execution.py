"""One run while it is being driven: facts in, commands performed, answers back as facts.

A run in memory goes straight from a node's answer to what it leads to. A run that is kept has a
``Recorder`` beside it, which puts the facts on record and holds back what must wait for that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec import field

from atomiton.drivers.answers import answers, blotted, error_info, stopped, why_stopped
from atomiton.drivers.attempts import new_attempt
from atomiton.drivers.jobs import TaskJob
from atomiton.drivers.program import Step
from atomiton.drivers.recorder import Recorder
from atomiton.drivers.recovery import left_open, replay
from atomiton.drivers.timers import WallTimers
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine import RunState, apply
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
    AttemptStarted,
    Event,
    RunAdmitted,
    RunRequested,
    TimerFired,
)
from atomiton.machine.progress import ProgressMeter
from atomiton.ports.calls import Attempt, Call
from atomiton.ports.runtime import Job

if TYPE_CHECKING:
    from atomiton.drivers.local import LocalDriver

Key = tuple[int, int]
_Facts: type[deque[Event]] = deque
_Starts: type[deque[StartAttempt]] = deque
#: How many attempts are made in one go before others on the event loop have their turn.
BURST = 1000


class Execution(msgspec.Struct, eq=False):
    """A run that this process drives.

    It is a struct because one is made for every run, and that is the quickest way to make one.

    Attributes:
        driver: Who drives it.
        state: Where the run is.
        steps: How its nodes are called, by number.
        recorder: Puts the facts on record; None when the run is kept in memory only.
        facts: Every fact so far, in order; a fact's number is its place, from 1.
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
    recorder: Recorder | None = None
    facts: list[Event] = []
    saved: int = 0
    finish: FinishRun | None = None
    waiters: list[asyncio.Future[None]] = []
    failure: BaseException | None = None
    stopped: bool = False
    ending: bool = False
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

    #: Feeds a fact to the machine; whoever wants to know what it leads to does so here.
    _apply = staticmethod(apply)

    # -- facts in ----------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """Add a fact and do what follows from it."""
        self._inbox.append(event)
        if not self._busy:
            self._drain()

    def accepted(self, request: RunRequested) -> None:
        """Begin with a request that is on record already."""
        self._busy = True  # what a listener asks for comes after what the request leads to
        commands = self._apply(self.state, request)
        self.facts.append(request)
        self.settle(1)
        self._follow(commands, request.time)
        self._drain()

    def _drain(self) -> None:
        """Do all that follows at once from what has come in."""
        self._busy = True
        try:
            while self.driver.starter.run(self._open_lane):
                pass
        finally:
            self._busy = False
            if self.recorder is None:
                self.settle(len(self.facts))
            else:
                self.recorder.flush_soon()

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
        self.steps[command.step].waits = True
        spare = self.driver.starter.hand_over(lane, first)
        self._jobs[command.frame, command.node] = TaskJob(
            command, spare.task, lane.close, spare.cancel
        )
        return True

    async def _lane(self, own: StartAttempt | None = None) -> None:  # noqa: C901 - one loop
        """Feed the next fact, then make an attempt that may act, and again.

        The nodes that this lane calls run inside of it. The first that waits keeps it: the rest
        of the lane is then that node's task, and ends with it.

        Args:
            own: The one attempt of a lane that was a task from the beginning.
        """
        inbox, starts, state, facts = self._inbox, self._starts, self.state, self.facts
        clock, steps, straight, left = self.driver.now, self.steps, self.recorder is None, BURST
        apply_fact, fact = self._apply, cast("Event | None", None)
        while True:
            start = own
            if start is None:
                if fact is None and inbox:
                    fact = inbox.popleft()
                if fact is not None:
                    commands = apply_fact(state, fact)
                    facts.append(fact)
                    if len(commands) == 1 and type(commands[0]) is StartAttempt:
                        start = commands[0]
                        facts.append(
                            AttemptStarted(fact.time, start.frame, start.node, start.attempt)
                        )
                        if starts or not straight:
                            start = self._in_turn(start)
                    elif commands:
                        self._follow(commands, fact.time)
                    fact = None
                if start is None:
                    if starts:
                        start = starts.popleft()
                    elif inbox:
                        continue
                    else:
                        return None
                left -= 1
                if not left:  # others on this loop have their turn
                    return self._later(start)
                step = steps[start.step]
                if step.waits:
                    self._spawn(start)
                    continue
                self._current = start
            else:
                step = steps[start.step]
            try:
                attempt = self._attempt(start) if step.needs_attempt else None
                arguments = step.arguments(state, start, attempt)
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
                return self._resumed(start, fact)
            if step.needs_attempt:
                self._forget((start.frame, start.node))
            if inbox:  # what has come in meanwhile was there first
                inbox.append(fact)
                fact = None

    def _in_turn(self, start: StartAttempt) -> StartAttempt | None:
        """The attempt, if it may act now; None if it is held, or has to wait for its turn."""
        recorder = self.recorder
        if recorder is not None and recorder.must_wait(start, unsaved=True):
            alone = not self._starts and not self._inbox
            # A listener, told of what is on record, may have a wish by now: that comes first.
            if alone and recorder.commit_now() and not self._inbox:
                return start
            recorder.held.append(start)
            return None
        if not self._starts:
            return start
        self._starts.append(start)
        return None

    def _later(self, start: StartAttempt) -> None:
        """Make an attempt in a later turn of the loop."""
        self._starts.appendleft(start)
        self._drain_soon()

    def _follow(self, commands: Sequence[Command], now: float) -> None:
        """Do, or line up, what a fact has led to."""
        facts, recorder = self.facts, self.recorder
        unsaved = self.saved < len(facts)
        for command in commands:
            if type(command) is not StartAttempt:
                self._perform(command)
                continue
            facts.append(AttemptStarted(now, command.frame, command.node, command.attempt))
            if recorder is not None and recorder.must_wait(command, unsaved=unsaved):
                recorder.held.append(command)
            else:
                self._starts.append(command)

    def _spawn(self, start: StartAttempt) -> None:
        """Give an attempt of a node that is known to wait a task from the beginning."""
        lane = self._lane(start)
        task = self.driver.loop.create_task(lane)
        self._jobs[start.frame, start.node] = TaskJob(start, task, lane.close, task.cancel)

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
            self.driver.loop.call_soon(self._drain_once)

    def _drain_once(self) -> None:
        self._drain_due = False
        if (self._inbox or self._starts) and not self._busy and not self.stopped:
            self._drain()

    def settle(self, last: int) -> None:
        """Facts up to number ``last`` are on record: announce them, and the end of the run."""
        first, self.saved = self.saved, last
        announce = self.driver.announce
        if announce is not None and first < last:
            announce(self, first, last)
        if self.finish is not None and last == len(self.facts) and not self.stopped:
            self._end()

    def _end(self) -> None:
        self.stopped = True
        if self._timers is not None:
            self._timers.close()
            self._timers = None
        self.state.release()
        self.driver.ended(self)
        self.wake()

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

    # -- commands out --------------------------------------------------------------------------

    def _perform(self, command: Command) -> None:
        if isinstance(command, FinishRun):
            self.finish = command
        elif isinstance(command, SetTimer):
            if self._timers is None:
                self._timers = WallTimers(self.driver.loop, self.driver.now, self._fire)
            self._timers.set(command.timer, command.at)
        elif isinstance(command, CancelTimer) and self._timers is not None:
            self._timers.cancel(command.timer)
        elif isinstance(command, CancelAttempt):
            self._cancel(command)

    def _fire(self, timer: int) -> None:
        self._drain_once()  # an answer that came in first may have dropped the timer
        if not self.stopped and timer in self.state.timers:
            self.feed(TimerFired(self.driver.now(), timer))

    def _begin_job(self, command: StartAttempt, call: Call, arguments: dict[str, object]) -> None:
        key = (command.frame, command.node)

        def done(result: object, error: BaseException | None) -> None:
            self._jobs.pop(key, None)
            self._answer(command, call, result, error)

        runtime = self.driver.runtime(call.runtime)
        self._jobs[key] = runtime.start(call.function, arguments, done)

    def _attempt(self, command: StartAttempt) -> Attempt:
        attempt = self._attempts[command.frame, command.node] = new_attempt(self, command)
        return attempt

    def _cancel(self, command: CancelAttempt) -> None:
        """Ask an attempt to stop, and give it up when it has not within the grace period."""
        key = (command.frame, command.node)
        job = self._jobs.get(key)
        if job is None:
            if self.recorder is not None:
                self.recorder.drop(key)
            for start in [st for st in self._starts if (st.frame, st.node) == key]:
                self._starts.remove(start)  # in place: the lane is going through them
            if not any(answers(event, command) for event in self._inbox):
                self._inbox.append(self._failed(command, stopped()))
            return
        if key in self._attempts:
            self._attempts[key].cancel(why_stopped(self.state, command))
        grace = self.driver.grace
        self._grace[key] = self.driver.loop.call_later(grace, self._give_up, command, job)
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
                now = self.driver.now()
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
        now = self.driver.now()
        if self.state.secrets:
            error = blotted(error, self.state.secrets)
        return AttemptFailed(now, command.frame, command.node, command.attempt, error)

    @property
    def meter(self) -> ProgressMeter:
        """How far the run is."""
        if self._meter is None:
            self._meter = ProgressMeter(self.state)
        return self._meter

    # -- after a restart -------------------------------------------------------------------------

    def recover(self, facts: Sequence[Event]) -> None:
        """Go on from stored facts: rebuild the state, reissue what has no answer."""
        state = self.state
        if self.recorder is not None:
            self.recorder.shown = None
        replay(state, facts)
        self.facts.extend(facts)
        self.saved = len(facts)
        if state.ended:
            self.finish = FinishRun(state.status, state.output, state.failure)
            self._drain()
            return
        lost, again = left_open(state, facts, self.driver.now())
        self._inbox.extend(lost)
        for command in again:
            self._perform(command)
        self._rebuilt()
        self._drain()

    def _rebuilt(self) -> None:
        """The state is that of the facts: a run that was gated may begin, as nobody is asked."""
        if self.state.gated:
            self._inbox.append(RunAdmitted(self.driver.now()))

    def let_act(self, starts: Sequence[StartAttempt]) -> None:
        """Make attempts that waited for the journal, unless they are wanted no more."""
        for start in starts:
            if self.state.expects(start.frame, start.node, start.attempt):
                self._starts.append(start)
        if self._starts or self._inbox:
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
