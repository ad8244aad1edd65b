"""Checks of values against declared types: what inputs may be."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from atomiton.blueprint.document import read_blueprint, read_document
from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.types import check_value
from atomiton.errors import BlueprintError, InputError

GOOD = {
    "date-time": (
        "2024-05-01T12:00:00Z", "2024-02-29t00:00:00.123456789+05:30", "1999-12-31T23:59:59-11:00",
    ),
    "date": ("2024-05-01", "2024-02-29"),
    "time": ("12:00", "23:59:59", "00:00:00.5Z", "12:00:00+02:00"),
    "email": (
        "a@b", "ada.lovelace+x@example.co.uk", "x_1-2%3@sub.example.org", "jürgen@müller.example",
        "o'brien@example.ie", "me@[127.0.0.1]",
    ),
    "uri": (
        "http://127.0.0.1:9000/rate?to=EUR#x", "mailto:a@b", "urn:isbn:0451450523", "file:///a/b",
        "https://user:pw@[::1]:80/%20", "https://example.org/Köln", "s3://bucket/key",
    ),
    "uuid": ("00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBCCDDEEFF"),
    "path": ("", "a b", "/x"),
    "of-our-own": ("", "anything"),
}  # fmt: skip
BAD = {
    "date-time": (
        "", "2024-05-01", "2024-05-01T12:00:00", "2024-13-01T12:00:00Z", "2023-02-29T00:00:00Z",
        "2024-05-01T25:00:00Z", "2024-05-01 12:00:00Z", "2024-W18-3T12:00:00Z", "now",
        "20240501T120000Z",
        "2024-05-01T12:00:00Z\n", "2024-05-01T12:00:00+99:00",
    ),
    "date": ("", "2024-5-1", "20240501", "2024-02-30", "2024-05-01T00:00:00Z", "2024-W18-3",
             "٢٠٢٤-٠٥-٠١"),
    "time": ("", "24:00", "12:60", "noon", "12", "12:00:00+2", "T12:00"),
    "email": (
        "", "a", "a@", "@b", "a b@c", "a@b@c", "a..b@c", ".a@c", "a.@c", "a@-b", "a@b-.c", "a@b..c",
        "a@b.", "a@b\n", "a" * 65 + "@b", "a@" + "b." * 200 + "c", "a@" + "b" * 64,
    ),
    "uri": (
        "", "example.org", "/a/b", "//example.org", "http:", "http:// x", "1a:b", "http://[::1",
        "http://x:port/", "http://x/%zz", "http://x/\n", "a<b>:c", "http://x/<y>", "http:///path", "https://",
    ),
    "uuid": ("", "00112233445566778899aabbccddeeff", "{00112233-4455-6677-8899-aabbccddeeff}", "x"),
}  # fmt: skip


def said(value: object, **schema: object) -> list[str]:
    return [message for _, message in check_value(value, schema, strict=True)]


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in GOOD.items() for t in texts])
def test_texts_of_a_format(name: str, text: str) -> None:
    assert said(text, type="string", format=name) == []


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in BAD.items() for t in texts])
def test_texts_that_are_not_of_a_format(name: str, text: str) -> None:
    (message,) = said(text, type="string", format=name)
    assert message.startswith(f"expected {name} such as ")
    assert list(check_value(text, {"type": "string", "format": name})) == []


def test_a_format_says_nothing_of_what_is_no_text() -> None:
    assert said(5, format="email") == []
    assert said(None, type=["string", "null"], format="uuid") == []
    assert said(datetime(2024, 5, 1, tzinfo=UTC), type="string", format="date-time") == []


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^[A-Z]{2}[0-9]+$", "AB12", True),
        ("^[A-Z]{2}[0-9]+$", "AB12\n", False),
        ("b", "abc", True),
        ("^b", "abc", False),
        ("(?i)^ADA", "ada", True),
    ],
)
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert bool(said(text, type="string", pattern=pattern)) is not fits
    assert said(5, pattern=pattern) == []


@pytest.mark.timed
def test_no_pattern_and_no_text_take_long() -> None:
    started = time.process_time()
    (message,) = said("a" * 5_000_000, pattern="^(a+)+$")
    assert "too long" in message
    assert said("a" * 5000 + "!", pattern="^(a|a)*$") != []
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("value", "of", "fits"),
    [
        (15, 5, True), (16, 5, False), (0, 5, True), (-10, 5, True), (0.3, 0.1, True),
        (0.35, 0.1, False), (1e300, 1e-300, True), (4.5, 1.5, True), (True, 5, True),
        ("x", 5, True), (9007199254740993, 2, False), (1.0, 1, True),
    ],
)  # fmt: skip
def test_multiples(value: object, of: float, fits: bool) -> None:
    assert bool(said(value, multipleOf=of)) is not fits


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ([1, 2, 3], True), ([1, 2, 1], False), ([1, 1.0], False), ([1, True], True), ([], True),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False), ([[1], [1]], False), (["1", 1], True),
        ([0, False, None, ""], True), ("aa", True), (list(range(50_000)), True),
    ],
)  # fmt: skip
def test_items_that_differ(value: object, fits: bool) -> None:
    assert bool(said(value, uniqueItems=True)) is not fits
    assert said(value, uniqueItems=False) == []


def test_deep_inside() -> None:
    schema = {
        "type": "array",
        "items": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
        "uniqueItems": True,
    }
    assert list(check_value([None], schema, "ids", strict=True)) == []
    found = dict(check_value([None, "x", None], schema, "ids", strict=True))
    assert set(found) == {"ids", "ids[1]"}
    assert "item 3 is there already" in found["ids"]


def blueprint(**inputs: object):
    nodes = {"a": {"uses": "data.value", "with": {"value": 1}}}
    return read_document({"atomiton": 1, "id": "x", "inputs": inputs, "nodes": nodes})


def test_inputs_are_held_to_all_of_it() -> None:
    declared = blueprint(
        when="date-time",
        mail={"type": "string", "format": "email", "default": "a@b"},
        code={"type": "string", "pattern": "^[A-Z]+$"},
        step={"type": "integer", "multipleOf": 5},
        tags={"type": "array", "uniqueItems": True},
    )
    good = {"when": "2024-05-01T12:00:00Z", "code": "AB", "step": 10, "tags": [1, 2]}
    assert check_inputs(declared, good)["mail"] == "a@b"
    bad = {"when": "soon", "mail": "me", "code": "ab", "step": 7, "tags": [1, 1]}
    with pytest.raises(InputError) as caught:
        check_inputs(declared, bad)
    assert [problem.message for problem in caught.value.problems] == [
        "input 'when': expected date-time such as 2024-05-01T12:00:00Z, got text 'soon'",
        "input 'mail': expected email such as ada@example.org, got text 'me'",
        "input 'code': expected text that matches ^[A-Z]+$, got text 'ab'",
        "input 'step': expected a multiple of 5, got 7",
        "input 'tags': expected items that all differ, but item 2 is there already",
    ]


@pytest.mark.parametrize(
    ("declared", "message", "code"),
    [
        ("{type: string, pattern: '(?=a)'}", "'(?=' is not supported", "NOT_SUPPORTED"),
        ("{type: string, pattern: '(a)\\1'}", "'\\1' is not supported", "NOT_SUPPORTED"),
        ("{type: string, pattern: '['}", "'pattern' is no regular", "INVALID_BLUEPRINT"),
        ("{type: string, pattern: 'a{1000}{2}'}", "'pattern' is no regular", "INVALID_BLUEPRINT"),
        ("{type: string, pattern: '((a{99}){99}){99}'}", "too large", "INVALID_BLUEPRINT"),
        ("{type: string, format: email, default: me}", "the default does not", "TYPE_MISMATCH"),
        ("{type: integer, multipleOf: 2, default: 3}", "a multiple of 2", "TYPE_MISMATCH"),
    ],
)
def test_declarations_that_cannot_be_held(declared: str, message: str, code: str) -> None:
    text = f"atomiton: 1\nid: x\ninputs:\n  i: {declared}\nnodes: {{a: {{uses: data.value}}}}\n"
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(text)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert (problem.code, problem.line) == (code, 4)
    assert problem.column == declared.rindex(":") + len("  i: ") + 3
