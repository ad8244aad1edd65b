"""Failure and cancellation: stopping what runs."""

from __future__ import annotations

from atomiton.errors import ErrorInfo
from atomiton.machine.commands import CancelAttempt, Command
from atomiton.machine.state import (
    CANCELLED,
    LOST,
    READY,
    RETRYING,
    RUN_ACTIVE,
    RUN_STOPPING,
    RUNNING,
    STOPPING,
    WAITING,
    Frame,
    RunState,
)
from atomiton.machine.timers import drop_timer


def stop(run: RunState, failure: ErrorInfo, now: float, out: list[Command]) -> None:
    """Start nothing new and cancel what runs; the first reason stands."""
    if run.status != RUN_ACTIVE:
        return
    run.failure = failure
    run.status = RUN_STOPPING
    run.ready.clear()
    run.opened.clear()
    for frame in run.frames:
        for node, status in enumerate(frame.status):
            if status == RUNNING:
                drop_timer(frame, node, out)
                frame.status[node] = STOPPING
                out.append(CancelAttempt(frame.id, node, frame.attempts[node]))
            elif status in (RETRYING, WAITING, LOST, READY):
                drop_timer(frame, node, out)
                cancel_node(frame, node, now)


def cancel(run: RunState, reason: str, by: str, now: float, out: list[Command]) -> None:
    """Cancel the run; when it is ending already, that changes nothing."""
    if run.status != RUN_ACTIVE:
        return
    run.cancelled = True
    details: dict[str, object] | None = {"by": by} if by else None
    stop(run, ErrorInfo("CANCELLED", reason or "cancelled", details=details), now, out)


def cancel_node(frame: Frame, node: int, now: float) -> None:
    """A node will not go on because the run is ending."""
    frame.status[node] = CANCELLED
    frame.ended[node] = now
    frame.remaining -= 1
