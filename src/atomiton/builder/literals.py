"""Writing Python values down: as values of a document, and as literals of expressions."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Final, cast

import msgspec

from atomiton.blueprint.durations import format_duration
from atomiton.blueprint.expressions.literal import text_literal
from atomiton.blueprint.model import Json
from atomiton.blueprint.scalars import INT_MAX, INT_MIN
from atomiton.builder.parts import ADD, PRIMARY, UNARY, Part, Root, called, infix
from atomiton.builder.places import wrong
from atomiton.builder.scopes import current, has_mark
from atomiton.builder.standing import Standing, part_of
from atomiton.errors import NodeError
from atomiton.nodes.schema import is_named_tuple
from atomiton.nodes.values import to_value

_OPEN: Final = "${{"
_REPR: Final = re.compile(r"<traced .+?>")


class Verbatim:
    """A value as it stands in a document: its ``${{ }}`` are expressions, and not text."""

    def __init__(self, value: Json) -> None:
        self.value = value


def as_document(value: object) -> Json:
    """Write a value as a document holds it: traced values as ``${{ }}``, wherever they stand.

    Dataclasses, structs, enumerations, paths and what else has a JSON form take it.

    Raises:
        TracingError: The value has no such form, or a traced value cannot be used here.
    """
    if isinstance(value, Standing):
        return template(_used(part_of(value)))
    if isinstance(value, Verbatim):
        return value.value
    if isinstance(value, str) and type(value) is str:
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int or type(value) is float:
        return _number(value)
    fields = _fields(value)
    if fields is not None:
        return {name: as_document(part) for name, part in fields.items()}
    items = _items(value)
    if items is not None:
        return [as_document(part) for part in items]
    return as_document(_plain(value))


def as_part(value: object) -> Part:
    """Write a value as an expression; as ``as_document`` otherwise."""
    if isinstance(value, Standing):
        return part_of(value)
    if isinstance(value, Verbatim):
        raise wrong("verbatim() stands for a value of a document, not for a part of an expression")
    if isinstance(value, str) and type(value) is str:
        return _joined(value)
    if value is None or isinstance(value, bool):
        return Part("null" if value is None else str(value).lower())
    if type(value) is int or type(value) is float:
        number = _number(value)
        schema = {"type": "integer" if isinstance(number, int) else "number"}
        return Part(repr(number), UNARY if number < 0 else PRIMARY, schema=schema)
    if isinstance(value, datetime.datetime):
        return called("timestamp", _quoted(_moment(value)))
    if isinstance(value, datetime.timedelta) and value >= datetime.timedelta():
        return called("duration", _quoted(format_duration(value.total_seconds())))
    fields = _fields(value)
    if fields is not None:
        entries = {_quoted(name).source: as_part(part) for name, part in fields.items()}
        text = ", ".join(f"{name}: {part.source}" for name, part in entries.items())
        roots = _roots(list(entries.values()))
        return Part(f"{{{text}}}", PRIMARY, roots, schema={"type": "object"})
    items = _items(value)
    if items is not None:
        parts = [as_part(part) for part in items]
        return Part(f"[{', '.join(part.source for part in parts)}]", PRIMARY, _roots(parts))
    return as_part(_plain(value))


def as_condition(value: object) -> str:
    """Write a bare expression: of a traced value, a constant, or text that is one already."""
    if type(value) is str and not has_mark(value):
        return value
    return _used(as_part(value)).source


def template(part: Part) -> str:
    """``${{ part }}``."""
    return f"{_OPEN} {part.source} }}}}"


def _used(part: Part) -> Part:
    trace = current()
    if trace is None:
        raise wrong(f"'{part.source}' is used outside of its blueprint", "return it from there")
    return trace.use(part)


def _roots(parts: list[Part]) -> frozenset[Root]:
    return frozenset[Root]().union(*(part.roots for part in parts))


def _pieces(text: str) -> list[str | Part]:
    """Text cut where a traced value was written into it.

    Raises:
        TracingError: One was written into it by ``repr``, which no run could fill in.
    """
    trace = current()
    pieces: list[str | Part] = [text] if trace is None else trace.split(text)
    for piece in pieces:
        if isinstance(piece, str) and (found := _REPR.search(piece)):
            message = f"the text holds {found[0]!r}, which is no value but what stands for one"
            raise wrong(message, 'write f"{value}", without !r and not in a list')
    return pieces


def _text(text: str) -> str:
    """Text with marks of traced values in it, as a template."""
    pieces = _pieces(text)
    if len(pieces) == 1 and isinstance(pieces[0], Part):
        # Alone it would keep its type, and an f-string is text; next to anything, if only to an
        # empty text, it is written as in every other template.
        part = pieces[0]
        if part.text:
            return template(part)
        if part.type in ("integer", "boolean"):
            return template(called("string", part))
        return template(part) + template(_quoted(""))
    written = [
        # A dollar before a template would turn it into plain text.
        template(piece) if isinstance(piece, Part) else piece.replace(_OPEN, f"${_OPEN}")
        for piece in pieces
    ]
    for place, piece in enumerate(written[:-1]):
        if piece.endswith("$") and written[place + 1].startswith(_OPEN):
            written[place] = f"{piece[:-1]}{template(Part(_quoted('$').source))}"
    return "".join(written)


def _joined(text: str) -> Part:
    """Text with marks of traced values in it, as an expression."""
    pieces = _pieces(text)
    if not pieces:
        return _quoted("")
    parts = [_quoted(p) if isinstance(p, str) else called("string", p) for p in pieces]
    whole = parts[0]
    for part in parts[1:]:
        whole = infix(whole, "+", part, ADD)
    return whole


def _quoted(text: str) -> Part:
    return Part(text_literal(text))


def _number(value: float) -> int | float:
    if isinstance(value, float) and value - value != 0:
        raise wrong(f"{value} has no JSON form")
    if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        raise wrong("an integer must fit into 64 bits")
    return value


def _moment(value: datetime.datetime) -> str:
    if value.tzinfo is None:
        raise wrong(f"the moment {value} has no time zone", "give it one, such as datetime.UTC")
    return value.isoformat().replace("+00:00", "Z")


def _fields(value: object) -> Mapping[str, object] | None:
    """The entries of what is an object in JSON, and may hold traced values."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        for key in entries:
            if not isinstance(key, str) or has_mark(key):
                raise wrong(f"a key of an object must be text without values, not {key!r:.60}")
        return cast("Mapping[str, object]", entries)
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        return {field.encode_name: getattr(value, field.name) for field in fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if is_named_tuple(type(value)):
        names = cast("tuple[str, ...]", getattr(value, "_fields", ()))
        return {name: getattr(value, name) for name in names}
    return None


def _items(value: object) -> list[object] | None:
    if isinstance(value, list | tuple):
        return list(cast("list[object]", value))
    return None


def _plain(value: object) -> object:
    """The JSON form of what cannot hold traced values."""
    if isinstance(value, datetime.datetime):
        return _moment(value)
    try:
        plain = to_value(value)
    except NodeError:
        plain = value
    if type(plain) is type(value):
        kind = "bytes" if isinstance(value, bytes) else f"a value of type {type(value).__name__}"
        raise wrong(f"{kind} cannot stand in a blueprint", "use plain data, or an input")
    return plain
