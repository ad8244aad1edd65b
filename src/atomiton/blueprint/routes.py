"""On which routes of branches each node lies, and so which of its dependencies exclude each other.

The error of a node counts as a branch of its own, with the routes ``completed`` and ``error``.
"""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.blueprint.plan import (
    ENDED,
    ERROR,
    JOIN_ALL,
    ROUTE,
    Conditions,
    Edge,
    PlanNode,
    Routes,
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
    exclusive = _exclusive(each)
    if exclusive:
        node.edges, node.routes = edges, tuple(each)
    together = _joined([each[place] for place in range(len(each)) if place not in exclusive])
    return _bounded(_both(together, _either(nodes, [each[place] for place in sorted(exclusive)])))


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


def _exclusive(each: Sequence[Conditions]) -> set[int]:
    """Places of the dependencies that lie on another route than some other."""
    by_branch: dict[int, dict[frozenset[str], list[int]]] = {}
    for place, conditions in enumerate(each):
        for branch, routes in conditions.items():
            by_branch.setdefault(branch, {}).setdefault(routes, []).append(place)
    exclusive: set[int] = set()
    for kinds in by_branch.values():
        if len(kinds) > 1:
            for routes, places in kinds.items():
                if any(routes.isdisjoint(other) for other in kinds):
                    exclusive.update(places)
    return exclusive


def _joined(each: Sequence[Conditions]) -> Conditions:
    """The routes of what needs all of these."""
    together: Conditions = _NOWHERE
    for conditions in each:
        together = _both(together, conditions)
    return together


def _both(one: Conditions, other: Conditions) -> Conditions:
    if not one or not other:
        return one or other
    both = dict(one)
    for branch, routes in other.items():
        both[branch] = (both[branch] & routes or routes) if branch in both else routes
    return both


def _either(nodes: Sequence[PlanNode], each: Sequence[Conditions]) -> Conditions:
    """The routes of what needs one of these: only branches that all of them lie on matter."""
    if not each:
        return _NOWHERE
    either: dict[int, frozenset[str]] = {}
    for branch in each[0]:
        if all(branch in conditions for conditions in each):
            routes = frozenset(route for conditions in each for route in conditions[branch])
            if routes != _all_routes(nodes, branch):
                either[branch] = routes
    return either


def _all_routes(nodes: Sequence[PlanNode], branch: int) -> frozenset[str]:
    if branch < 0:
        return _OK | _FAILED
    routes = nodes[branch].detail
    assert isinstance(routes, Routes)
    return frozenset(name for name, _condition in routes.conditions)
