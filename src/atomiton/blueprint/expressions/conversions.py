"""From one type to another, always by name: nothing is converted unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from atomiton.blueprint.expressions.lexer import INT_MAX, INT_MIN
from atomiton.blueprint.expressions.limits import Failure, Frame, charge_text
from atomiton.blueprint.expressions.values import finite, moment, span, type_name

#: How every function is run: its arguments, its place, and the meter if there is one.
Run = Callable[[list[object], int, Frame | None], object]
#: A table of functions: run, fewest and most arguments, whether a method, whether metered.
Table = Mapping[str, tuple[Run, int, int, bool | None, bool]]

_TRUE: Final = frozenset({"1", "t", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "false", "FALSE", "False"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}


def refuse(name: str, value: object, at: int) -> Failure:
    """``name`` does not take a value of this type."""
    return Failure(at, lambda: f"{name}() does not take a {type_name(value)}")


def in_range(value: float, at: int) -> int | float:
    """Hold an integer to 64 bits."""
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        raise Failure(at, "the number does not fit in 64 bits")
    return value


def is_digits(text: str) -> bool:
    """Whether the text is digits and nothing else (``isdigit`` takes those of other scripts)."""
    return text.isascii() and text.isdigit()


def _int(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if type(value) is int:
        return value
    if type(value) is float:
        return in_range(int(finite(value, at)), at)
    if type(value) is str:
        digits = value[1:] if value[:1] in ("-", "+") else value
        if len(digits) > 40 or not is_digits(digits):
            raise Failure(at, lambda: f"{value[:40]!r} is no integer")
        return in_range(int(value), at)
    if type(value) is datetime:
        return (moment(value, at) - _EPOCH) // _SECOND
    raise refuse("int", value, at)


def _uint(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = _int(arguments, at, meter)
    if type(value) is int and value < 0:
        raise Failure(at, "uint() takes no negative number")
    return value


def _double(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise Failure(at, "the number is out of range") from None
    if type(value) is str:
        try:
            # Python also takes underscores and surrounding space; CEL takes neither.
            if len(value) > 400 or "_" in value or value.strip() != value or not value.isascii():
                raise ValueError
            return finite(float(value), at)
        except ValueError:
            raise Failure(at, lambda: f"{value[:40]!r} is no number") from None
    raise refuse("double", value, at)


def _string(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = arguments[0]
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(in_range(value, at))
    if type(value) is float:
        return repr(value).removesuffix(".0")
    if type(value) is bytes:
        charge_text(meter, len(value), at)
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Failure(at, "the bytes are no UTF-8 text") from None
    if type(value) is datetime:
        return timestamp_text(value, at)
    if type(value) is timedelta:
        return duration_text(value)
    raise refuse("string", value, at)


def _bool(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if type(value) is bool:
        return value
    if type(value) is str:
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise Failure(at, lambda: f"{value[:40]!r} is no bool")
    raise refuse("bool", value, at)


def _bytes(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = arguments[0]
    if type(value) is bytes:
        return value
    if type(value) is str:
        charge_text(meter, len(value), at)
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise Failure(at, "the text has a lone surrogate") from None
    raise refuse("bytes", value, at)


# Time.


def timestamp_text(value: datetime, at: int) -> str:
    """RFC 3339 in UTC."""
    try:
        text = moment(value, at).astimezone(UTC).isoformat()
    except OverflowError:
        raise Failure(at, "the timestamp is out of range") from None
    text = text.removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def duration_text(value: timedelta) -> str:
    """Seconds, as CEL writes a duration: ``5400s``, ``0.25s``."""
    micro = value // _MICROSECOND
    seconds, rest = divmod(abs(micro), 1_000_000)
    fraction = f".{rest:06}".rstrip("0") if rest else ""
    return f"{'-' if micro < 0 else ''}{seconds}{fraction}s"


def _timestamp(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if type(value) is datetime:
        return moment(value, at)
    try:
        if type(value) is int:
            return _EPOCH + timedelta(seconds=value)
        if type(value) is str:
            return read_timestamp(value)
    except (ValueError, OverflowError):
        raise Failure(at, lambda: f"{str(value)[:40]!r} is no timestamp") from None
    raise refuse("timestamp", value, at)


def read_timestamp(text: str) -> datetime:
    """The moment that a text in the form of RFC 3339 names, in UTC.

    Raises:
        ValueError: It is of another form, or there is no such moment.
        OverflowError: The moment is out of range.

    Example:
        >>> read_timestamp("2024-05-01T12:00:00+02:00").hour
        10
    """
    if not _is_rfc3339(text):
        raise ValueError(f"{text[:40]!r} is no timestamp")
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _is_rfc3339(text: str) -> bool:
    # fromisoformat() takes much more than this: weeks, missing parts, missing zones.
    if not 20 <= len(text) <= 40 or not text.isascii():
        return False
    if text[4] + text[7] + text[10].upper() + text[13] + text[16] != "--T::":
        return False
    rest = text[19:]
    zone = "Z" if rest[-1] in "zZ" else rest[-6:]
    fraction = rest[: len(rest) - len(zone)]
    if fraction and not (fraction[0] == "." and is_digits(fraction[1:])):
        return False
    return zone == "Z" or (len(zone) == 6 and zone[0] in "+-" and zone[3] == ":")


def _duration(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = arguments[0]
    if type(value) is timedelta:
        return value
    if type(value) is int:
        value = f"{value}s"
    if type(value) is not str:
        raise refuse("duration", value, at)
    text = value
    try:
        if text[:1] == "P" or text[:2] == "-P":
            return span(msgspec.convert(text, timedelta), at)
        return span(timedelta(microseconds=_nanoseconds(text) // 1000), at)
    except (ValueError, OverflowError, msgspec.ValidationError):
        raise Failure(
            at, lambda: f"{text[:40]!r} is no duration (such as '1h30m' or '2.5s')"
        ) from None


def _nanoseconds(text: str) -> int:
    sign = -1 if text[:1] == "-" else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest or len(rest) > 64:
        raise ValueError
    total = 0
    while rest:
        length = next((i for i, c in enumerate(rest) if c not in "0123456789."), len(rest))
        number, rest = rest[:length], rest[length:]
        unit = next((u for u in ("ms", "us", "µs", "ns", "h", "m", "s") if rest.startswith(u)), "")
        whole, _, fraction = number.partition(".")
        if not unit or not is_digits(whole + fraction):
            raise ValueError
        rest = rest[len(unit) :]
        total += int(whole or "0") * _UNITS[unit]
        total += int(fraction or "0") * _UNITS[unit] // 10 ** len(fraction)
    return sign * total


TABLE: Final[Table] = {
    "int": (_int, 1, 1, False, False),
    "uint": (_uint, 1, 1, False, False),
    "double": (_double, 1, 1, False, False),
    "string": (_string, 1, 1, False, False),
    "bool": (_bool, 1, 1, False, False),
    "bytes": (_bytes, 1, 1, False, False),
    "timestamp": (_timestamp, 1, 1, False, False),
    "duration": (_duration, 1, 1, False, False),
}
