"""Durations as people write them: ``250ms``, ``1m30s``, ``1d``, ``PT30S``, or plain seconds."""

from __future__ import annotations

import re
from fractions import Fraction

LONGEST = 36_525 * 86_400.0
"""The longest duration, in seconds: a hundred years."""

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,15})?)"
_SHORT = re.compile(
    rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m(?!s))?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?"
)
_ISO = re.compile(
    rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_SHORT_UNITS = (*map(Fraction, (86_400, 3_600, 60, 1)), Fraction(1, 1000))
_ISO_UNITS = tuple(map(Fraction, (604_800, 86_400, 3_600, 60, 1)))
_EXAMPLES = "write 250ms, 30s, 1m30s, 2h, 1d, PT30S or a number of seconds"


def parse_duration(value: object) -> float:
    """Read a duration.

    Args:
        value: Text, or a number of seconds.

    Returns:
        Seconds, 0 or more.

    Raises:
        ValueError: The value is not a duration; the message says why, in one sentence.

    Example:
        >>> [parse_duration(value) for value in ("250ms", "1m30s", "1d", "PT30S", 2)]
        [0.25, 90.0, 86400.0, 30.0, 2.0]
    """
    if isinstance(value, str):
        seconds = _parse_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= LONGEST:  # also refuses what is not a number
            raise ValueError(_out_of_range(value))
        seconds = float(value)
    else:
        raise ValueError(f"a duration is text or a number: {_EXAMPLES}")
    if seconds > LONGEST:
        raise ValueError("a duration cannot be longer than a hundred years")
    return seconds


def _out_of_range(value: float) -> str:
    if value < 0:
        return "a duration cannot be negative"
    if value > LONGEST:
        return "a duration cannot be longer than a hundred years"
    return "a duration must be a number"


def _parse_text(text: str) -> float:
    if re.fullmatch(_NUMBER, text):
        return float(text)
    match = _SHORT.fullmatch(text)
    units = _SHORT_UNITS
    if match is None:
        match = _ISO.fullmatch(text)
        units = _ISO_UNITS
    parts = match.groups() if match else ()
    if not any(part is not None for part in parts):
        raise ValueError(f"{text[:40]!r} is not a duration: {_EXAMPLES}")
    total = sum(
        (Fraction(part) * unit for part, unit in zip(parts, units, strict=True) if part),
        start=Fraction(0),
    )
    return float(total)


def format_duration(seconds: float) -> str:
    """Write a duration the short way; ``parse_duration`` reads it back unchanged.

    Raises:
        ValueError: The number is negative, not finite, or longer than a hundred years.

    Example:
        >>> [format_duration(seconds) for seconds in (0.25, 90, 86400, 1.5)]
        ['250ms', '1m30s', '1d', '1.5s']
    """
    if not 0 <= seconds <= LONGEST:
        raise ValueError(_out_of_range(seconds))
    whole, rest = divmod(_exact(seconds), 60)
    if whole == 0 and 0 < rest < 1:
        return f"{_decimal(rest * 1000)}ms"
    hours, minutes = divmod(whole, 60)
    days, hours = divmod(hours, 24)
    parts = [
        f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if count
    ]
    if rest or not parts:
        parts.append(f"{_decimal(rest)}s")
    return "".join(parts)


def _exact(seconds: float) -> Fraction:
    # The shortest decimal that reads as this float, cut where the reader stops: 12 digits of a
    # second are far below what a float of this size can tell apart from its neighbours.
    return round(Fraction(repr(float(seconds))), 12)


def _decimal(number: Fraction) -> str:
    # Never in scientific notation, and exactly, for at most 15 digits behind the point.
    digits = f"{number.numerator * 10**15 // number.denominator:016d}"
    return f"{digits[:-15]}.{digits[-15:]}".rstrip("0").rstrip(".")


def read_rate(text: str) -> tuple[int, float]:
    """Read how many in how many seconds.

    Raises:
        ValueError: It is not a number from 1 on, a slash and a duration of more than nothing.

    Example:
        >>> read_rate("100/1m")
        (100, 60.0)
    """
    number, slash, time = text.partition("/")
    seconds = parse_duration(time) if slash else 0.0
    if not number.isdecimal() or not int(number[:12]) or seconds <= 0:
        raise ValueError(f"a rate is a number in a time, such as 100/1m, not {text!r}")
    return int(number[:12]), seconds
