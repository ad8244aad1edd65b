"""Expressions that Python has no operator for."""

from __future__ import annotations

import re
from collections.abc import Container, Sized
from typing import Any, cast

from atomiton.blueprint.expressions import parse
from atomiton.blueprint.model import Json
from atomiton.builder.evaluating import evaluated
from atomiton.builder.literals import Verbatim, as_part
from atomiton.builder.parts import COMPARE, PRIMARY, TERNARY, Part, Root, called, infix
from atomiton.builder.places import wrong
from atomiton.builder.scopes import current
from atomiton.builder.standing import Ends, Standing, part_of
from atomiton.builder.traced import Traced
from atomiton.errors import ErrorInfo, ExpressionError
from atomiton.nodes.recording import RECORDER

_HOLE = re.compile(r"\{\}")
_WHOLE = re.compile(r"[A-Za-z_][\w.]*")


def size(value: Sized) -> int:
    """How long a list, an object or a text is: ``len()`` for traced values too.

    Example:
        >>> size("four")
        4
    """
    if isinstance(value, Standing):
        return cast("int", Traced(called("size", part_of(value))))
    return len(value)


def contains(container: Container[object], item: object) -> bool:
    """Whether a list holds an item, or an object a key: ``in`` for traced values too.

    Example:
        >>> contains(["a", "b"], "b")
        True
    """
    if isinstance(container, Standing) or isinstance(item, Standing):
        part = infix(as_part(item), "in", as_part(container), COMPARE)
        return cast("bool", Traced(part))
    return item in container


def is_null(value: object) -> bool:
    """Whether a value is null: ``is None`` for traced values too.

    Example:
        >>> is_null(None)
        True
    """
    if isinstance(value, Standing):
        return cast("bool", Traced(infix(part_of(value), "==", Part("null"), COMPARE)))
    return value is None


def expression(source: str, /, *values: object) -> Any:  # noqa: ANN401 - nothing knows its type
    """An expression in its own language, for what Python's operators cannot say.

    Args:
        source: Its text. Each ``{}`` stands for one of the values.
        values: Traced values or constants.

    Returns:
        A traced value, of whatever type the expression gives; the value itself where the
        blueprint is called as ordinary Python.

    Raises:
        TracingError: The expression is malformed, or there is no blueprint being built.

    Example:
        >>> from atomiton import blueprint
        >>> from atomiton.nodes.data import value
        >>> @blueprint
        ... def shouted(name: str) -> object:
        ...     return value(expression("{}.upperAscii()", name))
        >>> shouted.blueprint.nodes["value"].with_
        {'value': '${{ inputs.name.upperAscii() }}'}
    """
    if RECORDER.get() is None:
        raise wrong(
            "an expression has no value outside of a blueprint that is being built or called"
        )
    holes = len(_HOLE.findall(source))
    if holes != len(values):
        raise wrong(f"the expression has {holes} places for values, and {len(values)} are given")
    if current() is None:
        names = {f"value_{place}": value for place, value in enumerate(values, 1)}
        rest_of_them = iter(names)
        return evaluated(_HOLE.sub(lambda _: next(rest_of_them), source), names)
    parts = [as_part(value) for value in values]
    rest = iter(parts)
    text = _HOLE.sub(lambda _: next(rest).at(PRIMARY), source)
    try:
        parse(text)
    except ExpressionError as error:
        raise wrong(f"{error.message} (at character {error.offset + 1} of {text!r})") from None
    roots = frozenset[Root]().union(*(part.roots for part in parts))
    level = PRIMARY if _WHOLE.fullmatch(text) else TERNARY
    return Traced(Part(text, level, roots))


def verbatim(value: Json, /) -> Any:  # noqa: ANN401 - it stands for anything
    """A value in the words of the format: what is ``${{ }}`` in it is an expression.

    Elsewhere such a text is plain text, and is escaped.

    Args:
        value: JSON, as it is to stand in the document.
    """
    return Verbatim(value)


def ends() -> Any:  # noqa: ANN401 - nothing knows its type
    """What the last nodes give, by their ids: to be returned where no output is to be named.

    Example:
        >>> from atomiton import blueprint
        >>> from atomiton.nodes.data import value
        >>> @blueprint
        ... def two() -> object:
        ...     value.with_(id="a")(1)
        ...     value.with_(id="b")(2)
        ...     return ends()
        >>> two.blueprint.has_output
        False
    """
    return Ends() if current() is not None else None


def error_of(result: object, /) -> ErrorInfo:
    """The error of a node that failed; also names its error route, in ``needs``.

    Args:
        result: The result of the node.
    """
    return cast("ErrorInfo", Traced(_about(result, "error")))


def status_of(result: object, /) -> str:
    """How a node fared: ``completed``, ``failed``, ``skipped`` or ``cancelled``.

    Args:
        result: The result of the node.
    """
    return cast("str", Traced(_about(result, "status")))


def _about(result: object, what: str) -> Part:
    part = part_of(result) if isinstance(result, Standing) else None
    if part is None or {root.name for root in part.roots} != {part.source}:
        raise wrong("this is not the whole result of a node, so it has no status and no error")
    return Part(f"nodes.{part.source}.{what}", PRIMARY, part.roots)


def secret(name: str, /) -> str:
    """A secret, to be used in parameters of nodes; the blueprint declares it by this.

    Args:
        name: Its name, as the conductor knows it.
    """
    trace = current()
    if trace is None:
        raise wrong("a secret can only be used in a blueprint that is being built")
    trace.secrets[name] = None
    return cast("str", Traced(Part(f"secrets.{name}")))
