"""From Python types to JSON Schema: what a port carries, for forms, checks and documentation.

Named types are written out where they stand, so a schema never holds a reference; a type that
holds itself is an object of any shape at its second appearance.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import re
import types
import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeGuard, Union, cast, get_args, get_origin

import msgspec

Schema = dict[str, object]

_PLAIN: Mapping[object, Schema] = {
    Any: {},
    object: {},
    None: {"type": "null"},
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    list: {"type": "array"},
    dict: {"type": "object"},
    Mapping: {"type": "object"},
    Sequence: {"type": "array"},
    Iterable: {"type": "array"},
}
#: Types that JSON has no word for; their values are converted on the way in.
_CONVERTED: Mapping[object, Schema] = {
    bytes: {"type": "string", "contentEncoding": "base64"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": ["string", "number"], "format": "duration"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    Path: {"type": "string", "format": "path"},
    PurePath: {"type": "string", "format": "path"},
    tuple: {"type": "array"},
    set: {"type": "array", "uniqueItems": True},
    frozenset: {"type": "array", "uniqueItems": True},
}
_ARRAYS = (list, Sequence, Iterable)
_OBJECTS = (dict, Mapping)
_SETS = (set, frozenset, AbstractSet)
_UNIONS = (Union, types.UnionType)
#: How docstrings are laid out.
_SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:", "Example:")
_NOTE = re.compile(r"^(\*{0,2}\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def schema_of(annotation: object) -> Schema:
    """The JSON Schema of a type's values.

    Args:
        annotation: A resolved annotation: no strings.

    Returns:
        A new dictionary; ``{}`` for anything.

    Raises:
        TypeError: The type has no JSON form.
    """
    return _schema(annotation, ())


def converts(annotation: object) -> bool:
    """Whether JSON values must be converted before a function of this type takes them."""
    return _converts(annotation, ())


def is_class(annotation: object) -> TypeGuard[type[object]]:
    """Whether an annotation is an ordinary class."""
    return isinstance(annotation, type)


def is_model(annotation: object) -> bool:
    """Whether a class validates itself as pydantic's models do."""
    return (
        is_class(annotation)
        and hasattr(annotation, "model_validate")
        and hasattr(annotation, "model_json_schema")
    )


def is_named_tuple(annotation: object) -> bool:
    """Whether a class is a ``NamedTuple``."""
    named = hasattr(annotation, "_fields")
    return named and is_class(annotation) and issubclass(annotation, tuple)


def unwrap(annotation: object) -> tuple[object, tuple[object, ...]]:
    """Split ``Annotated[T, ...]`` in the type and what is said about it."""
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        return inner, tuple(extras)
    return annotation, ()


def arms(annotation: object) -> tuple[object, ...]:
    """The members of a union; the type alone when it is none."""
    return get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)


def _schema(annotation: object, seen: tuple[object, ...]) -> Schema:
    inner, extras = unwrap(annotation)
    if extras:
        return _schema(inner, seen) | _constraints(annotation, extras)
    for table in (_PLAIN, _CONVERTED):
        found = table.get(inner) if _hashable(inner) else None
        if found is not None:
            return dict(found)
    if inner in seen:
        return {"type": "object"}
    if is_class(inner) and get_origin(inner) is None:
        return _class(inner, (*seen, inner))
    return _generic(inner, seen)


def _hashable(annotation: object) -> bool:
    return getattr(type(annotation), "__hash__", None) is not None


def _constraints(annotation: object, extras: tuple[object, ...]) -> Schema:
    found: Schema = {}
    for extra in extras:
        if isinstance(extra, str):
            found["description"] = extra
        elif isinstance(extra, msgspec.Meta):
            whole = msgspec.json.schema(Annotated[unwrap(annotation)[0], extra])
            found |= {key: value for key, value in whole.items() if not key.startswith("$")}
    return found


def _generic(annotation: object, seen: tuple[object, ...]) -> Schema:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in _UNIONS:
        return _union(args, seen)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in _ARRAYS or origin in _SETS:
        whole: Schema = {"type": "array"}
        items = _schema(args[0], seen)
        if items:
            whole["items"] = items
        return whole if origin in _ARRAYS else whole | {"uniqueItems": True}
    if origin in _OBJECTS:
        values = _schema(args[1], seen)
        shape: Schema = {"type": "object"}
        return shape | {"additionalProperties": values} if values else shape
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return {"type": "array", "items": _schema(args[0], seen)}
        parts = [_schema(arg, seen) for arg in args]
        return {"type": "array", "prefixItems": parts, "minItems": len(args), "maxItems": len(args)}
    if origin in (typing.Required, typing.NotRequired, typing.Final, typing.ClassVar):
        return _schema(args[0], seen)
    if isinstance(annotation, typing.TypeVar | typing.ParamSpec):
        return {}
    if isinstance(annotation, typing.NewType):
        return _schema(annotation.__supertype__, seen)
    raise TypeError(f"type {show_type(annotation)} has no JSON form")


def _union(args: tuple[object, ...], seen: tuple[object, ...]) -> Schema:
    parts: list[Schema] = []
    for arg in args:
        part = _schema(arg, seen)
        if not part:
            return {}
        if part not in parts:
            parts.append(part)
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _class(cls: type[object], seen: tuple[object, ...]) -> Schema:
    if is_model(cls):
        return _model(cls)
    if issubclass(cls, enum.Enum):
        return {"title": cls.__name__, "enum": [member.value for member in cls]}
    if typing.is_typeddict(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        return _object(cls, hints, _required(cls, hints), seen)
    if issubclass(cls, msgspec.Struct):
        fields = msgspec.structs.fields(cls)
        needed = [field.encode_name for field in fields if field.required]
        return _object(cls, {field.encode_name: field.type for field in fields}, needed, seen)
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        items = [item for item in dataclasses.fields(cls) if item.init]
        missing = dataclasses.MISSING
        needed = [i.name for i in items if i.default is missing and i.default_factory is missing]
        return _object(cls, {item.name: hints[item.name] for item in items}, needed, seen)
    if is_named_tuple(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        names = cast("tuple[str, ...]", getattr(cls, "_fields", ()))
        defaults = cast("dict[str, object]", getattr(cls, "_field_defaults", {}))
        needed = [name for name in names if name not in defaults]
        return _object(cls, {name: hints.get(name, object) for name in names}, needed, seen)
    if issubclass(cls, PurePath):
        return dict(_CONVERTED[Path])
    raise TypeError(f"type {show_type(cls)} has no JSON form")


def _object(
    cls: type[object],
    hints: Mapping[str, object],
    required: Sequence[str],
    seen: tuple[object, ...],
) -> Schema:
    doc = class_doc(cls)
    notes = attribute_notes(doc)
    properties = {name: _noted(_schema(hint, seen), notes, name) for name, hint in hints.items()}
    whole: Schema = {"title": cls.__name__, "type": "object", "properties": properties}
    if doc:
        whole["description"] = first_paragraph(doc)
    if required:
        whole["required"] = list(required)
    return whole


def _noted(schema: Schema, notes: Mapping[str, str], name: str) -> Schema:
    """A field with what the class says of it, unless its annotation says something itself."""
    said = notes.get(name)
    return schema if not said else {"description": said} | schema


def _required(cls: type[object], hints: Mapping[str, object]) -> list[str]:
    """Keys of a TypedDict that must be there."""
    total: frozenset[str] = getattr(cls, "__required_keys__", frozenset[str]())
    # Where annotations are text, Python itself has not seen the marks of single keys.
    marks = {name: get_origin(hint) for name, hint in hints.items()}
    return [
        name
        for name, mark in marks.items()
        if mark is typing.Required or (name in total and mark is not typing.NotRequired)
    ]


def _model(cls: type[object]) -> Schema:
    """A pydantic model's own schema, with its references written out."""
    make = cast("typing.Callable[[], Schema]", getattr(cls, "model_json_schema"))  # noqa: B009
    whole = make()
    named = cast("dict[str, object]", whole.pop("$defs", {}))
    return cast("Schema", _inlined(whole, named, ()))


def _inlined(part: object, named: Mapping[str, object], seen: tuple[str, ...]) -> object:
    if isinstance(part, list):
        return [_inlined(item, named, seen) for item in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    whole = cast("Schema", part)
    reference = whole.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in seen or name not in named:
            return {"type": "object"}
        return _inlined(named[name], named, (*seen, name))
    return {key: _inlined(value, named, seen) for key, value in whole.items()}


def _converts(annotation: object, seen: tuple[object, ...]) -> bool:
    inner, extras = unwrap(annotation)
    if any(isinstance(extra, msgspec.Meta) for extra in extras):
        return True
    if _hashable(inner) and inner in _PLAIN:
        return False
    if _hashable(inner) and inner in _CONVERTED:
        return True
    if inner in seen:
        return False
    origin, args = get_origin(inner), get_args(inner)
    if origin is Literal or isinstance(inner, typing.TypeVar):
        return False
    if origin in _SETS or origin is tuple:
        return True
    if origin in _OBJECTS and args[0] not in (str, object, Any):
        return True
    if origin is not None:
        return any(_converts(arg, seen) for arg in args)
    if typing.is_typeddict(inner):
        hints = typing.get_type_hints(inner, include_extras=True).values()
        return any(_converts(hint, (*seen, inner)) for hint in hints)
    if isinstance(inner, typing.NewType):
        return _converts(inner.__supertype__, seen)
    return True


def show_type(annotation: object) -> str:
    """A type as its author wrote it."""
    return annotation.__qualname__ if is_class(annotation) else str(annotation)


def argument_notes(doc: str) -> dict[str, str]:
    """What the ``Args`` section of a docstring says of each parameter."""
    return _notes(doc, ("Args:", "Arguments:"))


def attribute_notes(doc: str) -> dict[str, str]:
    """What the ``Attributes`` section of a docstring says of each field."""
    return _notes(doc, ("Attributes:",))


def first_paragraph(doc: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(doc.split("\n\n", 1)[0].split())


def text_of(doc: str) -> str:
    """A docstring up to its first section."""
    kept: list[str] = []
    for part in doc.split("\n\n"):
        if part.startswith(_SECTIONS):
            break
        kept.append(part)
    return "\n\n".join(kept)


def class_doc(cls: type[object]) -> str:
    """What a class says of itself; nothing where Python has made it up, as of data classes."""
    own = cls.__dict__.get("__doc__")
    text = inspect.cleandoc(own) if isinstance(own, str) else ""
    return "" if text.startswith(f"{cls.__name__}(") else text


def _notes(doc: str, titles: tuple[str, ...]) -> dict[str, str]:
    notes: dict[str, str] = {}
    current: str | None = None
    inside = False
    for line in doc.splitlines():
        if not line.startswith(" ") and line.strip():
            inside = line.strip() in titles
            current = None
            continue
        text = line.strip()
        if not inside or not text:
            continue
        match = _NOTE.match(text)
        if match is not None and len(line) - len(line.lstrip()) <= 4:
            current = str(match[1]).lstrip("*")
            notes[current] = str(match[2])
        elif current is not None:
            notes[current] = f"{notes[current]} {text}".strip()
    return notes
