"""Failure and cancellation: stopping what runs."""

from __future__ import annotations

from atomiton.blueprint.plan import JOIN_SETTLED, USES, MapPlan
from atomiton.errors import ErrorInfo
from atomiton.machine.commands import CancelAttempt, Command
from atomiton.machine.retry import should_retry
from atomiton.machine.settling import cancel_node
from atomiton.machine.state import (
    BODY,
    CLOSING,
    COMPLETED,
    ITEMS,
    RUN_ACTIVE,
    RUN_CLOSING,
    RUN_STOPPING,
    RUNNING,
    STOPPING,
    UNDO,
    Frame,
    RunState,
)
from atomiton.machine.timers import drop_timer


def stop(run: RunState, failure: ErrorInfo, now: float, out: list[Command]) -> None:
    """End the run: start nothing new and cancel what runs; the first reason stands."""
    if run.status != RUN_ACTIVE:
        return
    run.failure = failure
    run.status = RUN_STOPPING
    stop_frame(run.top, failure, now, out)
    if run.gated:
        run.open_sources()  # what cleans up does so all the same


def stop_up(frame: Frame, failure: ErrorInfo, now: float, out: list[Command]) -> None:
    """Stop a frame that has failed, and every frame around it that fails with it for certain.

    A frame whose node may try again, or has a way to go on, waits for its end.
    """
    while not frame.stopping:
        parent, node = frame.parent, frame.node
        if parent is None:
            stop(frame.run, failure, now, out)
            return
        stop_frame(frame, failure, now, out)
        if _absorbs(parent, node, failure):
            return
        drop_timer(parent, node, out)
        parent.status[node] = STOPPING
        parent.verdicts[node] = failure
        frame = parent


def _absorbs(frame: Frame, node: int, error: ErrorInfo) -> bool:
    """Whether a frame may go on after one of its nodes has failed."""
    plan_node = frame.nodes[node]
    if frame.kind >= UNDO or should_retry(plan_node.retry, error, frame.attempts[node]):
        return True
    if frame.kind == BODY:
        return frame.race or plan_node.routes_error or plan_node.fallback is not None
    if frame.kind == ITEMS and frame.parent is not None:
        plan = frame.parent.nodes[frame.node].detail
        return isinstance(plan, MapPlan) and plan.on_item_error != "fail"
    return False


def stop_frame(frame: Frame, failure: ErrorInfo | None, now: float, out: list[Command]) -> None:
    """Cancel what runs and what waits in a frame, and all frames in it, but for what cleans up.

    Args:
        failure: Why, if the frame has failed.
    """
    if frame.stopping:
        return
    frame.stopping = True
    frame.quick = False
    frame.failure = failure
    for node, status in enumerate(frame.status):
        if status >= COMPLETED or frame.nodes[node].join == JOIN_SETTLED:
            continue
        if status == RUNNING:
            stop_node(frame, node, now, out)
        elif status != STOPPING:
            drop_timer(frame, node, out)
            cancel_node(frame, node, now)


def stop_node(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Ask a node that runs to stop."""
    drop_timer(frame, node, out)
    frame.status[node] = STOPPING
    if frame.nodes[node].kind == USES:
        out.append(CancelAttempt(frame.id, node, frame.attempts[node]))
    else:
        stop_frame(frame.children[node], None, now, out)


def cancel(run: RunState, reason: str, by: str, now: float, out: list[Command]) -> None:
    """Cancel the run; when it is ending already, that changes nothing about how it ends."""
    if run.status == RUN_CLOSING:
        for frame in list(run.frames.values()):
            if frame.kind == CLOSING:
                stop_frame(frame, None, now, out)
    if run.status != RUN_ACTIVE:
        return
    run.cancelled = True
    run.paused = False  # or what is to clean up would wait for somebody
    details: dict[str, object] | None = {"by": by} if by else None
    stop(run, ErrorInfo("CANCELLED", reason or "cancelled", details=details), now, out)
