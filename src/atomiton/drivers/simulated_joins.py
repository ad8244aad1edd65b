"""What a node needs before it may run, worked out a second time and another way.

Nothing here uses what the compiler found out about routes, nor what the machine counts: on which
routes a node lies is found by asking, for each branch, in which of its worlds the node can run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from atomiton.blueprint.plan import (
    BRANCH,
    ENDED,
    ERROR,
    JOIN_ALL,
    JOIN_ANY,
    JOIN_SETTLED,
    NEED,
    ROUTE,
    Edge,
    PlanNode,
    Routes,
)
from atomiton.errors import AtomitonError
from atomiton.machine.state import COMPLETED, FAILED, Frame

Worlds = dict[int, frozenset[str]]
"""Number of a branch (that of a node's error is its complement) to the worlds in which a node can
run. A branch that makes no difference is left out."""


class Joins:
    """The dependencies of the nodes of one body."""

    def __init__(self, nodes: Sequence[PlanNode]) -> None:
        self._nodes = nodes
        self._all = {
            number: frozenset(name for name, _ in node.detail.conditions)
            for number, node in enumerate(nodes)
            if isinstance(node.detail, Routes)
        }
        self._all |= {
            ~number: frozenset(("well", "badly"))
            for number, node in enumerate(nodes)
            if node.routes_error
        }
        self._worlds: dict[int, Worlds] = {}

    def _edges(self, number: int) -> tuple[Edge, ...]:
        """What must be given; nodes whose status is only looked at must have ended, no more."""
        node = self._nodes[number]
        edges = node.edges or tuple(Edge(needed) for needed in node.needs)
        return tuple(edge for edge in edges if edge.kind != ENDED)

    def _where(self, number: int) -> Worlds:
        """In which worlds a node can run."""
        if number not in self._worlds:
            self._worlds[number] = self._find(number)
        return self._worlds[number]

    def _find(self, number: int) -> Worlds:
        if self._nodes[number].join != JOIN_ALL:
            return {}
        edges = [self._of(edge) for edge in self._edges(number)]
        found: Worlds = {}
        for branch in sorted({branch for worlds in edges for branch in worlds}):
            can = frozenset(w for w in self._all[branch] if self._can(edges, branch, w))
            if can and can != self._all[branch]:
                found[branch] = can
        return found

    def _of(self, edge: Edge) -> Worlds:
        """In which worlds a dependency can be given."""
        worlds = dict(self._where(edge.source))
        if edge.kind == ROUTE:
            worlds[edge.source] = frozenset((edge.route,))
        elif self._nodes[edge.source].routes_error:
            worlds[~edge.source] = frozenset(("badly" if edge.kind == ERROR else "well",))
        return worlds

    def _can(self, edges: list[Worlds], branch: int, world: str) -> bool:
        """Whether what cannot be given in a world has something there that stands in for it."""
        there = [edge for edge in edges if world in edge.get(branch, self._all[branch])]
        return all(edge in there or any(_apart(edge, other) for other in there) for edge in edges)

    def wanted(self, frame: Frame, number: int) -> bool | None:
        """Whether a node is to run, as far as its dependencies say; None while that is open."""
        node, edges = self._nodes[number], self._edges(number)
        looked_at = [needed for needed in node.needs if not is_over(frame, needed)]
        given = [edge for edge in edges if is_given(frame, edge)]
        if node.join not in (JOIN_ALL, JOIN_ANY, JOIN_SETTLED):
            needed = {edge.source for edge in edges}
            if len(given) >= node.least and not set(looked_at) - needed:
                return True
            return None if looked_at else False
        if looked_at:
            return None
        if node.join == JOIN_SETTLED or not edges:
            return True
        if node.join == JOIN_ANY:
            return bool(given)
        there = [self._of(edge) for edge in given]
        missing = [self._of(edge) for edge in edges if edge not in given]
        return all(any(_apart(worlds, other) for other in there) for worlds in missing)


def _apart(one: Worlds, other: Worlds) -> bool:
    """Whether two dependencies can never both be given, because of one branch."""
    return any(branch in other and not worlds & other[branch] for branch, worlds in one.items())


def is_over(frame: Frame, node: int) -> bool:
    """Whether a node has ended, in whatever way."""
    return frame.status[node] >= COMPLETED


def is_given(frame: Frame, edge: Edge) -> bool:
    """Whether a dependency is given."""
    status, source = frame.status[edge.source], frame.nodes[edge.source]
    if edge.kind == ERROR:
        return status == FAILED and source.fallback is None
    if edge.kind == NEED:
        return gave(frame, edge.source)
    return edge.kind == ROUTE and status == COMPLETED and edge.route in _routes(frame, edge.source)


def gave(frame: Frame, node: int) -> bool:
    """Whether a node has an output that others may use."""
    status = frame.status[node]
    return status == COMPLETED or (status == FAILED and frame.nodes[node].fallback is not None)


def _routes(frame: Frame, branch: int) -> list[object]:
    output = cast("dict[str, object]", frame.outputs[branch])
    return cast("list[object]", output["routes"]) if "routes" in output else [output["route"]]


def routes_of(frame: Frame, branch: int) -> object:
    """What a branch must give, from its conditions; None if they cannot be evaluated."""
    node = frame.nodes[branch]
    routes = node.detail
    assert node.kind == BRANCH
    assert isinstance(routes, Routes)
    scope = frame.scope(branch)
    taken: list[str] = []
    try:
        for name, when in routes.conditions:
            if when is not None and (routes.every or not taken) and when(scope):
                taken.append(name)
    except AtomitonError:
        return None
    taken = taken or [name for name, when in routes.conditions if when is None]
    if routes.every:
        return {"routes": taken}
    return {"route": taken[0] if taken else None}
