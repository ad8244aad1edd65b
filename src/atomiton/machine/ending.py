"""From having an attempt out to having ended, and what that opens."""

from __future__ import annotations

from msgspec.structs import replace

from atomiton.blueprint.plan import JOIN_SETTLED, MapPlan
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.retry import retry_delay, should_retry
from atomiton.machine.settling import cancel_node, remember, settle
from atomiton.machine.state import (
    BODY,
    COMPLETED,
    FAILED,
    ITEMS,
    RETRYING,
    RUNNING,
    SKIPPED,
    TIMER_RETRY,
    UNDO,
    Frame,
    Timer,
    error_value,
)
from atomiton.machine.stopping import stop_frame, stop_up
from atomiton.machine.timers import set_timer


def complete(
    frame: Frame,
    node: int,
    output: object,
    now: float,
    out: list[Command],
    status: int = COMPLETED,
) -> None:
    """A node gave its output: what waited for it last is open now.

    Args:
        status: FAILED when the output is the node's fallback.
    """
    frame.status[node] = status
    frame.outputs[node] = output
    frame.ended[node] = now
    plan_node = frame.nodes[node]
    if plan_node.undo is not None and status == COMPLETED:
        remember(frame, node)
    if not frame.quick:
        settle(frame, node, given=True)
        won = status == COMPLETED and not plan_node.successors
        if frame.race and frame.winner < 0 and won:
            frame.winner = node
            stop_frame(frame, None, now, out)
        return
    # What has nothing to be decided, in a run without bounds, starts here: the common case.
    frame.remaining -= 1
    run = frame.run
    if not frame.remaining:
        run.closing.append(frame)
    open_ = frame.open
    for successor in plan_node.successors:
        left = open_[successor] - 1
        open_[successor] = left
        if not left:
            if frame.plain[successor] and run.free and frame.blocked is None and not run.ready:
                frame.attempts[successor] = 1
                frame.status[successor] = RUNNING
                frame.started[successor] = now
                run.running += 1
                run.steps += 1
                out.append(StartAttempt(frame.id, successor, 1, frame.nodes[successor].step))
            else:
                run.opened.append((frame, successor))
    if plan_node.early:
        run.opened.extend((frame, successor) for successor in plan_node.early)


def skip(frame: Frame, node: int, now: float) -> None:
    """A node is not needed, and so neither is what depends on it."""
    frame.status[node] = SKIPPED
    frame.ended[node] = now
    settle(frame, node, given=False)


def fail(frame: Frame, node: int, error: ErrorInfo, now: float, out: list[Command]) -> None:
    """A node has failed for good: go on as it says, or stop what it belongs to."""
    plan_node = frame.nodes[node]
    if error.node is None:
        error = replace(error, node=frame.path(node), attempt=frame.attempts[node] or None)
    frame.errors[node] = error
    if plan_node.undo is not None and plan_node.undo.when_failed:
        remember(frame, node)
    frame.status[node] = FAILED
    frame.ended[node] = now
    if frame.kind == BODY and plan_node.fallback is not None and not frame.stopping:
        try:
            complete(frame, node, plan_node.fallback(frame), now, out, FAILED)
        except AtomitonError as broken:
            error = replace(evaluation_failure(broken), node=frame.path(node))
            frame.errors[node] = error
        else:
            return
    if frame.kind == ITEMS and _policy(frame) == "collect":
        frame.outputs[node] = {"error": error_value(error)}
    settle(frame, node, given=False)
    if not _goes_on(frame, node):
        stop_up(frame, error, now, out)


def _goes_on(frame: Frame, node: int) -> bool:
    """Whether what a node belongs to goes on without it after it has failed."""
    if frame.kind == BODY:
        return frame.race or frame.nodes[node].routes_error
    return frame.kind >= UNDO or (frame.kind == ITEMS and _policy(frame) != "fail")


def _policy(frame: Frame) -> str:
    """What becomes of a map when one of its items fails."""
    assert frame.parent is not None
    plan = frame.parent.nodes[frame.node].detail
    assert isinstance(plan, MapPlan)
    return plan.on_item_error


def fail_attempt(frame: Frame, node: int, error: ErrorInfo, now: float, out: list[Command]) -> None:
    """An attempt has failed: try again later, or fail the node."""
    plan_node = frame.nodes[node]
    attempt = frame.attempts[node]
    rule = plan_node.retry
    ending = frame.stopping and plan_node.join != JOIN_SETTLED
    if rule is None or ending or not should_retry(rule, error, attempt):
        fail(frame, node, error, now, out)
        return
    at = now + retry_delay(rule, attempt, frame.run.seed, frame.id * 1_000_003 + node)
    if plan_node.deadline is not None and at >= frame.started[node] + plan_node.deadline:
        fail(frame, node, error, now, out)
        return
    frame.status[node] = RETRYING
    if error.node is None:
        error = replace(error, node=frame.path(node), attempt=attempt)
    frame.errors[node] = error
    if frame.run.notices is not None:
        frame.run.notices.append((RETRYING, frame, node))
    set_timer(frame.run, Timer(TIMER_RETRY, at, frame.id, node, attempt), out)


def end_stopped(
    frame: Frame, node: int, answer: tuple[object] | None, now: float, out: list[Command]
) -> None:
    """What was asked to stop has ended.

    Args:
        answer: What it gave, when it completed all the same.
    """
    verdict = frame.verdicts.pop(node, None)
    if verdict is not None:
        fail_attempt(frame, node, verdict, now, out)
    elif answer is not None:
        # It finished before the wish to stop reached it: its effect stands, and must be seen.
        complete(frame, node, answer[0], now, out)
    else:
        cancel_node(frame, node, now)


def evaluation_failure(error: AtomitonError) -> ErrorInfo:
    """An error of an expression as the machine keeps it."""
    return ErrorInfo(error.code, error.message, details=error.details)
