"""What ``atomiton serve`` refuses before it starts."""

from __future__ import annotations

import pytest

from atomiton.cli.app import run_app

RATE = "give [BLUEPRINT=]N/TIME, as in 10/1m or mail=10/1m, not"
MOST = "give [BLUEPRINT=]N, a number from 1 on, as in 10 or mail=10, not"


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--rate", "xx", f"{RATE} 'xx'"),
        ("--rate", "bb=3", f"{RATE} 'bb=3'"),
        ("--rate", "0/1m", f"{RATE} '0/1m'"),
        ("--rate", "bb=/1m", f"{RATE} 'bb=/1m'"),
        ("--rate", "3/0s", "the time must be more than 0"),
        ("--rate", "3/1x", "'1x' is not a duration"),
        ("--per-blueprint", "bb=", f"{MOST} 'bb='"),
        ("--per-blueprint", "0", f"{MOST} '0'"),
    ],
)
def test_bounds_that_cannot_be_read_are_refused_with_their_form(
    option: str, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(["serve", option, text]) == 2
    said = capsys.readouterr().err
    assert f"Invalid value for {option}: " in said
    assert words in said
