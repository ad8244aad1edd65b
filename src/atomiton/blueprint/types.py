"""Checks of values and of edge types against the JSON Schema subset that ports use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from operator import ge, gt, le, lt

from atomiton.blueprint.narrow import as_list, as_object

Schema = Mapping[str, object]

_TYPES: dict[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str | datetime),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, dict),
}

_BOUNDS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", lt, "at least"),
    ("maximum", gt, "at most"),
    ("exclusiveMinimum", le, "more than"),
    ("exclusiveMaximum", ge, "less than"),
)


def check_value(
    value: object, schema: Schema, path: str = "", *, strict: bool = False
) -> Iterator[tuple[str, str]]:
    """Compare a value with a schema.

    Args:
        value: JSON value; bytes fit only a schema without a type.
        schema: Of its keywords ``type``, ``enum``, ``const``, ``anyOf``, ``minimum``, ``maximum``,
            ``exclusiveMinimum``, ``exclusiveMaximum``, ``minLength``, ``maxLength``, ``minItems``,
            ``maxItems``, ``items``, ``properties``, ``required`` and ``additionalProperties``
            are checked.
        path: Where the value stands, for messages.
        strict: Whether ``format``, ``pattern``, ``multipleOf`` and ``uniqueItems`` are checked
            too, as they are on inputs; of a port they say what its conversion takes.

    Yields:
        Path and message of every mismatch.

    Example:
        >>> list(check_value("x", {"type": "integer"}, "inputs.count"))
        [('inputs.count', "expected integer, got text 'x'")]
    """
    names = _type_names(schema)
    if names and not any(_TYPES[name](value) for name in names if name in _TYPES):
        yield path, f"expected {' or '.join(names)}, got {describe(value)}"
        return
    allowed = as_list(schema.get("enum"))
    if allowed is not None and value not in allowed:
        yield path, f"expected one of {', '.join(map(repr, allowed))}, got {describe(value)}"
        return
    if "const" in schema and value != schema["const"]:
        yield path, f"expected {schema['const']!r}, got {describe(value)}"
        return
    options = as_list(schema.get("anyOf"))
    if options and not _fits_any(value, options, strict=strict):
        yield path, f"expected {describe_schema(schema)}, got {describe(value)}"
        return
    yield from _check_bounds(value, schema, path)
    yield from _check_size(value, schema, path)
    if strict:
        # Imported here, because most blueprints declare nothing of the kind.
        from atomiton.blueprint.constraints import check_constraints

        yield from ((path, message) for message in check_constraints(value, schema))
    yield from _check_parts(value, schema, path, strict=strict)


def _fits_any(value: object, options: list[object], *, strict: bool) -> bool:
    schemas = (as_object(option) for option in options)
    return any(
        next(check_value(value, schema, strict=strict), None) is None
        for schema in schemas
        if schema is not None
    )


def _check_bounds(value: object, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        for key, fails, words in _BOUNDS:
            bound = schema.get(key)
            if isinstance(bound, int | float) and fails(value, bound):
                yield path, f"expected {words} {bound}, got {value}"


def _check_size(value: object, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        size, short, long = len(value), schema.get("minLength"), schema.get("maxLength")
    else:
        items = as_list(value)
        if items is None:
            return
        size, short, long = len(items), schema.get("minItems"), schema.get("maxItems")
    if isinstance(short, int) and size < short:
        yield path, f"expected at least {short} long, got {size}"
    if isinstance(long, int) and size > long:
        yield path, f"expected at most {long} long, got {size}"


def _check_parts(
    value: object, schema: Schema, path: str, *, strict: bool
) -> Iterator[tuple[str, str]]:
    values, items = as_list(value), as_object(schema.get("items"))
    if values is not None and items:
        for index, item in enumerate(values):
            yield from check_value(item, items, f"{path}[{index}]", strict=strict)
    entries = as_object(value)
    if entries is None:
        return
    known = as_object(schema.get("properties")) or {}
    for name in as_list(schema.get("required")) or ():
        if name not in entries:
            yield path, f"'{name}' is missing"
    rest = schema.get("additionalProperties")
    for name, item in entries.items():
        part = known.get(name, rest)
        if part is False:
            yield path, f"'{name}' is not known here"
            continue
        schema_of_part = as_object(part)
        if schema_of_part:
            place = f"{path}.{name}" if path else name
            yield from check_value(item, schema_of_part, place, strict=strict)


def _type_names(schema: Schema) -> tuple[str, ...]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return (declared,) if declared != "any" else ()
    return tuple(str(name) for name in as_list(declared) or ())


_KINDS: Mapping[type, str] = {
    int: "integer",
    float: "number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
    bytes: "bytes",
}


def describe(value: object) -> str:
    """Name a value for a message: its kind, and itself when it is short."""
    if isinstance(value, bool):
        return str(value).lower()
    kind = _KINDS.get(type(value), type(value).__name__)
    if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 40):
        return f"{kind} {value!r}"
    return kind


def describe_schema(schema: Schema) -> str:
    """Name what a schema takes, for a message."""
    names = sorted(accepted(schema) or ())
    return " or ".join(names) if names else "anything"


def accepted(schema: Schema) -> frozenset[str] | None:
    """Names of the JSON types a schema takes; None for all of them."""
    names = _type_names(schema)
    if names:
        return frozenset(names)
    options = as_list(schema.get("anyOf"))
    if options:
        found: set[str] = set()
        for option in options:
            part = accepted(as_object(option) or {})
            if part is None:
                return None
            found |= part
        return frozenset(found)
    allowed = as_list(schema.get("enum"))
    if allowed and all(isinstance(value, str) for value in allowed):
        return frozenset({"string"})
    return None


def fits(source: Schema, target: Schema) -> bool:
    """Whether a port of one type may be put into a port of another.

    Unknown types fit everything; an integer fits a number. It is enough that some of what the
    source may give is taken: the rest is found when it happens.
    """
    gives, takes = accepted(source), accepted(target)
    if gives is None or takes is None:
        return True
    if "number" in takes:
        takes |= {"integer"}
    if "integer" in takes:
        takes |= {"number"}
    return bool(gives & takes)
