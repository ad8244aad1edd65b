"""The end of a run: its output, compensation if it has failed, the nodes of ``on``."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.blueprint.plan import ItemScope, PlanNode, Scope
from atomiton.errors import AtomitonError
from atomiton.machine.bodies import close_frame
from atomiton.machine.commands import CancelTimer, Command, FinishRun
from atomiton.machine.ending import evaluation_failure
from atomiton.machine.state import (
    BODY,
    CLOSING,
    COMPLETED,
    RUN_CLOSING,
    RUN_COMPENSATING,
    UNDO,
    Frame,
    RunState,
)


def close_frames(run: RunState, now: float, out: list[Command]) -> None:
    """Go on from every frame in which everything has ended."""
    closing = run.closing
    for frame in closing:  # grows while it is gone through
        if frame.parent is not None:
            close_frame(frame, now, out)
        elif frame.kind == CLOSING:
            _finish(run, now, out)
        elif frame.kind == UNDO or not _compensates(run):
            _close(run, now, out)
    closing.clear()


def _compensates(run: RunState) -> bool:
    """Work out what the run gives; begin with compensation if it has failed and there is any."""
    if run.failure is None:
        try:
            run.output = run.plan.root.output(run.top)
        except AtomitonError as error:
            run.failure = evaluation_failure(error)
    cause = "cancel" if run.cancelled else "failure"
    if run.failure is None or not run.undo or cause not in run.plan.compensate_on:
        return False
    run.status = RUN_COMPENSATING
    nodes: list[PlanNode] = []
    scopes: list[Scope] = []
    for frame, node in reversed(run.undo):
        undo = frame.nodes[node].undo
        assert undo is not None
        nodes.append(undo.node)
        scopes.append(_undo_scope(frame, node))
    run.undone = _sequence(run, UNDO, nodes, scopes)
    run.undone.names = [f"{frame.path(node)}:compensate" for frame, node in reversed(run.undo)]
    return True


def _undo_scope(frame: Frame, node: int) -> Scope:
    """What the compensation of a node sees: what the node saw, and what it gave."""
    scope = frame.scope(node)
    if frame.kind != BODY and isinstance(scope, ItemScope):
        scope.own = frame.outputs[node]
    return scope


def _close(run: RunState, now: float, out: list[Command]) -> None:
    """The run is decided: run what the blueprint wants to run then."""
    run.status = RUN_CLOSING
    outcome = {"completed": "success", "failed": "failure", "cancelled": "cancel"}[run.outcome()]
    nodes = [run.plan.on[key] for key in (outcome, "always") if key in run.plan.on]
    if nodes:
        _sequence(run, CLOSING, nodes, [run.top] * len(nodes))
    else:
        _finish(run, now, out)


def _sequence(
    run: RunState, kind: int, nodes: Sequence[PlanNode], scopes: Sequence[Scope]
) -> Frame:
    """Run nodes one after the other, whatever becomes of each."""
    frame = Frame(run, run.next_frame, kind, nodes, run)
    run.next_frame += 1
    run.frames[frame.id] = frame
    frame.items = scopes
    frame.next = 1
    run.opened.append((frame, 0))
    return frame


def _finish(run: RunState, now: float, out: list[Command]) -> None:
    run.status = run.outcome()
    run.ended_at = now
    if run.timers:
        out.extend(CancelTimer(number) for number in run.timers)
        run.timers.clear()
    out.append(FinishRun(run.status, run.output, run.failure))


def undone(run: RunState) -> tuple[list[str], list[str]]:
    """Names of the nodes whose compensation has completed, and of those whose has failed."""
    frame = run.undone
    if frame is None:
        return [], []
    names = [of.path(node) for of, node in reversed(run.undo)]
    completed: list[str] = []
    failed: list[str] = []
    for name, status in zip(names, frame.status, strict=True):
        if status >= COMPLETED:
            (completed if status == COMPLETED else failed).append(name)
    return completed, failed
