"""Documents at random: bodies of nodes, and how the nodes in them depend on each other.

What a node does is drawn in ``simulated_kinds``. Names say what the simulated world does about
them: it sends the signal ``early_n3`` before anybody waits for it and ``never_n4`` not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Literal

import msgspec

from atomiton.blueprint.model import Json

Weather = Literal["storm", "calm", "file"]
"""What is drawn: anything (``storm``); nothing whose outcome depends on how long something takes
(``calm``); calm, and all in single file, so that also a failure finds the same things done."""

Document = dict[str, Json]
DrawnNode = dict[str, Json]

ROUTES = ("high", "medium", "low")


class Place(msgspec.Struct, frozen=True):
    """Where nodes are drawn.

    Attributes:
        seen: Expressions over what stands outside: nodes, items, accumulators.
        depth: How many bodies there are around it.
        file: Whether nodes here go one after the other.
        once: Whether what stands here runs at most once in a run.
        parallel: Whether several copies of it may run at once.
        undo: Whether nodes here may have compensations.
    """

    seen: tuple[str, ...] = ()
    depth: int = 0
    file: bool = False
    once: bool = True
    parallel: bool = False
    undo: bool = True


class DrawnBody:
    """A body while it is being drawn.

    Attributes:
        nodes: What was drawn, by id.
        routes: What may be needed besides nodes: routes of branches, errors of nodes.
        numbers: Nodes that give an object with a number called ``value``.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.nodes: dict[str, Json] = {}
        self.routes: list[str] = []
        self.numbers: list[str] = []


class Artist:
    """Draws documents.

    Attributes:
        draw: Where chance comes from.
        left: How many nodes that do something may still be drawn.
        called: Blueprints that the drawn one calls, by id.
    """

    def __init__(self, seed: int, weather: Weather) -> None:
        self.draw = Random(seed * 2)  # noqa: S311 - to be replayed, not to be secret
        self.weather = weather
        self.calm = weather != "storm"
        self.left = min(self.draw.randint(1, 12), self.draw.randint(2, 12))
        self.called: dict[str, Document] = {}
        self._count = 0

    def chance(self, share: float) -> bool:
        """Yes, as often as that."""
        return self.draw.random() < share

    def name(self, letter: str) -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{letter}{self._count}"

    def needs(self, body: DrawnBody, *, most: int = 3) -> list[str]:
        """Draw nodes that one more node needs."""
        names = list(body.nodes)
        count = self.draw.choice((0, 1, 1, 1, 2, most))
        return self.draw.sample(names, min(count, len(names)))

    def add(
        self, body: DrawnBody, name: str, node: DrawnNode, needs: list[str], *, number: bool = False
    ) -> None:
        """Put a node into a body, in such a way that it comes after others.

        Args:
            needs: Nodes, routes and errors that it needs.
            number: Whether it gives an object with a number called ``value``.
        """
        if needs:
            node["needs"] = list(needs)
        if body.place.file and body.nodes:
            self._in_file(body, node, needs)
        body.nodes[name] = node
        if number:
            body.numbers.append(name)

    def _in_file(self, body: DrawnBody, node: DrawnNode, needs: list[str]) -> None:
        """Let a node begin only when the one before it has ended, however it has."""
        last = list(body.nodes)[-1]
        if last in needs:
            return
        after = f"nodes.{last}.status != 'pending'"
        own = node.get("if")
        node["if"] = after if own is None else f"({own}) && {after}"

    def condition(self, body: DrawnBody, needs: list[str]) -> str:
        """Draw a condition on what a node needs."""
        known = [name for name in needs if name in body.nodes]
        if not known or self.chance(0.2):
            return self.draw.choice(("true", "true", "false", "1", "'a' == 'a'"))
        name = self.draw.choice(known)
        if name in body.numbers and self.chance(0.6):
            return f"{name}.value % 3 != 0"
        return self.draw.choice((f"nodes.{name}.attempts < 2", f"nodes.{name}.status != 'failed'"))

    def values(self, body: DrawnBody, needs: list[str], join: Json = None) -> list[Json]:
        """Draw parameters that refer to some of what a node needs, and to what is outside."""
        values: list[Json] = []
        for name in needs:
            if name in body.nodes and self.chance(0.5):
                # What is not there is null; the value of that is an error, which is rarely wanted.
                rare = 0.3 if join is None else 0.1
                part = ".value" if name in body.numbers and self.chance(rare) else ""
                values.append(f"${{{{ {name}{part} }}}}")
        if body.place.seen and self.chance(0.6):
            values.append(f"${{{{ {self.draw.choice(body.place.seen)} }}}}")
        return values

    def seen_from(self, body: DrawnBody, needs: list[str]) -> tuple[str, ...]:
        """Expressions that nodes inside a node of this body may use, if it needs these."""
        return (*body.place.seen, *(name for name in needs if name in body.nodes))

    def document(self, nodes: Mapping[str, Json], name: str = "simulated") -> Document:
        """The document around a body."""
        return {"atomiton": 1, "id": name, "nodes": dict(nodes)}
