"""Translates trees of expressions to the language of blueprints, where that is exact.

Exact means: it gives the same value, or fails where the other language would have converted a type
or made up a value. It never gives another value without a word; what could is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from atomiton.interop.expressions import cel
from atomiton.interop.expressions.cel import Cel, Kind
from atomiton.interop.expressions.parser import JAVASCRIPT, JQ, JSONATA, Dialect, parse
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

Resolve = Callable[[Node], Cel | None]
"""What the references of a language stand for: their value, or None if a node is no reference."""

_EMPTY: Final[dict[Kind, str]] = {"list": "[]", "text": '""', "number": "0"}
_SCALARS: Final = ("text", "number", "bool")
_COMPARED: Final = {"==", "!=", "<", "<=", ">", ">="}


class Translator:
    """Translates the expressions of one place.

    Args:
        dialect: The language.
        resolve: What its references stand for.
        missing_is_null: Whether a field that is missing gives null there; else it is an error.
    """

    def __init__(self, dialect: Dialect, resolve: Resolve, *, missing_is_null: bool = True) -> None:
        self.dialect = dialect
        self.differences: list[str] = []
        self._resolve = resolve
        self._missing_is_null = missing_is_null

    def expression(self, source: str) -> Cel:
        """Translate an expression.

        Raises:
            Untranslatable: Nothing here is the same.
        """
        return self.node(parse(source, self.dialect))

    def condition(self, source: str) -> str:
        """Translate an expression to one that is true or false, as the language takes it."""
        return self.truth(parse(source, self.dialect)).whole

    def node(self, node: Node) -> Cel:
        """Translate any part of an expression."""
        found = self._resolve(node)
        if found is not None:
            return found
        match node:
            case Literal(value):
                return cel.literal(value)
            case Field(base, name):
                return cel.field(self.node(base), name, missing_is_null=self._missing_is_null)
            case Index(base, key):
                return self._index(base, key)
            case Unary(operator, value):
                return self._unary(operator, value)
            case Binary():
                return self._binary(node)
            case Choice():
                return self._choice(node)
            case Call():
                return self._call(node)
            case Root(name):
                raise Untranslatable(f"'{name}' is not known here")
            case _:
                return self._made(node)

    def _choice(self, node: Choice) -> Cel:
        test = self.truth(node.condition)
        then, otherwise = self.node(node.then), self.node(node.otherwise)
        kind = then.kind if then.kind == otherwise.kind else "any"
        return Cel(f"{test.closed} ? {then.closed} : {otherwise.closed}", kind, atom=False)

    def _made(self, node: ListOf | MapOf | Parts) -> Cel:
        """What is written out: a list, an object, or a text with values in it."""
        match node:
            case ListOf(items):
                return Cel(f"[{', '.join(self.node(item).whole for item in items)}]", "list")
            case MapOf(pairs):
                written = (f"{cel.quoted(key)}: {self.node(part).whole}" for key, part in pairs)
                return Cel(f"{{{', '.join(written)}}}", "map")
            case Parts(parts):
                return self._joined([self.node(part) for part in parts])

    def truth(self, node: Node) -> Cel:
        """What a condition takes a value for."""
        value = self.node(node)
        if value.kind == "bool":
            return value
        if self.dialect is JQ:
            text = value.closed
            return Cel(f"{text} != null && {text} != false", "bool", atom=False)
        if self.dialect is JAVASCRIPT:
            return _javascript_truth(value)
        raise Untranslatable("a condition is not a comparison: what it takes for true differs")

    def _index(self, base: Node, key: Node) -> Cel:
        position = self.node(key)
        if isinstance(key, Unary):
            raise Untranslatable("positions from the end of a list are not known here")
        if position.kind not in ("number", "any"):
            raise Untranslatable("an item is named by something that is no number")
        return cel.item(self.node(base), position, missing_is_null=self._missing_is_null)

    def _unary(self, operator: str, value: Node) -> Cel:
        if operator == "!":
            return Cel(f"!{self.truth(value).closed}", "bool")
        return Cel(f"-{self.node(value).closed}", "number", atom=False)

    def _binary(self, node: Binary) -> Cel:
        if node.operator == "|":
            return self._piped(node)
        if node.operator in ("&&", "||"):
            return self._logic(node)
        left, right = self.node(node.left), self.node(node.right)
        match node.operator:
            case "~=" | "!~":
                return self._loose(node.operator, left, right)
            case "??":
                return Cel(f"{left.closed} != null ? {left.closed} : {right.closed}", atom=False)
            case "//":
                test = f"({left.closed} != null && {left.closed} != false)"
                return Cel(f"{test} ? {left.closed} : {right.closed}", atom=False)
            case "&":
                return self._joined([left, right])
            case "+":
                return self._sum(left, right)
            case "/":
                return Cel(f"{left.closed} * 1.0 / {right.closed}", "number", atom=False)
            case "%":
                return self._arithmetic(node.operator, left, right)
            case operator if operator in _COMPARED or operator == "in":
                return Cel(f"{left.closed} {operator} {right.closed}", "bool", atom=False)
            case _:
                return self._arithmetic(node.operator, left, right)

    def _logic(self, node: Binary) -> Cel:
        if self.dialect is JAVASCRIPT:
            kept, other = self.node(node.left), self.node(node.right)
            if kept.kind != "bool" or other.kind != "bool":
                test = _javascript_truth(kept).closed
                ways = (kept, other) if node.operator == "||" else (other, kept)
                return Cel(f"{test} ? {ways[0].closed} : {ways[1].closed}", atom=False)
        left, right = self.truth(node.left), self.truth(node.right)
        return Cel(f"{left.closed} {node.operator} {right.closed}", "bool", atom=False)

    def _loose(self, operator: str, left: Cel, right: Cel) -> Cel:
        """JavaScript's ``==``, which converts types: the same where nothing is converted."""
        exact = {left.kind, right.kind} <= {"text"} or "null" in (left.kind, right.kind)
        if not exact and not _is_word(left) and not _is_word(right):
            self.differences.append("'==' converts no types here: \"5\" is not 5")
        sign = "==" if operator == "~=" else "!="
        return Cel(f"{left.closed} {sign} {right.closed}", "bool", atom=False)

    def _arithmetic(self, operator: str, left: Cel, right: Cel) -> Cel:
        for side in (left, right):
            if side.kind not in ("any", "number"):
                raise Untranslatable(f"'{operator}' is used on what is no number")
        return Cel(f"{left.closed} {operator} {right.closed}", "number", atom=False)

    def _sum(self, left: Cel, right: Cel) -> Cel:
        if "map" in (left.kind, right.kind):
            raise Untranslatable("objects are not put together by '+' here")
        if self.dialect is JAVASCRIPT and "text" in (left.kind, right.kind):
            return self._joined([left, right])
        sides: list[str] = []
        for side, other in ((left, right), (right, left)):
            empty = _EMPTY.get(other.kind) if self.dialect is JQ and side.kind == "any" else None
            text = side.closed
            sides.append(f"({text} == null ? {empty} : {text})" if empty else text)
        kind = left.kind if left.kind == right.kind else "any"
        return Cel(" + ".join(sides), kind, atom=False)

    def _joined(self, parts: list[Cel]) -> Cel:
        """Texts joined; numbers and booleans become text the same way everywhere."""
        texts: list[str] = []
        for part in parts:
            if part.kind in ("list", "map", "null"):
                raise Untranslatable("what is no text would become text in another way")
            texts.append(part.closed if part.kind == "text" else f"string({part.whole})")
        return Cel(" + ".join(text for text in texts if text != '""') or '""', "text", atom=False)

    def _piped(self, node: Binary) -> Cel:
        """Jq's ``a | f``: ``f`` sees the value of ``a`` as ``.``."""
        value = self.node(node.left)
        outer = self._resolve

        def resolve(part: Node) -> Cel | None:
            return value if part == Root(".") else outer(part)

        self._resolve = resolve
        try:
            return self.node(node.right)
        finally:
            self._resolve = outer

    def _call(self, call: Call) -> Cel:
        if self.dialect is JAVASCRIPT:
            found = self._global(call)
            if found is not None:
                return found
        functions = {JAVASCRIPT.name: _METHODS, JQ.name: _FILTERS, JSONATA.name: _FUNCTIONS}
        function = functions[self.dialect.name].get((call.name, len(call.arguments)))
        is_method = self.dialect is JAVASCRIPT
        if function is None or (call.base is not None) != is_method:
            raise Untranslatable(f"'{call.name}(...)' has no exact counterpart here")
        if self.dialect is JQ and call.name == "not":
            return Cel(f"!{self.truth(Root('.')).closed}", "bool")
        subject = [call.base] if call.base else [Root(".")] if self.dialect is JQ else []
        values = [self.node(part) for part in (*subject, *call.arguments)]
        return function(*values)

    def _global(self, call: Call) -> Cel | None:
        """Functions of JavaScript that are no methods of a value."""
        match call:
            case Call(Root("JSON"), "stringify", (value,)):
                return Cel(f"{self.node(value).closed}.toJson()", "text")
            case Call(None, "encodeURIComponent", (value,)):
                return Cel(f"string({self.node(value).whole}).urlEncode()", "text")
            case Call(None, "String", (value,)):
                found = self.node(value)
                text = f'type({found.whole}) == "string" ? {found.closed} : {found.closed}.toJson()'
                return found if found.kind == "text" else Cel(text, "text", atom=False)
            case _:
                return None


def _javascript_truth(value: Cel) -> Cel:
    """JavaScript takes null, false, 0 and empty text for false, and all else for true."""
    text = value.closed
    if value.kind in ("list", "map"):
        return Cel("true", "bool")
    empty = {"text": '""', "number": "0", "null": "null", "bool": "false"}.get(value.kind)
    if empty is not None:
        return Cel(f"{text} != {empty}", "bool", atom=False)
    return Cel(f'!({text} in [null, false, 0, ""])', "bool")


def _is_word(value: Cel) -> bool:
    """Whether it is a text that no number is converted to."""
    said = value.text.strip('"').strip()
    return value.kind == "text" and said != "" and said[0].isalpha()


def _method(name: str, kind: Kind = "any") -> Callable[..., Cel]:
    def make(subject: Cel, *arguments: Cel) -> Cel:
        return Cel(f"{subject.closed}.{name}({', '.join(a.whole for a in arguments)})", kind)

    return make


def _includes(subject: Cel, part: Cel) -> Cel:
    if subject.kind == "text":
        return _method("contains", "bool")(subject, part)
    inside, has = f"{part.closed} in {subject.closed}", _method("contains")(subject, part).text
    return Cel(f'type({subject.whole}) == "list" ? {inside} : {has}', "bool", atom=False)


def _size_or_nothing(subject: Cel) -> Cel:
    text = subject.closed
    return Cel(f"{text} == null ? 0 : {text}.size()", "number", atom=False)


def _size(subject: Cel) -> Cel:
    return Cel(f"{subject.closed}.size()", "number")


def _total(subject: Cel) -> Cel:
    return Cel(f"{subject.closed}.sum()", "number")


def _denied(subject: Cel) -> Cel:
    return Cel(f"!{subject.closed}", "bool")


def _together(left: Cel, right: Cel) -> Cel:
    return Cel(f"{left.closed} + {right.closed}", atom=False)


def _is_there(subject: Cel) -> Cel:
    if subject.optional:
        return Cel(f"{subject.text}.hasValue()", "bool")
    raise Untranslatable("whether a value is there can be asked of fields only")


_METHODS: Final[dict[tuple[str, int], Callable[..., Cel]]] = {
    ("startsWith", 1): _method("startsWith", "bool"),
    ("endsWith", 1): _method("endsWith", "bool"),
    ("includes", 1): _includes,
    ("trim", 0): _method("trim", "text"),
    ("split", 1): _method("split", "list"),
    ("join", 1): _method("join", "text"),
    ("concat", 1): _together,
}
_FILTERS: Final[dict[tuple[str, int], Callable[..., Cel]]] = {
    ("length", 0): _size_or_nothing,
    ("not", 0): _denied,
    ("startswith", 1): _method("startsWith", "bool"),
    ("endswith", 1): _method("endsWith", "bool"),
    ("ascii_downcase", 0): _method("lowerAscii", "text"),
    ("ascii_upcase", 0): _method("upperAscii", "text"),
    ("split", 1): _method("split", "list"),
    ("join", 1): _method("join", "text"),
}
_FUNCTIONS: Final[dict[tuple[str, int], Callable[..., Cel]]] = {
    ("$count", 1): _size,
    ("$sum", 1): _total,
    ("$length", 1): _size,
    ("$contains", 2): _method("contains", "bool"),
    ("$append", 2): _together,
    ("$not", 1): _denied,
    ("$exists", 1): _is_there,
    ("$join", 2): _method("join", "text"),
    ("$split", 2): _method("split", "list"),
}
