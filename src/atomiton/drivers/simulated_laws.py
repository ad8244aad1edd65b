"""The laws that every simulated run keeps, checked while it runs and once it has ended.

They are written against facts, effects and the plan, and not against the machine's own accounts,
so that a mistake there cannot hide itself. Here is what can be seen while a process lives; what its
facts amount to is gone through in ``simulated_review`` once the run has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from atomiton.blueprint.plan import JOIN_COUNT, JOIN_SETTLED, Plan, Waiting
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_process import Process
from atomiton.drivers.simulated_review import Review
from atomiton.drivers.simulated_snapshot import difference, snapshot
from atomiton.drivers.simulated_undo import check_effects
from atomiton.drivers.simulated_world import Violation, demand
from atomiton.errors import IllegalEvent
from atomiton.machine import RunState, apply
from atomiton.machine.commands import CancelAttempt, Command, FinishRun, SetTimer, StartAttempt
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
    RETRYING,
    RUN_ACTIVE,
    RUN_CLOSING,
    RUN_COMPENSATING,
    RUN_NEW,
    RUNNING,
    STOPPING,
    TIMER_RUN,
    UNDO,
    WAITING,
    Frame,
)

Of = tuple[int, int, int]
_OUT = (RUNNING, STOPPING)
_ANSWERS = (AttemptCompleted, AttemptFailed, AttemptLost)


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
        self._mark = 0.0
        self._told: list[bytes] = []
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
        self._tell_listener(last)
        if durable == total:
            live, replayed = snapshot(state), snapshot(self._shadow)
            demand(live == replayed, "replay", difference(live, replayed))

    def _tell_listener(self, last: int) -> None:
        """Somebody who listens has been told of facts up to number ``last``: each once, in order.

        One who comes back after a crash goes on where it stood. Only what was not on disk when the
        power failed may be told otherwise than before.
        """
        records, told = self._journal.records, self._told
        known = len(told) <= last <= len(records)
        demand(known, "listener", f"told of {last} after {len(told)}, on record are {len(records)}")
        demand(records[: len(told)] == told, "listener", "what was told is on record otherwise")
        told.extend(records[len(told) : last])

    def recovered(self) -> None:
        """A process is about to go on from what the journal holds."""
        kept = self._journal.records[: len(self._promised)]
        demand(kept == self._promised, "acknowledged", "a fact that was acknowledged is lost")
        self._catch_up()
        self._mark = 0.0
        on_record = len(self._journal.records)
        lost = self._told[on_record:]
        demand(
            not lost or self._journal.lost, "listener", "what was told has gone without a reason"
        )
        del self._told[on_record:]
        for place in [place for place in self.commands if place > len(self._journal.records)]:
            del self.commands[place]

    # -- while it runs -------------------------------------------------------------------------

    def applied(
        self, state: RunState, event: Event, place: int, commands: Sequence[Command]
    ) -> None:
        """A fact, the ``place``-th of the run, was fed to the machine."""
        self.commands[place] = commands
        self._tell(event)
        dropped = {(c.frame, c.node) for c in commands if isinstance(c, CancelAttempt)}
        for command in commands:
            self._tell(command)
            if isinstance(command, StartAttempt):
                self._may_start(state, command)
                if (command.frame, command.node) not in dropped:
                    may = may_act(state, state.frames[command.frame], command.node)
                    demand(may, "fail fast", f"{command} after {event}")
            elif isinstance(command, SetTimer) and command.timer in state.timers:
                timer = state.timers[command.timer]
                own = timer.kind == TIMER_RUN
                may = own or may_act(state, state.frames[timer.frame], timer.node)
                demand(may, "fail fast", f"{command} after {event}")
        ended = [command for command in commands if isinstance(command, FinishRun)]
        demand(ended == [*commands[-1:]][: len(ended)], "one end", f"not at the end: {commands}")
        demand(bool(ended) == state.ended, "one end", f"{state.status}, but {commands}")
        if ended:
            told, kept = ended[0], (state.status, state.output, state.failure)
            same = (told.status, told.output, told.error) == kept
            demand(same, "one end", f"{told}, but {kept}")

    def _may_start(self, state: RunState, start: StartAttempt) -> None:
        frame = state.frames[start.frame]
        node, path = frame.nodes[start.node], frame.path(start.node)
        called = self._plan.uses[start.step]
        bound = node.retry.attempts if node.retry else 1
        demand(called is node, "order", f"{path} is told to call {called.id}")
        demand(start.attempt <= bound, "retry", f"attempt {start.attempt} of {bound}: {path}")
        demand(node.enabled, "skip", f"{path} is not enabled")

    def begins(self, state: RunState, start: StartAttempt) -> None:
        """An attempt is about to act: what it depends on must be on record."""
        of = (start.frame, start.node, start.attempt)
        frame = state.frames[start.frame]
        node, path = frame.nodes[start.node], frame.path(start.node)
        self._tell(f"{path} acts, attempt {start.attempt}")
        demand(state.expects(*of), "one outcome", f"{path} began, and nobody waits for it")
        demand(may_act(state, frame, start.node), "fail fast", f"{path} began in what is ending")
        if node.pure:
            return
        self._catch_up()
        demand(self._shadow.expects(*of), "cause on record", f"{path} acts before its cause")
        stored = self._shadow.frames[start.frame]
        demand(stored.status[start.node] < COMPLETED, "no recomputing", f"{path} has a result")
        _causes_on_record(frame, stored, start.node)
        if node.once:
            demand(of in self._on_record, "cause on record", f"{path} acts before its record")
            self._begun[of] += 1
            allowed = 1 + self._repeated[of]
            demand(self._begun[of] <= allowed, "once", f"{path} acted {self._begun[of]} times")

    def refused(self, state: RunState, event: Event) -> None:
        """A fact that nobody waits for: the machine must refuse it and change nothing."""
        self._tell(f"dropped: {event}")
        before = snapshot(state)
        try:
            apply(state, event)
        except IllegalEvent:
            after = snapshot(state)
            demand(before == after, "refusal", f"{event} changed {difference(before, after)}")
        else:
            raise Violation("refusal", f"{event} was taken")

    def between(self, process: Process) -> None:
        """Nothing is happening right now."""
        state, plan = process.state, self._plan
        out = [
            (frame.id, number)
            for frame in state.frames.values()
            for number, status in enumerate(frame.status)
            if status in _OUT and frame.nodes[number].step >= 0
        ]
        demand(state.running == len(out), "running", f"{state.running} counted, {out} are out")
        if plan.concurrency:
            demand(len(out) <= plan.concurrency, "concurrency", f"{out} are out")
        if plan.steps and state.status == RUN_ACTIVE:
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
        review, ledger = Review(self._plan), _Ledger()
        fresh = review.run
        starts: set[Of] = set()
        for place, fact in enumerate(facts, 1):
            commands = review.enter(fact)
            ledger.enter(fresh, fact)
            if place in self.commands:
                first = self.commands[place]
                demand(commands == first, "determinism", f"{fact}: {commands}, not {first}")
            if fresh.status == RUN_ACTIVE:
                made = (c for c in commands if isinstance(c, StartAttempt))
                new = {(c.frame, c.node, c.attempt) for c in made} - starts
                spent = self._plan.cost is not None and fresh.cost >= self._plan.cost
                demand(not (spent and new), "cost", f"{new} begin at a cost of {fresh.cost}")
                starts |= new
        live, replayed = snapshot(process.state), snapshot(fresh)
        demand(live == replayed, "replay", difference(live, replayed))
        demand(fresh.ended, "one end", f"the run is {fresh.status}")
        if self._plan.steps:
            demand(len(starts) <= self._plan.steps, "steps", f"{len(starts)} attempts")
        demand(not fresh.timers and not fresh.running, "one end", "something is left")
        review.close()
        check_effects(fresh, process.world.effects)


def may_act(run: RunState, frame: Frame, node: int) -> bool:
    """Whether something new may begin: nothing around it ends, or it belongs to what cleans up."""
    while True:
        if frame.nodes[node].join == JOIN_SETTLED:
            return True
        if frame.stopping:
            return False
        if frame.parent is None:
            break
        frame, node = frame.parent, frame.node
    if frame is run.top:
        return run.failure is None
    return run.status == (RUN_COMPENSATING if frame.kind == UNDO else RUN_CLOSING)


def _causes_on_record(live: Frame, stored: Frame, node: int) -> None:
    """What a node needs, and what the bodies around it need, is on record as it is known."""
    while True:
        # One that does not wait for all it needs may see what has come after its start.
        waits = live.body is not None and live.nodes[node].join != JOIN_COUNT
        for needed in live.nodes[node].needs if waits else ():
            one = (live.status[needed], live.outputs[needed])
            other = (stored.status[needed], stored.outputs[needed])
            if live.status[needed] >= COMPLETED:
                name = live.path(node)
                demand(one == other, "cause on record", f"{name} acts before {needed} is on record")
        if live.parent is None or stored.parent is None:
            break
        node, live, stored = live.node, live.parent, stored.parent


def _waits_for_something(process: Process, out: list[tuple[int, int]]) -> None:
    """Every attempt and timer of the machine has its counterpart; a run that rests has a reason."""
    state = process.state
    waiting = {(start.frame, start.node) for start in (*process.held, *process.writing)}
    waiting |= {(fact.frame, fact.node) for fact in process.inbox if isinstance(fact, _ANSWERS)}
    for key in out:
        demand(key in process.jobs or key in waiting, "liveness", f"nothing will answer for {key}")
    timers, set_ = set(state.timers), set(process.timers)
    demand(timers == set_, "liveness", f"timers {timers} of the machine, {set_} of the process")
    if not out:
        ready = state.ready and not state.paused
        demand(not ready, "liveness", "a place is free and work is ready")
        rests = f"the run is {state.status} and waits for nothing"
        demand(state.reason() is not None, "liveness", rests)
    for frame in state.frames.values():
        for node, status in enumerate(frame.status):
            if status in (RETRYING, WAITING) and not _waits_for_somebody(frame, node):
                path = frame.path(node)
                demand(node in frame.timers, "liveness", f"nothing will wake {path}")
    if state.ready and not state.paused:
        limit = state.plan.concurrency
        demand(bool(limit) and len(out) >= limit, "liveness", "a place is free and work is ready")


def _waits_for_somebody(frame: Frame, node: int) -> bool:
    detail = frame.nodes[node].detail
    if frame.status[node] != WAITING or not isinstance(detail, Waiting):
        return False
    plan_node = frame.nodes[node]
    return detail.when is None and plan_node.timeout is None and plan_node.deadline is None


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
