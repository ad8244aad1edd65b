"""Where what is given differs from what is expected, place by place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import UnionType
from typing import cast

import msgspec

__all__ = ["Difference", "differences"]

_WIDTH = 160
MISSING = object()


class Difference(msgspec.Struct, frozen=True):
    """One place that differs.

    Attributes:
        path: The place, such as ``output.orders[2].total``.
        expected: What was expected there; None when nothing was, which ``kind`` tells.
        given: What is there; None when nothing is, which ``kind`` tells.
        kind: ``changed``, ``missing`` or ``unexpected``.
    """

    path: str
    expected: object
    given: object
    kind: str = "changed"

    def __str__(self) -> str:
        """Say it in a line."""
        if self.kind == "missing":
            return f"{self.path}: is missing; expected {shown(self.expected)}"
        if self.kind == "unexpected":
            return f"{self.path}: nothing expected; given {shown(self.given)}"
        if isinstance(self.expected, str) and isinstance(self.given, str):
            return f"{self.path}: {_texts(self.expected, self.given)}"
        return f"{self.path}: expected {shown(self.expected)}, given {shown(self.given)}"


def differences(expected: object, given: object, path: str = "") -> Iterator[Difference]:
    """Compare two JSON values; 1 and 1.0 are the same, 1 and true are not.

    Args:
        expected: What should be.
        given: What is.
        path: Where the values stand.

    Yields:
        Every place that differs, in order.

    Example:
        >>> for found in differences({"a": [1, 2]}, {"a": [1, 3], "b": 0}, "output"):
        ...     print(found)
        output.a[1]: expected 2, given 3
        output.b: nothing expected; given 0
    """
    if _both(expected, given, dict):
        yield from _objects(
            cast("dict[object, object]", expected), cast("dict[object, object]", given), path
        )
    elif _both(expected, given, list | tuple):
        yield from _lists(cast("list[object]", expected), cast("list[object]", given), path)
    elif not _same(expected, given):
        yield Difference(path or "the value", expected, given)


def _both(one: object, other: object, kind: type | UnionType) -> bool:
    return isinstance(one, kind) and isinstance(other, kind)


def _objects(
    expected: dict[object, object], given: dict[object, object], path: str
) -> Iterator[Difference]:
    for key, value in expected.items():
        place = f"{path}.{key}" if path else str(key)
        if key in given:
            yield from differences(value, given[key], place)
        else:
            yield Difference(place, value, None, "missing")
    for key, value in given.items():
        if key not in expected:
            yield Difference(f"{path}.{key}" if path else str(key), None, value, "unexpected")


def _lists(expected: list[object], given: list[object], path: str) -> Iterator[Difference]:
    for place in range(max(len(expected), len(given))):
        at = f"{path}[{place}]"
        if place >= len(given):
            yield Difference(at, expected[place], None, "missing")
        elif place >= len(expected):
            yield Difference(at, None, given[place], "unexpected")
        else:
            yield from differences(expected[place], given[place], at)


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and one == other


def shown(value: object) -> str:
    """A value on one line, shortened in its middle when it is long.

    Example:
        >>> shown({"a": [1, None]})
        '{"a":[1,null]}'
    """
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    if len(text) <= _WIDTH:
        return text
    half = _WIDTH // 2
    return f"{text[:half]} ... {text[-half:]}"


def _texts(expected: str, given: str) -> str:
    """Two texts; long ones from the first character that differs."""
    if len(expected) + len(given) <= _WIDTH and "\n" not in expected + given:
        return f"expected {shown(expected)}, given {shown(given)}"
    pairs = zip(expected, given, strict=False)
    place = next(
        (n for n, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(given))
    )
    line = expected.count("\n", 0, place) + 1
    column = place - (expected.rfind("\n", 0, place) + 1) + 1
    start = max(0, place - 20)
    before = "..." if start else ""
    one, other = (f"{before}{text[start : place + 60]}" for text in (expected, given))
    return f"differs at line {line}, column {column}: expected {shown(one)}, given {shown(other)}"
