"""One run while it is being driven: facts in, commands performed, answers back as facts.

A run in memory goes straight from a node's answer to what it leads to. A run that is kept has a
``Recorder`` beside it, which puts the facts on record and holds back what must wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from atomiton.drivers.answers import blot, blotted, error_info, stopped, why_stopped
from atomiton.drivers.attempts import new_attempt, withdrawn
from atomiton.drivers.driven import Driven, Key
from atomiton.drivers.jobs import TaskJob
from atomiton.drivers.program import Step
from atomiton.drivers.recovery import left_open, replay
from atomiton.drivers.timers import WallTimers
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine import apply, outstanding
from atomiton.machine.commands import (
    CancelAttempt,
    CancelTimer,
    CheckBreakpoint,
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
from atomiton.machine.passing import UNFIT, pass_on
from atomiton.ports.calls import Attempt, Call
from atomiton.ports.runtime import Job

#: How many attempts are made in one go before others on the event loop have their turn.
BURST = 1000


class Execution(Driven, eq=False):
    """A run that this process drives: what happens when something has happened."""

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
        self.log.append(request)
        self.settle(1)
        self._follow(commands)
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
                self.settle(len(self.log))
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
        self._jobs[command.frame, command.node] = TaskJob(command, spare.task, lane, spare)
        return True

    async def _lane(self) -> None:  # noqa: C901 - one loop
        """Feed the next fact, then make an attempt that may act, and again.

        The nodes that this lane calls run inside of it. The first that waits keeps it: the rest
        of the lane is then that node's task, and ends with it.
        """
        inbox, starts, state, log = self._inbox, self._starts, self.state, self.log
        clock, steps, left, straight = self.driver.now, self.steps, BURST, self._in_memory
        apply_fact, fact = self._apply, cast("Event | None", None)
        while True:
            start: StartAttempt | None = None
            if inbox:
                if fact is not None:  # what has come in meanwhile was there first
                    inbox.append(fact)
                fact = inbox.popleft()
            if fact is not None:
                commands = apply_fact(state, fact)
                log.append(fact)
                if len(commands) == 1 and type(commands[0]) is StartAttempt:
                    start = commands[0]
                    log.append(start)
                    if starts or not straight:
                        start = self._in_turn(start)
                elif commands:
                    self._follow(commands)
                fact = None
            if start is None:
                if starts:
                    start = starts.popleft()
                elif inbox:
                    continue
                else:
                    return None
            if left <= 0:  # others on this loop have their turn
                return self._later(start)
            step = steps[start.step]
            if step.waits:
                self._spawn(start, step)
                continue
            if straight and step.is_straight and not (start.frame or state.changed):
                start, fact, left = await self._go_straight(start, left)
                if fact is not None and self._current is not start:
                    return self._resumed(start, fact)
                continue
            left -= 1
            self._current = start
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
                output = blot(output, state.secrets) if state.secrets else output
                fact = AttemptCompleted(clock(), start.frame, start.node, start.attempt, output)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # whatever a node raises is that node's end
                fact = self._failed(start, error_info(error))
            if self._current is not start:
                return self._resumed(start, fact)
            if step.needs_attempt:
                self._forget((start.frame, start.node))

    @property
    def _in_memory(self) -> bool:
        """Whether what nodes give is kept in memory only, as they give it."""
        return self.recorder is None and not self.state.secrets

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

    async def _go_straight(
        self, start: StartAttempt, left: int
    ) -> tuple[StartAttempt, Event | None, int]:
        """Make attempts of the top body as long as each leads to one more, or to nothing.

        This is what ``_lane`` does, for the most common nodes of a run in memory, and nothing but
        that: their ends are passed on without a fact, which the log has in short.

        Args:
            start: What to begin with.
            left: How many attempts may be made.

        Returns:
            The last attempt and how it ended; None when nothing is left but what is lined up. And
            how many attempts may still be made.
        """
        state, log, starts, inbox = self.state, self.log, self._starts, self._inbox
        steps, firsts, clock, top = self.steps, self.firsts, self.driver.now, self.state.top
        while True:
            step = steps[start.step]
            if not step.is_straight or step.waits or start.frame or not left or state.changed:
                starts.appendleft(start)
                return start, None, left
            left -= 1
            self._current = start
            try:
                if step.get is not None and type(value := step.get(top)) in step.kinds:
                    output = step.result(await step.function(value))  # type: ignore[misc]
                else:
                    given = step.arguments(state, start, None)
                    output = step.result(await step.function(**given))  # type: ignore[misc]
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # whatever a node raises is that node's end
                return start, self._failed(start, error_info(error)), left
            now = clock()
            passed = self._current is start and not inbox
            number = pass_on(top, start.node, output, now) if passed else UNFIT
            if number == UNFIT:
                fact = AttemptCompleted(now, 0, start.node, start.attempt, output)
                return start, fact, left
            log.append(start.node)
            if number >= 0:
                start = firsts[number]
                log.append(start)
                if not starts:
                    continue
                starts.append(start)
            if not starts:
                return start, None, left
            start = starts.popleft()

    def _follow(self, commands: Sequence[Command], now: float | None = None) -> None:
        """Do, or line up, what a fact has led to; just now, or at a moment that is named."""
        log, recorder = self.log, self.recorder
        unsaved = self.saved < len(log)
        unmade: list[CancelAttempt] = []
        for command in commands:
            if type(command) is not StartAttempt:
                self._perform(command, unmade)
                continue
            started = (command.frame, command.node, command.attempt)
            log.append(command if now is None else AttemptStarted(now, *started))
            if recorder is not None and recorder.must_wait(command, unsaved=unsaved):
                recorder.held.append(command)
            else:
                self._starts.append(command)
        if unmade:
            for command in withdrawn(unmade, self._starts, self._inbox, recorder):
                self._inbox.append(self._failed(command, stopped()))

    def _spawn(self, start: StartAttempt, step: Step) -> None:
        """Give an attempt of a node that is known to wait a task from the beginning."""
        work, loop = self._alone(start, step), self.driver.loop
        # As the loop makes it, without going through it: a task is made for each.
        bare = self.driver.starter.bare_tasks
        task = asyncio.Task(work, loop=loop) if bare else loop.create_task(work)
        self._jobs[start.frame, start.node] = TaskJob(start, task, work)

    async def _alone(self, start: StartAttempt, step: Step) -> None:
        """Make one attempt, in a task of its own."""
        state, node = self.state, start.node
        straight = self._in_memory and step.is_straight and not start.frame
        try:
            attempt = self._attempt(start) if step.needs_attempt else None
            get = step.get if straight and not state.changed else None
            if get is not None and type(value := get(state.top)) in step.kinds:
                output = step.result(await step.function(value))  # type: ignore[misc]
            else:
                given = step.arguments(state, start, attempt)
                output = step.result(await step.function(**given))  # type: ignore[misc]
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # whatever a node raises is that node's end
            self._resumed(start, self._failed(start, error_info(error)))
            return
        output = blot(output, state.secrets) if state.secrets else output
        now = self.driver.now()
        if straight and not (self._inbox or self._busy or self.stopped):
            job = self._jobs.get((0, node))
            if type(job) is TaskJob and job.start is start:
                number = pass_on(state.top, node, output, now)
                if number != UNFIT:
                    del self._jobs[0, node]
                    self.log.append(node)
                    if number >= 0 or not self._jobs or not self._drain_due:
                        self._go_on(number)
                    return
        cached = attempt.cached if attempt else ""
        fact = AttemptCompleted(now, start.frame, node, start.attempt, output, cached)
        self._resumed(start, fact)

    def _go_on(self, number: int) -> None:
        """After the end of a node that waited: start the one with this number, if it is one."""
        if number >= 0:
            first = self.firsts[number]
            self.log.append(first)
            self._starts.append(first)
        if not self._jobs:
            self._drain()
        elif not self._drain_due:
            self._drain_soon()

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
        unsettled = self.recorder is None and self.saved < len(self.log)
        due = self._inbox or self._starts or unsettled
        if due and not self._busy and not self.stopped:
            self._drain()

    def settle(self, last: int) -> None:
        """Facts up to number ``last`` are on record: announce them, and the end of the run."""
        first, self.saved = self.saved, last
        announce = self.driver.announce
        if announce is not None and first < last:
            announce(self, first, last)
        if self.finish is not None and last == len(self.log) and not self.stopped:
            self._end()

    def _end(self) -> None:
        self.stopped = True
        if self._timers is not None:
            self._timers.close()
            self._timers = None
        self.state.release()
        self.driver.ended(self)
        self.wake()

    # -- commands out --------------------------------------------------------------------------

    def _perform(self, command: Command, unmade: list[CancelAttempt]) -> None:
        if isinstance(command, FinishRun):
            self.finish = command
        elif isinstance(command, SetTimer):
            if self._timers is None:
                self._timers = WallTimers(self.driver.loop, self.driver.now, self._fire)
            self._timers.set(command.timer, command.at)
        elif isinstance(command, CancelTimer) and self._timers is not None:
            self._timers.cancel(command.timer)
        elif isinstance(command, CancelAttempt):
            at_work = (command.frame, command.node) in self._jobs
            self._cancel(command) if at_work else unmade.append(command)
        elif isinstance(command, CheckBreakpoint) and not self.state.ended:
            from atomiton.drivers.names import check  # few runs are debugged

            self._inbox.appendleft(check(self.state, self.driver.now()))

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
        job = self._jobs[key]
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
                if self.state.secrets:
                    output = blot(output, self.state.secrets)
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

    # -- after a restart -------------------------------------------------------------------------

    def recover(self, facts: Sequence[Event], *, fresh: bool = False) -> None:
        """Go on from stored facts: rebuild the state, reissue what has no answer, if not fresh."""
        state = self.state
        if self.recorder is not None:
            self.recorder.shown = None
        replay(state, facts)
        self.log.extend(facts)
        self.saved = len(facts)
        if state.ended:
            self.finish = FinishRun(state.status, state.output, state.failure)
            self._drain()
            return
        now = self.driver.now()
        lost, again = ([], outstanding(state)) if fresh else left_open(state, facts, now)
        self._inbox.extend(lost)
        self._follow(again, now)
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
