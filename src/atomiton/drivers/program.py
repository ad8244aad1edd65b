"""What a driver is given to run."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan, PlanNode
from atomiton.ports.calls import Call


class Step:
    """How one node is run: everything its attempts need, one look away."""

    __slots__ = (
        "arguments", "call", "function", "is_async", "is_inline", "needs_attempt", "prepare",
        "result",
    )  # fmt: skip

    def __init__(self, node: PlanNode, call: Call) -> None:
        self.call = call
        self.prepare = node.prepare
        self.arguments = call.arguments
        self.function = call.function
        self.result = call.result
        self.is_async = call.is_async
        self.is_inline = call.runtime == "inline"
        self.needs_attempt = call.needs_attempt


class Program:
    """A plan together with how each of its nodes is called, and the blueprint it was made of.

    Attributes:
        steps: Of every node that calls a node type, by ``PlanNode.step``.
    """

    __slots__ = ("blueprint", "plan", "steps")

    def __init__(self, plan: Plan, calls: Sequence[Call], blueprint: Blueprint) -> None:
        self.plan = plan
        self.blueprint = blueprint
        self.steps = [Step(node, call) for node, call in zip(plan.uses, calls, strict=True)]
