"""Names in expressions: what each means in a body, and the compiled values built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.expressions import Expression, Reference, Template
from atomiton.blueprint.plan import Getter, Scope
from atomiton.errors import ExpressionError

#: Names that no node may have, and what they mean.
BUILT_IN: Mapping[str, Callable[[Scope], object]] = {
    "inputs": attrgetter("inputs"),
    "vars": attrgetter("variables"),
    "secrets": attrgetter("secrets"),
    "run": lambda scope: scope.run_info(),
}


class ItemScope:
    """The scope of an expression that a node evaluates for each item of a list."""

    __slots__ = ("acc", "index", "item", "outer")

    def __init__(self, outer: Scope) -> None:
        self.outer = outer
        self.item: object = None
        self.index = 0
        self.acc: object = None


class Names:
    """What the names in the expressions of one body mean.

    Attributes:
        nodes: Node id to number.
    """

    def __init__(self, nodes: Mapping[str, int]) -> None:
        self.nodes = nodes

    def loaders(self, references: tuple[Reference, ...]) -> dict[str, Callable[[Scope], object]]:
        """Functions that give the value of each name used, and of no other."""
        loaders: dict[str, Callable[[Scope], object]] = {}
        for reference in references:
            name = reference.name
            if name in BUILT_IN:
                loaders[name] = BUILT_IN[name]
            elif name == "nodes":
                loaders[name] = self._info_loader(references)
            elif name in self.nodes:
                loaders[name] = output_loader(self.nodes[name])
        return loaders

    def _info_loader(self, references: tuple[Reference, ...]) -> Callable[[Scope], object]:
        used = {
            reference.path[0]: self.nodes[reference.path[0]]
            for reference in references
            if reference.name == "nodes" and reference.path and reference.path[0] in self.nodes
        }
        return lambda scope: {name: scope.node_info(number) for name, number in used.items()}

    def bind(self, parsed: Expression | Template) -> Getter:
        """Compile a parsed expression or template; ``ExpressionError`` on an unknown name."""
        references = parsed.references if isinstance(parsed, Expression) else references_of(parsed)
        return parsed.bind(self.loaders(references))

    def bind_lambda(self, parsed: Expression) -> Getter:
        """Compile a bare expression over item, index and acc into a function that makes it."""
        outer = self.loaders(parsed.references)
        inner: dict[str, Callable[[ItemScope], object]] = {
            "item": attrgetter("item"),
            "index": attrgetter("index"),
            "acc": attrgetter("acc"),
        }
        for reference in parsed.references:
            name = reference.name
            if name not in inner and name in outer:
                inner[name] = _lifted(outer[name])
        evaluate = parsed.bind(inner)

        def make(scope: Scope) -> object:
            items = ItemScope(scope)

            def call(item: object, index: int = 0, acc: object = None) -> object:
                items.item = item
                items.index = index
                items.acc = acc
                return evaluate(items)

            return call

        return make


def _lifted(load: Callable[[Scope], object]) -> Callable[[ItemScope], object]:
    return lambda items: load(items.outer)


def output_loader(number: int) -> Callable[[Scope], object]:
    """A function that gives the output of a node of the body."""
    return lambda scope: scope.outputs[number]


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
            f"a condition must be true or false, this gave {type(value).__name__}",
            source=source,
            offset=0,
        )

    return decide


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
    raise ValueError(f"expected a moment, got {type(value).__name__}")
