"""What a run gave: the answer to a user, made from the state of its run."""

from __future__ import annotations

import msgspec

from atomiton.errors import ErrorInfo, RunFailed
from atomiton.machine.finishing import undone
from atomiton.machine.state import ENDED, STATUS_NAMES, Frame, RunState


class NodeResult(msgspec.Struct, frozen=True):
    """How one node fared.

    Attributes:
        status: pending, running, waiting, completed, failed, skipped or cancelled.
        attempts: How often it was tried.
        duration_ms: From its first attempt to its end, in milliseconds; None if it has not ended.
        error: Its latest error.
    """

    status: str
    attempts: int
    duration_ms: float | None
    error: ErrorInfo | None


class RunResult:
    """How a run fared.

    Attributes:
        run: Its id.
        blueprint: Id of its blueprint.
        status: completed, failed or cancelled; else what it is doing.
        output: What the blueprint's ``output`` gave.
        error: What ended it.
    """

    __slots__ = ("_nodes", "_now", "_state", "blueprint", "error", "output", "run", "status")

    def __init__(self, state: RunState, now: float | None = None) -> None:
        self._state = state
        self._now = now
        self._nodes: dict[str, NodeResult] | None = None
        self.run = state.id
        self.blueprint = state.plan.id
        ended = state.status in ENDED
        self.status = state.status if ended else state.public_status()
        self.output = state.output
        self.error = state.failure if ended else None

    def __repr__(self) -> str:
        """Show what matters first."""
        return f"RunResult(run={self.run!r}, status={self.status!r}, output={self.output!r})"

    @property
    def duration_ms(self) -> float:
        """Wall clock of the run in milliseconds: to its end, or until it was looked at."""
        state = self._state
        now = state.started_at if self._now is None else self._now
        end = state.ended_at if state.ended else now
        return round(max(0.0, end - state.started_at) * 1000, 3)

    @property
    def reason(self) -> str | None:
        """What the run waits for, when it waits."""
        return None if self._state.ended else self._state.reason()

    @property
    def nodes(self) -> dict[str, NodeResult]:
        """How each node fared, by path, in document order."""
        if self._nodes is None:
            self._nodes = node_results(self._state)
        return self._nodes

    @property
    def answers(self) -> dict[str, object]:
        """What signals carried and approvals said, by path of the node that waited for them."""
        from atomiton.conductor.waits import answers_of  # few look: not for every run

        return answers_of(self._state)

    @property
    def compensation(self) -> dict[str, list[str]]:
        """Names of the nodes that were compensated (completed), or could not be (failed)."""
        completed, failed = undone(self._state)
        return {"completed": completed, "failed": failed}

    @property
    def ok(self) -> bool:
        """Whether the run completed."""
        return self.status == "completed"

    def value(self) -> object:
        """The output of a completed run; ``RunFailed`` otherwise."""
        if self.error is not None:
            raise RunFailed(self.run, self.error)
        return self.output


def node_results(state: RunState) -> dict[str, NodeResult]:
    """How each node of a run fares, by path: in document order, bodies after their node."""
    results: dict[str, NodeResult] = {}
    for frame in state.frames.values():
        if frame.parent is None:
            _add(frame, results)
    return results


def _add(frame: Frame, results: dict[str, NodeResult]) -> None:
    for node, status in enumerate(frame.status):
        results[frame.path(node)] = NodeResult(
            STATUS_NAMES[status],
            frame.attempts[node],
            frame.duration_ms(node),
            frame.errors.get(node),
        )
        child = frame.children.get(node)
        if child is not None:
            _add(child, results)
