"""From having an attempt out to having ended, and what that opens."""

from __future__ import annotations

from msgspec.structs import replace

from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine.commands import CancelTimer, Command, FinishRun, StartAttempt
from atomiton.machine.retry import retry_delay, should_retry
from atomiton.machine.state import (
    COMPLETED,
    FAILED,
    RETRYING,
    RUN_ACTIVE,
    RUNNING,
    SKIPPED,
    TIMER_RETRY,
    Frame,
    RunState,
    Timer,
)
from atomiton.machine.stopping import cancel_node, stop
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
    frame.remaining -= 1
    run = frame.run
    open_ = frame.open
    body = frame.body
    # What has nothing to be decided, in a run without bounds, starts here: the common case.
    free = run.free and not run.ready and frame.blocked is None and run.status == RUN_ACTIVE
    for successor in body.nodes[node].successors:
        left = open_[successor] - 1
        open_[successor] = left
        if not left:
            if free and body.plain[successor]:
                frame.attempts[successor] = 1
                frame.status[successor] = RUNNING
                frame.started[successor] = now
                run.running += 1
                run.steps += 1
                out.append(StartAttempt(frame.id, successor, 1, None))
            else:
                run.opened.append((frame, successor))


def skip(frame: Frame, node: int, now: float) -> None:
    """A node is not needed, and so neither is what depends on it."""
    frame.status[node] = SKIPPED
    frame.ended[node] = now
    frame.remaining -= 1
    if frame.blocked is None:
        frame.blocked = set()
    for successor in frame.body.nodes[node].successors:
        frame.blocked.add(successor)
        frame.open[successor] -= 1
        if not frame.open[successor]:
            frame.run.opened.append((frame, successor))


def fail(frame: Frame, node: int, error: ErrorInfo, now: float, out: list[Command]) -> None:
    """A node has failed for good: go on with its fallback, or stop the run."""
    plan_node = frame.body.nodes[node]
    error = replace(error, node=plan_node.path, attempt=frame.attempts[node] or None)
    frame.errors[node] = error
    if plan_node.fallback is not None and frame.run.status == RUN_ACTIVE:
        complete(frame, node, plan_node.fallback[0], now, out, FAILED)
        return
    frame.status[node] = FAILED
    frame.ended[node] = now
    frame.remaining -= 1
    stop(frame.run, error, now, out)


def fail_attempt(frame: Frame, node: int, error: ErrorInfo, now: float, out: list[Command]) -> None:
    """An attempt has failed: try again later, or fail the node."""
    run = frame.run
    plan_node = frame.body.nodes[node]
    attempt = frame.attempts[node]
    rule = plan_node.retry
    if rule is None or run.status != RUN_ACTIVE or not should_retry(rule, error, attempt):
        fail(frame, node, error, now, out)
        return
    at = now + retry_delay(rule, attempt, run.seed, frame.id * 1_000_003 + node)
    if plan_node.deadline is not None and at >= frame.started[node] + plan_node.deadline:
        fail(frame, node, error, now, out)
        return
    frame.status[node] = RETRYING
    frame.errors[node] = replace(error, node=plan_node.path, attempt=attempt)
    set_timer(run, Timer(TIMER_RETRY, at, frame.id, node, attempt), frame, out)


def end_stopped(
    frame: Frame, node: int, answer: tuple[object] | None, now: float, out: list[Command]
) -> None:
    """An attempt that was asked to stop has ended.

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


def finish_if_done(run: RunState, now: float, out: list[Command]) -> None:
    """End the run when nothing is left to do."""
    if run.failure is not None:
        _finish(run, "cancelled" if run.cancelled else "failed", now, out)
    elif run.status == RUN_ACTIVE and not run.frames[0].remaining:
        try:
            run.output = run.plan.root.output(run.frames[0])
        except AtomitonError as error:
            run.failure = evaluation_failure(error)
        _finish(run, "failed" if run.failure else "completed", now, out)


def _finish(run: RunState, status: str, now: float, out: list[Command]) -> None:
    run.status = status
    run.ended_at = now
    if run.timers:
        out.extend(CancelTimer(number) for number in run.timers)
        run.timers.clear()
    out.append(FinishRun(status, run.output, run.failure))


def evaluation_failure(error: AtomitonError) -> ErrorInfo:
    """An error of an expression as the machine keeps it."""
    return ErrorInfo(error.code, error.message, details=error.details)
