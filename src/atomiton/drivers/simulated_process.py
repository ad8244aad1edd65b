"""One life of a process that drives a run: the rules of ``execution.py`` on a simulated clock."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from atomiton.drivers.simulated_world import Effect, Handle, Script, World, script_of
from atomiton.errors import NOT_RETRIED, AtomitonError, ErrorInfo, IllegalEvent
from atomiton.machine import RunState, apply, outstanding
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
    AttemptLost,
    AttemptStarted,
    BreakpointChecked,
    CostSpent,
    Event,
    RunRequested,
    TimerFired,
)
from atomiton.machine.progress import ProgressMeter
from atomiton.machine.state import LOST, Frame

Key = tuple[int, int]
Then = Callable[[], None]

GRACE = 0.5
LONGEST_SLEEP = 600.0


class Observer(Protocol):
    """Who watches a process, and checks that it keeps the laws."""

    def applied(
        self, state: RunState, event: Event, place: int, commands: Sequence[Command]
    ) -> None:
        """A fact, the ``place``-th of the run, was fed to the machine."""
        ...

    def refused(self, state: RunState, event: Event) -> None:
        """An answer came that nobody waits for; it was dropped."""
        ...

    def begins(self, state: RunState, start: StartAttempt) -> None:
        """An attempt is about to act."""
        ...

    def settled(self, state: RunState, last: int, total: int) -> None:
        """The journal has acknowledged facts up to number ``last``."""
        ...


class Surroundings(Protocol):
    """What a process is given: a world, somebody who watches, a journal, faults."""

    world: World
    seed: int
    life: int

    @property
    def laws(self) -> Observer:
        """Who watches."""
        ...

    def write(self, facts: Sequence[Event], first: int, *, sync: bool, then: Then) -> None:
        """Put facts on record, then go on; a crash may come first."""
        ...

    def mishap(self) -> str:
        """What goes wrong with an answer: ``lost``, ``twice``, or nothing (empty)."""
        ...


class Job:
    """An attempt that is under way."""

    __slots__ = ("act", "answer", "cancelled", "grace", "script", "start")

    def __init__(self, start: StartAttempt, script: Script) -> None:
        self.start = start
        self.script = script
        self.act: Handle | None = None
        self.answer: Handle | None = None
        self.grace: Handle | None = None
        self.cancelled = False


class Process:
    """A process that drives the run until it ends or the process dies.

    Attributes:
        facts: Every fact so far, in order.
        saved: How many of them the journal has acknowledged.
        held: Starts that act once they are on record.
        writing: Starts whose record is being written.
        dead: Whether the process is no more.
        stopped: Whether the run has ended and that is on record.
    """

    def __init__(self, around: Surroundings, state: RunState) -> None:
        self._around = around
        self.world = around.world
        self.state = state
        self.meter = ProgressMeter(state)
        self.facts: list[Event] = []
        self.saved = 0
        self.held: list[StartAttempt] = []
        self.writing: list[StartAttempt] = []
        self.starts: deque[StartAttempt] = deque()
        self.jobs: dict[Key, Job] = {}
        self.timers: dict[int, Handle] = {}
        self.inbox: deque[Event] = deque()
        self.dead = False
        self.stopped = False
        self._finish: FinishRun | None = None
        self._flushing = False

    # -- facts in ------------------------------------------------------------------------------

    def accept(self, request: RunRequested) -> None:
        """Put a run on record and start it."""
        self._around.write([request], 0, sync=True, then=lambda: self._accepted(request))

    def _accepted(self, request: RunRequested) -> None:
        self.saved = 1
        self.feed(request)
        self._around.laws.settled(self.state, 1, len(self.facts))

    def feed(self, event: Event) -> None:
        """Add a fact and do what follows from it."""
        self.inbox.append(event)
        self._drain()

    def _drain(self) -> None:
        while self.starts or self.inbox:
            if self.inbox:
                self._take(self.inbox.popleft())
            if self.starts:
                self._begin(self.starts.popleft())
        self._flush_soon()

    def _take(self, event: Event) -> None:
        if self.stopped or not self._awaited(event):
            self._around.laws.refused(self.state, event)
            return
        try:
            commands = apply(self.state, event)
        except IllegalEvent:
            if isinstance(event, AttemptCompleted | AttemptLost | TimerFired):
                raise
            self._around.laws.refused(self.state, event)
            return
        self.facts.append(event)
        self._around.laws.applied(self.state, event, len(self.facts), commands)
        unsaved = self.saved < len(self.facts)
        for command in commands:
            if isinstance(command, StartAttempt):
                self._start(command, event.time, unsaved=unsaved)
            else:
                self._perform(command)

    def _awaited(self, event: Event) -> bool:
        """Whether a fact is no answer, or one that somebody still waits for.

        What came in in the same turn may have overtaken it.
        """
        if isinstance(event, TimerFired):
            return event.timer in self.state.timers
        if not isinstance(event, AttemptCompleted | AttemptFailed | AttemptLost):
            return True
        state, of = self.state, (event.frame, event.node, event.attempt)
        frame = state.frames.get(of[0])
        lost = frame is not None and frame.status[of[1]] == LOST
        return state.expects(*of) or (isinstance(event, AttemptFailed) and lost)

    # -- commands out --------------------------------------------------------------------------

    def _perform(self, command: Command) -> None:
        if isinstance(command, SetTimer):
            self._set_timer(command.timer, command.at)
        elif isinstance(command, CancelTimer):
            timer = self.timers.pop(command.timer, None)
            if timer is not None:  # it may have fired already, and wait to be taken
                timer.cancel()
        elif isinstance(command, CancelAttempt):
            self._cancel(command)
        elif isinstance(command, CheckBreakpoint) and not self.state.ended:
            stops = self.world.random.random() < 0.5
            of = (command.frame, command.node)
            self.inbox.appendleft(BreakpointChecked(self.world.now(), *of, stops))
        elif isinstance(command, FinishRun):
            self._finish = command

    def _start(self, start: StartAttempt, now: float, *, unsaved: bool) -> None:
        self._note_start(start, now)
        if self._must_wait(start, unsaved=unsaved):
            self.held.append(start)
        else:
            self.starts.append(start)

    def _note_start(self, start: StartAttempt, now: float) -> None:
        self.facts.append(AttemptStarted(now, start.frame, start.node, start.attempt))

    def _must_wait(self, start: StartAttempt, *, unsaved: bool) -> bool:
        """Whether an attempt may act only after the next commit."""
        node = self.state.plan.uses[start.step]
        return node.once or (unsaved and not node.pure)

    def _set_timer(self, timer: int, at: float) -> None:
        delay = min(max(0.0, at - self.world.now()), LONGEST_SLEEP)
        self.timers[timer] = self.world.later(delay, lambda: self._fire(timer, at))

    def _fire(self, timer: int, at: float) -> None:
        if self.dead or self.stopped:
            return
        if self.world.now() < at:
            self._set_timer(timer, at)
            return
        del self.timers[timer]
        self.feed(TimerFired(self.world.now(), timer))

    def _cancel(self, command: CancelAttempt) -> None:
        key = (command.frame, command.node)
        job = self.jobs.get(key)
        if job is None:
            self.held = [held for held in self.held if (held.frame, held.node) != key]
            self.starts = deque(st for st in self.starts if (st.frame, st.node) != key)
            self.inbox.append(self._failed(command, stopped()))
            return
        job.cancelled = True
        job.grace = self.world.later(GRACE, lambda: self._give_up(command, job))
        if job.script.obeys is not None:
            end = self._failed(command, stopped())
            if job.answer is not None:
                job.answer.cancel()
            job.answer = self.world.later(job.script.obeys, lambda: self._ended(job, end))

    def _give_up(self, command: CancelAttempt, job: Job) -> None:
        key = (command.frame, command.node)
        if not self.dead and self.jobs.get(key) is job:
            del self.jobs[key]
            self.feed(self._failed(command, stopped("it was given up")))

    # -- attempts ------------------------------------------------------------------------------

    def _begin(self, start: StartAttempt) -> None:
        """Let an attempt act."""
        self._around.laws.begins(self.state, start)
        frame = self.state.frames[start.frame]
        name = lineage(frame, start.node)
        try:
            parameters = self.state.plan.uses[start.step].prepare(frame.scope(start.node))
        except AtomitonError as error:
            retryable = error.code not in NOT_RETRIED
            info = ErrorInfo(error.code, error.message, retryable=retryable)
            self.inbox.append(self._failed(start, info))
            return
        script = script_of(self._around.seed, name, start.attempt)
        answer = self._answer(start, script, [name, start.attempt, timeless(parameters)])
        path = frame.path(start.node)
        if script.instant:
            self._act(start, path)
            self.inbox.append(answer)
            return
        job = Job(start, script)
        self.jobs[start.frame, start.node] = job
        acts = script.lasts * script.acts
        job.act = self.world.later(acts, lambda: self._act(start, path, job))
        job.answer = self.world.later(script.lasts, lambda: self._ended(job, answer))

    def _act(self, start: StartAttempt, path: str, job: Job | None = None) -> None:
        if self.dead:
            return
        plan_node = self.state.plan.uses[start.step]
        effect = "pure" if plan_node.pure else "once" if plan_node.once else "idempotent"
        key = f"{self.state.id}/{path}"
        awaited = job is None or not job.cancelled
        self.world.effects.append(
            Effect(self.world.now(), self._around.life, key, start.attempt, effect, awaited)
        )
        self._spend(start, at_work=job is None)

    def _spend(self, start: StartAttempt, *, at_work: bool) -> None:
        """Whatever acts costs 1 where costs are bounded, even when nobody waits for it any more."""
        if self.state.plan.cost is None or self.state.ended or self.stopped:
            return
        of = (start.frame, start.node, start.attempt)
        fact = CostSpent(self.world.now(), *of, 1.0)
        self.inbox.append(fact) if at_work else self.feed(fact)

    def _answer(self, start: StartAttempt, script: Script, given: object) -> Event:
        if script.ending != "good":
            info = ErrorInfo(script.ending, "as drawn", retryable=script.retryable)
            return self._failed(start, info)
        output = {"value": zlib.crc32(msgspec.json.encode(given)) % 1000}
        return AttemptCompleted(self.world.now(), start.frame, start.node, start.attempt, output)

    def _ended(self, job: Job, answer: Event) -> None:
        """An attempt says how it ended; whether anybody still waits for that is another matter."""
        if self.dead:
            return
        key = (job.start.frame, job.start.node)
        if job.act is not None and not job.cancelled:
            job.act.now()  # what acts as its last thing acts before it answers
        if self.jobs.get(key) is job:
            del self.jobs[key]
            if job.grace is not None:
                job.grace.cancel()
        answer = msgspec.structs.replace(answer, time=self.world.now())
        mishap = self._around.mishap()
        if mishap == "lost":
            answer = AttemptLost(self.world.now(), *key, job.start.attempt)
        elif mishap == "twice":
            self.world.later(self.world.random.choice((0.0, 0.5, 3.0)), lambda: self._late(answer))
        if not self.jobs:
            self.feed(answer)
            return
        # Others may end in the same turn: what follows is done for all together.
        self.inbox.append(answer)
        self.world.later(0.0, self._drain_once)

    def _drain_once(self) -> None:
        if self.inbox and not self.dead:
            self._drain()

    def _late(self, answer: Event) -> None:
        if not self.dead:
            self.feed(answer)

    def _failed(self, of: StartAttempt | CancelAttempt, error: ErrorInfo) -> AttemptFailed:
        return AttemptFailed(self.world.now(), of.frame, of.node, of.attempt, error)

    # -- the journal ---------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if not self._flushing and self._unsaved():
            self._flushing = True
            self.world.later(0.0, self._commit)

    def _unsaved(self) -> bool:
        # A run that ends as soon as it is asked for has all facts on record, but not its end.
        ended = self._finish is not None and not self.stopped
        return bool(self.held) or self.saved < len(self.facts) or ended

    def _commit(self) -> None:
        if self.dead or self.stopped or not self._unsaved():
            self._flushing = False
            return
        self.writing, self.held = self.held, []
        last = len(self.facts)
        sync = bool(self.writing) or self._finish is not None or not self.jobs
        self._around.write(
            self.facts[self.saved : last], self.saved, sync=sync, then=lambda: self._committed(last)
        )

    def _committed(self, last: int) -> None:
        self.saved = last
        self._around.laws.settled(self.state, last, len(self.facts))
        if self._finish is not None and last == len(self.facts):
            self.stopped = True
        written, self.writing = self.writing, []
        for start in written:
            if self.state.expects(start.frame, start.node, start.attempt):
                self.starts.append(start)
        self._drain()
        self._commit()

    # -- after a restart -----------------------------------------------------------------------

    def recover(self, facts: Sequence[Event]) -> None:
        """Go on from stored facts: rebuild the state, reissue what has no answer."""
        state = self.state
        acted: set[tuple[int, int, int]] = set()
        for fact in facts:
            apply(state, fact)
            if isinstance(fact, AttemptStarted):
                acted.add((fact.frame, fact.node, fact.attempt))
        self.facts.extend(facts)
        self.saved = len(facts)
        self.stopped = state.ended
        for command in outstanding(state):
            if isinstance(command, StartAttempt):
                of = (command.frame, command.node, command.attempt)
                self.inbox.append(AttemptLost(self.world.now(), *of, acted=of in acted))
            else:
                self._perform(command)
        self._drain()


def lineage(frame: Frame, node: int) -> str:
    """Name of a node that also tells apart the attempts of the bodies around it.

    What it does is drawn by this name, which is the same in whatever order frames are opened.
    """
    tries: list[str] = []
    at = frame
    while at.parent is not None:
        tries.append(str(at.parent.attempts[at.node]))
        at = at.parent
    return f"{frame.path(node)}#{'.'.join(tries)}"


def timeless(value: object) -> object:
    """A value without the moments at which somebody approved something."""
    if isinstance(value, list):
        return [timeless(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        parts = cast("dict[str, object]", value)
        dated = "approved" in parts
        return {k: timeless(v) for k, v in parts.items() if not (dated and k == "at")}
    return value


def stopped(message: str = "stopped because it was asked to") -> ErrorInfo:
    """The end of an attempt that was asked to stop."""
    return ErrorInfo("CANCELLED", message)
