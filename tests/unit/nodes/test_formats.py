"""The families ``csv``, ``yaml``, ``xml``, ``html``, ``hash`` and ``crypto``: text and values."""

from __future__ import annotations

import hashlib
import hmac
import sys

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from atomiton.blueprint.yaml_values import load_value, value_to_yaml
from atomiton.errors import NodeError
from atomiton.nodes import crypto, csv, html, xml, yaml
from atomiton.nodes import hash as hashing

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


async def test_csv() -> None:
    got = await csv.parse.function('id;n\n"007";1\n\n008;2.5\n009\n')
    assert got["rows"] == [{"id": "007", "n": 1}, {"id": "008", "n": 2.5}, {"id": "009", "n": None}]
    assert (got["headers"], got["count"]) == (["id", "n"], 3)
    lists = await csv.parse.function("1,2\n3", headers=False, numbers=False)
    assert lists["rows"] == [["1", "2"], ["3", None]]
    assert (await csv.parse.function("a\tb\n1\t2".encode("utf-16")))["rows"] == [{"a": 1, "b": 2}]
    with pytest.raises(NodeError, match="the text is not a table: a quote in row 2"):
        await csv.parse.function('a,b\n"1')
    with pytest.raises(NodeError, match="one character"):
        await csv.parse.function("a", delimiter="::")


async def test_csv_is_written_and_read_again() -> None:
    rows = [{"a": 'say "hi"', "b": 1}, {"a": "x\ny", "c": [1]}, {"b": None}]
    got = await csv.format_.function(rows)
    assert got["text"] == 'a,b,c\r\n"say ""hi""",1,\r\n"x\ny",,[1]\r\n,,\r\n'
    assert (await csv.format_.function([[1, "b"]], headers=False, delimiter=";"))[
        "text"
    ] == "1;b\r\n"
    assert (await csv.format_.function(rows, headers=["b"]))["text"] == 'b\r\n1\r\n""\r\n""\r\n'
    many = [{"n": n, "t": f"{n:07d}"} for n in range(3000)]
    text = (await csv.format_.function(many))["text"]
    assert (await csv.parse.function(text))["rows"] == many


@given(VALUES)
def test_yaml_comes_back_as_it_was_written(value: object) -> None:
    try:
        text = value_to_yaml(value)  # type: ignore[arg-type]
    except ValueError:
        return  # half of a surrogate pair
    assert load_value(text) == value
    assert type(load_value(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: yes", {"on": "yes"}),
        ("- 0o17\n- 012\n- 1e3", [15, 12, 1000.0]),
        ("", None),
        ("# x", None),
        ("7", 7),
        ("'7'", "7"),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
        ('{"a": [1]}', {"a": [1]}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("|\n a\n b\n", "a\nb\n"),
        ("~", None),
    ],
)
async def test_yaml_is_read(text: str, value: object) -> None:
    assert await yaml.parse.function(text) == {"value": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "2:1: the key a appears twice"),
        ("a: !!python/object:os.system x", "1:4: the tag"),
        ("a: [", "1:"),
        ("1: 2", "is not text"),
        ("a: 99999999999999999999", "1:4"),
        ("--- 1\n--- 2", "more than one document"),
        ("[" * 60, "deeper than 50"),
        ("x" * 1_048_577, "larger than 1 MiB"),
        ("99999999999999999999", "1:1"),
        ("!x 1", "the tag"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n"
                for a, b in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            "aliases|more than",
        ),
    ],
)
async def test_yaml_that_is_refused_says_where(text: str, said: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await yaml.parse.function(text)
    assert caught.value.code == "INVALID_INPUT"


async def test_yaml_is_written_so_that_every_reader_agrees() -> None:
    value = {
        "on": "yes",
        "time": "12:30",
        "octal": "0o17",
        "e": "1e3",
        "nodes": {"b": {"uses": 1, "name": 2}},
    }
    text = (await yaml.format_.function(value))["text"]
    assert pyyaml.safe_load(text) == value
    assert list(load_value(text)["nodes"]["b"]) == ["uses", "name"]  # type: ignore[index,call-overload]
    assert (await yaml.format_.function(b"\xff"))["text"] == "/w==\n"
    assert (await yaml.format_.function([]))["text"] == "[]\n"
    with pytest.raises(NodeError, match="64 bits"):
        await yaml.format_.function(2**63)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<a/>", None),
        ("<a> x </a>", "x"),
        ("<a b='1'>x</a>", {"@b": "1", "#text": "x"}),
        ("<a><b>1</b><b/><c>2</c></a>", {"b": ["1", None], "c": "2"}),
        ("<a><d>1</d></a>", {"d": ["1"]}),
        ("<a>1 &lt; 2 &#228;<![CDATA[<b>]]></a>", "1 < 2 ä<b>"),
        ("<?xml version='1.0' encoding='latin-1'?><a>ä</a>", "ä"),
        ("<?xml version='1.0' encoding='latin-1'?><a>ä</a>".encode("latin-1"), "ä"),
        ("<!DOCTYPE a><a><!-- no -->y</a>", "y"),
        ("<x:a xmlns:x='u' x:n='1'><x:b>2</x:b></x:a>", {"@xmlns:x": "u", "@x:n": "1", "x:b": "2"}),
    ],
)
async def test_xml_is_read(text: str | bytes, value: object) -> None:
    assert (await xml.parse.function(text, lists=["d"]))["value"] == value


async def test_xml_without_prefixes() -> None:
    got = await xml.parse.function("<x:a xmlns:x='u' x:n='1'><x:b>2</x:b></x:a>", prefixes=False)
    assert got == {"root": "a", "value": {"@n": "1", "b": "2"}}


BOMB = (
    "<!DOCTYPE a [<!ENTITY x 'ha'>"
    + "".join(
        f"<!ENTITY x{n} '{f'&x{n - 1 or chr(32)};'.replace(' ', '') * 10}'>" for n in range(2, 9)
    )
    + "]><a>&x8;</a>"
)


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        (BOMB, "ENTITY", "NOT_ALLOWED"),
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "ENTITY",
            "NOT_ALLOWED",
        ),
        ("<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/'>%x;]><a/>", "ENTITY", "NOT_ALLOWED"),
        ("<a><b></a>", "line 1, column .: mismatched tag", "INVALID_INPUT"),
        ("", "no element found", "INVALID_INPUT"),
        ("<a>&nbsp;</a>", "undefined entity", "INVALID_INPUT"),
        ("<a>" * 101, "more than 100 levels", "LIMIT_EXCEEDED"),
        (b"<?xml version='1.0' encoding='nope'?><a/>", "encoding", "INVALID_INPUT"),
        ("<a>\ud800</a>", "surrogate", "INVALID_INPUT"),
    ],
)
async def test_xml_that_is_refused(text: str, said: str, code: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await xml.parse.function(text)
    assert caught.value.code == code


async def test_xml_of_too_many_parts(monkeypatch) -> None:
    monkeypatch.setattr("atomiton.nodes.markup.MOST_PARTS", 10)
    with pytest.raises(NodeError, match="more than 10 elements"):
        await xml.parse.function("<a>" + "<b c='1'/>" * 5 + "</a>")


PAGE = """<title>T</title><ul id=l><li class="a b" data-x=1>One <b>bold</b>
 text<li><a href=/2>Two</a></ul>
<script>document.title = 'no'</script>"""


async def test_html() -> None:
    got = await html.select.function(PAGE, "ul#l > li")
    assert got["count"] == 2
    assert got["first"] == {
        "text": "One bold text",
        "tag": "li",
        "attributes": {"class": "a b", "data-x": "1"},
        "html": '<li class="a b" data-x="1">One <b>bold</b>\n text</li>',
    }
    fields = {"text": ".", "bold": "b", "x": "@data-x", "link": "a@href", "none": "i", "no": "a@id"}
    rows = await html.select.function(PAGE.encode(), "li", fields=fields)
    assert rows["items"] == [
        {"text": "One bold text", "bold": "bold", "x": "1", "link": None, "none": None, "no": None},
        {"text": "Two", "bold": None, "x": None, "link": "/2", "none": None, "no": None},
    ]
    assert (await html.select.function(PAGE, "li", limit=1))["count"] == 1
    assert await html.select.function("", "p") == {"items": [], "first": None, "count": 0}
    inner = await html.select.function("<div><div>x</div></div>", "div", fields={"d": "div"})
    assert inner["items"] == [{"d": "x"}, {"d": None}]


@pytest.mark.parametrize(
    "tag", ["<div>", "<b>", "<div><p>", "<a>x<div>", "<svg><g>", "<x-y a='1'>"]
)
async def test_a_page_that_is_nested_without_end_is_refused(tag: str) -> None:
    with pytest.raises(NodeError, match="inside each other") as caught:
        await html.select.function(tag * 100_000, "div")
    assert caught.value.code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("fields", [None, {"text": "."}])
async def test_what_is_found_again_in_all_that_is_around_it_is_bounded(fields) -> None:
    page = "<div>" * 1900 + "x" * 100_000
    with pytest.raises(NodeError, match="name fewer elements") as caught:
        await html.select.function(page, "div", fields=fields)
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert (await html.select.function(page, "div", fields=fields, limit=2))["count"] == 2


async def test_a_page_that_only_looks_nested_is_read() -> None:
    lists = "<p>x<br>" * 5000 + "<ul>" + "<li>y" * 5000 + "</ul>" + "<div></div>" * 5000
    hidden = "<script>" + "if (a<b) {}" * 5000 + "</script><!--" + "<div>" * 5000 + "-->"
    got = await html.select.function(hidden + lists, "li")
    assert got["count"] == 5000


@pytest.mark.parametrize("selector", ["", "li[", ":::", "li >> > a", "li:nth-child("])
async def test_a_selector_that_is_none(selector: str) -> None:
    with pytest.raises(NodeError, match="is not a CSS selector") as caught:
        await html.select.function(PAGE, selector)
    assert caught.value.code == "INVALID_INPUT"


async def test_html_needs_its_library(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    with pytest.raises(NodeError, match=r"atomiton\[html\]"):
        await html.select.function("<p>", "p")


async def test_digests_and_signatures_are_those_of_everybody() -> None:
    for name in ("sha256", "sha512", "sha384", "sha3-256", "blake2b", "sha1", "md5"):
        right = hashlib.new(name.replace("-", "_"), b"\xc3\xa4").hexdigest()
        assert (await hashing.digest.function("ä", name))["digest"] == right  # type: ignore[arg-type]
    big = b"x" * 100_000
    assert (await hashing.digest.function(big))["digest"] == hashlib.sha256(big).hexdigest()
    signed = await crypto.sign.function("data", "a2V5", key_encoding="base64", encoding="base64")
    right = hmac.digest(b"key", b"data", "sha256")
    assert signed["signature"] == hashing.written(right, "base64")
    assert (await crypto.sign.function(b"data", "6b6579", key_encoding="hex"))[
        "signature"
    ] == right.hex()


@pytest.mark.parametrize(
    ("key", "how"), [("geheim!", "base64"), ("xyz-geheim", "hex"), ("", "text")]
)
async def test_a_key_that_is_none_is_not_shown(key: str, how) -> None:
    with pytest.raises(NodeError, match="the key is") as caught:
        await crypto.sign.function("data", key, key_encoding=how)
    assert "geheim" not in str(caught.value)
