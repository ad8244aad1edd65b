"""What happens when the moment of a timer has come."""

from __future__ import annotations

from atomiton.errors import ErrorInfo
from atomiton.machine.commands import Command
from atomiton.machine.ending import complete, fail_attempt
from atomiton.machine.starting import open_node
from atomiton.machine.state import (
    PENDING,
    TIMER_ATTEMPT,
    TIMER_PATIENCE,
    TIMER_RETRY,
    TIMER_RUN,
    TIMER_TURN,
    Frame,
    RunState,
    Timer,
)
from atomiton.machine.stopping import stop, stop_node


def fire(run: RunState, number: int, now: float, out: list[Command]) -> None:
    """Take a timer that has fired out of the run and do what it was set for."""
    timer = run.timers.pop(number)
    if timer.kind == TIMER_RUN:
        seconds = run.plan.timeout
        stop(run, ErrorInfo("TIMEOUT", f"the run took longer than {seconds:g} s"), now, out)
        return
    frame, node = run.frames[timer.frame], timer.node
    del frame.timers[node]
    if timer.kind == TIMER_RETRY:
        open_node(frame, node, now, out)
    elif timer.kind == TIMER_TURN:
        frame.status[node] = PENDING
        run.opened.append((frame, node))
    elif timer.kind == TIMER_ATTEMPT:
        _time_out(frame, timer, now, out)
    elif timer.kind == TIMER_PATIENCE:
        fail_attempt(frame, node, _timeout(frame, timer), now, out)
    else:
        complete(frame, node, None, now, out)


def _time_out(frame: Frame, timer: Timer, now: float, out: list[Command]) -> None:
    """A node has had its time: stop it. It has timed out whatever it answers now."""
    frame.verdicts[timer.node] = _timeout(frame, timer)
    stop_node(frame, timer.node, now, out)


def _timeout(frame: Frame, timer: Timer) -> ErrorInfo:
    """The error of a node that has had its time."""
    node = timer.node
    plan_node = frame.nodes[node]
    last = plan_node.deadline is not None and timer.at >= frame.started[node] + plan_node.deadline
    seconds = plan_node.deadline if last else plan_node.timeout
    what = "the node with all its attempts" if last else "the attempt"
    if timer.kind == TIMER_PATIENCE:
        what = "the wait with all its attempts" if last else "the wait"
    return ErrorInfo("TIMEOUT", f"{what} took longer than {seconds:g} s", retryable=not last)
