"""Timers: at most one for a node, one for the run."""

from __future__ import annotations

from atomiton.machine.commands import CancelTimer, Command, SetTimer
from atomiton.machine.state import TIMER_RUN, Frame, RunState, Timer


def set_timer(run: RunState, timer: Timer, out: list[Command]) -> None:
    """Set a timer, of a node or of the run."""
    number = run.next_timer
    run.next_timer = number + 1
    run.timers[number] = timer
    if timer.kind != TIMER_RUN:
        run.frames[timer.frame].timers[timer.node] = number
    out.append(SetTimer(number, timer.at))


def drop_timer(frame: Frame, node: int, out: list[Command]) -> None:
    """The timer of a node is no longer wanted, if it has one."""
    number = frame.timers.pop(node, None)
    if number is not None:
        del frame.run.timers[number]
        out.append(CancelTimer(number))
