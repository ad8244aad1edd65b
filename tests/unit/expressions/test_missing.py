"""Names that may have no value at all: a path into one that has none is null."""

from __future__ import annotations

import pytest

from atomiton.blueprint.expressions import parse, parse_template
from atomiton.errors import ExpressionError

ABSENT = [
    ("a", None),
    ("a.b", None),
    ("a.b.c", None),
    ("a['b']", None),
    ("a.b[0].c", None),
    ("a[?'b'].orValue(1)", 1),
    ("a.?b.orValue(2)", 2),
    ("a.?b.c", None),
    ("has(a.b)", False),
    ("a.b == null", True),
    ("[1, 2].map(x, a.b == null ? x : 0)", [1, 2]),
    ("[1].exists(x, has(a.b.c))", False),
]


@pytest.mark.parametrize(("source", "value"), ABSENT)
def test_a_path_into_nothing_is_null(source: str, value: object) -> None:
    evaluate = parse(source).bind({"a": lambda scope: None}, missing={"a": lambda scope: True})
    assert evaluate(None) == value


@pytest.mark.parametrize("source", [source for source, _ in ABSENT[1:]])
def test_a_path_into_a_null_that_was_given_is_an_error(source: str) -> None:
    evaluate = parse(source).bind({"a": lambda scope: None}, missing={"a": lambda scope: False})
    with pytest.raises(ExpressionError):
        evaluate(None)


def test_only_the_name_itself_may_be_missing() -> None:
    loaders = {"a": lambda scope: {"b": None}}
    evaluate = parse("a.b.c").bind(loaders, missing={"a": lambda scope: False})
    with pytest.raises(ExpressionError, match="no field 'c' in a"):
        evaluate(None)


def test_the_variable_of_a_macro_is_never_missing() -> None:
    evaluate = parse("[null].map(a, a.b)").bind(
        {"a": lambda scope: None}, missing={"a": lambda scope: True}
    )
    with pytest.raises(ExpressionError):
        evaluate(None)


def test_a_template_shows_nothing_as_null() -> None:
    template = parse_template("<${{ a.b }}>")
    assert template.bind({"a": lambda _: None}, missing={"a": lambda _: True})(None) == "<null>"
