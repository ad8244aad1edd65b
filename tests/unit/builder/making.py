"""Node functions and a short way to the document of a function, for the tests of the builder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atomiton.blueprint.expressions import parse, parse_template
from atomiton.blueprint.model import Blueprint, Json
from atomiton.builder import blueprint
from atomiton.nodes.spec import Lambda, node


@dataclass
class Order:
    id: int
    total: float
    tags: list[str] = field(default_factory=list)
    by: dict[str, int] = field(default_factory=dict)


@dataclass
class Report:
    path: str
    count: int


@node("orders.read")
def read(path: Path) -> list[Order]:
    return [Order(1, 50), Order(2, 150)]


@node("orders.first")
def first(orders: list[Order]) -> Order:
    return orders[0]


@node("orders.keep", effect="pure")
def keep(orders: list[Order], threshold: float) -> list[Order]:
    return [order for order in orders if order.total > threshold]


@node("orders.convert")
async def convert(order: Order, currency: str = "EUR") -> float:
    return order.total * 2


@node("orders.note")
async def note(text: object) -> str:
    return f"noted {text}"


@node("orders.pick", effect="pure")
def pick(orders: list[Order], where: Lambda, as_: str = "list") -> list[Order]:
    return [order for order in orders if where(order)]


@node("orders.grow")
def grow(number: int, by: int = 1) -> int:
    return number + by


@blueprint
def child(order: dict, currency: str = "EUR") -> object:
    return note(order)


@blueprint
def two(a: int, b: int) -> object:
    return note([a, b])


def document(function: Callable[..., object]) -> dict[str, Json]:
    """The document of a function, with every expression in it parsed."""
    made: Blueprint = blueprint(id="x")(function).blueprint
    for text in _texts(made.document["nodes"]):
        parse_template(text)
    return made.document


def nodes(function: Callable[..., object]) -> dict[str, Json]:
    """The nodes of a function."""
    found = document(function)["nodes"]
    assert isinstance(found, dict)
    return found


def computed(function: Callable[..., object]) -> str:
    """The expression that a function of an input computes; it is parsed."""
    made = blueprint(id="x")(lambda x: note(function(x))).blueprint  # type: ignore[no-any-return]
    text = made.nodes["note"].with_["text"]
    assert isinstance(text, str)
    assert text.startswith("${{ ")
    source = text[4:-3]
    parse(source)
    return source


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
