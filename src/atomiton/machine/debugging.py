"""Breakpoints, and steps over and out: which ready node may start in a run that is debugged.

A node with a breakpoint is asked about before each of its attempts: the machine has no way to tell
whether a condition holds, since what a node is called on may hold secrets that only the driver
knows. The answer is a fact, so whoever replays the run stops where it has stopped.
"""

from __future__ import annotations

from atomiton.blueprint.plan import GROUP, LOOP, MAP
from atomiton.machine.commands import CheckBreakpoint, Command
from atomiton.machine.state import COMPLETED, READY, RUN_ACTIVE, Frame, RunState


def stands_in_line(run: RunState, frame: Frame, node: int) -> bool:
    """Whether a node that calls no type waits for its turn too, to be stopped before.

    So do those with a breakpoint, and while the run is paused all that hold a body: or a step could
    not go over them.
    """
    return (run.paused and frame.nodes[node].kind >= GROUP) or stops_before(run, frame, node)


def stops_before(run: RunState, frame: Frame, node: int) -> bool:
    """Whether a node has a breakpoint: one of a map or a loop is before each item or turn."""
    if not run.breaks or run.status != RUN_ACTIVE or frame.nodes[node].kind in (MAP, LOOP):
        return False
    path = frame.path(node)
    return path in run.breaks or without_numbers(path) in run.breaks


def without_numbers(path: str) -> str:
    """The path of a node in its blueprint.

    Example:
        >>> without_numbers("each[3].read[0]")
        'each.read'
    """
    return "".join(
        part.partition("]")[2] if at else part for at, part in enumerate(path.split("["))
    )


def in_turn(run: RunState) -> list[tuple[Frame, int]]:
    """The nodes that are ready, in the order in which single steps start them.

    Those that the run has stopped before come first, then what was opened last: a step goes deeper
    into a body before it goes on beside it.
    """
    waiting = [place for place in run.ready if place[0].status[place[1]] == READY]
    if run.breaks is not None:
        waiting.sort(key=lambda place: ((place[0].id, place[1]) not in run.passed, -place[0].id))
    return waiting


def choose(run: RunState, out: list[Command]) -> bool:
    """Bring the node that may start next to the front of those that are ready.

    Returns:
        Whether there is one; else a breakpoint is asked about, or nothing may start now.
    """
    ready, place = run.ready, 0
    within = _target(run)
    if run.asked is not None or (run.paused and not run.credits and within is None):
        return False
    if run.paused and run.credits:
        return _bring(run)
    while place < len(ready):
        frame, node = ready[place]
        if frame.status[node] != READY:
            del ready[place]  # it was cancelled meanwhile
        elif within is not None and not _is_in(within, frame, node):
            place += 1
        elif _asks(run, frame, node):
            del ready[place]
            run.asked = (frame, node)
            out.append(CheckBreakpoint(frame.id, node))
            return False
        else:
            del ready[place]
            ready.appendleft((frame, node))
            return True
    return False


def _bring(run: RunState) -> bool:
    """Bring the node that a single step starts to the front, if there is one."""
    for place in in_turn(run):
        run.ready.remove(place)
        run.ready.appendleft(place)
        return True
    return False


def _target(run: RunState) -> tuple[Frame, int] | None:
    """The node that a step goes over, while it has not ended and no single step is wanted."""
    if run.until is not None and run.until[0].status[run.until[1]] >= COMPLETED:
        run.until = None
    return run.until if run.paused and not run.credits else None


def _is_in(target: tuple[Frame, int], frame: Frame, node: int) -> bool:
    """Whether a node is the target of a step, or in it."""
    at: Frame | None = frame
    while at is not None:
        if at is target[0] and node == target[1]:
            return True
        node, at = at.node, at.parent
    return False


def _asks(run: RunState, frame: Frame, node: int) -> bool:
    """Whether a breakpoint is to be asked about; not if that was done, or a step is for this."""
    if (frame.id, node) in run.passed:
        return False
    if run.paused and run.until is not None and run.until == (frame, node):
        return False
    return stops_before(run, frame, node)
