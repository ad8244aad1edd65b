"""How far a run is: by the weights of its nodes, never going back."""

from __future__ import annotations

import msgspec

from atomiton.machine.state import BODY, COMPLETED, RUNNING, STOPPING, TURNS, Frame, RunState


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
        top = run.top
        running: list[str] = []
        reached = self._reached(top, running)
        fraction = 1.0 if run.status == "completed" else reached
        self._mark = max(self._mark, min(fraction, 1.0))
        done = len(top.nodes) - top.remaining
        return Progress(self._mark, done, len(top.nodes), tuple(running), self._left(now))

    def _reached(self, frame: Frame, running: list[str]) -> float:
        """The share of a frame that is done, from 0 to 1; notes the nodes that run."""
        whole = reached = 0.0
        for node, status in enumerate(frame.status):
            plan_node = frame.nodes[node]
            weight = plan_node.weight if frame.kind == BODY else 1.0
            whole += weight
            if status >= COMPLETED:
                reached += weight
            elif status in (RUNNING, STOPPING):
                child = frame.children.get(node)
                if child is None:
                    running.append(frame.path(node))
                    reached += weight * self._partial.get((frame.id, node), 0.0)
                else:
                    reached += weight * self._reached(child, running)
        if frame.kind == TURNS:  # nobody knows how many are to come
            whole = (
                max(whole, float(frame.items[1] or 0))
                if isinstance(frame.items[1], int)
                else (whole + 1)
            )
        return reached / whole if whole else 0.0

    def _left(self, now: float) -> float | None:
        if self._run.ended:
            return 0.0
        elapsed = now - self._run.started_at
        if self._mark <= 0 or elapsed <= 0:
            return None
        return elapsed * (1 - self._mark) / self._mark
