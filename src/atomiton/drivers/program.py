"""What a driver is given to run."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan
from atomiton.ports.calls import Call


class Program:
    """A plan together with how each of its nodes is called, and the blueprint it was made of."""

    __slots__ = ("blueprint", "calls", "plan")

    def __init__(self, plan: Plan, calls: Sequence[Call | None], blueprint: Blueprint) -> None:
        self.plan = plan
        self.calls = calls
        self.blueprint = blueprint
