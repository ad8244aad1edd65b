"""Expressions of other languages give the same values here, or are refused."""

from __future__ import annotations

import pytest

from atomiton.blueprint.expressions import parse
from atomiton.errors import AtomitonError
from atomiton.interop.asl_choice import rule
from atomiton.interop.asl_data import Paths
from atomiton.interop.expressions.cel import Cel
from atomiton.interop.expressions.parser import JAVASCRIPT, JQ, JSONATA, Dialect
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Node, Root, Untranslatable

DATA = {
    "n": 7,
    "text": "ab",
    "none": None,
    "list": [3, 4],
    "map": {"in ner": {"x": 1}, "no": False},
    "zero": 0,
    "empty": "",
}


def translated(source: str, dialect: Dialect, root: str) -> str:
    def resolve(node: Node) -> Cel | None:
        return Cel("data") if node == Root(root) else None

    return Translator(dialect, resolve).expression(source).whole


def value(cel: str, data: object = None) -> object:
    given = DATA if data is None else data
    return parse(cel).bind({"data": lambda _: given})({})


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("$json.n + 1", 8),
        ("$json.n / 2", 3.5),
        ('$json.text + "-" + $json.n', "ab-7"),
        ("`${$json.text}: ${$json.n > 5}`", "ab: true"),
        ('$json["map"]["in ner"].x', 1),
        ("$json.map?.gone?.further", None),
        ("$json.list[1]", 4),
        ("$json.list[9]", None),
        ("$json.n === 7 && !($json.text === 'x')", True),
        ("$json.zero || 'other'", "other"),
        ("$json.empty ?? 'other'", ""),
        ("$json.none ?? 'other'", "other"),
        ("$json.text && $json.n", 7),
        ("$json.list ? 'yes' : 'no'", "yes"),
        ("$json.zero ? 'yes' : 'no'", "no"),
        ("$json.text.startsWith('a')", True),
        ("$json.list.includes(4)", True),
        ("$json.text.includes('b')", True),
        ("{a: [1, -2], 'b': null}", {"a": [1, -2], "b": None}),
        ("2 + 3 * 4 - 1", 13),
    ],
)
def test_javascript(source: str, wanted: object) -> None:
    assert value(translated(source, JAVASCRIPT, "$json")) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (".n * 2", 14),
        (".n / 2", 3.5),
        (".gone", None),
        (".gone + [1]", [1]),
        ('.gone + "x"', "x"),
        (".list + [5]", [3, 4, 5]),
        ('.map["in ner"].x', 1),
        ('"\\(.text)-\\(.n)"', "ab-7"),
        (".list | length", 2),
        (".none | length", 0),
        ("(.list | length) > 1 and (.none | not)", True),
        (".gone // 5", 5),
        (".map.no // 5", 5),
        (".zero // 5", 0),
        ("if .zero then 1 else 2 end", 1),
        ('.text | ascii_upcase | startswith("A")', True),
        ("{a: .n, b: [.text]}", {"a": 7, "b": ["ab"]}),
        (".map | .no == false", True),
    ],
)
def test_jq(source: str, wanted: object) -> None:
    assert value(translated(source, JQ, ".")) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("$.n * 2 >= 14", True),
        ("$.text & '-' & $.text = 'ab-ab'", True),
        ("$count($.list) + $sum($.list)", 9),
        ("$.n > 5 ? 'big' : 'small'", "big"),
        ("3 in $.list or false", False),
        ("$append($.list, [5])", [3, 4, 5]),
        ("$exists($.gone)", False),
    ],
)
def test_jsonata(source: str, wanted: object) -> None:
    found = value(translated(source, JSONATA, "$"))
    assert found == (True if source.startswith("3 in") else wanted)


@pytest.mark.parametrize(
    ("dialect", "source"),
    [
        (JAVASCRIPT, "$json.list.map(x => x + 1)"),
        (JAVASCRIPT, "$json.a = 5"),
        (JAVASCRIPT, "new Date()"),
        (JAVASCRIPT, "$json.text.toUpperCase()"),
        (JAVASCRIPT, "$env.HOME"),
        (JAVASCRIPT, "$json.a; $json.b"),
        (JAVASCRIPT, "/x/.test($json.text)"),
        (JQ, ".list[]"),
        (JQ, ".. | .a"),
        (JQ, ". + {a: 1}"),
        (JQ, "map(.x)"),
        (JQ, "$unknown"),
        (JSONATA, "$map($.list, function($v) { $v })"),
        (JSONATA, "$.list[x > 1]"),
        (JSONATA, "$.a ? 1 : 2"),
    ],
)
def test_what_is_not_plain_is_refused(dialect: Dialect, source: str) -> None:
    root = {"JavaScript": "$json", "jq": ".", "JSONata": "$"}[dialect.name]
    with pytest.raises(Untranslatable):
        value(translated(source, dialect, root))


def test_a_conversion_is_an_error_and_no_other_value() -> None:
    for source in ("$json.text * 2", "$json.text < 5", "$json.none + 1"):
        cel = translated(source, JAVASCRIPT, "$json")
        with pytest.raises(AtomitonError):
            value(cel)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("$.n", 7),
        ("$.list[0]", 3),
        ("$['map']['in ner'].x", 1),
        ("States.Format('{} of {}', $.n, $.text)", "7 of ab"),
        ("States.Array($.n, 'x', null)", [7, "x", None]),
        ("States.ArrayLength($.list)", 2),
        ("States.ArrayContains($.list, 4)", True),
        ("States.Base64Decode(States.Base64Encode('tea'))", "tea"),
    ],
)
def test_paths_of_states(path: str, wanted: object) -> None:
    assert value(Paths("data").path_or_intrinsic(path)) == wanted


@pytest.mark.parametrize(
    "path", ["$.list[*]", "$..x", "$.list[0:1]", "$.list[?(@.a)]", "$.a-b", "x"]
)
def test_paths_that_select_several_are_refused(path: str) -> None:
    with pytest.raises(Untranslatable):
        Paths("data").path_or_intrinsic(path)


def test_a_path_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(AtomitonError, match="gone"):
        value(Paths("data").path("$.gone"))


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"Variable": "$.n", "NumericGreaterThan": 5}, True),
        ({"Variable": "$.text", "NumericGreaterThan": 5}, False),
        ({"Variable": "$.text", "StringMatches": "a*"}, True),
        ({"Variable": "$.text", "StringMatches": "a\\*"}, False),
        ({"Variable": "$.gone", "IsPresent": False}, True),
        ({"Variable": "$.none", "IsNull": True}, True),
        ({"Not": {"Variable": "$.n", "NumericEquals": 7}}, False),
        (
            {
                "And": [
                    {"Variable": "$.gone", "IsPresent": True},
                    {"Variable": "$.gone", "BooleanEquals": True},
                ]
            },
            False,
        ),
        ({"Variable": "$.n", "NumericEqualsPath": "$.list[0]"}, False),
    ],
)
def test_choice_rules(choice: object, wanted: bool) -> None:
    assert value(rule(Paths("data"), choice)) is wanted
