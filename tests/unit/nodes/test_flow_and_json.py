"""The ``flow`` and ``json`` families."""

from __future__ import annotations

import datetime
from json import dumps, loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomiton.errors import NodeError
from atomiton.nodes import flow, json
from atomiton.testing.purity import assert_pure


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "ü"]}', {"a": [1, 2.5, None, True, "ü"]}),
        ("\ufeff[]", []),
        (b"\xef\xbb\xbf[]", []),
        ("  3 ", 3),
    ],
)
def test_parse(text, value) -> None:
    assert assert_pure(json.parse, {"text": text}) == {"value": value}


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nope", b"\xff", "[" * 100_000])
def test_what_is_not_json(text) -> None:
    with pytest.raises(NodeError, match="not JSON") as caught:
        assert_pure(json.parse, {"text": text})
    assert caught.value.code == "INVALID_INPUT"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '[{"b": {"a": 1, "c": {}, "a" : 2}}]',
        '{"a":1,"\\u0061":2}',
        '{"a":1,"a":"\\u0022:"}',
        '{"a":1,"a":"x\\" :"}',
        b'{"\xc3\xbc": 1, "\xc3\xbc": 2}',
        '{"": 1, "": 2}',
    ],
)
def test_a_key_that_an_object_has_twice_is_refused(text) -> None:
    with pytest.raises(NodeError, match="appears twice") as caught:
        assert_pure(json.parse, {"text": text})
    assert caught.value.code == "INVALID_INPUT"
    assert json.decode(text, unique=False)


@given(st.data())
def test_keys_are_counted_right(data: st.DataObject) -> None:
    word = st.sampled_from(["", '"', ":", '":', '" :', "a", "\u00fc", "\n", "\\", 'a":b'])
    value = data.draw(
        st.recursive(
            word | st.integers(-9, 9),
            lambda part: st.lists(part, max_size=3) | st.lists(st.tuples(word, part), max_size=3),
            max_leaves=8,
        )
    )
    ascii_ = data.draw(st.booleans())
    colon = data.draw(st.sampled_from([":", ": ", " : "]))
    twice = []

    def write(part: object) -> str:
        """JSON by hand: a list of pairs is an object, with a key as often as it is there."""
        if isinstance(part, list) and part and isinstance(part[0], tuple):
            names = [name for name, _ in part]
            twice.append(len(set(names)) < len(names))
            entries = (f"{dumps(k, ensure_ascii=ascii_)}{colon}{write(v)}" for k, v in part)
            return "{" + ",".join(entries) + "}"
        if isinstance(part, list):
            return "[" + ", ".join(map(write, part)) + "]"
        return dumps(part, ensure_ascii=ascii_)

    text = write(value)
    if any(twice):
        with pytest.raises(ValueError, match="twice"):
            json.decode(text)
    else:
        assert json.decode(text) == loads(text)


def test_integers_that_no_value_can_be() -> None:
    assert assert_pure(json.parse, {"text": "[9223372036854775807]"}) == {"value": [2**63 - 1]}
    for text in ("123456789012345678901234567890", b'{"a": [123456789012345678901]}'):
        with pytest.raises(NodeError, match="more than 64 bits") as caught:
            assert_pure(json.parse, {"text": text})
        assert caught.value.code == "INVALID_INPUT"


def test_format() -> None:
    assert assert_pure(json.format_, {"value": {"ü": [1]}}) == {"text": '{"ü":[1]}'}
    text = assert_pure(json.format_, {"value": {"a": 1}, "indent": 2})["text"]
    assert text == '{\n  "a": 1\n}'
    moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert "2026-01-02T00:00:00Z" in assert_pure(json.format_, {"value": [moment, b"x"]})["text"]
    with pytest.raises(NodeError, match="indent"):
        assert_pure(json.format_, {"value": 1, "indent": -1})


def test_fail() -> None:
    with pytest.raises(NodeError, match="sold out") as caught:
        assert_pure(flow.fail, {"message": "sold out", "code": "SOLD_OUT"})
    assert caught.value.code == "SOLD_OUT"
    with pytest.raises(NodeError, match="is not a code"):
        assert_pure(flow.fail, {"message": "sold out", "code": "sold out"})


async def test_log() -> None:
    class Heard:
        def __init__(self) -> None:
            self.lines: list[tuple[str, str]] = []

        def log(self, level: str, message: str) -> None:
            self.lines.append((level, message))

    heard = Heard()
    assert await flow.log("hello", log=heard) == {"message": "hello"}
    await flow.log({"a": 1}, "warning", log=heard)
    assert heard.lines == [("info", "hello"), ("warning", '{"a":1}')]
