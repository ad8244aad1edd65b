"""What happens when the moment of a timer has come."""

from __future__ import annotations

from atomiton.errors import ErrorInfo
from atomiton.machine.commands import CancelAttempt, Command
from atomiton.machine.ending import complete
from atomiton.machine.state import (
    READY,
    STOPPING,
    TIMER_ATTEMPT,
    TIMER_RETRY,
    TIMER_RUN,
    Frame,
    RunState,
    Timer,
)
from atomiton.machine.stopping import stop


def fire(run: RunState, number: int, now: float, out: list[Command]) -> None:
    """Take a timer that has fired out of the run and do what it was set for."""
    timer = run.timers.pop(number)
    if timer.kind == TIMER_RUN:
        seconds = run.plan.timeout
        stop(run, ErrorInfo("TIMEOUT", f"the run took longer than {seconds:g} s"), now, out)
        return
    frame = run.frames[timer.frame]
    del frame.timers[timer.node]
    if timer.kind == TIMER_RETRY:
        frame.status[timer.node] = READY
        run.ready.append((frame, timer.node))
    elif timer.kind == TIMER_ATTEMPT:
        _time_out(frame, timer, out)
    else:
        complete(frame, timer.node, None, now, out)


def _time_out(frame: Frame, timer: Timer, out: list[Command]) -> None:
    """An attempt has had its time: stop it. It has timed out whatever it answers now."""
    node = timer.node
    plan_node = frame.body.nodes[node]
    frame.status[node] = STOPPING
    out.append(CancelAttempt(frame.id, node, timer.attempt))
    last = plan_node.deadline is not None and timer.at >= frame.started[node] + plan_node.deadline
    seconds = plan_node.deadline if last else plan_node.timeout
    what = "the node with all its attempts" if last else "the attempt"
    frame.verdicts[node] = ErrorInfo(
        "TIMEOUT", f"{what} took longer than {seconds:g} s", retryable=not last
    )
