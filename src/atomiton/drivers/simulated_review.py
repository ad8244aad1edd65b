"""A run that is over, gone through once more: what every fact has changed, and whether it might.

The machine is believed in what it says a node is doing, and in nothing else: not in its counts, not
in its lists, not in what it has noted to be compensated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from atomiton.blueprint.plan import (
    BRANCH,
    GROUP,
    JOIN_SETTLED,
    LOOP,
    MAP,
    USES,
    WAIT_UNTIL,
    Body,
    Plan,
    Waiting,
)
from atomiton.drivers.simulated_bodies import (
    check_group,
    check_items,
    check_loop,
    check_map,
    check_pause,
    check_turns,
    must_stop,
)
from atomiton.drivers.simulated_joins import Joins, is_over, routes_of
from atomiton.drivers.simulated_mail import Mail
from atomiton.drivers.simulated_undo import UndoLaws
from atomiton.drivers.simulated_world import demand
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine import RunState, apply
from atomiton.machine.commands import Command
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    CancelRequested,
    Event,
)
from atomiton.machine.state import (
    BODY,
    CANCELLED,
    COMPLETED,
    FAILED,
    ITEMS,
    PENDING,
    RUNNING,
    SKIPPED,
    STOPPING,
    TURNS,
    Frame,
)

_CLOSE = 1e-3
"""Seconds by which sums of moments may be off."""


class Change(NamedTuple):
    """What a fact has done to a node."""

    frame: Frame
    node: int
    before: int
    after: int

    def __str__(self) -> str:
        """Name the node, and what it was and is."""
        return f"{self.frame.path(self.node)} ({self.before} -> {self.after})"


class Review:
    """Goes through the facts of a run.

    Attributes:
        run: The run so far.
    """

    def __init__(self, plan: Plan) -> None:
        self.run = RunState(plan)
        self._place = 0
        self._statuses: dict[int, list[int]] = {}
        self._stopping: set[int] = set()
        self._joins: dict[int, Joins] = {}
        self._results: dict[tuple[int, int], object] = {}
        self._errors: set[tuple[str, str]] = set()
        self._frames: dict[tuple[int, int], int] = {}
        self._failure: ErrorInfo | None = None
        self._mail = Mail()
        self._undo = UndoLaws(self.run)

    def enter(self, fact: Event) -> list[Command]:
        """Go on by one fact."""
        run = self.run
        self._place += 1
        commands = apply(run, fact)
        self._note(fact)
        changes = self._changes()
        for change in changes:
            self._changed(change, fact)
        for frame in run.frames.values():
            self._rests(frame)
        self._mail.enter(run, fact, changes)
        self._undo.enter(fact, changes)
        if self._failure is not None:
            demand(run.failure == self._failure, "one end", f"{run.failure}, not {self._failure}")
        self._failure = run.failure
        self._stopping = {frame.id for frame in run.frames.values() if frame.stopping}
        return commands

    def _note(self, fact: Event) -> None:
        if isinstance(fact, AttemptCompleted):
            self._results[fact.frame, fact.node] = fact.output
        elif isinstance(fact, AttemptFailed):
            path = self.run.frames[fact.frame].path(fact.node)
            self._errors.add((path, fact.error.code))
        elif isinstance(fact, CancelRequested):
            self._undo.cancelled(self.run)

    def _changes(self) -> list[Change]:
        found: list[Change] = []
        for frame in self.run.frames.values():
            before = self._statuses.get(frame.id)
            if before == frame.status:
                continue
            if before is None:
                before = []
                self._opened(frame)
            before = before + [PENDING] * (len(frame.status) - len(before))
            for node, status in enumerate(frame.status):
                if before[node] != status:
                    found.append(Change(frame, node, before[node], status))
            self._statuses[frame.id] = frame.status[:]
        return found

    def _opened(self, frame: Frame) -> None:
        """A body has been opened: it is of the latest attempt, and there was none before it."""
        if frame.parent is None:
            return
        of = (frame.parent.id, frame.node)
        self._frames[of] = self._frames.get(of, 0) + 1
        parent = frame.parent
        count, attempt = self._frames[of], parent.attempts[frame.node]
        path = parent.path(frame.node)
        demand(count == attempt, "bodies", f"body {count} of {path} in its attempt {attempt}")
        rule = parent.nodes[frame.node].retry
        demand(attempt <= (rule.attempts if rule else 1), "retry", f"attempt {attempt} of {path}")
        if frame.kind == ITEMS:
            check_items(frame)

    # -- one node ------------------------------------------------------------------------------

    def _changed(self, change: Change, fact: Event) -> None:
        frame, node, before, after = change
        demand(before < COMPLETED, "one end", f"{change} after its end")
        if frame.kind == BODY and before == PENDING:
            self._decided(change)
        if frame.kind == TURNS:
            check_pause(frame, node, before, after, fact.time)
        plan_node = frame.nodes[node]
        if plan_node.join == JOIN_SETTLED:
            demand(after != CANCELLED, "clean-up", f"{change}, but it cleans up")
        elif before == PENDING and after not in (SKIPPED, CANCELLED):
            demand(
                frame.id not in self._stopping, "fail fast", f"{change} began in a body that ends"
            )
        if after == CANCELLED and plan_node.join != JOIN_SETTLED:
            demand(frame.stopping, "one end", f"{change}, but its body goes on")
        if after == COMPLETED:
            self._completed(frame, node, fact)
        elif after == FAILED:
            self._failed(frame, node)

    def _decided(self, change: Change) -> None:
        """A node of a body is no longer pending: was it wanted?"""
        frame, node, _, after = change
        plan_node = frame.nodes[node]
        if after == CANCELLED:
            return
        wanted = self._of(frame.body).wanted(frame, node)
        if after == SKIPPED:
            demand(wanted is not None, "skip", f"{change} before it was known")
            reason = not wanted or not plan_node.enabled or _holds(frame, node) is False
            demand(reason, "skip", f"{change} for no reason")
            return
        demand(wanted, "order", f"{change}, but what it needs is not given")
        demand(plan_node.enabled, "skip", f"{change} is not enabled")
        if plan_node.condition is not None:
            holds = _holds(frame, node)
            demand(holds or (holds is None and after == FAILED), "skip", f"{change}: its condition")

    def _of(self, body: Body | None) -> Joins:
        assert body is not None
        if id(body) not in self._joins:
            self._joins[id(body)] = Joins(body.nodes)
        return self._joins[id(body)]

    def _completed(self, frame: Frame, node: int, fact: Event) -> None:
        plan_node, output, name = frame.nodes[node], frame.outputs[node], frame.path(node)
        kind = plan_node.kind
        if kind == USES:
            given = self._results.get((frame.id, node))
            demand(output == given, "results", f"{name} gave {given}, kept was {output}")
        elif kind == BRANCH:
            right = routes_of(frame, node)
            demand(output == right, "routes", f"{name} took {output}, not {right}")
        elif kind == GROUP:
            check_group(frame.children[node], output)
        elif kind == MAP:
            check_map(frame.children[node], output)
        elif kind == LOOP:
            check_loop(frame.children[node], output)
        else:
            _check_wait(frame, node, fact)

    def _failed(self, frame: Frame, node: int) -> None:
        name, error = frame.path(node), frame.errors.get(node)
        demand(error is not None, "results", f"{name} has failed without an error")
        fallback = frame.nodes[node].fallback
        if fallback is not None and frame.kind == BODY and not frame.stopping:
            kept = frame.outputs[node]
            other = fallback(frame)
            demand(kept == other, "results", f"{name} goes on with {kept}, not {other}")
        detail = frame.nodes[node].detail
        if error is not None and isinstance(detail, Waiting) and error.code == "TIMEOUT":
            took = frame.ended[node] - frame.started[node]
            early = f"{name} timed out after {took:g} s"
            plan_node = frame.nodes[node]
            bounds = [b for b in (plan_node.timeout, plan_node.deadline) if b is not None]
            demand(took >= min(bounds, default=0.0) - _CLOSE, "time", early)

    # -- what must be true whenever nothing happens ----------------------------------------------

    def _rests(self, frame: Frame) -> None:
        name = frame.parent.path(frame.node) if frame.parent is not None else f"body {frame.kind}"
        left = [node for node in range(len(frame.status)) if not is_over(frame, node)]
        if frame.parent is not None and frame.parent.children.get(frame.node) is frame:
            above = frame.parent.status[frame.node]
            out = above in (RUNNING, STOPPING)
            demand(bool(left) == out, "bodies", f"{name} is {above}, of its body {left} are left")
        if not left:
            return
        why = must_stop(frame)
        demand(frame.stopping or why is None, "fail fast", f"{name} goes on, but {why}")
        if frame.stopping:
            self._ends(frame, left, name)
        elif frame.kind == BODY:
            joins = self._of(frame.body)
            for node in left:
                forgotten = frame.status[node] == PENDING and joins.wanted(frame, node) is not None
                demand(not forgotten, "liveness", f"{frame.path(node)} is never decided about")
        elif frame.kind == TURNS:
            check_turns(frame, name)
        else:
            self._in_turn(frame, left, name)

    def _ends(self, frame: Frame, left: Sequence[int], name: str) -> None:
        """In a body that ends, only what cleans up is not asked to stop."""
        for node in left:
            status = frame.status[node]
            if frame.nodes[node].join != JOIN_SETTLED:
                demand(status == STOPPING, "fail fast", f"{frame.path(node)} goes on in {name}")
            elif status == PENDING:
                over = all(is_over(frame, needed) for needed in frame.nodes[node].needs)
                demand(not over, "liveness", f"{frame.path(node)} does not clean up")

    def _in_turn(self, frame: Frame, left: Sequence[int], name: str) -> None:
        """Items and sequences: no more at once than may be, no fewer than can, in order."""
        begun = [node for node in left if frame.status[node] != PENDING]
        most = 1
        if frame.kind == ITEMS and frame.parent is not None:
            detail = frame.parent.nodes[frame.node].detail
            most = getattr(detail, "concurrency", 0) or len(frame.status)
        demand(len(begun) <= most, "concurrency", f"{len(begun)} of {name} at once, not {most}")
        busy = len(begun) == min(most, len(left))
        demand(busy, "liveness", f"of {name} {begun} are out, {left} are left")
        order = [status == PENDING for status in frame.status]
        demand(order == sorted(order), "order", f"{name} goes on out of order: {frame.status}")

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """The run has ended: everything has, and as it says."""
        run = self.run
        for frame in run.frames.values():
            for node in range(len(frame.status)):
                demand(is_over(frame, node), "one end", f"{frame.path(node)} has not ended")
        done = run.status == "completed"
        failed = must_stop(run.top)
        demand(not done or failed is None, "one end", f"the run has completed, but {failed}")
        demand(done == (run.failure is None), "one end", f"{run.status} with {run.failure}")
        if run.failure is not None and run.failure.code in ("FLAKY", "NOT_FOUND", "NODE_FAILED"):
            cause = (run.failure.node or "", run.failure.code)
            demand(cause in self._errors, "one end", f"nothing has failed with {cause}")
        if done:
            given = run.plan.root.output(run.top)
            demand(run.output == given, "results", f"the run gave {run.output}, not {given}")
        self._undo.close()


def _holds(frame: Frame, node: int) -> bool | None:
    """Whether the condition of a node holds; None if that cannot be said."""
    condition = frame.nodes[node].condition
    if condition is None:
        return True
    try:
        return condition(frame.scope(node)) is True
    except AtomitonError:
        return None


def _check_wait(frame: Frame, node: int, fact: Event) -> None:
    """A wait for a time has taken that time; an approval gives what was decided."""
    plan_node, output, name = frame.nodes[node], frame.outputs[node], frame.path(node)
    wait = plan_node.detail
    assert isinstance(wait, Waiting)
    if wait.when is not None:
        when = wait.when(frame.scope(node))
        assert isinstance(when, float)
        end = when if plan_node.kind == WAIT_UNTIL else frame.started[node] + when
        demand(frame.ended[node] >= end - _CLOSE, "time", f"{name} did not wait until {end}")
    elif wait.approval is not None:
        decided = cast("dict[str, object]", output)["approved"]
        given = isinstance(fact, ApprovalGiven) and decided == fact.approved
        demand(given, "results", f"{name} gave {output} after {fact}")
