"""The ``text`` family: filling, cutting, joining, finding and replacing."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomiton.blueprint.expressions import parse
from atomiton.errors import NodeError
from atomiton.nodes import text as family
from atomiton.nodes.patterns import compiled

fill = family.template.function
split = family.split.function
join = family.join.function
match = family.match.function
replace = family.replace.function


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Hello {{ name }}!", "Hello Ada!"),
        ("{{ name }}", "Ada"),
        ("{{ order.total + 1.0 }}", "3.5"),
        ("{{ order }}", '{"total":2.5,"tags":["a","b"]}'),
        ("{{ order.tags.join(', ') }}", "a, b"),
        ('{{ order.tags.map(t, "<" + t + ">").join("\\n") }}', "<a>\n<b>"),
        (r"plain \{{ name }} and ${{ name }}", "plain {{ name }} and $Ada"),
        ("{{ '}}' }}{{ name }}", "}}Ada"),
        ("no marks", "no marks"),
        ("", ""),
    ],
)
async def test_a_template_is_filled(template: str, filled: str) -> None:
    values = {"name": "Ada", "order": {"total": 2.5, "tags": ["a", "b"]}}
    assert await fill(template, values) == {"text": filled}


async def test_values_of_html_make_no_markup() -> None:
    values = {"name": "<b>\"Ada\" & 'co'</b>"}
    shown = "<p>&lt;b&gt;&quot;Ada&quot; &amp; &#x27;co&#x27;&lt;/b&gt;</p>"
    assert await fill("<p>{{ name }}</p>", values, escape="html") == {"text": shown}
    assert (await fill("{{ name }}", values, escape="html"))["text"].startswith("&lt;b&gt;")


@pytest.mark.parametrize(
    ("template", "said", "code"),
    [
        ("a\nb {{ nobody }}", "line 2, column 6", "UNKNOWN_REFERENCE"),
        ("{{ name.x.y }}", "line 1, column", "EXPRESSION_ERROR"),
        ("{{ name", "line 1, column", "EXPRESSION_ERROR"),
        ("{{ [1, 2, 3].map(a, big.map(b, big.map(c, c))) }}", "line 1", "LIMIT_EXCEEDED"),
    ],
)
async def test_a_template_that_cannot_be_filled_says_where(template, said, code) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await fill(template, {"name": {"x": 1}, "big": list(range(3000))})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"text": "a\nb\r\nc\rd\n"}, ["a", "b", "c", "d"]),
        ({"text": "a,b,,c", "separator": ","}, ["a", "b", "", "c"]),
        ({"text": "a, b,, c", "separator": ",", "trim": True, "keep_empty": False}, list("abc")),
        ({"text": "a,b,c", "separator": ",", "limit": 1}, ["a", "b,c"]),
        ({"text": "a1b22c", "pattern": r"\d+"}, ["a", "b", "c"]),
        ({"text": "a1b22c", "pattern": r"\d+", "limit": 1}, ["a", "b22c"]),
        ({"text": "aXbxc", "pattern": "x", "ignore_case": True}, ["a", "b", "c"]),
        ({"text": "äöü", "pattern": "x*"}, ["äöü"]),
        ({"text": "", "separator": ","}, [""]),
    ],
)
async def test_a_text_is_cut(given, parts) -> None:
    assert await split(**given) == {"parts": parts, "count": len(parts)}


async def test_items_are_joined() -> None:
    items = ["a", 1, 2.5, True, None, {"b": [1]}, ""]
    assert (await join(items, "|"))["text"] == 'a|1|2.5|true||{"b":[1]}|'
    assert (await join(items, "|", keep_empty=False))["text"] == 'a|1|2.5|true|{"b":[1]}'
    assert (await join([]))["text"] == ""


async def test_matches_have_places_in_characters_and_groups() -> None:
    got = await match("käse 12, tee 7", r"(?P<what>\pL+) (\d+)")
    assert got["count"] == 2
    assert got["first"] == {
        "text": "käse 12",
        "start": 0,
        "end": 7,
        "groups": ["käse", "12"],
        "named": {"what": "käse"},
    }
    assert got["matches"][1]["start"] == 9
    nothing = await match("abc", r"\d")
    assert nothing == {"found": False, "first": None, "matches": [], "count": 0}
    assert (await match("a", "(a)|(b)"))["first"]["groups"] == ["a", None]
    assert (await match("aaaa", "a", limit=2))["count"] == 2


@pytest.mark.parametrize(
    ("given", "text", "count"),
    [
        ({"find": "a", "replacement": "$1"}, "b$1n$1n$1", 3),
        ({"find": "a", "replacement": "", "limit": 2}, "bnna", 2),
        ({"pattern": "(a)(n)", "replacement": "$2${1}-"}, "bna-na-a", 2),
        ({"pattern": "(?P<x>an)", "replacement": "<$x>"}, "b<an><an>a", 2),
        ({"pattern": "an", "replacement": "$$$0"}, "b$an$ana", 2),
        ({"pattern": "AN", "replacement": "-", "ignore_case": True}, "b--a", 2),
        ({"pattern": "x*", "replacement": "-"}, "-b-a-n-a-n-a-", 7),
        ({"pattern": "(z)?an", "replacement": "[$1]"}, "b[][]a", 2),
    ],
)
async def test_a_text_is_replaced(given, text, count) -> None:
    assert await replace("banana", **given) == {"text": text, "count": count}


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: match("a", "(?=a)"), "not usable.*without looking around"),
        (lambda: match("a", r"(a)\1"), "not usable"),
        (lambda: match("a", "("), "missing"),
        (lambda: match("a", "a" * 1001), "more than 1000"),
        (lambda: match("a", "a", limit=0), "limit must be"),
        (lambda: split("a", ""), "separator is empty"),
        (lambda: split("a", ",", pattern=","), "only one of"),
        (lambda: replace("a"), "one of find and pattern"),
        (lambda: replace("a", ""), "find is empty"),
        (lambda: replace("a", pattern="a", replacement="$2"), r"no group \$2; write \$\$"),
        (lambda: replace("a", pattern="a", replacement="${who}"), "no group"),
    ],
)
async def test_what_cannot_be_done_says_why(work, said, capfd) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await work()
    assert caught.value.code == "INVALID_INPUT"
    assert capfd.readouterr().err == ""  # RE2 itself would complain there


async def test_a_text_that_would_grow_too_large_is_not_made() -> None:
    with pytest.raises(NodeError, match="characters") as caught:
        await replace("a" * 100_000, "a", "b" * 1000)
    assert caught.value.code == "LIMIT_EXCEEDED"
    with pytest.raises(NodeError, match="characters"):
        await replace("a" * 100_000, pattern="a", replacement="b" * 1000)


@pytest.mark.timed
async def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    await match("a" * 100_000 + "!", "(a+)+$")
    await match("a" * 5_000, "(a?){500}a{500}")
    assert time.process_time() - began < 2


PATTERNS = [
    "a",
    "^a",
    "a$",
    "(?i)A",
    "a|b",
    "[^a]b",
    r"\d+\s",
    "(ab)*c",
    "a{2,3}",
    r"\bab\b",
    ".b",
    "(?s).b",
    "(?m)^b",
    "[[:alpha:]]+9",
    r"\x61",
    "a.*?b",
    "(?P<n>a)b",
]


@given(st.text(alphabet="ab9 \nAä", max_size=12), st.sampled_from(PATTERNS))
def test_patterns_mean_what_they_mean_in_expressions(text: str, pattern: str) -> None:
    here = compiled(pattern).search(text) is not None
    there = parse("t.matches(p)").bind({"t": lambda s: s[0], "p": lambda s: s[1]})
    assert there((text, pattern)) is here


async def test_without_the_library_the_error_names_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    compiled.cache_clear()
    with pytest.raises(NodeError, match=r"pip install 'atomiton\[text\]'") as caught:
        await match("a", "a")
    assert caught.value.code == "NOT_SUPPORTED"
    assert (await split("a,b", ","))["count"] == 2
