"""Timers: at most one for a node, one for the run."""

from __future__ import annotations

from atomiton.machine.commands import CancelTimer, Command, SetTimer
from atomiton.machine.state import Frame, RunState, Timer


def set_timer(run: RunState, timer: Timer, frame: Frame | None, out: list[Command]) -> None:
    """Set a timer, of a node of ``frame``, or of the run."""
    number = run.next_timer
    run.next_timer = number + 1
    run.timers[number] = timer
    if frame is not None:
        frame.timers[timer.node] = number
    out.append(SetTimer(number, timer.at))


def drop_timer(frame: Frame, node: int, out: list[Command]) -> None:
    """The timer of a node is no longer wanted, if it has one."""
    number = frame.timers.pop(node, None)
    if number is not None:
        del frame.run.timers[number]
        out.append(CancelTimer(number))
