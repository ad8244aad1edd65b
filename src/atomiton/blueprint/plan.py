"""A compiled blueprint: what the machine and the drivers run.

Nodes are numbered in document order. Edges are lists of numbers, expressions are functions of a
scope. A plan never changes and may be shared by any number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from atomiton.blueprint.model import Durability, Retry

# What a node is. A map and a loop hold the node that they repeat.
USES = 0
WAIT_FOR = 1
WAIT_UNTIL = 2
WAIT_SIGNAL = 3
WAIT_APPROVAL = 4
BRANCH = 5
GROUP = 6
MAP = 7
LOOP = 8

# When a node starts, seen from what it depends on.
JOIN_ALL = 0
JOIN_ANY = 1
JOIN_SETTLED = 2
JOIN_COUNT = 3  # as soon as so many have completed; ``first`` is one

# How a node depends on another.
NEED = 0  # it must have completed
ROUTE = 1  # the branch must have taken the route
ERROR = 2  # it must have failed
ENDED = 3  # it must have ended, however: its status is looked at


class Unit(Protocol):
    """A blueprint while it is run: what all bodies of one file share."""

    @property
    def inputs(self) -> dict[str, object]:
        """The inputs it was given."""
        ...

    @property
    def variables(self) -> dict[str, object]:
        """Its constants."""
        ...

    @property
    def secrets(self) -> object:
        """The secrets of the run, by name."""
        ...

    def info(self) -> dict[str, object]:
        """What ``run`` is in an expression."""
        ...


class Scope(Protocol):
    """What an expression sees: a body, an item of a repeat, or a list function's item.

    Attributes:
        outer: The scope around this one; None at the top of a blueprint.
        unit: The blueprint that it belongs to.
    """

    outer: Scope | None
    unit: Unit


class BodyScope(Scope, Protocol):
    """The scope of a body's nodes."""

    outputs: list[object]

    def node_info(self, node: int) -> dict[str, object]:
        """What ``nodes.<id>`` is."""
        ...

    def missing(self, node: int) -> bool:
        """Whether a node has ended without giving anything."""
        ...


class ItemScope:
    """The scope of one item of a map, one turn of a loop, or of an expression over a list.

    Attributes:
        item, index, acc: What expressions see under these names.
        own: Output of the node itself, for its compensation.
    """

    __slots__ = ("acc", "index", "item", "outer", "own", "unit")

    def __init__(
        self, outer: Scope, item: object = None, index: int = 0, acc: object = None
    ) -> None:
        self.outer: Scope | None = outer
        self.unit = outer.unit
        self.item = item
        self.index = index
        self.acc = acc
        self.own: object = None


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
    def identity(self) -> str:
        """Names the type, its version and its code: another text when one of them is another."""
        ...

    @property
    def effect(self) -> str:
        """pure, idempotent or once."""
        ...

    @property
    def runtime(self) -> str:
        """inline, thread, process, program or wasm."""
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


class Edge(NamedTuple):
    """How a node depends on one it needs.

    Attributes:
        source: Number of the node that is needed.
        kind: NEED, ROUTE, ERROR or ENDED.
        route: Name of the route.
    """

    source: int
    kind: int = NEED
    route: str = ""


class Routes(NamedTuple):
    """What a branch decides.

    Attributes:
        conditions: Name of each route with its condition; None for ``else``.
        every: Whether all routes that hold are taken, and not only the first.
    """

    conditions: tuple[tuple[str, Getter | None], ...]
    every: bool = False


class Waiting(NamedTuple):
    """What a wait is for.

    Attributes:
        when: Gives the seconds to wait, or the moment to wait for.
        signal: Name of the signal.
        match: Condition on the signal, in a scope where the payload is the item.
        approval: What a person is asked, as it is written.
        texts: Gives the title and the description, where they hold expressions.
    """

    when: Getter | None = None
    signal: str = ""
    match: Getter | None = None
    approval: Mapping[str, object] | None = None
    texts: Getter | None = None


class Group(NamedTuple):
    """A body within a node.

    Attributes:
        body: Its nodes.
        race: Whether the first sink to complete ends it.
        call: The blueprint that it is, when it is not written in place.
    """

    body: Body
    race: bool = False
    call: Called | None = None


class Called(NamedTuple):
    """A blueprint that is called.

    Attributes:
        id, version: Of the called blueprint.
        inputs: Gives its inputs, checked and with defaults, in the caller's scope.
        variables: Its constants.
    """

    id: str
    version: str
    inputs: Callable[[Scope], dict[str, object]]
    variables: dict[str, object]


class MapPlan(NamedTuple):
    """A node run once for each item.

    Attributes:
        node: What is run.
        items: Gives the list of the items.
        concurrency: How many at once; 0 without a bound.
        on_item_error: fail, collect or skip.
        name: What an item is called in expressions.
    """

    node: PlanNode
    items: Getter
    concurrency: int
    on_item_error: str
    name: str = "item"


class LoopPlan(NamedTuple):
    """A node run again and again.

    Attributes:
        node: What is run.
        before: Tested before each turn: goes on while it holds.
        after: Tested after each turn: goes on until it holds.
        times: Gives the number of turns.
        start: Gives the first ``acc``.
        most: Turns after which it is an error to go on; 0 without a bound.
        delay: Seconds between two turns.
    """

    node: PlanNode
    before: Getter | None
    after: Getter | None
    times: Getter | None
    start: Getter | None
    most: int
    delay: float


class Caching(NamedTuple):
    """How the results of a node are kept.

    Attributes:
        seconds: For how long they count; None for good.
        key: Gives what they are kept under, instead of the parameters.
    """

    seconds: float | None = None
    key: Getter | None = None


class Undo(NamedTuple):
    """How a node is compensated.

    Attributes:
        node: What is run.
        when_failed: Whether also when the node itself has failed or was cancelled at work.
    """

    node: PlanNode
    when_failed: bool = False


Detail = Routes | Waiting | Group | MapPlan | LoopPlan | None

Conditions = Mapping[int, frozenset[str]]
"""On which routes a node lies: number of the branch, and the routes of it that lead there."""


def apart(one: Conditions, other: Conditions) -> bool:
    """Whether two dependencies lie on different routes of a branch."""
    return any(
        branch in other and routes.isdisjoint(other[branch]) for branch, routes in one.items()
    )


class PlanNode:
    """One compiled node.

    Attributes:
        id: Name in its body.
        kind: USES, WAIT_FOR, ... above.
        step: Number of the call among those of the whole plan; -1 if it calls no node type.
        type: The node type; None if it calls none.
        pure: Whether running it again does no harm and gives the same.
        once: Whether it must not be repeated unasked.
        prepare: Gives the parameters, by name, in a scope.
        condition: The ``if``; None when there is none.
        detail: What its kind needs besides.
        join: JOIN_ALL, JOIN_ANY, JOIN_SETTLED or JOIN_COUNT.
        least: How many must complete, for JOIN_COUNT.
        needs: Numbers of the nodes it waits for.
        edges: How it depends on them; empty when each must have completed, and all.
        routes: For each edge, the routes it lies on, where some can stand in for others.
        successors: Numbers of the nodes that wait for it.
        early: Those of them that may start before all they need has ended.
        fallback: Gives the output to use when it fails; None to fail the body.
        routes_error: Whether some node runs when this one fails.
        undo: How it is compensated.
        queue: Whose workers run it, where there are several; None for those of its run.
        caching: How its results are kept; None when they are not.
    """

    __slots__ = (
        "caching", "condition", "deadline", "detail", "early", "edges", "enabled", "fallback",
        "id", "join", "kind", "least", "needs", "once", "prepare", "pure", "queue", "retry",
        "routes", "routes_error", "runtime", "step", "successors", "timeout", "type", "undo",
        "weight",
    )  # fmt: skip

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.kind = USES
        self.step = -1
        self.type: NodeKind | None = None
        self.pure = False
        self.once = False
        self.prepare: Callable[[Scope], dict[str, object]] = no_parameters
        self.condition: Getter | None = None
        self.detail: Detail = None
        self.enabled = True
        self.join = JOIN_ALL
        self.least = 0
        self.needs: tuple[int, ...] = ()
        self.edges: tuple[Edge, ...] = ()
        self.routes: tuple[Conditions, ...] | None = None
        self.successors: list[int] = []
        self.early: tuple[int, ...] = ()
        self.retry: Retry | None = None
        self.timeout: float | None = None
        self.deadline: float | None = None
        self.fallback: Getter | None = None
        self.routes_error = False
        self.undo: Undo | None = None
        self.runtime: str | None = None
        self.queue: str | None = None
        self.caching: Caching | None = None
        self.weight = 1.0


#: What ``Body.after`` says of a node after which nothing starts, and of one after which it depends.
NOBODY = -1
MORE = -2


class Body:
    """The nodes that run together in one scope.

    Attributes:
        nodes: In document order.
        open: Number of nodes that each waits for.
        plain: Whether each starts as soon as what it waits for has completed: nothing is
            to be decided, and no time to be kept.
        after: Of each node, the only one that its end can start, which is plain; NOBODY when there
            is none, MORE when its end leads to anything else.
        sources: Nodes that wait for none.
        output: Gives what the body gives.
        weight: Sum of the nodes' weights.
    """

    __slots__ = ("after", "nodes", "open", "output", "plain", "sources", "weight")

    def __init__(self, nodes: tuple[PlanNode, ...], output: Getter) -> None:
        self.nodes = nodes
        self.open = [len(node.needs) for node in nodes]
        self.plain = [
            node.enabled
            and node.condition is None
            and node.kind == USES
            and node.timeout is None
            and node.deadline is None
            and node.join == JOIN_ALL
            and not node.edges
            for node in nodes
        ]
        self.after = [self._after(node) for node in nodes]
        self.sources = tuple(number for number, count in enumerate(self.open) if not count)
        self.output = output
        self.weight = sum(node.weight for node in nodes)

    def _after(self, node: PlanNode) -> int:
        if node.undo is not None or node.early or len(node.successors) > 1:
            return MORE
        if not node.successors:
            return NOBODY
        return node.successors[0] if self.plain[node.successors[0]] else MORE


class Plan:
    """A compiled blueprint.

    Attributes:
        hash: Content hash of the blueprint.
        root: The top body.
        uses: Every node that calls a node type, in all bodies, by ``PlanNode.step``.
        timeout: Seconds of wall clock for the run; None without a bound.
        concurrency: Nodes at once in the run; 0 without a bound.
        steps: Attempts in the run; 0 without a bound.
        cost: What attempts may spend before no more are begun; None without a bound.
        compensate_on: ``failure``, ``cancel``: when completed nodes are compensated.
        on: What runs when the run is over: success, failure, cancel, always.
    """

    __slots__ = (
        "compensate_on", "concurrency", "cost", "durability", "hash", "id", "on", "root", "secrets",
        "steps", "timeout", "uses", "variables", "version",
    )  # fmt: skip

    def __init__(self, id_: str, hash_: str, root: Body) -> None:
        self.id = id_
        self.version = ""
        self.hash = hash_
        self.root = root
        self.uses: tuple[PlanNode, ...] = ()
        self.variables: dict[str, object] = {}
        self.secrets: tuple[str, ...] = ()
        self.timeout: float | None = None
        self.concurrency = 0
        self.steps = 0
        self.cost: float | None = None
        self.durability: Durability = "sync"
        self.compensate_on: tuple[str, ...] = ("failure", "cancel")
        self.on: Mapping[str, PlanNode] = {}

    @property
    def bounded(self) -> bool:
        """Whether every start is looked at: attempts are counted, or the run has a deadline."""
        return bool(self.concurrency or self.steps or self.cost) or self.timeout is not None

    def paths(self) -> list[str]:
        """Names of the nodes of the top body, in document order."""
        return [node.id for node in self.root.nodes]


def no_parameters(_scope: Scope) -> dict[str, object]:
    """The parameters of a node that has none."""
    return {}
