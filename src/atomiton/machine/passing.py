"""The end of the most common nodes in one go: ``apply`` in short, where nothing is decided."""

from __future__ import annotations

from atomiton.blueprint.plan import MORE
from atomiton.machine.state import COMPLETED, RUNNING, Frame

#: Nothing has changed: feed the fact to ``apply``.
UNFIT = MORE


def pass_on(top: Frame, node: int, output: object, now: float) -> int:
    """Complete the first attempt of a node of the top body, where that starts one node at most.

    It changes the run as ``apply`` does when it is fed the ``AttemptCompleted`` of this attempt.

    Args:
        top: The frame of the top body.
        node: Number of the node, whose attempt is out.
        output: What it gave.
        now: When; seconds since 1970, UTC.

    Returns:
        Number of the node whose first attempt starts by that; a negative number when none does.
        ``UNFIT`` when there is more to it: then nothing has changed.
    """
    run, body = top.run, top.body
    if (
        body is None
        or not top.quick
        or not run.free
        or run.ready
        or top.timers
        or top.blocked is not None
        or top.status[node] != RUNNING
        or top.attempts[node] != 1
    ):
        return UNFIT
    after = body.after[node]
    if after < 0 and (after == MORE or top.remaining == 1):
        return UNFIT
    top.status[node] = COMPLETED
    top.outputs[node] = output
    top.ended[node] = now
    top.remaining -= 1
    if after >= 0:
        left = top.open[after] - 1
        top.open[after] = left
        if not left:
            top.attempts[after] = 1
            top.status[after] = RUNNING
            top.started[after] = now
            run.steps += 1
            return after
    run.running -= 1
    return -1
