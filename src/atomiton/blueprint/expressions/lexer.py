"""Turns the text of an expression into tokens."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from atomiton.errors import ExpressionError

#: An expression longer than this, in characters, is refused.
MAX_SOURCE: Final = 16 * 1024

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1

_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\n\f\r]+|//[^\n]*)"
    r"|(?P<raw>(?:[rR][bB]?|[bB][rR])(?:"
    r'"""(?P<r1>.*?)"""|' + r"'''(?P<r2>.*?)'''|" + r'"(?P<r3>[^"\r\n]*)"|'
    r"'(?P<r4>[^'\r\n]*)'))"
    r"|(?P<text>[bB]?(?:"
    r'"""(?P<t1>(?:[^\\]|\\.)*?)"""|' + r"'''(?P<t2>(?:[^\\]|\\.)*?)'''|"
    r'"(?P<t3>(?:[^\\\r\n"]|\\.)*)"|' + r"'(?P<t4>(?:[^\\\r\n']|\\.)*)'))"
    r"|(?P<float>(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)"
    r"|(?P<int>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|`(?P<quoted>[A-Za-z0-9_.\-/ ]+)`"
    r"|(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%!?:,.<>()\[\]{}])",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<o>[0-3][0-7]{2})|(?P<c>[abfnrtv\\?\"'`])|(?P<bad>.?))",
    re.DOTALL,
)
_CONTROL: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Token(msgspec.Struct, frozen=True):
    """One token: its kind, its text, the value of a literal, and where it starts and ends."""

    kind: str
    text: str
    value: object
    offset: int
    end: int


def tokenize(source: str, start: int = 0, *, embedded: bool = False) -> list[Token]:
    """Split ``source`` into tokens, the last of which has kind ``end``.

    Args:
        source: The text.
        start: Where to begin.
        embedded: Stop at the ``}}`` that closes a template part instead of at the end of the text.

    Raises:
        ExpressionError: There is something that is no token, or no closing ``}}``.
    """
    tokens: list[Token] = []
    position = start
    braces = 0
    while position < len(source):
        if embedded and braces == 0 and source.startswith("}}", position):
            tokens.append(Token("end", "", None, position, position + 2))
            return tokens
        if position - start > MAX_SOURCE:
            break
        found = _TOKEN.match(source, position)
        if found is None or not found.end() > position:
            raise _no_token(source, position)
        if (kind := found.lastgroup) != "space":
            token = _token(source, found)
            if kind == "op":
                braces += (token.text == "{") - (token.text == "}")
            tokens.append(token)
        position = found.end()
    if position - start > MAX_SOURCE:
        raise ExpressionError(
            f"an expression may have at most {MAX_SOURCE} characters",
            source=source,
            offset=start,
            code="LIMIT_EXCEEDED",
        )
    if embedded:
        raise ExpressionError("'${{' without '}}'", source=source, offset=start)
    tokens.append(Token("end", "", None, position, position))
    return tokens


def _no_token(source: str, at: int) -> ExpressionError:
    rest = source[at : at + 5].lstrip("rRbB")
    message = (
        "the text is not closed"
        if rest[:1] in ("'", '"', "`")
        else f"unexpected character {source[at]!r}"
    )
    return ExpressionError(message, source=source, offset=at)


def _token(source: str, found: re.Match[str]) -> Token:
    groups = found.groupdict()
    text = found.group()
    kind = "op"
    value: object = None
    if groups["raw"] is not None:
        prefix = text[:2].lower()
        body = next(groups[name] for name in ("r1", "r2", "r3", "r4") if groups[name] is not None)
        kind, value = "literal", body.encode() if "b" in prefix else body
    elif groups["text"] is not None:
        body = next(groups[name] for name in ("t1", "t2", "t3", "t4") if groups[name] is not None)
        at = found.start() + text.index(body)
        binary = text[0] in "bB"
        kind, value = "literal", _bytes(source, body, at) if binary else _string(source, body, at)
    elif groups["int"] is not None:
        kind, value = "int", _integer(text)
    elif groups["float"] is not None:
        kind, value = "literal", _double(source, text, found.start())
    elif groups["name"] is not None:
        kind, value = "name", text
    elif groups["quoted"] is not None:
        kind, value = "quoted", groups["quoted"]
    return Token(kind, text, value, found.start(), found.end())


def _integer(text: str) -> int:
    digits = text.rstrip("uU")
    # Python limits how many digits int() takes; nothing that long can be in range either.
    if len(digits) > 400:
        digits = "9" * 20
    return int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)


def _double(source: str, text: str, at: int) -> float:
    value = float(text)
    if value == float("inf"):
        raise ExpressionError("the number is too large for a double", source=source, offset=at)
    return value


def _string(source: str, body: str, at: int) -> str:
    def replace(found: re.Match[str]) -> str:
        if (letter := found["c"]) is not None:
            return _CONTROL.get(letter, letter)
        octal = found["o"]
        digits = found["x"] or found["u"] or found["U"]
        if octal is None and digits is None:
            raise ExpressionError(
                f"unknown escape {found.group()!r}", source=source, offset=at + found.start()
            )
        point = int(octal, 8) if octal is not None else int(digits or "0", 16)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise ExpressionError(
                f"{found.group()!r} is no character", source=source, offset=at + found.start()
            )
        return chr(point)

    return _ESCAPE.sub(replace, body) if "\\" in body else body


def _bytes(source: str, body: str, at: int) -> bytes:
    parts: list[bytes] = []
    position = 0
    for found in _ESCAPE.finditer(body):
        parts.append(body[position : found.start()].encode())
        position = found.end()
        if (letter := found["c"]) is not None:
            parts.append(_CONTROL.get(letter, letter).encode())
        elif found["o"] is not None:
            parts.append(bytes([int(found["o"], 8)]))
        elif found["x"] is not None:
            parts.append(bytes([int(found["x"], 16)]))
        else:
            raise ExpressionError(
                f"unknown escape {found.group()!r} in bytes",
                source=source,
                offset=at + found.start(),
            )
    parts.append(body[position:].encode())
    return b"".join(parts)
