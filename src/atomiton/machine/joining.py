"""Whether what a node depends on lets it run: joins, and routes that stand in for others."""

from __future__ import annotations

from typing import cast

from atomiton.blueprint.plan import (
    ENDED,
    ERROR,
    JOIN_ALL,
    JOIN_ANY,
    JOIN_SETTLED,
    NEED,
    Edge,
    PlanNode,
    apart,
)
from atomiton.machine.state import COMPLETED, FAILED, Frame


def joined(frame: Frame, node: int) -> bool | None:
    """Whether a node runs; None while that is open."""
    plan_node = frame.nodes[node]
    if not plan_node.edges:
        return frame.blocked is None or node not in frame.blocked
    if plan_node.join == JOIN_SETTLED:
        return True
    if plan_node.join == JOIN_ALL:
        given = [satisfied(frame, edge) for edge in plan_node.edges]
        return all(given) or _stood_in(plan_node, given)
    # To look at a node's status is to wait for its end, and says nothing about what is needed.
    needed = [satisfied(frame, edge) for edge in plan_node.edges if edge.kind != ENDED]
    if plan_node.join == JOIN_ANY:
        return any(needed) or not needed
    if sum(needed) < plan_node.least:
        return False if not frame.open[node] else None
    looked = (edge for edge in plan_node.edges if edge.kind == ENDED)
    return True if all(satisfied(frame, edge) for edge in looked) else None


def satisfied(frame: Frame, edge: Edge) -> bool:
    """Whether a node has ended the way that another needs."""
    status, source = frame.status[edge.source], frame.nodes[edge.source]
    if edge.kind == ENDED:
        return status >= COMPLETED
    if edge.kind == ERROR:
        return status == FAILED and source.routes_error
    if status != COMPLETED:
        return edge.kind == NEED and status == FAILED and source.fallback is not None
    return edge.kind == NEED or edge.route in routes_taken(frame.outputs[edge.source])


def routes_taken(output: object) -> list[object]:
    """The routes that a branch took, as its output says."""
    taken = cast("dict[str, object]", output)
    routes = taken.get("routes")
    return cast("list[object]", routes) if isinstance(routes, list) else [taken.get("route")]


def _stood_in(plan_node: PlanNode, given: list[bool]) -> bool:
    """Whether each dependency that is not given has one on another route that is."""
    if plan_node.routes is None:
        return False
    taken = [routes for routes, there in zip(plan_node.routes, given, strict=True) if there]
    missing = [routes for routes, there in zip(plan_node.routes, given, strict=True) if not there]
    return all(any(apart(routes, other) for other in taken) for routes in missing)
