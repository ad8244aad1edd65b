"""Expressions with values at hand: what a run would compute, in ordinary Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter

from atomiton.blueprint.expressions import Expression, parse
from atomiton.builder.places import wrong
from atomiton.errors import ExpressionError, NodeError
from atomiton.nodes.values import to_value


def evaluated(source: str, names: Mapping[str, object]) -> object:
    """What an expression gives.

    Args:
        source: Its text.
        names: What the names in it stand for; whatever has a JSON form.

    Raises:
        TracingError: It is malformed, or names something else.
        ExpressionError: It cannot be computed of these values.

    Example:
        >>> evaluated("a.size() > b", {"a": [1, 2], "b": 1})
        True
    """
    return _bound(_parsed(source), names)({name: _plain(value) for name, value in names.items()})


def function_of(source: str) -> Callable[..., object]:
    """An expression over ``item``, ``index`` and ``acc`` as a function of them.

    Raises:
        TracingError: It is malformed, or names something else.

    Example:
        >>> function_of("item + index")(2, 3)
        5
    """
    names = ("item", "index", "acc")
    evaluate = _bound(_parsed(source), dict.fromkeys(names))

    def call(item: object, index: int = 0, acc: object = None) -> object:
        return evaluate(dict(zip(names, (_plain(item), index, _plain(acc)), strict=True)))

    return call


def _parsed(source: str) -> Expression:
    try:
        return parse(source)
    except ExpressionError as error:
        place = f"(at character {error.offset + 1} of {source!r})"
        raise wrong(f"{error.message} {place}") from None


def _bound(
    parsed: Expression, names: Mapping[str, object]
) -> Callable[[Mapping[str, object]], object]:
    try:
        return parsed.bind({name: itemgetter(name) for name in names})
    except ExpressionError as error:
        hint = "give it the value, or run the blueprint"
        raise wrong(f"{error.message} as ordinary Python, in {parsed.source!r}", hint) from None


def _plain(value: object) -> object:
    try:
        return to_value(value)
    except NodeError:
        return value
