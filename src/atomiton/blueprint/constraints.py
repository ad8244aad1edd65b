"""Constraints within a type: how a text is written, what divides a number, whether items differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import isfinite
from typing import cast

import msgspec

from atomiton.blueprint.expressions.limits import DEFAULT_STEPS, Failure, Frame
from atomiton.blueprint.expressions.pattern import compiled
from atomiton.blueprint.expressions.pattern_syntax import PatternFault
from atomiton.blueprint.formats import FORMATS
from atomiton.blueprint.types import describe


def check_constraints(value: object, schema: Mapping[str, object]) -> Iterator[str]:
    """Compare a value with ``format``, ``pattern``, ``multipleOf`` and ``uniqueItems``.

    A rule says nothing of values of another type than it is for, as in JSON Schema.

    Yields:
        A message for each rule that is broken.

    Example:
        >>> list(check_constraints(7, {"multipleOf": 5}))
        ['expected a multiple of 5, got 7']
    """
    if isinstance(value, str):
        yield from _check_text(value, schema)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        factor = schema.get("multipleOf")
        if isinstance(factor, int | float) and not _is_multiple(value, factor):
            yield f"expected a multiple of {factor:g}, got {value}"
    elif isinstance(value, list | tuple) and schema.get("uniqueItems") is True:
        place = _repeated(cast("list[object]", value))
        if place is not None:
            yield f"expected items that all differ, but item {place + 1} is there already"


def _check_text(text: str, schema: Mapping[str, object]) -> Iterator[str]:
    name = schema.get("format")
    if isinstance(name, str) and name in FORMATS:
        fits, example = FORMATS[name]
        if not fits(text):
            yield f"expected {name} such as {example}, got {describe(text)}"
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        yield from _check_pattern(text, pattern)


def _check_pattern(text: str, pattern: str) -> Iterator[str]:
    try:
        if not compiled(pattern).found_in(text, 0, Frame(None, DEFAULT_STEPS, 0)):
            yield f"expected text that matches {pattern}, got {describe(text)}"
    except Failure:
        yield f"the text is too long to be compared with the pattern {pattern}"
    except PatternFault as fault:
        yield f"the pattern {pattern} cannot be used: {fault.message}"


def _is_multiple(value: float, factor: float) -> bool:
    if not (isfinite(value) and isfinite(factor)) or not factor:
        return False
    # As they are written: 0.3 is three times 0.1, which their nearest binary numbers are not.
    return Fraction(repr(value)) % Fraction(repr(factor)) == 0


def _repeated(items: list[object]) -> int | None:
    """Index of the first item that equals an earlier one, as JSON compares them."""
    seen: set[bytes] = set()
    for place, item in enumerate(items):
        try:
            form = msgspec.msgpack.encode(_with_plain_numbers(item), order="sorted")
        except (TypeError, ValueError, OverflowError, RecursionError):
            continue  # no value that could be put on record; told where that is checked
        if form in seen:
            return place
        seen.add(form)
    return None


def _with_plain_numbers(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list | tuple):
        return [_with_plain_numbers(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        return {key: _with_plain_numbers(item) for key, item in entries.items()}
    return value
