"""Checks of values and of edge types against the JSON Schema subset that ports use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from operator import ge, gt, le, lt

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


def check_value(value: object, schema: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """Compare a value with a schema.

    Args:
        value: JSON value; bytes fit only a schema without a type.
        schema: Of its keywords ``type``, ``enum``, ``const``, ``anyOf``, ``minimum``, ``maximum``,
            ``exclusiveMinimum``, ``exclusiveMaximum``, ``minLength``, ``maxLength``, ``minItems``,
            ``maxItems``, ``items``, ``properties``, ``required`` and ``additionalProperties``
            are checked.
        path: Where the value stands, for messages.

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
    allowed = schema.get("enum")
    if isinstance(allowed, list | tuple) and value not in allowed:
        yield path, f"expected one of {', '.join(map(repr, allowed))}, got {describe(value)}"
        return
    if "const" in schema and value != schema["const"]:
        yield path, f"expected {schema['const']!r}, got {describe(value)}"
        return
    options = schema.get("anyOf")
    if isinstance(options, list) and options and not _fits_any(value, options):
        yield path, f"expected {describe_schema(schema)}, got {describe(value)}"
        return
    yield from _check_bounds(value, schema, path)
    yield from _check_parts(value, schema, path)


def _fits_any(value: object, options: list[object]) -> bool:
    return any(
        next(check_value(value, option), None) is None
        for option in options
        if isinstance(option, Mapping)
    )


def _check_bounds(value: object, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        for key, fails, words in _BOUNDS:
            bound = schema.get(key)
            if isinstance(bound, int | float) and fails(value, bound):
                yield path, f"expected {words} {bound}, got {value}"
    sized = value if isinstance(value, str | list | dict) else None
    if sized is not None:
        short = "minLength" if isinstance(sized, str) else "minItems"
        long = "maxLength" if isinstance(sized, str) else "maxItems"
        low, high = schema.get(short), schema.get(long)
        if isinstance(low, int) and len(sized) < low:
            yield path, f"expected at least {low} long, got {len(sized)}"
        if isinstance(high, int) and len(sized) > high:
            yield path, f"expected at most {high} long, got {len(sized)}"


def _check_parts(value: object, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping) and items:
        for index, item in enumerate(value):
            yield from check_value(item, items, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    properties = schema.get("properties")
    known: Mapping[str, object] = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list | tuple) else ():
        if name not in value:
            yield path, f"'{name}' is missing"
    rest = schema.get("additionalProperties")
    for name, item in value.items():
        part = known.get(name, rest)
        if isinstance(part, Mapping) and part:
            yield from check_value(item, part, f"{path}.{name}" if path else str(name))
        elif part is False:
            yield path, f"'{name}' is not known here"


def _type_names(schema: Schema) -> tuple[str, ...]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return (declared,) if declared != "any" else ()
    if isinstance(declared, list | tuple):
        return tuple(str(name) for name in declared)
    return ()


def describe(value: object) -> str:
    """Name a value for a message: its kind, and itself when it is short."""
    kind = {
        bool: "boolean", int: "integer", float: "number", str: "text", list: "a list",
        dict: "an object", type(None): "null", bytes: "bytes",
    }.get(type(value), type(value).__name__)  # fmt: skip
    if isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 40):
        return f"{kind} {value!r}" if not isinstance(value, bool) else str(value).lower()
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
    options = schema.get("anyOf")
    if isinstance(options, list) and options:
        parts = [accepted(option) for option in options if isinstance(option, Mapping)]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    allowed = schema.get("enum")
    if isinstance(allowed, list | tuple) and all(isinstance(value, str) for value in allowed):
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
