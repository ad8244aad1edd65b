"""Differences name their place."""

from __future__ import annotations

import pytest

from atomiton.testing import differences


def lines(expected: object, given: object, path: str = "output") -> list[str]:
    return [str(found) for found in differences(expected, given, path)]


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (1, 1.0),
        ("a", "a"),
        ([1, {"a": None}], (1, {"a": None})),
        (float("nan"), float("nan")),
        ({}, {}),
    ],
)
def test_what_is_the_same(expected, given) -> None:
    assert lines(expected, given) == []


@pytest.mark.parametrize(
    ("expected", "given", "said"),
    [
        (1, True, ["output: expected 1, given true"]),
        ("1", 1, ['output: expected "1", given 1']),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["output.a.b[1]: expected 2, given 3"]),
        ([1], [1, 2], ["output[1]: nothing expected; given 2"]),
        ([1, 2], [1], ["output[1]: is missing; expected 2"]),
        ({"a": 1}, {"b": None}, ["output.a: is missing; expected 1",
                                 "output.b: nothing expected; given null"]),
        ({"a": 1}, [1], ['output: expected {"a":1}, given [1]']),
        (b"a", b"b", ['output: expected "YQ==", given "Yg=="']),
    ],
)  # fmt: skip
def test_a_difference_is_told_with_its_place(expected, given, said) -> None:
    assert lines(expected, given) == said


def test_long_texts_are_told_from_where_they_differ() -> None:
    text = "\n".join(f"line {number}" for number in range(50))
    (said,) = lines(text, text.replace("line 33", "line 34x"))
    assert said.startswith('output: differs at line 34, column 7: expected "...')
    assert len(said) < 300
