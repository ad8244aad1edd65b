"""Typed values, properties and templates of Node-RED."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import text, whole
from atomiton.interop.expressions import cel
from atomiton.interop.expressions.cel import Cel, braced, field, item, quoted
from atomiton.interop.expressions.parser import JAVASCRIPT, JSONATA, parse
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Field, Index, Literal, Node, Root, Untranslatable
from atomiton.interop.report import Entry

_HOLE = re.compile(r"\{\{\{?\s*([^{}]*?)\s*\}?\}\}")
_PROPERTY = re.compile(
    r"[A-Za-z_$][\w$]*(?:(?:\.[A-Za-z_$][\w$]*)|\[\d+\]|\[\"[^\"]*\"\]|\['[^']*'\])*"
)


def names_of(property_: object) -> list[str]:
    """The names of a property such as ``payload.order``; a list is not gone into."""
    said = text(property_)
    if not re.fullmatch(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*", said):
        raise Untranslatable(f"the property {said[:60]!r} is not known here")
    return said.split(".")


def property_of(said: object, base: str = "item") -> Cel:
    """A property of a message, null where it is missing."""
    if not isinstance(said, str) or not _PROPERTY.fullmatch(said):
        raise Untranslatable(f"the property {str(said)[:60]!r} is not known here")
    return _walk(parse(said, JAVASCRIPT), Cel(base))


def _walk(node: Node, base: Cel) -> Cel:
    match node:
        case Root(name):
            return field(base, name, missing_is_null=True)
        case Field(inner, name):
            return field(_walk(inner, base), name, missing_is_null=True)
        case Index(inner, Literal(int(number))):
            return item(_walk(inner, base), cel.literal(number), missing_is_null=True)
        case _:
            raise Untranslatable("the property is computed")


def jsonata(source: object) -> Translator:
    """A translator of JSONata over the message."""
    del source

    def resolve(node: Node) -> Cel | None:
        match node:
            case Root("$"):
                return Cel("item")
            case Root(name) if not name.startswith("$"):
                return field(Cel("item"), name, missing_is_null=True)
            case Root(name):
                raise Untranslatable(f"'{name}' is not known here")
            case _:
                return None

    return Translator(JSONATA, resolve, missing_is_null=True)


def typed(value: object, type_: object, entry: Entry, base: str = "item") -> Cel:
    """A value with its type, as the editor of Node-RED has them."""
    kind, said = text(type_, "str"), text(value, str(value) if value is not None else "")
    if kind in ("str", "string"):
        return cel.literal(said)
    if kind == "num":
        number = whole(said)
        try:
            return cel.literal(float(said or "0") if number is None else number)
        except ValueError:
            raise Untranslatable(f"{said[:30]!r} is no number") from None
    if kind == "bool":
        return cel.literal(said == "true")
    if kind == "json":
        try:
            return cel.literal(json.loads(said))
        except (ValueError, RecursionError) as error:
            raise Untranslatable("its JSON cannot be read") from error
    if kind == "msg":
        return property_of(said, base)
    if kind == "date" and said in ("", "iso"):
        entry.differs("the time is that of the start of the run, to the second")
        since = 'timestamp(run.started_at) - timestamp("1970-01-01T00:00:00Z")'
        return Cel(f"({since}).getSeconds() * 1000", "number", atom=False)
    if kind == "jsonata":
        return jsonata(said).expression(said)
    raise Untranslatable(f"values of the type '{kind[:20]}' are not known here")


def filled(template: str, base: str = "item") -> object:
    """An address or another short text with ``{{property}}`` in it."""
    if "{{#" in template or "{{^" in template or "{{>" in template:
        raise Untranslatable("sections of a template are not known here")
    made: list[str] = []
    at = 0
    for hole in _HOLE.finditer(template):
        made.append(cel.plain_text(template[at : hole.start()]))
        found = property_of(hole[1], base)
        made.append(braced(f'{found.text}.orValue("")'))
        at = hole.end()
    made.append(cel.plain_text(template[at:]))
    return "".join(made)


def mustache(template: str, entry: Entry) -> tuple[str, bool]:
    """A template of Mustache as one of ``text.template`` over ``msg``, and whether it escapes.

    Raises:
        Untranslatable: It has sections, or escapes in some places only.
    """
    if re.search(r"\{\{\s*[#^>!=/]", template):
        raise Untranslatable("sections of a template are not known here")
    escapes: set[bool] = set()

    def hole(found: re.Match[str]) -> str:
        raw = found[0].startswith("{{{") or found[1].startswith("&")
        escapes.add(not raw)
        name = found[1].lstrip("& ")
        if name.startswith(("flow.", "global.", "env.")):
            raise Untranslatable(f"'{name[:40]}' is kept between runs, which is not known here")
        return f'{{{{ {property_of(name, "msg").text}.orValue("") }}}}'

    made = _HOLE.sub(hole, template)
    if len(escapes) > 1:
        raise Untranslatable("it escapes in some places only")
    if True in escapes:
        entry.differs("of what has a meaning in HTML, '/', '`' and '=' are not escaped")
    return made, True in escapes


Test = Callable[[Cel, Cel, Cel], str]


_NUMERAL: Final = re.compile(r"\s*-?[0-9]+(?:\.[0-9]+)?\s*")


def _compared(sign: str) -> Test:
    """As JavaScript compares: two texts as texts, and anything else as numbers."""

    def make(left: Cel, right: Cel, _: Cel) -> str:
        if right.kind not in ("text", "number"):
            return f"{left.whole} != null && {left.closed} {sign} {right.closed}"
        said = json.loads(right.text)
        written = said if isinstance(said, str) else repr(said)
        number = (written.strip() or "0") if _NUMERAL.fullmatch(written or "0") else ""
        texts = f"{left.closed} {sign} {right.text}"
        if right.kind == "number":
            numeral = quoted(f"^{_NUMERAL.pattern}$")
            texts = (
                f"{left.closed}.matches({numeral}) && double({left.closed}.trim()) {sign} {number}"
            )
        numbers = f"{left.closed} {sign} {number}" if number else "false"
        kind = f"type({left.whole})"
        return f'({kind} == "string" ? {texts} : {kind} in ["int", "double"] && {numbers})'

    return make


def _differs(left: Cel, right: Cel, other: Cel) -> str:
    return f"!{_equals(left, right, other)}"


def _equals(left: Cel, right: Cel, other: Cel) -> str:
    if right.kind in ("text", "number"):
        return _compared("==")(left, right, other)
    return f"({left.closed} == {right.closed})"


_EMPTY: Final = '(type({0}) in ["list", "map", "string"] && {0}.size() == 0)'

TESTS: Final[dict[str, Test]] = {
    "eq": _equals,
    "neq": _differs,
    "lt": _compared("<"),
    "lte": _compared("<="),
    "gt": _compared(">"),
    "gte": _compared(">="),
    "btwn": lambda p, v, w: (
        f"({_compared('>=')(p, v, w)} && {_compared('<=')(p, w, v)} || "
        f"{_compared('<=')(p, v, w)} && {_compared('>=')(p, w, v)})"
    ),
    "cont": lambda p, v, _: f'type({p.whole}) == "string" && {p.closed}.contains({v.whole})',
    "hask": lambda p, v, _: f'type({p.whole}) == "map" && {v.closed} in {p.closed}',
    "true": lambda p, _v, _w: f"{p.closed} == true",
    "false": lambda p, _v, _w: f"{p.closed} == false",
    "null": lambda p, _v, _w: f"{p.closed} == null",
    "nnull": lambda p, _v, _w: f"{p.closed} != null",
    "empty": lambda p, _v, _w: _EMPTY.format(p.closed),
    "nempty": lambda p, _v, _w: (
        f'(type({p.closed}) in ["list", "map", "string"] && {p.closed}.size() > 0)'
    ),
}
"""Conditions of a switch, given the property and one or two values."""

TYPES: Final = {
    "string": '"string"',
    "number": '"int", "double"',
    "boolean": '"bool"',
    "array": '"list"',
    "object": '"map"',
    "null": '"null_type"',
    "undefined": '"null_type"',
}
"""Types that a switch asks for."""
