"""Sending attempts out."""

from __future__ import annotations

from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.state import RUNNING, TIMER_ATTEMPT, Frame, Timer
from atomiton.machine.timers import set_timer


def start_attempt(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Send an attempt out, with the time it has."""
    run = frame.run
    run.running += 1
    run.steps += 1
    deadline = begin(frame, node, now, out)
    out.append(StartAttempt(frame.id, node, frame.attempts[node], frame.nodes[node].step, deadline))


def begin(frame: Frame, node: int, now: float, out: list[Command]) -> float | None:
    """Count an attempt of a node, and set the timer that bounds it.

    Returns:
        The moment by which it must have ended; None when it has all the time.
    """
    plan_node = frame.nodes[node]
    if frame.again is not None and node in frame.again:
        frame.again.remove(node)
    else:
        frame.attempts[node] += 1
    frame.status[node] = RUNNING
    if not frame.started[node]:  # a lost first attempt that is made again began before
        frame.started[node] = now
    # What cleans up after the time is over has time all the same.
    deadline = None if frame.stopping else frame.deadline
    if plan_node.timeout is None and plan_node.deadline is None:
        return deadline
    end = _attempt_deadline(frame, node, now)
    set_timer(frame.run, Timer(TIMER_ATTEMPT, end, frame.id, node, frame.attempts[node]), out)
    return end if deadline is None else min(deadline, end)


def _attempt_deadline(frame: Frame, node: int, now: float) -> float:
    plan_node = frame.nodes[node]
    ends: list[float] = []
    if plan_node.timeout is not None:
        ends.append(now + plan_node.timeout)
    if plan_node.deadline is not None:
        ends.append(frame.started[node] + plan_node.deadline)
    return min(ends)
