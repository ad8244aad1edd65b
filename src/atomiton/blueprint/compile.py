"""From a blueprint to a plan, or to every problem that keeps it from running.

The cost is linear in nodes and references; nothing recurses over the graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from atomiton.blueprint.body import BodyCompiler
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Body, Plan, PlanNode
from atomiton.blueprint.problems import Problems
from atomiton.blueprint.unit import Resolve, Shared, Types, UnitCompiler

Positions = Mapping[tuple[str | int, ...], tuple[int, int]]


def content_hash(document: Mapping[str, object]) -> str:
    """Hash of a blueprint document: the same for the same content in the same order.

    Layout is left out: moving a node on the canvas makes no other workflow.

    Example:
        >>> content_hash({"id": "a", "layout": {}}) == content_hash({"id": "a"})
        True
    """
    meaning = {key: value for key, value in document.items() if key != "layout"}
    return hashlib.sha256(msgspec.json.encode(meaning)).hexdigest()


def compile_blueprint(
    blueprint: Blueprint,
    types: Types,
    positions: Positions | None = None,
    resolve: Resolve | None = None,
) -> Plan:
    """Compile a blueprint.

    Args:
        blueprint: A blueprint whose shape was checked.
        types: The node types it may use.
        positions: Line and column of each place in the text, for problems.
        resolve: Finds the blueprints that it calls.

    Returns:
        The plan, ready to run.

    Raises:
        BlueprintError: With every problem found.
    """
    problems = Problems(positions)
    on: dict[str, PlanNode] = {}

    def compile_unit(unit: UnitCompiler) -> Body:
        shared.stack.append(unit.blueprint)
        compiler = BodyCompiler(unit, unit.blueprint.nodes, ("nodes",))
        output = unit.blueprint.output
        body = compiler.compile(output, ("output",), has_output=unit.blueprint.has_output)
        for key, node in unit.blueprint.on.items():
            compiled = compiler.alone(f"on:{key}", node, ("on", key))
            if unit.blueprint is blueprint:
                on[key] = compiled
        shared.stack.pop()
        return body

    shared = Shared(types, resolve, compile_unit)
    body = compile_unit(UnitCompiler(blueprint, shared, problems))
    problems.raise_any()
    plan = Plan(blueprint.id, _hash(blueprint, shared), body)
    plan.version = blueprint.version or ""
    plan.variables = dict(blueprint.variables)
    plan.secrets = tuple(shared.secrets)
    plan.timeout = blueprint.limits.timeout
    plan.concurrency = blueprint.limits.concurrency or 0
    plan.steps = blueprint.limits.steps or 0
    plan.cost = blueprint.limits.cost
    plan.durability = blueprint.durability
    plan.compensate_on = blueprint.compensate_on
    plan.on = on
    plan.uses = tuple(shared.uses)
    return plan


def _hash(blueprint: Blueprint, shared: Shared) -> str:
    """The content hash of a blueprint with those that it calls: who calls another is another."""
    own = content_hash(blueprint.document)
    if not shared.bodies:
        return own
    hashes = [content_hash(called.document) for called, _body in shared.bodies.values()]
    return hashlib.sha256("".join([own, *hashes]).encode()).hexdigest()


class PlanCache:
    """Plans by content hash, the most recently used ones.

    Example:
        >>> cache = PlanCache(limit=2)
        >>> len(cache)
        0
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._plans: dict[str, Plan] = {}

    def __len__(self) -> int:
        """How many plans are kept."""
        return len(self._plans)

    def get(self, digest: str, compile_: Callable[[], Plan]) -> Plan:
        """Give the plan of a content hash, compiling it when it is not kept."""
        plan = self._plans.pop(digest, None)
        if plan is None:
            plan = compile_()
        self._plans[digest] = plan
        if len(self._plans) > self._limit:
            self._plans.pop(next(iter(self._plans)))
        return plan

    def clear(self) -> None:
        """Forget every plan, as when node types change."""
        self._plans.clear()
