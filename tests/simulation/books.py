"""Books kept beside the machine: whatever it counts, lists or notes is counted here once more.

The laws in ``simulated_review`` are about what a run does; these are about the accounts by which
the machine knows what to do next: attempts and timers that are out, how many nodes are left, what
waits for what, since when, and until when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from atomiton.blueprint.plan import USES, WAIT_SIGNAL, WAIT_UNTIL, Waiting
from atomiton.drivers.simulated_joins import is_over
from atomiton.drivers.simulated_world import demand
from atomiton.machine import RunState, outstanding
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
    AttemptRepeated,
    Event,
    TimerFired,
)
from atomiton.machine.state import (
    BODY,
    COMPLETED,
    FAILED,
    PENDING,
    READY,
    RETRYING,
    RUN_ACTIVE,
    RUNNING,
    STOPPING,
    TIMER_ATTEMPT,
    TIMER_PATIENCE,
    TIMER_RETRY,
    TIMER_RUN,
    TIMER_TURN,
    TIMER_WAIT,
    WAITING,
    Frame,
)

Of = tuple[int, int]
_ANSWERS = (AttemptCompleted, AttemptFailed, AttemptLost)


class Books:
    """Keeps accounts of a run, from its plan, its facts and the wishes of the machine.

    Args:
        run: The run; it is looked at after every fact, never changed.
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._timers: dict[int, float] = {}
        self._out: dict[Of, StartAttempt] = {}
        self._asked: set[Of] = set()
        self._steps: set[tuple[int, int, int]] = set()
        self._attempts: dict[Of, int] = {}
        self._statuses: dict[Of, int] = {}
        self._first: dict[Of, float] = {}
        self._since: dict[Of, float] = {}
        self._ends: dict[Of, tuple[int, float] | None] = {}

    def enter(self, fact: Event, commands: Sequence[Command]) -> None:
        """Go on by a fact that the run has been fed, and by what the machine wished then."""
        run = self._run
        self._answered(fact)
        for command in commands:
            self._wished(command, fact.time)
        demand(not run.opened and not run.closing, "books", "something is left undecided")
        changed = list(self._changes(fact.time))
        self._check_out()
        self._check_timers()
        self._check_notices(changed)
        for frame in run.frames.values():
            self._check_frame(frame)
        self._check_lists()
        if run.ended:
            moment = run.ended_at
            demand(moment == fact.time, "books", f"the run ended at {moment}")
        self._check_outstanding()

    # -- what was wished and answered --------------------------------------------------------------

    def _answered(self, fact: Event) -> None:
        if isinstance(fact, TimerFired):
            del self._timers[fact.timer]
        elif isinstance(fact, AttemptRepeated):
            self._steps.discard((fact.frame, fact.node, fact.attempt))
            self._first.pop((fact.frame, fact.node), None)
        elif isinstance(fact, _ANSWERS):
            # A lost attempt that is given up has been answered before.
            self._out.pop((fact.frame, fact.node), None)
            self._asked.discard((fact.frame, fact.node))
            if isinstance(fact, AttemptLost) and self._is_held_back(fact):
                self._steps.discard((fact.frame, fact.node, fact.attempt))
                if fact.attempt == 1:
                    self._first.pop((fact.frame, fact.node), None)

    def _is_held_back(self, lost: AttemptLost) -> bool:
        """Whether an attempt that never acted waits until the run goes on: it was not made."""
        frame = self._run.frames.get(lost.frame)
        ready = frame is not None and frame.status[lost.node] == READY
        demand(not ready or (self._run.paused and not lost.acted), "books", f"{lost}: is ready")
        return ready

    def _wished(self, command: Command, now: float) -> None:
        if isinstance(command, SetTimer):
            self._timers[command.timer] = command.at
        elif isinstance(command, CancelTimer):
            demand(command.timer in self._timers, "books", f"{command}: it is not set")
            del self._timers[command.timer]
        elif isinstance(command, FinishRun):
            demand(not self._timers and not self._out, "books", "something is out at the end")
        elif isinstance(command, CancelAttempt):
            of = (command.frame, command.node)
            right = of in self._out and self._out[of].attempt == command.attempt
            demand(right and of not in self._asked, "books", f"{command}: it is not out")
            self._asked.add(of)
        else:
            self._started(command, now)

    def _started(self, start: StartAttempt, now: float) -> None:
        of = (start.frame, start.node)
        demand(of not in self._out, "books", f"{start}: one is out already")
        frame = self._run.frames[start.frame]
        demand(start.attempt == frame.attempts[start.node], "books", f"{start}: another attempt")
        self._out[of] = start
        self._steps.add((*of, start.attempt))
        self._since[of] = now
        self._first.setdefault(of, now)
        own = self._bound(frame, start.node)
        self._ends[of] = None if own is None else (TIMER_ATTEMPT, own)
        ends = [own, None if frame.stopping else frame.deadline]
        end = min((end for end in ends if end is not None), default=None)
        late = frame.stopping and start.deadline == frame.deadline  # it was not when this began
        demand(start.deadline == end or late, "time", f"{start} has time until {end}")

    def _bound(self, frame: Frame, node: int) -> float | None:
        """When the latest attempt of a node must have ended, by what the node says."""
        plan_node, of = frame.nodes[node], (frame.id, node)
        ends = [
            None if plan_node.timeout is None else self._since[of] + plan_node.timeout,
            None if plan_node.deadline is None else self._first[of] + plan_node.deadline,
        ]
        return min((end for end in ends if end is not None), default=None)

    # -- what has changed --------------------------------------------------------------------------

    def _changes(self, now: float) -> Iterator[tuple[Frame, int, int]]:
        """Note since when every node is what it is; give what has changed, and what it was."""
        for frame in self._run.frames.values():
            for node, status in enumerate(frame.status):
                of = (frame.id, node)
                tries = frame.attempts[node] - self._attempts.get(of, 0)
                before = self._statuses.get(of, PENDING)
                if tries > 0:
                    self._first.setdefault(of, now)
                if status == before and not tries:
                    continue
                self._attempts[of], self._statuses[of] = frame.attempts[node], status
                if frame.nodes[node].kind != USES or status != RUNNING:
                    self._since[of] = now
                    self._ends[of] = self._end(frame, node, now)
                if status >= COMPLETED and before < COMPLETED:
                    moment = frame.ended[node]
                    demand(moment == now, "books", f"{frame.path(node)} ended at {moment}")
                    self._check_error(frame, node)
                yield frame, node, before

    def _end(self, frame: Frame, node: int, now: float) -> tuple[int, float] | None:
        """The timer that a node must have since now; None if it has none."""
        status, plan_node = frame.status[node], frame.nodes[node]
        if status == RETRYING:
            at = self._run.timers[frame.timers[node]].at
            rule = plan_node.retry
            assert rule is not None
            demand(now <= at <= now + rule.max_delay, "time", f"{frame.path(node)} again at {at}")
            return TIMER_RETRY, at
        if status == RUNNING:
            bound = self._bound(frame, node)
            return None if bound is None else (TIMER_ATTEMPT, bound)
        if status != WAITING:
            return None
        wait = plan_node.detail
        if not isinstance(wait, Waiting) or not frame.attempts[node]:
            assert frame.parent is not None
            delay = getattr(frame.parent.nodes[frame.node].detail, "delay", 0.0)
            return TIMER_TURN, now + delay
        bound = self._bound(frame, node)
        if wait.when is not None:
            when = wait.when(frame.scope(node))
            assert isinstance(when, float)
            end = when if plan_node.kind == WAIT_UNTIL else now + when
            if bound is None or end <= bound:
                return TIMER_WAIT, end
        return None if bound is None else (TIMER_PATIENCE, bound)

    def _check_error(self, frame: Frame, node: int) -> None:
        """What has failed says where it has; a node that calls also in which attempt."""
        if frame.status[node] != FAILED:
            return
        path, error = frame.path(node), frame.errors[node]
        attempt = frame.attempts[node] or None
        demand((error.node or "").startswith(path), "books", f"{path} has failed with {error}")
        own = frame.nodes[node].kind == USES and error.code != "EXPRESSION_ERROR"
        if own or (error.node == path and error.code == "TIMEOUT"):
            demand((error.node, error.attempt) == (path, attempt), "books", f"{path}: {error}")

    # -- what must be so whenever nothing happens --------------------------------------------------

    def _check_out(self) -> None:
        run, out, asked = self._run, set[Of](), set[Of]()
        for frame in run.frames.values():
            for node, status in enumerate(frame.status):
                if status in (RUNNING, STOPPING) and frame.nodes[node].step >= 0:
                    out.add((frame.id, node))
                    if status == STOPPING:
                        asked.add((frame.id, node))
        demand(out == set(self._out), "books", f"{out} are out, {set(self._out)} were started")
        demand(asked == self._asked, "books", f"{asked} are to stop, {self._asked} were asked")
        demand(run.running == len(out), "books", f"{run.running} are counted, {out} are out")
        demand(run.steps == len(self._steps), "books", f"{run.steps} steps, not {self._steps}")
        free = not run.plan.bounded and not run.paused
        demand(run.status != RUN_ACTIVE or run.free == free, "books", f"free: {run.free}")

    def _check_timers(self) -> None:
        run = self._run
        ats = {number: timer.at for number, timer in run.timers.items()}
        demand(ats == self._timers, "books", f"timers {ats} of the machine, {self._timers} set")
        found: Counter[int] = Counter()
        for frame in run.frames.values():
            for node in range(len(frame.status)):
                number, end = frame.timers.get(node), self._ends.get((frame.id, node))
                timer = None if number is None else run.timers[number]
                told = None if timer is None else (timer.kind, timer.at)
                demand(told == end, "time", f"{frame.path(node)} has the timer {told}, not {end}")
                if timer is not None:
                    right = (timer.frame, timer.node) == (frame.id, node)
                    demand(right, "books", f"the timer of {frame.path(node)} is of another")
                    found[timer.kind] += 1
        others = [timer.kind for timer in run.timers.values()]
        of_run = len(others) - found.total()
        demand(others.count(TIMER_RUN) == of_run, "books", f"timers of nobody: {others}")

    def _check_frame(self, frame: Frame) -> None:
        name = f"body {frame.id}"
        left = sum(not is_over(frame, node) for node in range(len(frame.status)))
        demand(frame.remaining == left, "books", f"{name}: {frame.remaining} left, not {left}")
        stopping = {node for node, status in enumerate(frame.status) if status == STOPPING}
        demand(set(frame.verdicts) <= stopping, "books", f"{name}: {frame.verdicts}")
        if frame.parent is not None:
            mine = frame.parent.children.get(frame.node) is frame
            there = self._run.frames.get(frame.parent.id) is frame.parent
            demand(mine and there, "books", f"{name} is of nobody")
        for node in range(len(frame.status)):
            of, path = (frame.id, node), f"{name}[{node}]"
            began, ended = frame.started[node], frame.ended[node]
            demand(is_over(frame, node) or not ended, "books", f"{path} ended at {ended}")
            demand(began == self._first.get(of, 0.0), "books", f"{path} began at {began}")
            if frame.kind == BODY:
                needs = sum(not is_over(frame, needed) for needed in frame.nodes[node].needs)
                open_ = frame.open[node]
                demand(open_ == needs, "books", f"{path} waits for {open_}, not {needs}")
            child = frame.children.get(node)
            if child is not None:
                there = self._run.frames.get(child.id) is child
                demand(there and child.parent is frame, "books", f"the body of {path} is lost")

    def _check_lists(self) -> None:
        """What is ready and what listens stands in the lists by which it is found."""
        run = self._run
        ready = Counter((frame.id, node) for frame, node in run.ready)
        demand(max(ready.values(), default=1) == 1, "books", f"ready twice: {ready}")
        for frame in run.frames.values():
            for node, status in enumerate(frame.status):
                if status == READY:
                    demand((frame.id, node) in ready, "books", f"{frame.path(node)} is forgotten")
                elif status == WAITING and frame.nodes[node].kind == WAIT_SIGNAL:
                    wait = frame.nodes[node].detail
                    assert isinstance(wait, Waiting)
                    heard = (frame, node) in run.listening.get(wait.signal, [])
                    turn = not frame.attempts[node]
                    demand(heard or turn, "books", f"{frame.path(node)} does not listen")

    def _check_outstanding(self) -> None:
        """What a driver is told after a restart is what it was told before."""
        told = outstanding(self._run)
        timers = {c.timer: c.at for c in told if isinstance(c, SetTimer)}
        demand(timers == self._timers, "restart", f"timers {timers}, not {self._timers}")
        starts = {(c.frame, c.node): c for c in told if isinstance(c, StartAttempt)}
        demand(set(starts) == set(self._out), "restart", f"{starts}, not {self._out}")
        demand(len(told) == len(timers) + len(starts), "restart", f"told twice: {told}")
        for of, start in starts.items():
            was, own = self._out[of], self._ends[of]
            if of in self._asked:  # how long it has for that is not for the machine to say
                was = replace(was, deadline=start.deadline)
            elif self._run.frames[start.frame].stopping:  # it cleans up: that may take its time
                was = replace(was, deadline=None if own is None else own[1])
            demand(start == was, "restart", f"{start}, not {was}")

    def _check_notices(self, changed: Sequence[tuple[Frame, int, int]]) -> None:
        """Who wants to know is told of every end and every retry, and of what begins unasked."""
        notices = self._run.notices
        if notices is None:
            return
        told = Counter((status, frame.id, node) for status, frame, node in notices)
        notices.clear()
        ends = {of: count for of, count in told.items() if of[0] >= COMPLETED}
        due = {
            (frame.status[node], frame.id, node): 1
            for frame, node, before in changed
            if is_over(frame, node) and before < COMPLETED
        }
        demand(ends == due, "notices", f"told of {ends}, not of {due}")
        for frame, node, before in changed:
            status, of = frame.status[node], (frame.id, node)
            if status == RETRYING and before != RETRYING:
                demand(told[RETRYING, *of] == 1, "notices", f"{frame.path(node)} is tried again")
            begun = frame.nodes[node].kind != USES and status in (RUNNING, WAITING)
            if begun and before in (PENDING, RETRYING) and frame.attempts[node]:
                demand(told[RUNNING, *of] == 1, "notices", f"{frame.path(node)} has begun")
        for status, number, node in told:
            if status == RUNNING:
                calls = self._run.frames[number].nodes[node].kind == USES
                demand(not calls, "notices", "the begin of a call is not for the machine to tell")
