"""What the end of a node, however it ended, means for those that wait for it."""

from __future__ import annotations

from atomiton.machine.state import BODY, CANCELLED, TURNS, Frame


def settle(frame: Frame, node: int, *, given: bool) -> None:
    """A node has ended: open what waited for it last, or note that its frame has ended.

    Args:
        given: Whether it gave an output that others may use.
    """
    frame.remaining -= 1
    notices = frame.run.notices
    if notices is not None:
        notices.append((frame.status[node], frame, node))
    if frame.kind == BODY:
        _open_successors(frame, node, given=given)
    elif frame.kind != TURNS and frame.next < len(frame.nodes) and not frame.stopping:
        frame.run.opened.append((frame, frame.next))
        frame.next += 1
    if not frame.remaining:
        frame.run.closing.append(frame)


def _open_successors(frame: Frame, node: int, *, given: bool) -> None:
    plan_node = frame.nodes[node]
    opened = frame.run.opened
    if not given and plan_node.successors:
        if frame.blocked is None:
            frame.blocked = set()
        frame.blocked.update(plan_node.successors)
    for successor in plan_node.successors:
        frame.open[successor] -= 1
        if not frame.open[successor]:
            opened.append((frame, successor))
    opened.extend((frame, successor) for successor in plan_node.early)


def cancel_node(frame: Frame, node: int, now: float) -> None:
    """A node will not go on because what it belongs to is ending."""
    frame.status[node] = CANCELLED
    frame.ended[node] = now
    undo = frame.nodes[node].undo
    if undo is not None and undo.when_failed and frame.attempts[node]:
        remember(frame, node)
    settle(frame, node, given=False)


def remember(frame: Frame, node: int) -> None:
    """Note that a node is to be compensated if the run fails."""
    run = frame.run
    if run.undone is None:
        run.undo.append((frame, node))
