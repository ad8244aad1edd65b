"""``matches()``: what it takes, and that it cannot be made to hang."""

from __future__ import annotations

import time

import pytest

from atomiton.blueprint.expressions import parse
from atomiton.errors import ExpressionError


def matches(text: str, pattern: str) -> object:
    run = parse("v.t.matches(v.p)").bind({"v": lambda scope: scope})
    return run({"t": text, "p": pattern})


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("hubba", "ubb", True),
        ("", "foo|bar", False),
        ("cows", "", True),
        ("", "", True),
        ("grey", "gr(a|e)y", True),
        ("banana", "ba(na)*", True),
        ("banana", "^ba(na){2}$", True),
        ("banana", "^ba(na){3}$", False),
        ("banana", "^(?:ba|na){2,}$", True),
        ("mañana", "a+ñ+a+", True),
        ("🐱😀😀", "(a|😀){2}", True),
        ("2024-05-01", r"^\d{4}-\d\d-\d\d$", True),
        ("2024-5-01", r"^\d{4}-\d\d-\d\d$", False),
        ("٣", r"\d", False),
        ("a.b", r"a\.b", True),
        ("axb", r"a\.b", False),
        ("a\nb", "a.b", False),
        ("a\nb", "(?s)a.b", True),
        ("a\nb", "^b", False),
        ("a\nb", "(?m)^b$", True),
        ("HeLLo", "(?i)hello", True),
        ("HeLLo", "(?i:h)eLLo", True),
        ("HELLO", "(?i:h)eLLo", False),
        ("x", "[^(?i)x]", False),
        ("A", "(?i)[^a]", False),
        ("b-", "^[a-c-]+$", True),
        ("]", "[]]", True),
        ("d", "[^a-c]", True),
        ("d", r"[\w]", True),
        (" ", r"[^\S]", True),
        ("é", "[[:alpha:]]", False),
        ("e5", "^[[:alpha:]][[:digit:]]$", True),
        ("a b", r"\bb\b", True),
        ("ab", r"\bb", False),
        ("ab", r"\Bb", True),
        ("ab", r"\Aab\z", True),
        ("A", r"\x41", True),
        ("🐱", r"\x{1F431}", True),
        ("a{b", "a{b", True),
        ("aaa", "^a{2,3}?$", True),
        ("", "(a*)*", True),
        ("b", "^(a*)*$", False),
        ("ab", "^(?P<first>a)(?<second>b)$", True),
        ("abc", "^(|a|b)*c?$", True),
    ],
)
def test_matches(text: str, pattern: str, expected: object) -> None:
    assert matches(text, pattern) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "[", "[a", "*", "a**", "a{2}{3}", "a{1001}", "a{3,2}", "[b-a]", "\\"),
        *("[[:nope:]]", r"\x{110000}", r"\xzz", "(?P<a", "a" * 1001, "(" * 60 + ")" * 60),
        *("(a{1000}){1000}", "((((a{0}){1000}){1000}){1000}){1000}"),
    ],
)
def test_unusable(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        matches("a", pattern)


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "(?<=a)b", "(?!a)", r"\pL"])
def test_what_needs_going_back_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        matches("a", pattern)
    assert caught.value.code == "NOT_SUPPORTED"


@pytest.mark.timed
@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", "(a*)*(a*)*b"])
def test_nothing_hangs(pattern: str) -> None:
    started = time.process_time()
    assert matches("a" * 5000 + "!", pattern) is False
    assert time.process_time() - started < 1


def test_a_long_text_meets_the_limit() -> None:
    with pytest.raises(ExpressionError) as caught:
        matches("a" * 2_000_000, "b$")
    assert caught.value.code == "LIMIT_EXCEEDED"
