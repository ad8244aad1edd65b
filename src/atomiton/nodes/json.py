"""The ``json`` family: text to values and back."""

from __future__ import annotations

import re
from json import loads
from typing import TypedDict

import msgspec

from atomiton.errors import NodeError
from atomiton.nodes.spec import node

#: So many digits may be an integer that does not fit into 64 bits.
_LONG = re.compile(rb"[0-9]{19}")
#: What looks like a key with space before its colon.
_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')


class Parsed(TypedDict):
    """What a text says."""

    value: object


class Formatted(TypedDict):
    """A value as text."""

    text: str


@node(
    "json.parse",
    effect="pure",
    title="Parse JSON",
    icon="braces",
    plain=True,
    example="""
    atomiton: 1
    id: json-parse-example
    nodes:
      order:
        uses: json.parse
        with:
          text: '{"id": 7}'
    output: ${{ order.value.id }}
    """,
)
async def parse(text: str | bytes) -> Parsed:
    """The value that a JSON text stands for. A key that an object has twice is an error.

    Args:
        text: The JSON text; bytes are read as UTF-8.
    """
    try:
        return {"value": decode(text)}
    except ValueError as error:
        raise NodeError(f"the text is not JSON: {error}", code="INVALID_INPUT") from None


@node(
    "json.format",
    effect="pure",
    title="Format JSON",
    icon="braces",
    plain=True,
    example="""
    atomiton: 1
    id: json-format-example
    nodes:
      text:
        uses: json.format
        with:
          value: {id: 7}
          indent: 2
    output: ${{ text.text }}
    """,
)
async def format_(value: object, indent: int = 0) -> Formatted:
    """A value as JSON text. Bytes become base64, date-times ISO 8601.

    Args:
        value: The value to write.
        indent: Spaces for each level; 0 writes one line.
    """
    if not 0 <= indent <= 16:
        raise NodeError("indent must be from 0 to 16", code="INVALID_INPUT")
    return {"text": encode(value, indent).decode()}


def decode(text: str | bytes, *, unique: bool = True) -> object:
    """Read JSON text; a leading byte order mark is ignored.

    Args:
        text: The text; bytes are UTF-8.
        unique: Whether a key that an object has twice is an error; else the last one counts.

    Raises:
        ValueError: It is not JSON, holds an integer that no value can be, or a key twice.
    """
    data = text.encode() if isinstance(text, str) else text
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        value: object = msgspec.json.decode(data)
        if _LONG.search(data) is not None:
            msgspec.msgpack.encode(value)  # thrown away: a look at every integer
        if unique and not _has_each_key_once(data, value):
            loads(data, object_pairs_hook=_unique, parse_int=str, parse_float=str)
        return value
    except OverflowError:
        raise ValueError("it holds an integer of more than 64 bits") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _has_each_key_once(data: bytes, value: object) -> bool:
    """Whether no key was lost in reading, as far as counting tells; False when it cannot.

    Written again, the value has as many keys as the text, and as many texts that look like one,
    unless a key was lost. Only a text that writes its quotes and spaces as escapes is left open.
    """
    found = data.count(b'":') if _SPACED_KEY.search(data) is None else -1
    return b"\\u00" not in data and found == msgspec.json.encode(value).count(b'":')


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} appears twice in one object")
    return found


def encode(value: object, indent: int = 0) -> bytes:
    """Write a value as JSON text."""
    text = msgspec.json.encode(value)
    return msgspec.json.format(text, indent=indent) if indent else text
