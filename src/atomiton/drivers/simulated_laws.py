"""The laws that every simulated run keeps, checked while it runs and once it has ended.

They are written against facts, effects and the plan, and not against the machine's own accounts,
so that a mistake there cannot hide itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from atomiton.blueprint.plan import USES, Plan, PlanNode
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_process import Process
from atomiton.drivers.simulated_world import Violation
from atomiton.errors import IllegalEvent
from atomiton.machine import RunState, apply
from atomiton.machine.commands import Command, FinishRun, SetTimer, StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    Event,
)
from atomiton.machine.records import decode
from atomiton.machine.state import (
    COMPLETED,
    FAILED,
    LOST,
    RETRYING,
    RUN_NEW,
    RUNNING,
    SKIPPED,
    STOPPING,
    TIMER_RUN,
    WAITING,
    Frame,
    Timer,
)

Of = tuple[int, int, int]
_APART = frozenset({"plan", "secrets", "run", "body"})
_OUT = (RUNNING, STOPPING)
_ANSWERS = (AttemptCompleted, AttemptFailed, AttemptLost)


def snapshot(part: RunState | Frame | Timer) -> dict[str, object]:
    """Every field of a run as plain data, to be compared with another time or another replay."""
    slots = cast("Sequence[str]", type(part).__slots__)
    return {slot: _plain(getattr(part, slot), slot) for slot in slots if slot not in _APART}


def _plain(value: object, slot: str) -> object:
    if slot == "frames":
        return [snapshot(frame) for frame in cast("list[Frame]", value)]
    if slot in ("ready", "opened"):
        return [(frame.id, node) for frame, node in cast("deque[tuple[Frame, int]]", value)]
    if isinstance(value, list):
        return cast("list[object]", value)[:]
    if isinstance(value, dict):
        return {
            key: snapshot(item) if isinstance(item, Timer) else item
            for key, item in cast("dict[object, object]", value).items()
        }
    if isinstance(value, set):
        return sorted(cast("set[int]", value))
    return value.id if isinstance(value, Frame) else value


def demand(holds: bool, law: str, message: object) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise ``Violation`` unless a law holds."""
    if not holds:
        raise Violation(law, str(message))


class Laws:
    """Watches one simulated run through all its lives.

    Args:
        plan: What is run.
        journal: Where it is kept.
        tell: Told everything that happens.
    """

    def __init__(
        self, plan: Plan, journal: SimulatedJournal, tell: Callable[[object], None]
    ) -> None:
        self._plan = plan
        self._tell = tell
        self._journal = journal
        self._promised: list[bytes] = []
        self._shadow = RunState(plan)
        self._read = 0
        self._on_record: set[Of] = set()
        self._begun: Counter[Of] = Counter()
        self._repeated: Counter[Of] = Counter()
        self._failing = False
        self._mark = 0.0
        self.commands: dict[int, Sequence[Command]] = {}

    # -- what is on disk -----------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Follow what no crash can take away any more."""
        records = self._journal.records
        while self._read < self._journal.durable:
            fact = decode(records[self._read])
            apply(self._shadow, fact)
            self._read += 1
            if isinstance(fact, AttemptStarted):
                self._on_record.add((fact.frame, fact.node, fact.attempt))
            elif isinstance(fact, AttemptLost | AttemptRepeated):
                self._on_record.discard((fact.frame, fact.node, fact.attempt))
                if isinstance(fact, AttemptRepeated):
                    self._repeated[fact.frame, fact.node, fact.attempt] += 1

    def settled(self, state: RunState, last: int, total: int) -> None:
        """The journal has acknowledged facts up to number ``last`` of ``total``."""
        self._catch_up()
        durable = self._journal.durable
        self._promised.extend(self._journal.records[len(self._promised) : min(durable, last)])
        if durable == total:
            live, replayed = snapshot(state), snapshot(self._shadow)
            demand(live == replayed, "replay", _difference(live, replayed))

    def recovered(self, process: Process) -> None:
        """A process is about to go on from what the journal holds."""
        kept = self._journal.records[: len(self._promised)]
        demand(kept == self._promised, "acknowledged", "a fact that was acknowledged is lost")
        self._catch_up()
        self._mark = 0.0
        self._failing = process.state.failure is not None
        for place in [place for place in self.commands if place > len(self._journal.records)]:
            del self.commands[place]

    # -- while it runs -------------------------------------------------------------------------

    def applied(
        self, state: RunState, event: Event, place: int, commands: Sequence[Command]
    ) -> None:
        """A fact, the ``place``-th of the run, was fed to the machine."""
        self.commands[place] = commands
        self._tell(event)
        for command in commands:
            self._tell(command)
            if isinstance(command, StartAttempt):
                demand(not self._failing, "fail fast", f"{command} after {event}")
                self._may_start(state, command)
            elif isinstance(command, SetTimer):
                demand(not self._failing, "fail fast", f"{command} after {event}")
        ended = [command for command in commands if isinstance(command, FinishRun)]
        demand(ended == [*commands[-1:]][: len(ended)], "one end", f"not at the end: {commands}")
        demand(bool(ended) == state.ended, "one end", f"{state.status}, but {commands}")
        self._failing = state.failure is not None

    def _may_start(self, state: RunState, start: StartAttempt) -> None:
        frame = state.frames[start.frame]
        node = frame.body.nodes[start.node]
        bound = node.retry.attempts if node.retry else 1
        demand(start.attempt <= bound, "retry", f"attempt {start.attempt} of {bound}: {node.path}")
        demand(node.enabled, "skip", f"{node.path} is not enabled")
        for needed in node.needs:
            demand(_given(frame, needed), "order", f"{node.path} started before node {needed}")

    def begins(self, state: RunState, start: StartAttempt) -> None:
        """An attempt is about to act: what it depends on must be on record."""
        of = (start.frame, start.node, start.attempt)
        frame = state.frames[start.frame]
        node = frame.body.nodes[start.node]
        self._tell(f"{node.path} acts, attempt {start.attempt}")
        demand(state.expects(*of), "one outcome", f"{node.path} began, and nobody waits for it")
        demand(state.failure is None, "fail fast", f"{node.path} began when the run was ending")
        self._begun[of] += 1
        if node.pure:
            return
        self._catch_up()
        demand(self._shadow.expects(*of), "cause on record", f"{node.path} acts before its cause")
        stored = self._shadow.frames[start.frame]
        demand(stored.status[start.node] < COMPLETED, "no recomputing", f"{node.path} has a result")
        for needed in node.needs:
            same = _given(stored, needed) and stored.outputs[needed] == frame.outputs[needed]
            demand(same, "cause on record", f"{node.path} acts before {needed} is on record")
        if node.once:
            demand(of in self._on_record, "cause on record", f"{node.path} acts before its record")
            allowed = 1 + self._repeated[of]
            demand(self._begun[of] <= allowed, "once", f"{node.path} acted {self._begun[of]} times")

    def refused(self, state: RunState, event: Event) -> None:
        """A fact that nobody waits for: the machine must refuse it and change nothing."""
        self._tell(f"dropped: {event}")
        before = snapshot(state)
        try:
            apply(state, event)
        except IllegalEvent:
            after = snapshot(state)
            demand(before == after, "refusal", f"{event} changed {_difference(before, after)}")
        else:
            raise Violation("refusal", f"{event} was taken")

    def between(self, process: Process) -> None:
        """Nothing is happening right now."""
        state, plan = process.state, self._plan
        out = [
            (frame.id, number)
            for frame in state.frames
            for number, status in enumerate(frame.status)
            if status in _OUT
        ]
        demand(state.running == len(out), "running", f"{state.running} counted, {out} are out")
        if plan.concurrency:
            demand(len(out) <= plan.concurrency, "concurrency", f"{out} are out")
        if plan.steps:
            demand(state.steps <= plan.steps, "steps", f"{state.steps} of {plan.steps}")
        if not state.ended and state.status != RUN_NEW:
            _waits_for_something(process, out)
        self._progresses(process)

    def _progresses(self, process: Process) -> None:
        fraction = process.meter.read(process.world.now()).fraction
        demand(self._mark <= fraction <= 1, "progress", f"from {self._mark} to {fraction}")
        self._mark = fraction

    # -- once it has ended ---------------------------------------------------------------------

    def ended(self, process: Process) -> None:
        """The run has ended and that is on record."""
        facts = [decode(record) for record in self._journal.records]
        demand(facts == process.facts, "acknowledged", "the journal holds other facts")
        fresh = RunState(self._plan)
        starts: set[Of] = set()
        ledger = _Ledger()
        for place, fact in enumerate(facts, 1):
            commands = apply(fresh, fact)
            ledger.enter(fresh, fact)
            if place in self.commands:
                first = self.commands[place]
                demand(commands == first, "determinism", f"{fact}: {commands}, not {first}")
            starts |= {(c.frame, c.node, c.attempt) for c in commands if type(c) is StartAttempt}
        live, replayed = snapshot(process.state), snapshot(fresh)
        demand(live == replayed, "replay", _difference(live, replayed))
        demand(fresh.ended, "one end", f"the run is {fresh.status}")
        if self._plan.steps:
            demand(len(starts) <= self._plan.steps, "steps", f"{len(starts)} attempts")
        _statuses_fit(fresh)


def _given(frame: Frame, node: int) -> bool:
    """Whether a node has ended so that what needs it may start."""
    fallback = frame.body.nodes[node].fallback is not None
    status = frame.status[node]
    return status == COMPLETED or (status == FAILED and fallback)


def _waits_for_something(process: Process, out: list[tuple[int, int]]) -> None:
    """Every attempt and timer of the machine has its counterpart; a run that rests has a reason."""
    state = process.state
    waiting = {(start.frame, start.node) for start in (*process.held, *process.writing)}
    waiting |= {(fact.frame, fact.node) for fact in process.inbox if isinstance(fact, _ANSWERS)}
    for key in out:
        demand(key in process.jobs or key in waiting, "liveness", f"nothing will answer for {key}")
    timers, set_ = set(state.timers), set(process.timers)
    demand(timers == set_, "liveness", f"timers {timers} of the machine, {set_} of the process")
    lost = any(status == LOST for frame in state.frames for status in frame.status)
    demand(
        bool(
            out or lost or state.paused or any(t.kind != TIMER_RUN for t in state.timers.values())
        ),
        "liveness",
        f"the run is {state.status} and waits for nothing",
    )
    for frame in state.frames:
        for node, status in enumerate(frame.status):
            if status in (RETRYING, WAITING):
                demand(node in frame.timers, "liveness", f"nothing will wake node {node}")
    if state.ready and not state.paused:
        limit = state.plan.concurrency
        demand(bool(limit) and len(out) >= limit, "liveness", "a place is free and work is ready")


class _Ledger:
    """Every attempt ends once; a node that has a result is not heard of again."""

    def __init__(self) -> None:
        self._answered: set[Of] = set()
        self._ended: set[tuple[int, int]] = set()

    def enter(self, run: RunState, fact: Event) -> None:
        """Add a fact that ``run`` has just been fed."""
        if not isinstance(fact, AttemptStarted | AttemptLost | AttemptCompleted | AttemptFailed):
            return
        of = (fact.frame, fact.node, fact.attempt)
        demand(of not in self._answered, "one outcome", f"{fact} after its outcome")
        demand(of[:2] not in self._ended, "no recomputing", f"{fact} after its result")
        if isinstance(fact, AttemptCompleted | AttemptFailed):
            self._answered.add(of)
        if run.frames[of[0]].status[of[1]] >= COMPLETED:
            self._ended.add(of[:2])


def _statuses_fit(run: RunState) -> None:
    """Who was skipped, and who ended, is what the plan says."""
    frame = run.frames[0]
    for number, node in enumerate(frame.body.nodes):
        status = frame.status[number]
        skipped = any(frame.status[needed] == SKIPPED for needed in node.needs)
        if status == SKIPPED:
            reason = skipped or not node.enabled or _declined(frame, node)
            demand(reason, "skip", f"{node.path} was skipped for no reason")
        elif run.status == "completed":
            demand(not skipped and node.enabled, "skip", f"{node.path} was not skipped")
            demand(_given(frame, number), "one end", f"{node.path} has not ended: {status}")
        if node.kind != USES:
            demand(status != STOPPING, "one end", f"{node.path} still waits")
    demand(not run.timers and not run.ready and not run.running, "one end", "something is left")


def _declined(frame: Frame, node: PlanNode) -> bool:
    return node.condition is not None and node.condition(frame) is False


def _difference(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    parts = [f"{key}: {one[key]} or {other[key]}" for key in one if one[key] != other[key]]
    return "; ".join(parts)
