"""What operators mean on values. A value is known by its exact type and by nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, TypeGuard, cast

import msgspec

from atomiton.blueprint.expressions.lexer import INT_MAX, INT_MIN
from atomiton.blueprint.expressions.limits import (
    LIMIT,
    MAX_VALUE_DEPTH,
    Failure,
    Frame,
    charge_items,
    charge_text,
    charge_work,
)


class Maybe:
    """A value that may be absent: what ``.?field`` gives. Never leaves an evaluation."""

    __slots__ = ("present", "value")

    def __init__(self, *, present: bool, value: object = None) -> None:
        self.present = present
        self.value = value


ABSENT: Final = Maybe(present=False)

_NAMES: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
    Maybe: "optional",
}
_ORDERED: Final = frozenset({bool, str, bytes, datetime, timedelta})
NUMBERS: Final = frozenset({int, float})


def type_name(value: object) -> str:
    """The name of the value's type, as ``type()`` gives it."""
    return _NAMES.get(type(value), "unknown")


def is_plain(value: object) -> bool:
    """Whether the value is of a type that expressions know."""
    return type(value) in _NAMES


def settle(value: object) -> object:
    """The value itself, or null for one that is absent."""
    if type(value) is Maybe:
        return value.value if value.present else None
    return value


def as_list(value: object) -> list[object]:
    """Tell the type checker what it cannot know of a value that is a list."""
    return cast("list[object]", value)


def as_map(value: object) -> dict[object, object]:
    """Tell the type checker what it cannot know of a value that is a map."""
    return cast("dict[object, object]", value)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether the value is a list, and no kin of one."""
    return type(value) is list


def is_map(value: object) -> TypeGuard[dict[object, object]]:
    """Whether the value is a map, and no kin of one."""
    return type(value) is dict


# Equality.


def equal(left: object, right: object, at: int, meter: Frame | None, level: int = 0) -> bool:
    """``left == right``: values of different types differ, numbers compare as numbers."""
    a, b = type(left), type(right)
    if a is b:
        if a is list:
            return _equal_lists(as_list(left), as_list(right), at, meter, level)
        if a is dict:
            return _equal_maps(as_map(left), as_map(right), at, meter, level)
        if a is str or a is bytes:
            text = cast("str", left)
            charge_work(meter, len(text), at)
            return text == right
        if a is datetime:
            return moment(left, at) == moment(right, at)
        if a is Maybe:
            return _equal_maybes(cast("Maybe", left), cast("Maybe", right), at, meter, level)
        if a in _NAMES:
            return left == right
    elif a in NUMBERS and b in NUMBERS:
        return left == right
    elif (a is Maybe or b is Maybe) and level == 0:
        raise Failure(at, "an optional value is compared; give it a value with .orValue(...)")
    if a not in _NAMES or b not in _NAMES:
        raise Failure(at, "a value of an unknown type cannot be compared")
    return False


def _deeper(level: int, at: int) -> int:
    if level >= MAX_VALUE_DEPTH:
        raise Failure(at, "a value is nested too deeply to be compared", LIMIT)
    return level + 1


def _equal_lists(
    left: list[object], right: list[object], at: int, meter: Frame | None, level: int
) -> bool:
    if len(left) != len(right):
        return False
    level = _deeper(level, at)
    for a, b in zip(left, right, strict=True):
        if meter is not None:
            meter.charge(1, at)
        if not equal(a, b, at, meter, level):
            return False
    return True


def _equal_maps(
    left: dict[object, object],
    right: dict[object, object],
    at: int,
    meter: Frame | None,
    level: int,
) -> bool:
    if len(left) != len(right):
        return False
    level = _deeper(level, at)
    for key, a in left.items():
        if meter is not None:
            meter.charge(1, at)
        if key not in right or not equal(a, right[key], at, meter, level):
            return False
    return True


def _equal_maybes(left: Maybe, right: Maybe, at: int, meter: Frame | None, level: int) -> bool:
    if not (left.present and right.present):
        return left.present is right.present
    return equal(left.value, right.value, at, meter, level + 1)


def contained(item: object, target: object, at: int, meter: Frame | None) -> bool:
    """``item in target``: an item of a list or a key of a map."""
    if type(target) is dict:
        return type(item) is str and item in target
    if not is_list(target):
        raise Failure(at, f"'in' looks into a list or a map, not into a {type_name(target)}")
    items = target
    if type(item) is str or item is None:
        # No value of another type equals one of these, so the machine may search.
        if meter is not None:
            meter.charge(1 + (len(items) >> 4), at)
        return item in items
    for other in items:
        if meter is not None:
            meter.charge(1, at)
        if equal(item, other, at, meter, 1):
            return True
    return False


# Order.


def compare(
    test: Callable[[object, object], bool],
    left: object,
    right: object,
    at: int,
    meter: Frame | None,
) -> bool:
    """``left < right`` and its kin.

    Raises:
        Failure: Values of these types have no order.
    """
    a, b = type(left), type(right)
    if a in NUMBERS and b in NUMBERS:
        return test(left, right)
    if a is b and a in _ORDERED:
        if a is str or a is bytes:
            charge_work(meter, len(cast("str", left)), at)
        if a is datetime:
            return test(moment(left, at), moment(right, at))
        return test(left, right)
    raise Failure(at, lambda: f"{type_name(left)} and {type_name(right)} have no common order")


def moment(value: object, at: int) -> datetime:
    """A timestamp that says its zone."""
    found = cast("datetime", value)
    if found.tzinfo is None:
        raise Failure(at, "a timestamp without a time zone")
    return found


# Arithmetic.

#: The longest duration of protocol buffers, and so of CEL: 10,000 years.
_LONGEST: Final = timedelta(seconds=315_576_000_000)


def span(value: timedelta, at: int) -> timedelta:
    """Hold a duration to what CEL can say."""
    if -_LONGEST <= value <= _LONGEST:
        return value
    raise Failure(at, "the duration is out of range")


def mismatch(sign: str, left: object, right: object, at: int) -> NoReturn:
    """No operator of that name for values of these types."""
    raise Failure(at, lambda: f"'{sign}' does not take {type_name(left)} and {type_name(right)}")


def _integer(value: int, at: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Failure(at, "the result does not fit in 64 bits")


def finite(value: float, at: int) -> float:
    """Hold a double to what JSON can say."""
    if value - value == 0.0:
        return value
    raise Failure(at, "the result is not a finite number")


def add(left: object, right: object, at: int, meter: Frame | None) -> object:
    """``left + right``."""
    a, b = type(left), type(right)
    if a in NUMBERS and b in NUMBERS:
        return _calculate(operator.add, left, right, at)
    if a is b:
        if a is str or a is bytes:
            one, two = cast("str", left), cast("str", right)
            charge_text(meter, len(one) + len(two), at)
            return one + two
        if a is list:
            items, more = as_list(left), as_list(right)
            charge_items(meter, len(items) + len(more), at)
            return items + more
    try:
        if a is timedelta and b is timedelta:
            return span(cast("timedelta", left) + cast("timedelta", right), at)
        if a is datetime and b is timedelta:
            return moment(left, at) + cast("timedelta", right)
        if a is timedelta and b is datetime:
            return moment(right, at) + cast("timedelta", left)
    except OverflowError:
        raise Failure(at, "the result is out of range") from None
    return mismatch("+", left, right, at)


def subtract(left: object, right: object, at: int, meter: Frame | None) -> object:
    """``left - right``."""
    del meter
    a, b = type(left), type(right)
    if a in NUMBERS and b in NUMBERS:
        return _calculate(operator.sub, left, right, at)
    try:
        if a is timedelta and b is timedelta:
            return span(cast("timedelta", left) - cast("timedelta", right), at)
        if a is datetime and b is datetime:
            return moment(left, at) - moment(right, at)
        if a is datetime and b is timedelta:
            return moment(left, at) - cast("timedelta", right)
    except OverflowError:
        raise Failure(at, "the result is out of range") from None
    return mismatch("-", left, right, at)


def multiply(left: object, right: object, at: int, meter: Frame | None) -> object:
    """``left * right``."""
    del meter
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return _calculate(operator.mul, left, right, at)
    return mismatch("*", left, right, at)


def divide(left: object, right: object, at: int, meter: Frame | None) -> object:
    """``left / right``: two integers give an integer, cut towards zero."""
    del meter
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        return mismatch("/", left, right, at)
    if right == 0:
        raise Failure(at, "division by zero")
    if type(left) is int and type(right) is int:
        quotient = abs(left) // abs(right)
        return _integer(quotient if (left < 0) == (right < 0) else -quotient, at)
    return _calculate(_quotient, left, right, at)


def remainder(left: object, right: object, at: int, meter: Frame | None) -> object:
    """``left % right`` of integers, with the sign of the left one."""
    del meter
    if type(left) is not int or type(right) is not int:
        return mismatch("%", left, right, at)
    if right == 0:
        raise Failure(at, "division by zero")
    rest = abs(left) % abs(right)
    return _integer(-rest if left < 0 else rest, at)


def _quotient(left: float, right: float) -> float:
    return left / right


def _calculate(
    sign: Callable[[float, float], float], left: object, right: object, at: int
) -> int | float:
    try:
        result = sign(cast("float", left), cast("float", right))
    except OverflowError:
        # An integer beyond 64 bits came from outside and meets a double.
        raise Failure(at, "the result is out of range") from None
    if type(result) is int:
        return result if INT_MIN <= result <= INT_MAX else _integer(result, at)
    return finite(result, at)


def negate(value: object, at: int) -> object:
    """``-value``."""
    if type(value) is int:
        return _integer(-value, at)
    if type(value) is float:
        return -value
    if type(value) is timedelta:
        return subtract(timedelta(), value, at, None)
    raise Failure(at, lambda: f"'-' does not take {type_name(value)}")


# Text.


def value_to_text(value: object) -> str:
    """Show a value inside text: strings as they are, everything else as JSON.

    A timestamp is ISO 8601 in UTC (``2024-05-01T12:00:00Z``), a duration ISO 8601 (``PT90S``),
    bytes are base64; these three stand without quotes unless they are inside a list or a map.

    Args:
        value: A plain value.

    Raises:
        TypeError: It is no plain value.
        ValueError: It is no valid text.

    Example:
        >>> value_to_text("a"), value_to_text(1.5), value_to_text([True, None])
        ('a', '1.5', '[true,null]')
    """
    if type(value) is str:
        return value
    if type(value) is datetime and value.tzinfo is not None:
        value = value.astimezone(UTC)
    try:
        text = msgspec.json.encode(value).decode()
    except (RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return text.strip('"') if type(value) in (datetime, timedelta, bytes) else text
