"""The laws of the end of a run: compensation, and the nodes of ``on``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from atomiton.blueprint.plan import ItemScope, PlanNode
from atomiton.drivers.simulated_joins import is_over
from atomiton.drivers.simulated_world import Effect, demand
from atomiton.machine import RunState
from atomiton.machine.events import AttemptStarted, Event
from atomiton.machine.finishing import undone
from atomiton.machine.state import (
    BODY,
    CANCELLED,
    CLOSING,
    COMPLETED,
    FAILED,
    RUN_ACTIVE,
    UNDO,
    Frame,
)

Changed = tuple[Frame, int, int, int]
"""A frame, a node, what it was, what it is."""


class _Done(NamedTuple):
    """A node that is to be compensated if the run fails: it has ended by the ``place``-th fact."""

    place: int
    frame: Frame
    node: int

    def path(self) -> str:
        return f"{self.frame.path(self.node)}:compensate"


class UndoLaws:
    """Keeps its own account of what there is to compensate.

    Args:
        run: The run, which goes on fact by fact.
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._place = 0
        self._done: list[_Done] = []
        self._started: set[tuple[int, int]] = set()
        self._cancelled = False
        self._was_active = True

    def cancelled(self, run: RunState) -> None:
        """Somebody has asked to cancel: that is why the run ends, if nothing else was before."""
        self._cancelled = self._cancelled or self._was_active
        if self._was_active:
            demand(run.cancelled, "one end", "a run that was cancelled does not know it")

    def enter(self, fact: Event, changes: Sequence[Changed]) -> None:
        """Go on by one fact."""
        run = self._run
        if isinstance(fact, AttemptStarted):
            self._started.add((fact.frame, fact.node))
        self._place += 1
        self._was_active = run.status == RUN_ACTIVE
        for frame, node, _, after in changes:
            if _ends_in(frame) == BODY:
                self._note(frame, node, after)
        for frame in run.frames.values():
            if frame.parent is None and frame.kind != BODY:
                self._late(frame)

    def _note(self, frame: Frame, node: int, after: int) -> None:
        undo = frame.nodes[node].undo
        if undo is None:
            return
        tried = after == FAILED or (after == CANCELLED and self._tried(frame, node))
        if after == COMPLETED or (undo.when_failed and tried):
            self._done.append(_Done(self._place, frame, node))

    def _tried(self, frame: Frame, node: int) -> bool:
        """Whether a node may have done something."""
        return frame.attempts[node] > 0 or (frame.id, node) in self._started

    def _late(self, frame: Frame) -> None:
        """What runs at the end of a run runs when all before it is over."""
        for other in self._run.frames.values():
            before = other.id < frame.id and _ends_in(other) != frame.kind
            for node in range(len(other.status) if before else 0):
                over = is_over(other, node)
                demand(over, "compensation", f"{other.path(node)} has not ended before the end")

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """The run has ended: everything that was to be undone was, and nothing else."""
        run = self._run
        cause = "cancel" if self._cancelled else "failure"
        demand(run.cancelled == self._cancelled, "one end", f"cancelled: {run.cancelled}")
        wanted = run.failure is not None and cause in run.plan.compensate_on
        frame = run.undone
        frames = [frame for frame in run.frames.values() if frame.kind == UNDO]
        demand(len(frames) == (frame is not None), "compensation", f"{len(frames)} times")
        if frame is not None:
            demand(wanted and self._done, "compensation", "compensated for no reason")
            self._in_order(frame)
            self._reported(frame)
        else:
            due = [done.path() for done in self._done] if wanted else []
            demand(not due, "compensation", f"not compensated: {due}")
        self._closed()

    def _in_order(self, frame: Frame) -> None:
        """Last completed first; what one fact has completed may stand in any order."""
        due, at = list(reversed(self._done)), 0
        told = [_told(node, scope) for node, scope in zip(frame.nodes, frame.items, strict=True)]
        names = [done.path() for done in due]
        demand(len(told) == len(due), "compensation", f"{len(told)} compensations of {names}")
        while at < len(due):
            end = at
            while end < len(due) and due[end].place == due[at].place:
                end += 1
            right = {_expected(done): done for done in due[at:end]}
            fits = sorted(told[at:end]) == sorted(right)
            demand(fits, "compensation", f"not in the order of {names}")
            _outer_first([right[key] for key in told[at:end]])
            at = end
        for node, status in enumerate(frame.status):
            ended = status in (COMPLETED, FAILED)
            demand(ended, "compensation", f"{frame.path(node)} ended as {status}")
        paths = sorted(frame.path(node) for node in range(len(frame.status)))
        demand(paths == sorted(names), "compensation", f"{paths} are not {names}")

    def _reported(self, frame: Frame) -> None:
        """The result of the run tells of each compensation, how it ended."""
        completed, failed = undone(self._run)
        told = sorted([*((name, COMPLETED) for name in completed), *((n, FAILED) for n in failed)])
        right = sorted(
            (frame.path(node).removesuffix(":compensate"), status)
            for node, status in enumerate(frame.status)
        )
        demand(told == right, "compensation", f"reported {told}, not {right}")

    def _closed(self) -> None:
        """The nodes of ``on`` have run for how the run has ended, each once, in order."""
        run, on = self._run, self._run.plan.on
        how = {"completed": "success", "failed": "failure", "cancelled": "cancel"}[run.status]
        expected = [on[key] for key in (how, "always") if key in on]
        frames = [frame for frame in run.frames.values() if frame.kind == CLOSING]
        ran = [node for frame in frames for node in frame.nodes]
        demand(ran == expected, "on", f"{[node.id for node in ran]} ran after {how}")


def _outer_first(order: Sequence[_Done]) -> None:
    """A group has completed after the nodes in it, though the same fact completed both."""
    for place, done in enumerate(order):
        above: list[tuple[Frame, int]] = []
        frame = done.frame
        while frame.parent is not None:
            above.append((frame.parent, frame.node))
            frame = frame.parent
        for later in order[place + 1 :]:
            inside = (later.frame, later.node) in above
            demand(not inside, "compensation", f"{done.path()} before {later.path()} around it")


def _told(node: PlanNode, scope: object) -> tuple[int, int, int]:
    """What a compensation is of: its node, the body that it sees, the item that it sees."""
    if isinstance(scope, ItemScope):
        return id(node), id(scope.outer), scope.index
    return id(node), id(scope), -1


def _expected(done: _Done) -> tuple[int, int, int]:
    undo = done.frame.nodes[done.node].undo
    assert undo is not None
    if done.frame.kind == BODY:
        return id(undo.node), id(done.frame), -1
    return id(undo.node), id(done.frame.outer), done.node


def _ends_in(frame: Frame) -> int:
    """The kind of the outermost frame around a frame: the run, compensation, or ``on``."""
    while frame.parent is not None:
        frame = frame.parent
    return frame.kind


def check_effects(run: RunState, effects: Sequence[Effect]) -> None:
    """Compensations have acted one after the other, and only those that were to.

    Args:
        run: The run, which has ended.
        effects: What nodes did to the world.
    """
    frame = run.undone
    order = [frame.path(node) for node in range(len(frame.status))] if frame is not None else []
    places = {f"{run.id}/{path}": place for place, path in reversed(list(enumerate(order)))}
    last = -1
    acted: set[str] = set()
    for effect in effects:
        if ":compensate" not in effect.key or effect.effect == "pure":
            continue  # what is pure may be done before it is known for certain that it is wanted
        of = effect.key[: effect.key.index(":compensate") + len(":compensate")]
        known = of in places and effect.key[len(of) :][:1] in ("", ".", "[")
        demand(known, "compensation", f"{effect.key} acted, and was not to")
        if effect.awaited and of not in acted:
            acted.add(of)
            demand(places[of] >= last, "compensation", f"{effect.key} acted out of order")
            last = places[of]
    for node in range(len(order)):
        assert frame is not None
        acts = frame.nodes[node].step >= 0 and not frame.nodes[node].pure
        done, name = acts and frame.status[node] == COMPLETED, f"{run.id}/{order[node]}"
        demand(not done or name in acted, "compensation", f"{name} has not acted")
