"""The words of expressions of JavaScript, jq, JSONata and JSONPath, which are nearly the same."""

from __future__ import annotations

import re
from typing import NamedTuple

from atomiton.interop.expressions.tree import Untranslatable

#: Longest text of an expression that is looked at.
MAX_LENGTH = 16 * 1024

_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"(?:\d+\.\d+|\.\d+|\d+)(?:[eE][-+]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_SIGNS = (
    "===",
    "!==",
    "?.",
    "==",
    "!=",
    "<=",
    ">=",
    "&&",
    "||",
    "??",
    "//",
    "..",
    "=>",
    ":=",
    "**",
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


class Token(NamedTuple):
    """A word.

    Attributes:
        kind: ``number``, ``text``, ``parts``, ``name``, ``sign`` or ``end``.
        text: As it is written; of a text what it says.
        parts: Of a text with values: pieces of text, and sources of expressions as lists of one.
        at: Where it begins.
        spaced: Whether white space stands before it.
    """

    kind: str
    text: str
    parts: tuple[str | list[str], ...]
    at: int
    spaced: bool


def tokens(source: str) -> list[Token]:
    """The words of an expression, with one of the kind ``end`` behind them.

    Raises:
        Untranslatable: A word cannot be read.
    """
    if len(source) > MAX_LENGTH:
        raise Untranslatable("it is longer than 16 KiB")
    found: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(source, at)
        spaced = space is not None
        at = space.end() if space else at
        if at >= len(source):
            return [*found, Token("end", "", (), at, spaced)]
        token, at = _token(source, at, spaced=spaced)
        found.append(token)


def _token(source: str, at: int, *, spaced: bool) -> tuple[Token, int]:
    char = source[at]
    if char in "\"'`":
        parts, end = _text(source, at)
        if all(isinstance(part, str) for part in parts):
            said = "".join(part for part in parts if isinstance(part, str))
            return Token("text", said, (), at, spaced), end
        return Token("parts", source[at:end], parts, at, spaced), end
    name = _NAME.match(source, at)
    if name:
        return Token("name", name[0], (), at, spaced), name.end()
    number = _NUMBER.match(source, at)
    if number and not (char == "." and found_name_before(source, at)):
        return Token("number", number[0], (), at, spaced), number.end()
    for sign in _SIGNS:
        if source.startswith(sign, at):
            return Token("sign", sign, (), at, spaced), at + len(sign)
    if char in "+-*/%<>!?:.,()[]{}|&=^@#~;":
        return Token("sign", char, (), at, spaced), at + 1
    raise Untranslatable(f"the character {char!r} is not understood")


def found_name_before(source: str, at: int) -> bool:
    """Whether what stands before a place can have fields."""
    return at > 0 and (source[at - 1].isalnum() or source[at - 1] in "_$])")


def _text(source: str, start: int) -> tuple[tuple[str | list[str], ...], int]:
    quote = source[start]
    parts: list[str | list[str]] = []
    piece: list[str] = []
    at = start + 1
    while at < len(source):
        char = source[at]
        if char == quote:
            return (*parts, "".join(piece)), at + 1
        opens = "\\(" if quote == '"' else "${" if quote == "`" else None
        if opens and source.startswith(opens, at):
            end = _closing(source, at + 1)
            parts += ["".join(piece), [source[at + 2 : end]]]
            piece = []
            at = end + 1
        elif char == "\\":
            said, at = _escape(source, at + 1)
            piece.append(said)
        else:
            piece.append(char)
            at += 1
    raise Untranslatable("a text has no end")


def _escape(source: str, at: int) -> tuple[str, int]:
    if at >= len(source):
        raise Untranslatable("a text has no end")
    char = source[at]
    if char == "u":
        digits = source[at + 1 : at + 5]
        if not re.fullmatch("[0-9a-fA-F]{4}", digits) or 0xD800 <= int(digits, 16) <= 0xDFFF:
            raise Untranslatable(f"the escape \\u{digits} is not understood")
        return chr(int(digits, 16)), at + 5
    if char == "x":
        raise Untranslatable("escapes such as \\x41 are not understood")
    return _ESCAPES.get(char, char), at + 1


def _closing(source: str, opening: int) -> int:
    """Where the bracket that is opened at a place is closed, texts in between left out."""
    pair = {"(": ")", "{": "}"}
    opens, closes = source[opening], pair[source[opening]]
    depth, at = 0, opening
    while at < len(source):
        char = source[at]
        if char in "\"'`":
            _, at = _text(source, at)
            continue
        depth += (char == opens) - (char == closes)
        if not depth:
            return at
        at += 1
    raise Untranslatable("a bracket is not closed")
