"""How far a run is: by the weights of its nodes, never going back."""

from __future__ import annotations

import msgspec

from atomiton.machine.state import COMPLETED, RUNNING, STOPPING, RunState


class Progress(msgspec.Struct, frozen=True):
    """How far a run is.

    Attributes:
        fraction: From 0 to 1.
        done: Number of nodes that have ended.
        total: Number of nodes.
        running: Paths of the nodes that run.
        left: Estimated seconds until the end; None when nothing can be said yet.
    """

    fraction: float
    done: int
    total: int
    running: tuple[str, ...]
    left: float | None


class ProgressMeter:
    """Reads the progress of a run; remembers the highest mark, so that retries do not go back.

    Example:
        >>> from atomiton.blueprint.plan import Body, Plan
        >>> run = RunState(Plan("a", "", Body((), lambda scope: None)))
        >>> ProgressMeter(run).read(now=0.0).fraction
        0.0
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._partial: dict[tuple[int, int], float] = {}
        self._mark = 0.0

    def report(self, frame: int, node: int, fraction: float) -> None:
        """Note how far an attempt says it is, from 0 to 1."""
        # Written so that what is not a number counts as nothing.
        self._partial[frame, node] = min(fraction, 1.0) if fraction > 0 else 0.0

    def read(self, now: float) -> Progress:
        """Sum up.

        Args:
            now: Seconds since 1970, UTC, for the estimate.
        """
        run = self._run
        done, reached, running = 0, 0.0, list[str]()
        top = run.frames[0]
        for node, status in enumerate(top.status):
            plan_node = top.body.nodes[node]
            if status >= COMPLETED:
                done += 1
                reached += plan_node.weight
            elif status in (RUNNING, STOPPING):
                running.append(plan_node.path)
                reached += plan_node.weight * self._partial.get((0, node), 0.0)
        whole = top.body.weight
        fraction = 1.0 if run.status == "completed" else reached / whole if whole else 0.0
        self._mark = max(self._mark, min(fraction, 1.0))
        return Progress(self._mark, done, len(top.status), tuple(running), self._left(now))

    def _left(self, now: float) -> float | None:
        if self._run.ended:
            return 0.0
        elapsed = now - self._run.started_at
        if self._mark <= 0 or elapsed <= 0:
            return None
        return elapsed * (1 - self._mark) / self._mark
