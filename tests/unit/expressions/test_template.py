"""Text with expressions in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from atomiton.blueprint.expressions import parse_template, value_to_text
from atomiton.errors import ExpressionError

SCOPE: dict[str, object] = {"name": "Ada", "n": 3, "rows": [{"a": 1.5}], "at": None}
LOADERS = {name: (lambda scope, name=name: scope[name]) for name in SCOPE}


def fill(text: str) -> object:
    return parse_template(text).bind(LOADERS)(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ n }}", 3),
        ("${{n}}", 3),
        ("${{ rows }}", [{"a": 1.5}]),
        ("${{ at }}", None),
        (" ${{ n }}", " 3"),
        ("${{ n }}\n", "3\n"),
        ("Hello ${{ name }}, ${{ n + 1 }}!", "Hello Ada, 4!"),
        ("${{ name }}${{ n }}", "Ada3"),
        ("${{ rows }} ${{ at }} ${{ n == 3 }}", '[{"a":1.5}] null true'),
        ("${{ {'a': {'b': 1}}.a.b }}", 1),
        ("${{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("${{{'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ("${{ '}}' + \"}}\" }}", "}}}}"),
        ("${{ '${{ n }}' }}", "${{ n }}"),
        ("${{\n  n // three }}\n}}", 3),
        ("$${{ n }}", "${{ n }}"),
        ("$${{ ${{ n }}", "${{ 3"),
        ("$$${{ n }}", "$${{ n }}"),
        ("$ {{ n }} $n ${n} }}", "$ {{ n }} $n ${n} }}"),
        ("", ""),
    ],
)
def test_fill(text: str, expected: object) -> None:
    assert fill(text) == expected


def test_what_a_template_says_of_itself() -> None:
    template = parse_template("a ${{  n + 1 }} b")
    assert not template.whole
    assert template.constant is None
    [(offset, expression)] = template.expressions
    assert (offset, expression.source) == (7, "n + 1")
    assert template.source[offset:].startswith(expression.source)
    assert parse_template("${{ n }}").whole
    constant = parse_template("costs $${{")
    assert (constant.constant, constant.expressions, constant.whole) == ("costs ${{", (), False)
    assert repr(constant) == "parse_template('costs $${{')"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("ab ${{ n + }}", 10),
        ("ab ${{ }}", 6),
        ("ab ${{ n", 6),
        ("ab ${{ 'x }}", 7),
        ("${{ n }} ${{ a b }}", 15),
        ("${{ n }} }} ${{", 15),
    ],
)
def test_malformed(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(text)
    assert caught.value.source == text
    assert caught.value.offset == offset


@pytest.mark.parametrize("text", ["ab ${{ n.x }} cd", "ab ${{ n.x }}", "${{ n.x }}", "${{ nn }}"])
def test_places_are_those_in_the_template(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        fill(text)
    assert caught.value.source == text
    assert caught.value.offset == text.index("x" if "x" in text else "nn")


def test_the_text_is_limited() -> None:
    scope = {"big": "x" * 6_000_000}
    template = parse_template("${{ big }} ${{ big }}").bind({"big": lambda s: s["big"]})
    with pytest.raises(ExpressionError) as caught:
        template(scope)
    assert caught.value.code == "LIMIT_EXCEEDED"


def test_a_value_that_has_no_text() -> None:
    run = parse_template("a ${{ v }}").bind({"v": lambda scope: scope})
    with pytest.raises(ExpressionError):
        run(object())
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ExpressionError):
        run(nested)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        (b"hi", "aGk="),
        ([1, "é", {"a": None}], '[1,"é",{"a":null}]'),
        (datetime(2024, 5, 1, 12, tzinfo=UTC), "2024-05-01T12:00:00Z"),
        (datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2024-05-01T10:00:00Z"),
        (timedelta(seconds=90), "PT90S"),
        ([datetime(2024, 5, 1, tzinfo=UTC)], '["2024-05-01T00:00:00Z"]'),
    ],
)
def test_value_to_text(value: object, expected: str) -> None:
    assert value_to_text(value) == expected
