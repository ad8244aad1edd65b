"""On which routes of branches each node lies, and so which of its dependencies exclude each other.

The error of a node counts as a branch of its own, with the routes ``completed`` and ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atomiton.blueprint.plan import (
    ENDED,
    ERROR,
    JOIN_ALL,
    ROUTE,
    Conditions,
    Edge,
    PlanNode,
    Routes,
    apart,
)

_NOWHERE: Conditions = {}
_OK = frozenset({"completed"})
_FAILED = frozenset({"error"})
#: A node that lies on more routes than this is taken to lie on the innermost ones only.
_MOST = 64


def find_routes(nodes: Sequence[PlanNode]) -> None:
    """Fill in ``PlanNode.routes`` of every node that has dependencies on different routes.

    Args:
        nodes: The nodes of a body, with their edges; without cycles.
    """
    if not any(node.routes_error or node.detail.__class__ is Routes for node in nodes):
        return
    found: list[Conditions] = [_NOWHERE] * len(nodes)
    open_ = [len(node.needs) for node in nodes]
    free = [number for number, count in enumerate(open_) if not count]
    while free:
        number = free.pop()
        found[number] = _conditions(nodes, number, found)
        for successor in nodes[number].successors:
            open_[successor] -= 1
            if not open_[successor]:
                free.append(successor)


def _conditions(nodes: Sequence[PlanNode], number: int, found: Sequence[Conditions]) -> Conditions:
    """On which routes a node lies, from those of its dependencies."""
    node = nodes[number]
    edges = node.edges or tuple(Edge(needed) for needed in node.needs)
    each = [_of_edge(nodes, edge, found[edge.source]) for edge in edges]
    if node.join != JOIN_ALL or not any(each):
        return _NOWHERE
    if all(conditions is each[0] for conditions in each):
        return each[0]
    distinct = list({frozenset(conditions.items()): conditions for conditions in each}.values())
    by_branch: dict[int, list[Conditions]] = {}
    for conditions in distinct:
        for branch in conditions:
            by_branch.setdefault(branch, []).append(conditions)
    if any(_some_are_apart(branch, on_it) for branch, on_it in by_branch.items()):
        node.edges, node.routes = edges, tuple(each)
    return _bounded(_together(nodes, by_branch))


def _some_are_apart(branch: int, edges: Sequence[Conditions]) -> bool:
    kinds = {conditions[branch] for conditions in edges}
    return any(one.isdisjoint(other) for one in kinds for other in kinds)


def _together(
    nodes: Sequence[PlanNode], by_branch: Mapping[int, Sequence[Conditions]]
) -> Conditions:
    """The routes of what depends on all of these, where those that are apart stand in for others.

    For each route of each branch: can it run when that one is taken?
    """
    together: dict[int, frozenset[str]] = {}
    for branch, edges in by_branch.items():
        every = _all_routes(nodes, branch)
        routes = frozenset(route for route in every if _can_run(by_branch, edges, branch, route))
        if routes and routes != every:
            together[branch] = routes
    return together


def _can_run(
    by_branch: Mapping[int, Sequence[Conditions]],
    edges: Sequence[Conditions],
    branch: int,
    route: str,
) -> bool:
    """Whether every dependency on this branch is there on a route, or another stands in for it."""
    there = [conditions for conditions in edges if route in conditions[branch]]
    return all(
        route in conditions[branch]
        or any(apart(conditions, other) for other in there)
        or any(
            apart(conditions, other) and route in other.get(branch, (route,))
            for at in conditions
            for other in by_branch[at]
        )
        for conditions in edges
    )


def _of_edge(nodes: Sequence[PlanNode], edge: Edge, conditions: Conditions) -> Conditions:
    if edge.kind == ENDED:
        return _NOWHERE  # it is given on every route, and so stands in for nothing
    source = nodes[edge.source]
    if edge.kind == ROUTE:
        return _bounded({**conditions, edge.source: frozenset({edge.route})})
    if source.routes_error:
        return _bounded({**conditions, ~edge.source: _FAILED if edge.kind == ERROR else _OK})
    return conditions


def _bounded(conditions: Conditions) -> Conditions:
    if len(conditions) <= _MOST:
        return conditions
    return dict(list(conditions.items())[-_MOST:])


def _all_routes(nodes: Sequence[PlanNode], branch: int) -> frozenset[str]:
    if branch < 0:
        return _OK | _FAILED
    routes = nodes[branch].detail
    assert isinstance(routes, Routes)
    return frozenset(name for name, _condition in routes.conditions)
