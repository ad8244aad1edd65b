import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomiton.blueprint.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1m30s", 90),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5h", 5400),
        ("PT30S", 30),
        ("PT1H30M", 5400),
        ("P1DT12H", 129600),
        ("P2W", 1209600),
        ("PT0.5S", 0.5),
        ("0s", 0),
        ("15", 15),
        (2, 2),
        (0.5, 0.5),
        (0, 0),
    ],
)
def test_durations_are_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "5 minutes", "5 m", "-5s", "1s1m", "1m1m", "P", "PT", "P1DT", "P1Y", "P1M"),
        *("1y", "s", "1e3s", "1,5s", "٣s", "5S", "pt5s", "9" * 1000 + "s", "999999999999999d"),
        *(True, None, [], {}, b"5s", -1, math.nan, math.inf, 1e300, 10**400),
    ],
)
def test_what_is_no_duration_is_refused_with_a_sentence(value):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0005, "0.5ms"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (60, "1m"),
        (90.25, "1m30.25s"),
        (86400, "1d"),
        (93784, "1d2h3m4s"),
        (3600.001, "1h0.001s"),
    ],
)
def test_durations_are_written_the_short_way(seconds, text):
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, LONGEST * 2])
def test_what_is_no_duration_is_not_written(seconds):
    with pytest.raises(ValueError, match="duration"):
        format_duration(seconds)


@given(st.floats(0, LONGEST))
def test_what_is_written_is_read_back(seconds):
    assert math.isclose(parse_duration(format_duration(seconds)), seconds, abs_tol=1e-12)


@given(st.integers(0, int(LONGEST) * 1000))
def test_whole_milliseconds_are_read_back_exactly(milliseconds):
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds
