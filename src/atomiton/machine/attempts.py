"""Sending attempts out."""

from __future__ import annotations

from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.state import RUNNING, TIMER_ATTEMPT, Frame, Timer
from atomiton.machine.timers import set_timer


def start_attempt(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Send an attempt out, with the time it has."""
    run = frame.run
    plan_node = frame.body.nodes[node]
    attempt = frame.attempts[node] + 1
    frame.attempts[node] = attempt
    frame.status[node] = RUNNING
    if not frame.started[node]:  # a lost first attempt that is made again began before
        frame.started[node] = now
    run.running += 1
    run.steps += 1
    deadline = None
    if plan_node.timeout is not None or plan_node.deadline is not None:
        deadline = _attempt_deadline(frame, node, now)
        set_timer(run, Timer(TIMER_ATTEMPT, deadline, frame.id, node, attempt), frame, out)
    if run.plan.timeout is not None:
        end = run.started_at + run.plan.timeout
        deadline = end if deadline is None else min(deadline, end)
    out.append(StartAttempt(frame.id, node, attempt, deadline))


def _attempt_deadline(frame: Frame, node: int, now: float) -> float:
    plan_node = frame.body.nodes[node]
    ends: list[float] = []
    if plan_node.timeout is not None:
        ends.append(now + plan_node.timeout)
    if plan_node.deadline is not None:
        ends.append(frame.started[node] + plan_node.deadline)
    return min(ends)
