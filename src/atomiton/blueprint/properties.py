"""Reading the declaration of an input: the name of a type, or a property of JSON Schema."""

from __future__ import annotations

from typing import Final, cast

from atomiton.blueprint.model import Json
from atomiton.blueprint.problems import Path
from atomiton.blueprint.reading import (
    ABSENT,
    Handler,
    Reader,
    as_list,
    as_mapping,
    boolean,
    integer,
    number,
    text,
)
from atomiton.blueprint.types import check_value, describe

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "any", "null")
"""Names of types; ``any`` is every value."""

FORMATS: Final = ("date-time", "date", "time", "path", "uri", "email", "uuid")
"""Names of kinds of text, which may stand where the name of a type does."""

_SYNONYMS: Final = {
    "str": "string",
    "text": "string",
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "map": "object",
    "json": "any",
    "file": "path",
    "datetime": "date-time",
    "timestamp": "date-time",
    "url": "uri",
}


def read_property(reader: Reader, value: object, path: Path) -> object:
    """Read a declaration; its reading is a JSON Schema, ``{}`` for anything.

    The short form ``string`` reads as ``{"type": "string"}``, and the name of a kind of text, such
    as ``date-time``, as ``{"type": "string", "format": "date-time"}``.
    """
    if isinstance(value, str):
        return _named(reader, value, path)
    found = as_mapping(value)
    if found is None:
        message = f"'{path[-1]}' must be the name of a type or its schema, got {describe(value)}"
        return reader.wrong(path, message, "write a type such as string, or {type: string}")
    schema: dict[str, Json] = {}
    good = True
    for key, part in found.items():
        place = (*path, key)
        handler = KEYWORDS.get(key)
        if handler is None:
            reader.unknown(place, KEYWORDS, "a declaration of a type")
            good = False
            continue
        read = handler(reader, part, place)
        if read is ABSENT:
            good = False
        elif key == "type":
            # The kind of text is told by the name of the type, unless the format is told too.
            for name, word in cast("dict[str, Json]", read).items():
                schema.setdefault(name, word)
        else:
            schema[key] = cast("Json", read)
    if good and "default" in found:
        _check_default(reader, found["default"], schema, (*path, "default"))
    return schema


def _check_default(reader: Reader, value: object, schema: dict[str, Json], path: Path) -> None:
    for place, message in check_value(value, cast("dict[str, object]", schema), strict=True):
        where = f" at {place.lstrip('.')}" if place else ""
        reader.wrong(path, f"the default does not fit{where}: {message}", code="TYPE_MISMATCH")


def _named(reader: Reader, name: str, path: Path) -> object:
    if name == "any":
        return {}
    if name in TYPES:
        return {"type": name}
    if name in FORMATS:
        return {"type": "string", "format": name}
    better = _SYNONYMS.get(name.lower())
    hint = f"write '{better}'" if better else reader.near(name, TYPES + FORMATS)
    hint = hint or f"one of {', '.join(TYPES + FORMATS)}"
    return reader.wrong(path, f"there is no type '{name[:60]}'", hint)


def _type(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str):
        return _named(reader, value, path)
    names = as_list(value)
    if not names:
        message = f"'type' must be the name of a type, got {describe(value)}"
        return reader.wrong(path, message, "write a type such as string")
    read: list[Json] = []
    for place, name in enumerate(names):
        word = "null" if name is None else name  # YAML reads the word null as nothing
        if isinstance(word, str) and word in TYPES and word != "any":
            read.append(word)
        else:
            reader.wrong((*path, place), f"there is no type {describe(name)} in a list of types")
    return {"type": read} if len(read) == len(names) else ABSENT


def _enum(reader: Reader, value: object, path: Path) -> object:
    if as_list(value):
        return value
    return reader.wrong(path, f"'{path[-1]}' must list at least one value, got {describe(value)}")


def _list(reader: Reader, value: object, path: Path) -> object:
    if as_list(value) is not None:
        return value
    return reader.wrong(path, f"'{path[-1]}' must be a list, got {describe(value)}")


def _any_number(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return reader.wrong(path, f"'{path[-1]}' must be a number, got {describe(value)}")


def _pattern(reader: Reader, value: object, path: Path) -> object:
    if text(reader, value, path) is ABSENT:
        return ABSENT
    # Here, because few blueprints have one.
    from atomiton.blueprint.expressions.pattern import compiled
    from atomiton.blueprint.expressions.pattern_syntax import PatternFault

    try:
        compiled(str(value))
    except PatternFault as fault:
        message = f"'pattern' is no regular expression that can be used: {fault.message}"
        hint = "the syntax is that of matches() in expressions"
        code = fault.code if fault.code == "NOT_SUPPORTED" else "INVALID_BLUEPRINT"
        return reader.wrong(path, message, hint, code=code)
    return value


def _properties(reader: Reader, value: object, path: Path) -> object:
    found = as_mapping(value)
    if found is None:
        return reader.wrong(path, f"'{path[-1]}' must hold keys and values, got {describe(value)}")
    read = {name: read_property(reader, part, (*path, name)) for name, part in found.items()}
    return ABSENT if any(part is ABSENT for part in read.values()) else read


def _any_of(reader: Reader, value: object, path: Path) -> object:
    options = as_list(value)
    if not options:
        return reader.wrong(path, f"'{path[-1]}' must list at least one type")
    read = [read_property(reader, part, (*path, place)) for place, part in enumerate(options)]
    return ABSENT if any(part is ABSENT for part in read) else read


def _required(reader: Reader, value: object, path: Path) -> object:
    names = as_list(value)
    if names is not None and all(isinstance(name, str) for name in names):
        return value
    hint = None
    if isinstance(value, bool):
        hint = "remove it: what has no default is required"
    return reader.wrong(
        path, f"'required' must list names of properties, got {describe(value)}", hint
    )


def _additional(reader: Reader, value: object, path: Path) -> object:
    return value if isinstance(value, bool) else read_property(reader, value, path)


def _anything(_reader: Reader, value: object, _path: Path) -> object:
    return value


_COUNT = integer(0)

KEYWORDS: Final[dict[str, Handler]] = {
    "type": _type,
    "title": text,
    "description": text,
    "default": _anything,
    "examples": _list,
    "deprecated": boolean,
    "format": text,
    "enum": _enum,
    "const": _anything,
    "anyOf": _any_of,
    "minimum": _any_number,
    "maximum": _any_number,
    "exclusiveMinimum": _any_number,
    "exclusiveMaximum": _any_number,
    "multipleOf": number(0, above=True),
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "pattern": _pattern,
    "items": read_property,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": boolean,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
}
"""Keys of a declaration, and what reads them."""
