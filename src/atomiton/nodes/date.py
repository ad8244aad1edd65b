"""The ``date`` family: moments, read, computed with and written, in any time zone."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypedDict

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.zones import find_zone
from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Clock, injected

#: What ``strftime`` and ``strptime`` do alike everywhere, whatever the language of the machine.
_DIRECTIVES = frozenset("YmdHMSfjyuVGaAbBpIzZ%")
_NAMED = ("iso", "date", "time", "rfc2822", "unix")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
#: Words of ``at`` and ``text`` in the zone; `weekday` is 1 for Monday.
_FIELDS = "%Y-%m-%d", "%H:%M:%S"


class Moment(TypedDict):
    """A moment: `at` as a date-time, the rest as it is in the time zone; `weekday` 1 is Monday.

    Attributes:
        at: The moment, as a date-time.
        text: As ISO 8601, in the time zone.
        date: Such as 2026-12-24.
        time: Such as 18:00:00.
        weekday: 1 is Monday, 7 is Sunday.
        unix: Seconds since 1970, UTC.
        zone: The time zone.
    """

    at: datetime
    text: str
    date: str
    time: str
    weekday: int
    unix: float
    zone: str


class Text(TypedDict):
    """A moment as text."""

    text: str


@node(
    "date.now",
    title="Now",
    icon="clock",
    plain=True,
    example="""
    atomiton: 1
    id: date-now-example
    nodes:
      now:
        uses: date.now
        with:
          timezone: Europe/Berlin
    output: ${{ now.text }}
    """,
)
async def now(timezone: str = "UTC", *, clock: Clock = injected) -> Moment:
    """The present moment, by the clock of the run; a node that is repeated sees a later one.

    Args:
        timezone: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
        clock: The clock.
    """
    return _moment(datetime.fromtimestamp(clock.now(), UTC), _zone(timezone))


@node(
    "date.parse",
    effect="pure",
    title="Parse date",
    icon="calendar",
    plain=True,
    example="""
    atomiton: 1
    id: date-parse-example
    nodes:
      due:
        uses: date.parse
        with:
          text: 24.12.2026 18:00
          format: "%d.%m.%Y %H:%M"
          timezone: Europe/Berlin
    output: ${{ due.at }}
    """,
)
async def parse(
    text: str | float | datetime,
    format: str | None = None,  # noqa: A002 - the name of the port
    timezone: str = "UTC",
) -> Moment:
    """The moment that a text stands for. Text without an offset is local to the time zone.

    A local time that a change of clocks leaves out is as much later as the clocks go forward; of
    one that comes twice the first is meant.

    Args:
        text: The text; a number is seconds since 1970, UTC.
        format: Directives such as `%d.%m.%Y`, or `iso`, `rfc2822` or `unix`; by default ISO 8601.
        timezone: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
    """
    zone = _zone(timezone)
    return _moment(_read(text, format, zone), zone)


@node(
    "date.add",
    effect="pure",
    title="Add to date",
    icon="calendar",
    plain=True,
    example="""
    atomiton: 1
    id: date-add-example
    nodes:
      later:
        uses: date.add
        with:
          at: 2026-10-24T12:00:00+02:00
          days: 1
          hours: 2
          timezone: Europe/Berlin
    output: ${{ later.text }}
    """,
)
async def add(
    at: str | float | datetime,
    *,
    years: int = 0,
    months: int = 0,
    weeks: int = 0,
    days: int = 0,
    hours: float = 0,
    minutes: float = 0,
    seconds: float = 0,
    duration: str | None = None,
    timezone: str = "UTC",
) -> Moment:
    """A moment and some time; numbers below 0 take away.

    Years, months, weeks and days go by the calendar of the time zone and keep the local time: a
    day may have 23 or 25 hours. Hours, minutes, seconds and durations are time that passes. The
    31st and a month is the last day of the next one. A local time that a change of clocks leaves
    out is as much later as the clocks go forward; of one that comes twice the first is meant.

    Args:
        at: A date-time, text of ISO 8601, or seconds since 1970, UTC.
        years: Years of the calendar.
        months: Months of the calendar.
        weeks: Weeks of the calendar.
        days: Days of the calendar.
        hours: Hours that pass.
        minutes: Minutes that pass.
        seconds: Seconds that pass.
        duration: Such as `1h30m`, `-15m` or `PT30S`.
        timezone: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
    """
    zone = _zone(timezone)
    start = _read(at, None, zone)
    try:
        passing = timedelta(hours=hours, minutes=minutes, seconds=seconds + _seconds(duration))
        if not (years or months or weeks or days):
            return _moment(start + passing, zone)
        local = start.astimezone(zone)
        month = local.year * 12 + local.month - 1 + years * 12 + months
        year, month = divmod(month, 12)
        day = min(local.day, monthrange(year, month + 1)[1])
        moved = local.replace(year=year, month=month + 1, day=day, fold=0, tzinfo=None)
        moved += timedelta(weeks=weeks, days=days)
        return _moment(moved.replace(tzinfo=zone).astimezone(UTC) + passing, zone)
    except (OverflowError, ValueError) as error:
        message = f"the moment is out of range, which is from year 1 to 9999: {error}"
        raise NodeError(message, code="INVALID_INPUT") from None


@node(
    "date.format",
    effect="pure",
    title="Format date",
    icon="calendar",
    plain=True,
    example="""
    atomiton: 1
    id: date-format-example
    nodes:
      text:
        uses: date.format
        with:
          at: 2026-03-29T00:30:00Z
          format: "%A, %d %B %Y, %H:%M %Z"
          timezone: Europe/Berlin
    output: ${{ text.text }}
    """,
)
async def format_(
    at: str | float | datetime,
    format: str = "iso",  # noqa: A002 - the name of the port
    timezone: str = "UTC",
) -> Text:
    """A moment as text, as it is in a time zone. Names of days and months are English.

    Args:
        at: A date-time, text of ISO 8601, or seconds since 1970, UTC.
        format: `iso`, `date`, `time`, `rfc2822`, `unix`, or directives such as `%Y-%m-%d %H:%M`.
        timezone: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
    """
    zone = _zone(timezone)
    local = _local(_read(at, None, zone), zone)
    if format == "unix":
        return {"text": str(int(local.timestamp()))}
    if format == "rfc2822":
        from email.utils import format_datetime  # loads much that is seldom needed

        return {"text": format_datetime(local)}
    if format in _NAMED:
        return {"text": _moment(local, zone)[{"iso": "text"}.get(format, format)]}  # type: ignore[literal-required]
    _check_directives(format)
    try:
        return {"text": local.strftime(format)}
    except ValueError as error:
        raise _wrong_format(format, str(error)) from None


def _moment(at: datetime, zone: tzinfo) -> Moment:
    local = _local(at, zone)
    day, clock = (local.strftime(each) for each in _FIELDS)
    return {
        "at": at.astimezone(UTC),
        "text": local.isoformat().replace("+00:00", "Z"),
        "date": day,
        "time": clock,
        "weekday": local.isoweekday(),
        "unix": at.timestamp(),
        "zone": str(zone),
    }


def _local(at: datetime, zone: tzinfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:
        raise NodeError("the moment is out of range", code="INVALID_INPUT") from None


def _zone(name: str) -> tzinfo:
    try:
        return find_zone(name)
    except ValueError as error:
        message = f"there is {error}; names are those of the database, such as Europe/Berlin"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "timezone"}) from None


def _read(value: str | float | datetime, form: str | None, zone: tzinfo) -> datetime:
    """A moment with its offset from UTC."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, int | float) or form == "unix":
            found = datetime.fromtimestamp(float(value), UTC)
        else:
            found = _read_text(value.strip(), form)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return found.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        wanted = "ISO 8601, such as 2026-12-24T18:00:00Z" if form in (None, "iso") else repr(form)
        message = f"{str(value)[:100]!r} is not a moment as {wanted}: {error}"
        raise NodeError(message, code="INVALID_INPUT") from None


def _read_text(text: str, form: str | None) -> datetime:
    if form in (None, "iso"):
        return datetime.fromisoformat(text)
    if form == "rfc2822":
        from email.utils import parsedate_to_datetime  # loads much that is seldom needed

        return parsedate_to_datetime(text)
    if form in _NAMED:
        raise _wrong_format(form, "it does not say the whole moment")
    _check_directives(form)
    return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in by who asks


def _check_directives(form: str) -> None:
    if len(form) > 500:
        raise _wrong_format(form, "it has more than 500 characters")
    for found in _DIRECTIVE.finditer(form):
        if found[1] not in _DIRECTIVES:
            raise _wrong_format(form, f"there is no %{found[1]}")


def _wrong_format(form: str, said: str) -> NodeError:
    return NodeError(
        f"the format {form[:100]!r} is not usable: {said}; write {', '.join(_NAMED)}, or "
        "directives such as %Y-%m-%d %H:%M",
        code="INVALID_INPUT",
        details={"parameter": "format"},
    )


def _seconds(duration: str | None) -> float:
    if duration is None:
        return 0.0
    text = duration.strip()
    try:
        seconds = parse_duration(text.removeprefix("-"))
    except ValueError as error:
        raise NodeError(f"duration: {error}", code="INVALID_INPUT") from None
    return -seconds if text.startswith("-") else seconds
