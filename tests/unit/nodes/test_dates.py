"""The ``date`` family, around the changes of clocks above all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError
from atomiton.nodes import date
from atomiton.testing import run

parse = date.parse.function
add = date.add.function
format_ = date.format_.function
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("given", "at"),
    [
        (("2026-12-24T18:00:00Z",), "2026-12-24T18:00:00+00:00"),
        (("2026-12-24T18:00:00+05:30",), "2026-12-24T12:30:00+00:00"),
        (("2026-12-24", None, BERLIN), "2026-12-23T23:00:00+00:00"),
        (("24.12.2026 18:00", "%d.%m.%Y %H:%M", BERLIN), "2026-12-24T17:00:00+00:00"),
        (("2026-07-01 12:00", None, "+02:00"), "2026-07-01T10:00:00+00:00"),
        (("Thu, 24 Dec 2026 18:00:00 -0500", "rfc2822"), "2026-12-24T23:00:00+00:00"),
        ((1_800_000_000,), "2027-01-15T08:00:00+00:00"),
        (("1800000000.5", "unix"), "2027-01-15T08:00:00.500000+00:00"),
        ((datetime(2026, 1, 1, tzinfo=UTC),), "2026-01-01T00:00:00+00:00"),
        # Clocks go forward at 2: there is no half past two. They go back at 3: it comes twice.
        (("2026-03-29T02:30", None, BERLIN), "2026-03-29T01:30:00+00:00"),
        (("2026-10-25T02:30", None, BERLIN), "2026-10-25T00:30:00+00:00"),
        (("2026-10-25T02:30+01:00", None, BERLIN), "2026-10-25T01:30:00+00:00"),
    ],
)
async def test_a_moment_is_read(given, at: str) -> None:
    assert (await parse(*given))["at"].isoformat() == at


async def test_a_moment_has_its_parts_in_the_zone() -> None:
    assert await parse("2026-03-29T01:30:00Z", None, BERLIN) == {
        "at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        "text": "2026-03-29T03:30:00+02:00",
        "date": "2026-03-29",
        "time": "03:30:00",
        "weekday": 7,
        "unix": 1774747800.0,
        "zone": BERLIN,
    }


@pytest.mark.parametrize(
    ("at", "more", "text"),
    [
        ("2026-01-31", {"months": 1}, "2026-02-28T00:00:00+01:00"),
        ("2028-02-29", {"years": 1}, "2029-02-28T00:00:00+01:00"),
        ("2026-01-15", {"months": -1}, "2025-12-15T00:00:00+01:00"),
        ("2026-03-31", {"months": -13}, "2025-02-28T00:00:00+01:00"),
        # A day by the calendar keeps the local time; 24 hours do not, when clocks change.
        ("2026-03-28T12:00", {"days": 1}, "2026-03-29T12:00:00+02:00"),
        ("2026-03-28T12:00", {"hours": 24}, "2026-03-29T13:00:00+02:00"),
        ("2026-10-24T12:00", {"days": 1}, "2026-10-25T12:00:00+01:00"),
        ("2026-10-24T12:00", {"hours": 24}, "2026-10-25T11:00:00+01:00"),
        # Into the hour that is left out, and the one that comes twice.
        ("2026-03-28T02:30", {"days": 1}, "2026-03-29T03:30:00+02:00"),
        ("2026-10-24T02:30", {"days": 1}, "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30", {"hours": 1}, "2026-10-25T02:30:00+01:00"),
        ("2026-01-01", {"weeks": 1, "duration": "1h30m"}, "2026-01-08T01:30:00+01:00"),
        ("2026-01-01", {"duration": "-15m"}, "2025-12-31T23:45:00+01:00"),
        ("2026-01-01", {"minutes": 1, "seconds": 0.5}, "2026-01-01T00:01:00.500000+01:00"),
    ],
)
async def test_time_is_added(at: str, more, text: str) -> None:
    assert (await add(at, **more, timezone=BERLIN))["text"] == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2026-03-29T03:30:00+02:00"),
        ("date", "2026-03-29"),
        ("time", "03:30:00"),
        ("unix", "1774747800"),
        ("rfc2822", "Sun, 29 Mar 2026 03:30:00 +0200"),
        ("%A, %d %B %Y, %H:%M %Z, 100 %%", "Sunday, 29 March 2026, 03:30 CEST, 100 %"),
        ("%j %V %I %p", "088 13 03 AM"),
        ("", ""),
        ("Uhrzeit: %H", "Uhrzeit: 03"),
    ],
)
async def test_a_moment_is_written(form: str, text: str) -> None:
    assert await format_("2026-03-29T01:30:00Z", form, BERLIN) == {"text": text}


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: parse("tomorrow"), "'tomorrow' is not a moment as ISO 8601"),
        (lambda: parse("31.02.2026", "%d.%m.%Y"), "is not a moment"),
        (lambda: parse("2026-01-01", "date"), "does not say the whole moment"),
        (lambda: parse("x", "%Q"), "there is no %Q"),
        (lambda: parse("x", "rfc2822"), "is not a moment"),
        (lambda: parse("2026-01-01", None, "Mars/Base"), "no time zone 'Mars/Base'"),
        (lambda: parse("2026-01-01", None, "../../etc/passwd"), "no time zone"),
        (lambda: format_("2026-01-01", "%c"), "there is no %c"),
        (lambda: format_("2026-01-01", "%Y%"), "there is no %"),
        (lambda: add("9999-12-31", days=2), "out of range"),
        (lambda: add("2026-01-01", years=10**12), "out of range"),
        (lambda: add("2026-01-01", hours=1e300), "out of range"),
        (lambda: add("2026-01-01", duration="soon"), "duration:"),
        (lambda: parse(1e300), "is not a moment"),
        (lambda: parse("0001-01-01T00:00+14:00"), "is not a moment"),
    ],
)
async def test_what_is_no_moment_says_why(work, said: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await work()
    assert caught.value.code == "INVALID_INPUT"


def test_now_is_the_time_of_the_run() -> None:
    blueprint = {
        "atomiton": 1,
        "id": "clock",
        "nodes": {"now": {"uses": "date.now", "with": {"timezone": "Asia/Kolkata"}}},
        "output": "${{ now.text }}",
    }
    trial = run(read_document(blueprint), start="2026-01-01T00:00:00Z")
    assert trial.output.startswith("2026-01-01T05:30:00")
