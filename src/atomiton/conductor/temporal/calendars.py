"""What a cron expression means to Temporal: calendars that match the same moments, or a refusal.

Temporal matches what the clock on the wall shows, a schedule here follows what has passed: they
differ where the clock is put forward or back, and releases of the server differ there among each
other. So an expression that could fire in such an hour is refused, unless it fires in every hour
of every day: then it is told in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim
from temporalio.client import ScheduleCalendarSpec, ScheduleRange

from atomiton.conductor.cron import expression, moments
from atomiton.errors import AtomitonError

_DAYS: Final = frozenset(range(1, 32))
_MONTHS: Final = frozenset(range(1, 13))
_WEEKDAYS: Final = frozenset(range(7))
_WORKDAYS: Final = frozenset(range(1, 6))
_FRIDAY: Final = frozenset({5})
#: The years that a calendar of Temporal can name.
_YEARS: Final = frozenset(range(2000, 2101))
_LEAP: Final = frozenset(year for year in _YEARS if year % 4 == 0 and year != 2100)
#: How many days months have: which months, and in which years, if that matters.
_LENGTHS: Final = (
    (31, frozenset({1, 3, 5, 7, 8, 10, 12}), _YEARS),
    (30, frozenset({4, 6, 9, 11}), _YEARS),
    (29, frozenset({2}), _LEAP),
    (28, frozenset({2}), _YEARS - _LEAP),
)
#: For how many years ahead clocks are looked at.
_AHEAD: Final = 10
_DAY: Final = 86_400


class Days(msgspec.Struct, frozen=True):
    """Days that match: those of which all four parts do."""

    days: AbstractSet[int] = _DAYS
    months: AbstractSet[int] = _MONTHS
    years: AbstractSet[int] = _YEARS
    weekdays: AbstractSet[int] = _WEEKDAYS

    def both(self, other: Days) -> Days:
        """Days that match two of these."""
        return Days(
            self.days & other.days,
            self.months & other.months,
            self.years & other.years,
            self.weekdays & other.weekdays,
        )

    @property
    def any(self) -> bool:
        """Whether there may be such a day."""
        return bool(self.days and self.months and self.years and self.weekdays)


class Calendars(msgspec.Struct, frozen=True):
    """When a schedule fires, in Temporal's words.

    Attributes:
        found: Moments that match one of them are meant.
        zone: In which time zone.
        apart: Seconds between a moment and the next, if these are always the same.
    """

    found: Sequence[ScheduleCalendarSpec]
    zone: str
    apart: float | None


def calendars(cron: str, zone: str, since: datetime) -> Calendars:
    """Say in Temporal's words when a schedule fires.

    Args:
        cron: Five fields, or a word such as ``@daily``.
        zone: Name of its time zone.
        since: From when on it is to hold.

    Raises:
        AtomitonError: Temporal would fire at other moments; says at which, and what to do.

    Example:
        >>> found = calendars("0 7 1,15 * *", "Europe/Berlin", datetime.now(UTC))
        >>> [(range.start, range.end) for range in found.found[0].day_of_month]
        [(1, 1), (15, 15)]
    """
    parsed = CronSim(expression(cron), datetime(2000, 1, 1, tzinfo=UTC))
    minutes, days = parsed.minutes, _days_of(parsed)
    every_day = all(of == Days() for of in days)
    changes = tuple(change for change in _changes(zone, since.year) if change.at >= since)
    offsets = {offset % 3600 for change in changes for offset in (change.before, change.after)}
    if changes and every_day and len(parsed.hours) == 24 and len(offsets) == 1:
        shift = offsets.pop() // 60
        minutes, zone, changes = {(minute - shift) % 60 for minute in minutes}, "UTC", ()
    for change in changes:
        _refuse_hit(cron, zone, change, parsed, days)
    made = [
        ScheduleCalendarSpec(
            minute=_ranges(minutes),
            hour=_ranges(parsed.hours),
            day_of_month=_ranges(of.days),
            month=_ranges(of.months),
            year=() if of.years == _YEARS else _ranges(of.years),
            day_of_week=_ranges(of.weekdays),
        )
        for of in days
    ]
    apart = None if changes else _apart(minutes, parsed.hours, days)
    return Calendars(made, zone, apart)


def never() -> Calendars:
    """What fires no more."""
    return Calendars([ScheduleCalendarSpec(year=[ScheduleRange(2000)])], "UTC", None)


# -- days ------------------------------------------------------------------------------------------


def _days_of(parsed: CronSim) -> list[Days]:
    of_month, of_week = _of_month(parsed.days), _of_week(parsed.weekdays)
    months = Days(months=frozenset(parsed.months))
    found = [*of_month, *of_week]
    if parsed.day_and:
        found = [one.both(other) for one in of_month for other in of_week]
    return [days for days in (one.both(months) for one in found) if days.any]


def _of_month(items: Iterable[int]) -> list[Days]:
    plain = frozenset(item for item in items if item > 0)
    found = [Days(plain)] if plain else []
    if CronSim.LAST in items:
        found += _from_end(lambda last: {last})
    if CronSim.LAST_WEEKDAY in items:
        found += _from_end(lambda last: {last}, _WORKDAYS)
        found += _from_end(lambda last: {last - 1, last - 2}, _FRIDAY)
    return found


def _of_week(items: Iterable[int | tuple[int, int]]) -> list[Days]:
    plain = frozenset(item % 7 for item in items if isinstance(item, int))
    found = [Days(weekdays=plain)] if plain else []
    for item in items:
        if isinstance(item, int):
            continue
        weekday, number = frozenset({item[0] % 7}), item[1]
        if number == CronSim.LAST:
            found += _from_end(lambda last: set(range(last - 6, last + 1)), weekday)
        else:
            days = set(range(7 * number - 6, 7 * number + 1)) & _DAYS
            found.append(Days(days, weekdays=weekday))
    return found


def _from_end(
    days: Callable[[int], AbstractSet[int]], weekdays: AbstractSet[int] = _WEEKDAYS
) -> list[Days]:
    """Days that are counted from the end of their month."""
    return [Days(days(last), months, years, weekdays) for last, months, years in _LENGTHS]


def _ranges(numbers: AbstractSet[int]) -> list[ScheduleRange]:
    """Numbers as ranges: one with a step, if they are evenly spread."""
    order = sorted(numbers)
    steps = {later - earlier for earlier, later in pairwise(order)}
    if len(order) > 2 and len(steps) == 1:
        return [ScheduleRange(order[0], order[-1], steps.pop())]
    starts = [number for number in order if number - 1 not in numbers]
    ends = [number for number in order if number + 1 not in numbers]
    return [ScheduleRange(start, end) for start, end in zip(starts, ends, strict=True)]


def _apart(
    minutes: AbstractSet[int], hours: AbstractSet[int], days: Sequence[Days]
) -> float | None:
    """Seconds between moments, if they are always as far apart."""
    times = sorted(hour * 3600 + minute * 60 for hour in hours for minute in minutes)
    distances = {later - earlier for earlier, later in pairwise([*times, times[0] + _DAY])}
    if len(distances) == 1 and days == [Days()]:
        return distances.pop()
    weekly = len(days) == 1 and days[0] == Days(weekdays=days[0].weekdays)
    if weekly and len(days[0].weekdays) == 1 and len(times) == 1:
        return 7 * _DAY
    return None


# -- clocks ----------------------------------------------------------------------------------------


class Change(msgspec.Struct, frozen=True):
    """A moment at which clocks are put forward or back.

    Attributes:
        at: The moment, UTC.
        before, after: By how many seconds the clocks are ahead of UTC.
    """

    at: datetime
    before: int
    after: int

    @property
    def shown(self) -> Iterable[datetime]:
        """What clocks show that never show it on that day, or show it twice, by the minute."""
        first = (self.at + timedelta(seconds=min(self.before, self.after))).replace(tzinfo=None)
        minutes = abs(self.after - self.before) // 60
        return (first + timedelta(minutes=minute) for minute in range(minutes))


@lru_cache(maxsize=64)
def _changes(name: str, year: int) -> tuple[Change, ...]:
    """When the clocks of a zone are changed, from a year on."""
    zone = ZoneInfo(name)

    def offset(moment: datetime) -> int:
        found = moment.astimezone(zone).utcoffset()
        return 0 if found is None else int(found.total_seconds())

    found: list[Change] = []
    moment, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + _AHEAD, 1, 1, tzinfo=UTC)
    while moment < end:
        following = moment + timedelta(days=1)
        before, after = offset(moment), offset(following)
        if before != after:
            low, high = moment, following
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                middle = middle.replace(second=0, microsecond=0)
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found.append(Change(high, before, after))
        moment = following
    return tuple(found)


def _refuse_hit(
    cron: str, zone: str, change: Change, parsed: CronSim, days: Sequence[Days]
) -> None:
    """Refuse an expression that fires in an hour which is left out, or comes twice."""
    shown = next((of for of in change.shown if _matches(of, parsed, days)), None)
    twice = change.after < change.before and shown is not None
    if not twice and _around(cron, zone, change) == _matched(zone, change, parsed, days):
        return
    shown = shown or change.at.astimezone(ZoneInfo(zone))
    way = "back" if change.after < change.before else "forward"
    message = (
        f"the schedule {cron!r} fires at {shown:%H:%M} on {shown:%Y-%m-%d}, when the clocks of "
        f"{zone} are put {way}: Temporal fires at other moments then"
    )
    hint = "choose an hour in which clocks are not changed, or `timezone: UTC`"
    raise AtomitonError(f"{message}; {hint}", code="NOT_SUPPORTED")


def _around(cron: str, zone: str, change: Change) -> list[float]:
    """When a schedule fires here around a change of the clocks."""
    start, end = _window(change)
    found = moments(cron, zone, start.timestamp() - 1)
    return list(takewhile(lambda at: at < end.timestamp(), found))


def _matched(zone: str, change: Change, parsed: CronSim, days: Sequence[Days]) -> list[float]:
    """When the clocks show what matches, around a change of them."""
    start, end = _window(change)
    passed = (start + timedelta(minutes=of) for of in range((end - start) // timedelta(minutes=1)))
    place = ZoneInfo(zone)
    return [of.timestamp() for of in passed if _matches(of.astimezone(place), parsed, days)]


def _window(change: Change) -> tuple[datetime, datetime]:
    return change.at - timedelta(hours=1), change.at + timedelta(hours=3)


def _matches(shown: datetime, parsed: CronSim, days: Sequence[Days]) -> bool:
    return (
        shown.minute in parsed.minutes
        and shown.hour in parsed.hours
        and any(
            shown.day in of.days
            and shown.month in of.months
            and shown.year in of.years
            and shown.isoweekday() % 7 in of.weekdays
            for of in days
        )
    )
