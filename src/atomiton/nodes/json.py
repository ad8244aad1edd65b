"""The ``json`` family: text to values and back."""

from __future__ import annotations

import re
from typing import TypedDict

import msgspec

from atomiton.errors import NodeError
from atomiton.nodes.spec import node

#: So many digits may be an integer that does not fit into 64 bits.
_LONG_TEXT = re.compile(r"[0-9]{19}")
_LONG_BYTES = re.compile(rb"[0-9]{19}")


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
    """The value that a JSON text stands for.

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


def decode(text: str | bytes) -> object:
    """Read JSON text; a leading byte order mark is ignored.

    Raises:
        ValueError: It is not JSON, or holds an integer that no value can be.
    """
    mark = b"\xef\xbb\xbf" if isinstance(text, bytes) else "\ufeff"
    try:
        value: object = msgspec.json.decode(text.removeprefix(mark))  # type: ignore[arg-type]
        long = _LONG_TEXT.search(text) if isinstance(text, str) else _LONG_BYTES.search(text)
        if long is not None:
            msgspec.msgpack.encode(value)  # thrown away: a look at every integer
        return value
    except OverflowError:
        raise ValueError("it holds an integer of more than 64 bits") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def encode(value: object, indent: int = 0) -> bytes:
    """Write a value as JSON text."""
    text = msgspec.json.encode(value)
    return msgspec.json.format(text, indent=indent) if indent else text
