"""What is true of every cron expression that is told to Temporal: the same moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from temporalio.client import ScheduleCalendarSpec, ScheduleRange

from atomiton.conductor.cron import moments
from atomiton.conductor.temporal.calendars import calendars
from atomiton.conductor.temporal.schedules import when
from atomiton.errors import AtomitonError

NOW = datetime(2026, 11, 22, 4, 5, tzinfo=UTC)
#: Days for which moments are compared.
DAYS = 2 * 366


def field(least: int, most: int, *more: str) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda of: f"{min(of)}-{max(of)}")
    step = st.integers(2, 12)
    part = st.one_of(
        number.map(str),
        span,
        st.tuples(span, step).map(lambda of: f"{of[0]}/{of[1]}"),
        step.map(lambda of: f"*/{of}"),
        *map(st.just, more),
    )
    return st.one_of(st.just("*"), part, st.lists(part, min_size=2, max_size=3).map(",".join))


CRONS = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31, "L", "LW"),
    field(1, 12, "FEB"),
    field(0, 7, "MON", "5L", "2#2", "0#5", "7#1"),
).map(" ".join)
ZONES = st.sampled_from(
    ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "America/Santiago",
     "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
)  # fmt: skip


def numbers(ranges: Sequence[ScheduleRange]) -> set[int]:
    return {n for of in ranges for n in range(of.start, max(of.end, of.start) + 1, of.step or 1)}


def matched(found: Sequence[ScheduleCalendarSpec], zone: str) -> Iterator[float]:
    """The moments that calendars match, as the server's documentation says: what clocks show."""
    place = ZoneInfo(zone)
    calendars = [
        [numbers(part) for part in (of.day_of_month, of.month, of.day_of_week, of.year)]
        + [numbers(of.hour), numbers(of.minute)]
        for of in found
    ]
    for number in range(-1, DAYS):
        day = NOW.replace(tzinfo=None, hour=0, minute=0) + timedelta(days=number)
        shown = {
            day.replace(hour=hour, minute=minute, tzinfo=place)
            for days, months, weekdays, years, hours, minutes in calendars
            if day.day in days and day.month in months and day.isoweekday() % 7 in weekdays
            if not years or day.year in years
            for hour in hours
            for minute in minutes
        }
        passed = {of.astimezone(UTC) for of in shown if of.astimezone(UTC).astimezone(place) == of}
        yield from sorted(of.timestamp() for of in passed if of >= NOW)


@settings(max_examples=100, deadline=None)
@example("30 4 29 2 *", "UTC")
@example("0 0 LW * *", "UTC")
@example("15 3 31 * 5L", "Europe/Berlin")
@example("7 * * * *", "America/New_York")
@example("*/30 0 * * *", "America/Santiago")
@given(CRONS, ZONES)
def test_temporal_is_told_the_same_moments(cron, zone):
    try:
        here = list(islice(moments(cron, zone, NOW.timestamp() - 1), 40))
        found = calendars(cron, zone, NOW)
    except AtomitonError as error:
        refused = error.message
    else:
        refused = ""
    if refused:
        assert zone not in ("UTC", "Asia/Kolkata") or "has no moments" in refused
        assert "Temporal fires at other moments then" in refused or "has no moments" in refused
        return
    end = (NOW + timedelta(days=DAYS - 2)).timestamp()
    here = [moment for moment in here if moment < end]
    assert here == list(islice(matched(found.found, found.zone), len(here)))
    if found.apart is not None:
        assert {later - earlier for earlier, later in pairwise(here)} <= {found.apart}


@pytest.mark.parametrize(
    ("cron", "zone", "says"),
    [
        ("30 2 * * *", "Europe/Berlin", "02:30 on 2027-03-28, when the clocks of Europe/Berlin"),
        ("30 1 * * *", "America/New_York", "01:30 on 2027-11-07"),
        ("0 * * * 0", "Europe/Berlin", "02:00 on 2027-10-31"),
    ],
)
def test_moments_that_clocks_leave_out_or_show_twice_are_refused(cron, zone, says):
    with pytest.raises(AtomitonError, match=says) as refused:
        calendars(cron, zone, NOW)
    assert refused.value.code == "NOT_SUPPORTED"
    assert "or `timezone: UTC`" in refused.value.message


def test_what_fires_in_every_hour_is_told_in_utc():
    found = calendars("15 * * * *", "Europe/Berlin", NOW)
    assert (found.zone, found.apart) == ("UTC", 3600)
    found = calendars("15 * * * *", "Australia/Adelaide", NOW)
    assert found.zone == "UTC"
    assert [of.start for of in found.found[0].minute] == [45]


@pytest.mark.parametrize(
    ("settings", "window"),
    [
        ({"cron": "@daily"}, 60),
        ({"cron": "0 8 1 * *", "overlap": "queue"}, 60),
        ({"cron": "*/15 * * * *", "overlap": "queue", "catch_up": 3}, 60 + 3 * 900),
        ({"cron": "30 6 * * 1", "overlap": "allow", "catch_up": 1}, 60 + 7 * 86400),
        (
            {"cron": "@hourly", "timezone": "Europe/Berlin", "overlap": "allow", "catch_up": 1},
            3660,
        ),
    ],
)
def test_what_was_missed_is_caught_up_over_a_length_of_time(settings, window):
    assert when(settings, NOW).window == window


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"cron": "@daily", "catch_up": 1}, "'catch_up' with `overlap: skip`"),
        ({"cron": "@monthly", "overlap": "queue", "catch_up": 1}, "equally far apart"),
        ({"cron": "0 8 * * 1-5", "overlap": "queue", "catch_up": 1}, "equally far apart"),
        (
            {"cron": "@daily", "timezone": "Europe/Berlin", "overlap": "queue", "catch_up": 1},
            "equally far apart",
        ),
    ],
)
def test_what_temporal_cannot_keep_to_is_refused(settings, says):
    with pytest.raises(AtomitonError, match=says) as refused:
        when(settings, NOW)
    assert refused.value.code == "NOT_SUPPORTED"
