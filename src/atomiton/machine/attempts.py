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
    if frame.again is not None and node in frame.again:
        frame.again.remove(node)
    else:
        frame.attempts[node] += 1
    frame.status[node] = RUNNING
    if not frame.started[node]:  # a lost first attempt that is made again began before
        frame.started[node] = now
    # What cleans up after the time is over has time all the same.
    deadline = None if frame.stopping else frame.deadline
    end = attempt_deadline(frame, node, now)
    if end is None:
        return deadline
    set_timer(frame.run, Timer(TIMER_ATTEMPT, end, frame.id, node, frame.attempts[node]), out)
    return end if deadline is None else min(deadline, end)


def attempt_deadline(frame: Frame, node: int, now: float) -> float | None:
    """When an attempt that begins now must have ended by what its own node says."""
    plan_node = frame.nodes[node]
    timeout, deadline = plan_node.timeout, plan_node.deadline
    if deadline is None:
        return None if timeout is None else now + timeout
    end = frame.started[node] + deadline
    return end if timeout is None else min(end, now + timeout)
