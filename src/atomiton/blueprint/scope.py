"""Names in expressions: what each means where it stands, and values compiled from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar, cast

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.expressions import Expression, Reference, Template
from atomiton.blueprint.expressions.values import a_type
from atomiton.blueprint.plan import ENDED, NEED, BodyScope, Edge, Getter, ItemScope, Scope
from atomiton.blueprint.problems import Path
from atomiton.errors import AtomitonError, ExpressionError

Load = Callable[[Scope], object]
R = TypeVar("R")

#: Names that no node may have, and what they mean.
BUILT_IN: Mapping[str, Load] = {
    "inputs": attrgetter("unit.inputs"),
    "vars": attrgetter("unit.variables"),
    "secrets": attrgetter("unit.secrets"),
    "run": lambda scope: scope.unit.info(),
}

ITEM_NAMES: Mapping[str, str] = {"item": "item", "index": "index", "acc": "acc"}
"""What an expression over a list sees: the name, and the field of ``ItemScope``."""

Schema = Mapping[str, object]


class Names:
    """What names mean in one scope, and in those around it.

    Attributes:
        outer: The scope around this one.
        nodes: Of a body: node id to number.
        items: Of an item, a turn, a list function: name to the field of ``ItemScope``.
        path: Of a body: where its nodes stand in the document.
        results: Of a body: what each node gives, where that is known, as JSON Schema.
        routes: Of a body: the routes of each branch.
        edges: Of a body: how each node depends on others.
        current: The node of the body that is being compiled; None when no edges are to be noted.
    """

    def __init__(
        self,
        outer: Names | None = None,
        *,
        nodes: Mapping[str, int] | None = None,
        items: Mapping[str, str] | None = None,
        path: Path = (),
    ) -> None:
        self.outer = outer
        self.path = path
        self.nodes = nodes or {}
        self.items = items or {}
        self.results: dict[str, Schema | None] = {}
        self.routes: dict[str, tuple[str, ...]] = {}
        self.edges: list[dict[Edge, None]] = [{} for _ in self.nodes]
        self.current: int | None = None

    def chain(self) -> Iterator[tuple[int, Names]]:
        """This scope and those around it, each with how far out it is."""
        hops, at = 0, self
        while True:
            yield hops, at
            if at.outer is None:
                return
            hops, at = hops + 1, at.outer

    def node(self, name: str) -> tuple[int, Names] | None:
        """Where a node of that name is: how far out, and its scope."""
        return next(((hops, at) for hops, at in self.chain() if name in at.nodes), None)

    def sees(self, name: str) -> bool:
        """Whether the name means a node or an item here."""
        return any(name in at.nodes or name in at.items for _, at in self.chain())

    def known(self) -> list[str]:
        """Every name of a node or an item."""
        return [name for _, at in self.chain() for name in (*at.items, *at.nodes)]

    def need(self, name: str, kind: int = NEED, route: str = "") -> None:
        """Note that the node being compiled depends on the node of that name."""
        found = self.node(name)
        if found is not None:
            at = found[1]
            own = kind == ENDED and at.nodes[name] == at.current  # its own error, in its fallback
            if at.current is not None and not own:
                at.edges[at.current][Edge(at.nodes[name], kind, route)] = None

    def need_all(self, references: tuple[Reference, ...]) -> None:
        """Note the edges that references make."""
        for reference in references:
            if reference.name == "nodes" and reference.path:
                self.need(reference.path[0], ENDED)
            elif not any(reference.name in at.items for _, at in self.chain()):
                self.need(reference.name)

    def loaders(self, references: tuple[Reference, ...]) -> dict[str, Load]:
        """Functions that give the value of each name used, and of no other."""
        loaders: dict[str, Load] = {}
        for reference in references:
            name = reference.name
            if name in BUILT_IN:
                loaders[name] = BUILT_IN[name]
            elif name == "nodes":
                loaders[name] = self._info_loader(references)
            else:
                load = self._loader(name)
                if load is not None:
                    loaders[name] = load
        return loaders

    def _loader(self, name: str) -> Load | None:
        for hops, at in self.chain():
            if name in at.items:
                return _climb(attrgetter(at.items[name]), hops)
            if name in at.nodes:
                return _climb(output_loader(at.nodes[name]), hops)
        return None

    def missing(self, references: tuple[Reference, ...]) -> dict[str, Callable[[Scope], bool]]:
        """For the nodes among the names used, what tells whether one gave nothing at all."""
        found: dict[str, Callable[[Scope], bool]] = {}
        for reference in references:
            name = reference.name
            hops, at = next(
                ((hops, at) for hops, at in self.chain() if name in at.items or name in at.nodes),
                (0, self),
            )
            if name not in at.items and name in at.nodes:
                found[name] = _climb(_missing(at.nodes[name]), hops)
        return found

    def _info_loader(self, references: tuple[Reference, ...]) -> Load:
        used: dict[str, Load] = {}
        for reference in references:
            if reference.name == "nodes" and reference.path:
                name = reference.path[0]
                found = self.node(name)
                if found is not None:
                    used[name] = _climb(_info_of(found[1].nodes[name]), found[0])
        return lambda scope: {name: load(scope) for name, load in used.items()}

    def bind(self, parsed: Expression | Template) -> Getter:
        """Compile a parsed expression or template; ``ExpressionError`` on an unknown name."""
        references = parsed.references if isinstance(parsed, Expression) else references_of(parsed)
        return parsed.bind(self.loaders(references), missing=self.missing(references))

    def bind_lambda(self, parsed: Expression) -> Getter:
        """Compile a bare expression over item, index and acc into a function that makes it."""
        evaluate = Names(self, items=ITEM_NAMES).bind(parsed)

        def make(scope: Scope) -> object:
            items = ItemScope(scope)

            def call(item: object, index: int = 0, acc: object = None) -> object:
                items.item = item
                items.index = index
                items.acc = acc
                return evaluate(items)

            return call

        return make


def _climb(load: Callable[[Scope], R], hops: int) -> Callable[[Scope], R]:
    """Load from a scope further out."""
    if not hops:
        return load
    if hops == 1:
        return lambda scope: load(cast("Scope", scope.outer))

    def climb(scope: Scope) -> R:
        for _ in range(hops):
            scope = cast("Scope", scope.outer)
        return load(scope)

    return climb


def output_loader(number: int) -> Load:
    """A function that gives the output of a node of the body."""

    def load(scope: BodyScope) -> object:
        return scope.outputs[number]

    return cast("Load", load)  # not inside: it is called for every value


def _missing(number: int) -> Callable[[Scope], bool]:
    return lambda scope: cast("BodyScope", scope).missing(number)


def _info_of(number: int) -> Load:
    return lambda scope: cast("BodyScope", scope).node_info(number)


def references_of(template: Template) -> tuple[Reference, ...]:
    """All references in a template, in order."""
    return tuple(
        reference
        for _offset, expression in template.expressions
        for reference in expression.references
    )


def condition(evaluate: Getter, source: str) -> Callable[[Scope], bool]:
    """Make a condition of an expression: anything but true and false is an error."""

    def decide(scope: Scope) -> bool:
        value = evaluate(scope)
        if value is True or value is False:
            return value
        raise ExpressionError(
            f"a condition must be true or false, this gave {a_type(value)}",
            source=source,
            offset=0,
        )

    return decide


def as_items(evaluate: Getter) -> Getter:
    """Make a value's getter give a list: the items of one, the entries of an object."""

    def items(scope: Scope) -> list[object]:
        value = evaluate(scope)
        if isinstance(value, list):
            return cast("list[object]", value)
        if isinstance(value, dict):
            entries = cast("dict[str, object]", value).items()
            return [{"key": key, "value": item} for key, item in entries]
        message = f"'map' needs a list or an object, this gave {a_type(value)}"
        raise AtomitonError(message, code="TYPE_MISMATCH")

    return items


def as_seconds(evaluate: Getter, source: str) -> Getter:
    """Make a value's getter give seconds: of a number, a text such as 1m30s, a duration."""

    def seconds(value: object) -> float:
        return value.total_seconds() if isinstance(value, timedelta) else parse_duration(value)

    return _converted(evaluate, source, seconds)


def as_moment(evaluate: Getter, source: str) -> Getter:
    """Make an expression's getter give seconds since 1970: of a time stamp, text or number."""
    return _converted(evaluate, source, _moment)


def _converted(evaluate: Getter, source: str, convert: Callable[[object], float]) -> Getter:
    def get(scope: Scope) -> float:
        try:
            return float(convert(evaluate(scope)))
        except (ValueError, OverflowError) as error:
            raise ExpressionError(str(error), source=source, offset=0) from error

    return get


def _moment(value: object) -> float:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"the moment {value} has no time zone; add Z or an offset")
        return value.timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a moment, got {a_type(value)}")
