"""A compiled blueprint: what the machine and the drivers run.

Nodes are numbered in document order. Edges are lists of numbers, expressions are functions of a
scope. A plan never changes and may be shared by any number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from atomiton.blueprint.model import Durability, Retry

USES = 0
WAIT_FOR = 1
WAIT_UNTIL = 2


class Scope(Protocol):
    """What the expressions of a body can see while it runs."""

    outputs: list[object]

    @property
    def inputs(self) -> dict[str, object]:
        """The inputs of the run."""
        ...

    @property
    def variables(self) -> dict[str, object]:
        """The constants of the blueprint."""
        ...

    @property
    def secrets(self) -> object:
        """The secrets of the run, by name."""
        ...

    def run_info(self) -> dict[str, object]:
        """What ``run`` is."""
        ...

    def node_info(self, node: int) -> dict[str, object]:
        """What ``nodes.<id>`` is."""
        ...


Getter = Callable[[Scope], object]
"""A compiled value: constant, reference, expression, or a structure of them."""


class Port(Protocol):
    """What the compiler asks of a node type's parameter."""

    @property
    def name(self) -> str:
        """Name of the port."""
        ...

    @property
    def schema(self) -> Mapping[str, object]:
        """JSON Schema of its values."""
        ...

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        ...

    @property
    def expression(self) -> bool:
        """Whether it takes a bare expression over item, index and acc."""
        ...

    @property
    def variadic(self) -> bool:
        """Whether it collects every other name."""
        ...


class NodeKind(Protocol):
    """What the compiler asks of a node type; ``nodes.spec.NodeType`` answers it."""

    @property
    def name(self) -> str:
        """Dotted name."""
        ...

    @property
    def effect(self) -> str:
        """pure, idempotent or once."""
        ...

    @property
    def parameters(self) -> tuple[Port, ...]:
        """Input ports."""
        ...

    @property
    def result(self) -> Mapping[str, object]:
        """JSON Schema of the result."""
        ...

    @property
    def retry(self) -> Retry | None:
        """Retry rule of nodes that do not say otherwise."""
        ...

    @property
    def timeout(self) -> float | None:
        """Bound of one attempt, in seconds."""
        ...


class PlanNode:
    """One compiled node.

    Attributes:
        id: Name in its body.
        path: Name from the top, such as ``group.inner``.
        kind: USES, WAIT_FOR or WAIT_UNTIL.
        type: The node type; None for a wait.
        pure: Whether running it again does no harm and gives the same.
        once: Whether it must not be repeated unasked.
        prepare: Gives the parameters, by name, in a scope.
        condition: The ``if``; None when there is none.
        when: What a wait evaluates: seconds, or a moment.
        needs: Numbers of the nodes it waits for.
        successors: Numbers of the nodes that wait for it.
        fallback: One-element tuple with the output to use when it fails; None to fail the run.
    """

    __slots__ = (
        "condition", "deadline", "enabled", "fallback", "id", "kind", "needs", "once", "path",
        "prepare", "pure", "retry", "runtime", "successors", "timeout", "type", "weight", "when",
    )  # fmt: skip

    def __init__(self, id_: str, path: str) -> None:
        self.id = id_
        self.path = path
        self.kind = USES
        self.type: NodeKind | None = None
        self.pure = False
        self.once = False
        self.prepare: Callable[[Scope], dict[str, object]] = no_parameters
        self.condition: Getter | None = None
        self.when: Getter | None = None
        self.enabled = True
        self.needs: tuple[int, ...] = ()
        self.successors: list[int] = []
        self.retry: Retry | None = None
        self.timeout: float | None = None
        self.deadline: float | None = None
        self.fallback: tuple[object] | None = None
        self.runtime: str | None = None
        self.weight = 1.0


class Body:
    """The nodes that run together in one scope.

    Attributes:
        nodes: In document order.
        open: Number of nodes that each waits for.
        plain: Whether each starts as soon as what it waits for has completed: nothing is
            to be decided, and no time to be kept.
        sources: Nodes that wait for none.
        output: Gives what the body gives.
        weight: Sum of the nodes' weights.
    """

    __slots__ = ("nodes", "open", "output", "plain", "sources", "weight")

    def __init__(self, nodes: tuple[PlanNode, ...], output: Getter) -> None:
        self.nodes = nodes
        self.open = [len(node.needs) for node in nodes]
        self.plain = [
            node.enabled
            and node.condition is None
            and node.kind == USES
            and node.timeout is None
            and node.deadline is None
            for node in nodes
        ]
        self.sources = tuple(number for number, count in enumerate(self.open) if not count)
        self.output = output
        self.weight = sum(node.weight for node in nodes)


class Plan:
    """A compiled blueprint.

    Attributes:
        hash: Content hash of the blueprint.
        root: The top body.
        timeout: Seconds of wall clock for the run; None without a bound.
        concurrency: Nodes at once in the run; 0 without a bound.
        steps: Attempts in the run; 0 without a bound.
    """

    __slots__ = (
        "concurrency", "durability", "hash", "id", "root", "secrets", "steps", "timeout",
        "variables", "version",
    )  # fmt: skip

    def __init__(self, id_: str, hash_: str, root: Body) -> None:
        self.id = id_
        self.version = ""
        self.hash = hash_
        self.root = root
        self.variables: dict[str, object] = {}
        self.secrets: tuple[str, ...] = ()
        self.timeout: float | None = None
        self.concurrency = 0
        self.steps = 0
        self.durability: Durability = "sync"

    @property
    def bounded(self) -> bool:
        """Whether every start is looked at: attempts are counted, or the run has a deadline."""
        return bool(self.concurrency or self.steps) or self.timeout is not None

    def paths(self) -> list[str]:
        """Paths of all nodes, in document order."""
        return [node.path for node in self.root.nodes]


def no_parameters(_scope: Scope) -> dict[str, object]:
    """The parameters of a node that has none."""
    return {}
