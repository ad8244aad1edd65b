"""What hooks are told, and what a driver asks of them.

A hook is a function of the owner's that is called around nodes, runs and compensation. What it is
told is a copy: whatever a hook does to it changes nothing, but for what an interceptor returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, cast

import msgspec

from atomiton.blueprint.plan import PlanNode
from atomiton.errors import ErrorInfo

Moment = Literal[
    "before",
    "input",
    "output",
    "after",
    "error",
    "retry",
    "skip",
    "run_start",
    "run_success",
    "run_failure",
    "run_cancel",
    "run_always",
    "compensation_start",
    "compensation_step",
    "compensation_end",
]
"""When a hook is called."""

_NOTHING: Mapping[str, object] = {}


class NodeEvent:
    """What a hook of a node is told.

    Attributes:
        moment: before, input, output, after, error, retry or skip.
        run: Id of the run.
        blueprint: Id of its blueprint.
        node: Path of the node, such as ``group.inner`` or ``mapped[0]``.
        id: The node's own name in its body.
        type: The node type that it calls, such as ``http.request``; None if it calls none.
        attempt: Number of the attempt, from 1; 0 when none was made.
        error: Why it failed, or why it is tried again; else None.
    """

    __slots__ = (
        "_output", "_parameters", "attempt", "blueprint", "error", "id", "moment", "node", "run",
        "type",
    )  # fmt: skip

    def __init__(
        self,
        moment: Moment,
        run: str,
        blueprint: str,
        node: str,
        plan_node: PlanNode,
        attempt: int,
        *,
        parameters: Mapping[str, object] = _NOTHING,
        output: object = None,
        error: ErrorInfo | None = None,
    ) -> None:
        self.moment: Moment = moment
        self.run = run
        self.blueprint = blueprint
        self.node = node
        self.id = plan_node.id
        self.type = None if plan_node.type is None else plan_node.type.name
        self.attempt = attempt
        self.error = error
        self._parameters: tuple[Mapping[str, object]] | dict[str, object] = (parameters,)
        self._output: tuple[object] | Kept = (output,)

    def __repr__(self) -> str:
        """Show what it is about, and no values: they may be secret."""
        return f"NodeEvent({self.moment!r}, {self.node!r}, run={self.run!r})"

    @property
    def parameters(self) -> dict[str, object]:
        """What the node is called on, by name: a copy, secrets included.

        Parameters that take a bare expression are left out. Empty for nodes that call no type.
        """
        if isinstance(self._parameters, tuple):
            self._parameters = cast("dict[str, object]", copied(self._parameters[0]))
        return self._parameters

    @property
    def output(self) -> object:
        """What the node gave, as a copy; None before."""
        if isinstance(self._output, tuple):
            self._output = Kept(copied(self._output[0]))
        return self._output.value


class RunHookEvent:
    """What a hook of a run is told.

    Attributes:
        moment: run_start, run_success, run_failure, run_cancel or run_always.
        run: Id of the run.
        blueprint: Id of its blueprint.
        version: The author's version of it; empty if it has none.
        status: running, completed, failed or cancelled.
        error: What ended it, if it has not completed.
    """

    __slots__ = (
        "_inputs", "_output", "blueprint", "error", "moment", "run", "status", "version",
    )  # fmt: skip

    def __init__(
        self,
        moment: Moment,
        run: str,
        blueprint: str,
        version: str,
        status: str,
        inputs: Mapping[str, object],
        *,
        output: object = None,
        error: ErrorInfo | None = None,
    ) -> None:
        self.moment: Moment = moment
        self.run = run
        self.blueprint = blueprint
        self.version = version
        self.status = status
        self.error = error
        self._inputs: tuple[Mapping[str, object]] | dict[str, object] = (inputs,)
        self._output: tuple[object] | Kept = (output,)

    def __repr__(self) -> str:
        """Show what it is about, and no values."""
        return f"RunHookEvent({self.moment!r}, run={self.run!r}, status={self.status!r})"

    @property
    def inputs(self) -> dict[str, object]:
        """What the run was given, by name: a copy."""
        if isinstance(self._inputs, tuple):
            self._inputs = cast("dict[str, object]", copied(self._inputs[0]))
        return self._inputs

    @property
    def output(self) -> object:
        """What the run gave, as a copy; None unless it has completed."""
        if isinstance(self._output, tuple):
            self._output = Kept(copied(self._output[0]))
        return self._output.value


class CompensationEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a hook of compensation is told.

    Attributes:
        moment: compensation_start, compensation_step or compensation_end.
        run: Id of the run.
        blueprint: Id of its blueprint.
        nodes: Paths of the nodes that are compensated, in that order.
        node: Of a step, the path of the node whose compensation has ended; else None.
        error: Of a step, why that has failed; None if it completed.
        completed: Paths of those compensated so far.
        failed: Paths of those whose compensation has failed so far.
    """

    moment: Moment
    run: str
    blueprint: str
    nodes: tuple[str, ...]
    node: str | None = None
    error: ErrorInfo | None = None
    completed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True):
    """A value that was copied already."""

    value: object


def copied(value: object) -> object:
    """A copy of a plain value, as deep as it can be changed.

    Example:
        >>> original = {"a": [1, 2]}
        >>> copied(original) == original, copied(original)["a"] is original["a"]
        (True, False)
    """
    if isinstance(value, dict):
        return {key: copied(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [copied(item) for item in cast("list[object]", value)]
    return value


class Hook(msgspec.Struct, frozen=True):
    """A function that was registered.

    Attributes:
        moment: When it is called.
        function: Takes an event; may be async.
        name: Of the function, for reports.
        strict: Whether its failure fails what it is called for.
        timeout: Seconds it may take where no attempt bounds it.
    """

    moment: Moment
    function: Callable[..., object]
    name: str
    strict: bool
    timeout: float


class PlanHooks(Protocol):
    """The hooks that fit a plan, in order of registration."""

    @property
    def steps(self) -> Mapping[int, Sequence[Hook]]:
        """Those around the call of a node type, by ``PlanNode.step``; nothing where none fits."""
        ...

    @property
    def notices(self) -> bool:
        """Whether it matters what becomes of nodes besides."""
        ...

    @property
    def gates(self) -> bool:
        """Whether nothing may begin before the hooks of ``run_start`` have ended well."""
        ...

    def of_node(self, moment: Moment, node: PlanNode, path: str) -> Sequence[Hook]:
        """Those that fit a node at a moment; ``path`` is where it is in the run."""
        ...

    def of_run(self, *moments: Moment) -> Sequence[Hook]:
        """Those of a run, or of compensation, at any of some moments."""
        ...

    def parameters(self, node: PlanNode, given: object) -> dict[str, object]:
        """What an interceptor gave, as parameters of a node; ``NodeError`` if it cannot be."""
        ...

    def output(self, given: object) -> object:
        """What an interceptor gave, as an output; ``NodeError`` if it cannot be one."""
        ...
