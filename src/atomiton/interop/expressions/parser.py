"""Reads expressions of JavaScript, jq, JSONata and JSONPath: references, and what is plain.

What is not plain is refused, with the reason: assignments, functions that are made, generators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atomiton.interop.expressions.lexer import Token, tokens
from atomiton.interop.expressions.tree import (
    Binary,
    Call,
    Choice,
    Field,
    Index,
    ListOf,
    Literal,
    MapOf,
    Node,
    Parts,
    Root,
    Unary,
    Untranslatable,
)

_MAX_DEPTH = 50
_ARITHMETIC: Final = {"+": (7, "+"), "-": (7, "-"), "*": (8, "*"), "/": (8, "/"), "%": (8, "%")}
_ORDER: Final = {"<": (6, "<"), "<=": (6, "<="), ">": (6, ">"), ">=": (6, ">=")}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a language writes in its own way.

    Attributes:
        name: The language.
        operators: How tight each binary operator binds, and its name in the tree.
        dot: Whether a reference begins with a dot, as in jq.
        prefix: Whether ``!`` stands before what it denies.
        roots: Names that references begin with are written alone; else only those with ``$``.
    """

    name: str
    operators: dict[str, tuple[int, str]]
    dot: bool = False
    prefix: bool = True
    roots: bool = True


JAVASCRIPT: Final = Dialect(
    "JavaScript",
    {
        "||": (3, "||"),
        "??": (3, "??"),
        "&&": (4, "&&"),
        "==": (5, "~="),
        "===": (5, "=="),
        "!=": (5, "!~"),
        "!==": (5, "!="),
        **_ORDER,
        **_ARITHMETIC,
    },
)
"""JavaScript, as in n8n."""

JQ: Final = Dialect(
    "jq",
    {
        "|": (1, "|"),
        "//": (2, "//"),
        "or": (3, "||"),
        "and": (4, "&&"),
        "==": (5, "=="),
        "!=": (5, "!="),
        **_ORDER,
        **_ARITHMETIC,
    },
    dot=True,
    prefix=False,
    roots=False,
)
"""jq, as in Serverless Workflow."""

JSONATA: Final = Dialect(
    "JSONata",
    {
        "or": (3, "||"),
        "and": (4, "&&"),
        "=": (5, "=="),
        "!=": (5, "!="),
        "in": (5, "in"),
        "&": (7, "&"),
        **_ORDER,
        **_ARITHMETIC,
    },
    prefix=False,
)
"""JSONata, as in Amazon States Language and Node-RED."""

_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}


def parse(source: str, dialect: Dialect) -> Node:
    """Read an expression.

    Raises:
        Untranslatable: It cannot be read, or says more than a plain expression.

    Example:
        >>> parse("$json.total > 5", JAVASCRIPT).operator
        '>'
    """
    parser = _Parser(source, dialect)
    node = parser.expression(0)
    parser.expect("end", "")
    return node


class _Parser:
    def __init__(self, source: str, dialect: Dialect, depth: int = 0) -> None:
        self._tokens = tokens(source)
        self._at = 0
        self._dialect = dialect
        self._depth = depth

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _has(self, text: str) -> bool:
        """Take a sign or a word if it is the next."""
        token = self._next
        if token.kind in ("sign", "name") and token.text == text:
            self._at += 1
            return True
        return False

    def expect(self, kind: str, text: str) -> None:
        """Take a word that must be there."""
        token = self._next
        if token.kind != kind or (text and token.text != text):
            shown = token.text or "its end"
            raise Untranslatable(f"{shown!r} at {token.at + 1} is not understood")
        self._take()

    def expression(self, tightness: int) -> Node:
        """Read an expression whose operators bind tighter than that."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Untranslatable("it is nested too deeply")
        left = self._unary()
        while True:
            token = self._next
            known = self._dialect.operators.get(token.text)
            if token.kind in ("sign", "name") and known and known[0] > tightness:
                self._take()
                left = Binary(known[1], left, self.expression(known[0]))
            elif token.kind == "sign" and token.text == "?" and not tightness:
                self._take()
                then = self.expression(0)
                self.expect("sign", ":")
                left = Choice(left, then, self.expression(0))
            else:
                self._depth -= 1
                return left

    def _unary(self) -> Node:
        if self._dialect.prefix and self._has("!"):
            return Unary("!", self._nested(9))
        if self._has("-"):
            return Unary("-", self._nested(9))
        return self._behind(self._primary())

    def _nested(self, tightness: int) -> Node:
        return self.expression(tightness)

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            whole = token.text.isdigit()
            number = int(token.text) if whole and len(token.text) < 19 else float(token.text)
            if not -1e308 < number < 1e308:
                raise Untranslatable(f"the number {token.text} is too large")
            return Literal(number)
        if token.kind == "text":
            return Literal(token.text)
        if token.kind == "parts":
            return Parts(tuple(self._part(part) for part in token.parts if part))
        if token.kind == "name":
            return self._name(token)
        if token.text == "(":
            inner = self.expression(0)
            self.expect("sign", ")")
            return inner
        if token.text == "[":
            return ListOf(tuple(self._list("]")))
        if token.text == "{":
            return self._map()
        if token.text == "." and self._dialect.dot:
            return self._dotted()
        raise Untranslatable(f"{token.text or 'its end'!r} at {token.at + 1} is not understood")

    def _part(self, part: str | list[str]) -> Node:
        if isinstance(part, str):
            return Literal(part)
        inner = _Parser(part[0], self._dialect, self._depth + 1)
        node = inner.expression(0)
        inner.expect("end", "")
        return node

    def _dotted(self) -> Node:
        """What follows the dot at the beginning of a reference in jq."""
        token = self._next
        if token.kind in ("name", "text") and not token.spaced and token.text[:1] != "$":
            self._take()
            return Field(Root("."), token.text)
        return Root(".")

    def _name(self, token: Token) -> Node:
        if token.text in _WORDS:
            return Literal(_WORDS[token.text])
        if token.text == "if" and self._dialect.dot:
            return self._if()
        if self._has("("):
            return Call(None, token.text, tuple(self._list(")")))
        if self._dialect.roots or token.text.startswith("$"):
            return Root(token.text)
        return Call(None, token.text, ())

    def _if(self) -> Node:
        condition = self.expression(0)
        self.expect("name", "then")
        then = self.expression(0)
        self.expect("name", "else")
        otherwise = self.expression(0)
        self.expect("name", "end")
        return Choice(condition, then, otherwise)

    def _list(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self._has(end):
            found.append(self.expression(0))
            if not self._has(",") and not (self._dialect.dot and self._has(";")):
                self.expect("sign", end)
                break
        return found

    def _map(self) -> Node:
        pairs: list[tuple[str, Node]] = []
        while not self._has("}"):
            key = self._take()
            if key.kind not in ("name", "text", "number"):
                raise Untranslatable("an object has a key that is computed")
            self.expect("sign", ":")
            pairs.append((key.text, self.expression(1)))
            if not self._has(","):
                self.expect("sign", "}")
                break
        if len({key for key, _ in pairs}) < len(pairs):
            raise Untranslatable("an object has a key twice")
        return MapOf(tuple(pairs))

    def _behind(self, node: Node) -> Node:
        """Fields, items and calls behind a value."""
        while True:
            token = self._next
            if token.kind != "sign" or token.text not in (".", "?.", "[", "("):
                return node
            if token.text == "(":
                raise Untranslatable("only functions with a name can be called")
            self._take()
            node = self._item(node) if token.text == "[" else self._field(node)

    def _field(self, node: Node) -> Node:
        token = self._take()
        if token.kind == "sign" and token.text == "[":
            return self._item(node)
        if token.kind not in ("name", "text"):
            raise Untranslatable(f"{token.text or 'its end'!r} behind a dot is not understood")
        if token.kind == "name" and self._has("("):
            return Call(node, token.text, tuple(self._list(")")))
        return Field(node, token.text)

    def _item(self, node: Node) -> Node:
        key = self.expression(0)
        self.expect("sign", "]")
        if isinstance(key, Literal) and isinstance(key.value, str):
            return Field(node, key.value)
        return Index(node, key)
