"""What a run gave: the answer to a user, made from the state of its run."""

from __future__ import annotations

from typing import Self

import msgspec

from atomiton.blueprint.plan import WAIT_APPROVAL, WAIT_FOR, WAIT_SIGNAL, WAIT_UNTIL
from atomiton.errors import ErrorInfo, RunFailed
from atomiton.machine.finishing import undone
from atomiton.machine.state import ENDED, STATUS_NAMES, Frame, RunState

_WAITS = frozenset({WAIT_FOR, WAIT_UNTIL, WAIT_SIGNAL, WAIT_APPROVAL})


class NodeResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one node fared.

    Attributes:
        status: pending, running, waiting, completed, failed, skipped or cancelled.
        attempts: How often it was tried.
        duration_ms: From its first attempt to its end, in milliseconds; None if it has not ended.
        error: Its latest error.
        since: Of a wait, when it began to wait, seconds since 1970, UTC; None of all else.
    """

    status: str
    attempts: int
    duration_ms: float | None
    error: ErrorInfo | None
    since: float | None = None


class RunView(msgspec.Struct, frozen=True):
    """How a run fared, as data: what one process tells another of it.

    Attributes are those of ``RunResult``.
    """

    run: str
    blueprint: str
    status: str
    output: object = None
    error: ErrorInfo | None = None
    reason: str | None = None
    duration_ms: float = 0.0
    nodes: dict[str, NodeResult] = {}
    answers: dict[str, object] = {}
    compensation: dict[str, list[str]] = {}
    forked_from: str | None = None
    cost: float = 0.0


class RunResult:
    """How a run fared.

    Attributes:
        run: Its id.
        blueprint: Id of its blueprint.
        status: completed, failed or cancelled; else what it is doing.
        output: What the blueprint's ``output`` gave.
        error: What ended it.
    """

    __slots__ = (
        "_nodes", "_now", "_state", "_view", "blueprint", "error", "output", "run", "status",
    )  # fmt: skip

    _state: RunState
    _view: RunView | None

    def __init__(self, state: RunState, now: float | None = None) -> None:
        self._view = None
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

    @classmethod
    def of(cls, view: RunView) -> Self:
        """The result that a view was made of, in another process."""
        result = cls.__new__(cls)
        result._view = view  # noqa: SLF001 - its own
        result._nodes = view.nodes  # noqa: SLF001 - its own
        result.run, result.blueprint, result.status = view.run, view.blueprint, view.status
        result.output, result.error = view.output, view.error
        return result

    def view(self) -> RunView:
        """All of it, as data."""
        return self._view or RunView(
            self.run,
            self.blueprint,
            self.status,
            self.output,
            self.error,
            self.reason,
            self.duration_ms,
            self.nodes,
            self.answers,
            self.compensation,
            self.forked_from,
            self.cost,
        )

    @property
    def duration_ms(self) -> float:
        """Wall clock of the run in milliseconds: to its end, or until it was looked at."""
        if self._view is not None:
            return self._view.duration_ms
        state = self._state
        now = state.started_at if self._now is None else self._now
        end = state.ended_at if state.ended else now
        return round(max(0.0, end - state.started_at) * 1000, 3)

    @property
    def reason(self) -> str | None:
        """What the run waits for, when it waits."""
        if self._view is not None:
            return self._view.reason
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
        if self._view is not None:
            return self._view.answers
        from atomiton.conductor.waits import answers_of  # few look: not for every run

        return answers_of(self._state)

    @property
    def compensation(self) -> dict[str, list[str]]:
        """Names of the nodes that were compensated (completed), or could not be (failed)."""
        if self._view is not None:
            return self._view.compensation
        completed, failed = undone(self._state)
        return {"completed": completed, "failed": failed}

    @property
    def forked_from(self) -> str | None:
        """Id of the run that it began with the results of; None if it is no fork."""
        if self._view is not None:
            return self._view.forked_from
        return self._state.forked_from or None

    @property
    def cost(self) -> float:
        """What its attempts said they have cost, in the unit of the blueprint's ``limits.cost``."""
        return round(self._state.cost, 9) if self._view is None else self._view.cost

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
            frame.started[node] or None if frame.nodes[node].kind in _WAITS else None,
        )
        child = frame.children.get(node)
        if child is not None:
            _add(child, results)
