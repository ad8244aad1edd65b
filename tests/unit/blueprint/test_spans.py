"""Where every character of a scalar stands in its text."""

from __future__ import annotations

import pytest

from atomiton.blueprint.spans import letters, scan
from atomiton.blueprint.yaml import load
from atomiton.errors import BlueprintError


@pytest.mark.parametrize(
    "text",
    [
        "k: one two",
        "k: one\n  two\n\n  three # comment",
        "k: 'it''s one\n  two'",
        'k: "a\\tb\\n\\"one\\" \\x6fne \\u00e9 \\\n   two\\_x\\ \\/"',
        "k: |\n  one\n    two\n\n  three\n",
        "k: >-  # folded\n  one\n  two\n\n   three\n",
        "k: |2+\n    one\n\n",
        "k: &a one",
        'k: &a "one two"',
        "k: &a |\n  one\n",
        "{k: one, j: two}",
        '{"k": "one\\ttwo"}',
        "k: ''",
        "k: |\nj: 1",
        "k: one\r\n  two\r\nj: 1",
        'k: "a\u2028b"',
    ],
)
def test_each_character_is_found_at_its_place(text: str) -> None:
    value = load(text).data["k"]
    span = scan(text).find(("k",))
    places = letters(text, span.start, span.end, value, span.header)
    assert set(places) == {at for at, char in enumerate(value) if char not in " \n\t\u2028"}
    for at, (start, end) in places.items():
        assert end > start
        if end - start == 1:
            assert text[start] == value[at]
    assert list(places.values()) == sorted(places.values())


def test_another_value_is_refused() -> None:
    with pytest.raises(BlueprintError, match="something else"):
        letters("k: one", 3, 6, "two")
