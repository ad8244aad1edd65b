"""Parts of timestamps and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from atomiton.blueprint.expressions.conversions import Run, Table, refuse
from atomiton.blueprint.expressions.limits import Failure, Frame
from atomiton.blueprint.expressions.text_functions import text
from atomiton.blueprint.expressions.values import moment


def _zone(name: str, at: int) -> tzinfo:
    # Few expressions name a zone, so few pay for the import.
    from atomiton.blueprint.zones import find_zone

    try:
        return find_zone(name)
    except ValueError as error:
        message = str(error)
        raise Failure(at, message) from None


def _part(name: str, of_moment: Callable[[datetime], int]) -> Run:
    return _either(name, of_moment, None)


def _either(
    name: str, of_moment: Callable[[datetime], int], of_span: Callable[[timedelta], int] | None
) -> Run:
    def run(arguments: list[object], at: int, meter: Frame | None) -> object:
        del meter
        value = arguments[0]
        if type(value) is datetime:
            zone = _zone(text(arguments[1], at), at) if len(arguments) > 1 else UTC
            try:
                return of_moment(moment(value, at).astimezone(zone))
            except OverflowError:
                raise Failure(at, "the timestamp is out of range") from None
        if type(value) is timedelta and of_span is not None and len(arguments) == 1:
            return of_span(value)
        raise refuse(name, value, at)

    return run


def _towards_zero(value: timedelta, unit: timedelta) -> int:
    return value // unit if value >= timedelta() else -(-value // unit)


def _milliseconds(value: timedelta) -> int:
    """Those beyond whole seconds, as CEL has it."""
    whole = _towards_zero(value, timedelta(milliseconds=1))
    return whole % 1000 if whole >= 0 else -(-whole % 1000)


TABLE: Final[Table] = {
    "getFullYear": (_part("getFullYear", lambda t: t.year), 1, 2, True, False),
    "getMonth": (_part("getMonth", lambda t: t.month - 1), 1, 2, True, False),
    "getDate": (_part("getDate", lambda t: t.day), 1, 2, True, False),
    "getDayOfMonth": (_part("getDayOfMonth", lambda t: t.day - 1), 1, 2, True, False),
    "getDayOfWeek": (_part("getDayOfWeek", lambda t: t.isoweekday() % 7), 1, 2, True, False),
    "getDayOfYear": (
        _part("getDayOfYear", lambda t: t.timetuple().tm_yday - 1),
        1,
        2,
        True,
        False,
    ),
    "getHours": (
        _either("getHours", lambda t: t.hour, lambda d: _towards_zero(d, timedelta(hours=1))),
        1,
        2,
        True,
        False,
    ),
    "getMinutes": (
        _either("getMinutes", lambda t: t.minute, lambda d: _towards_zero(d, timedelta(minutes=1))),
        1,
        2,
        True,
        False,
    ),
    "getSeconds": (
        _either("getSeconds", lambda t: t.second, lambda d: _towards_zero(d, timedelta(seconds=1))),
        1,
        2,
        True,
        False,
    ),
    "getMilliseconds": (
        _either("getMilliseconds", lambda t: t.microsecond // 1000, _milliseconds),
        1,
        2,
        True,
        False,
    ),
}
