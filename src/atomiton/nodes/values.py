"""The border between JSON values and Python's: what a node is given, what it gives back."""

from __future__ import annotations

import datetime
import enum
import functools
import math
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Protocol, cast

import msgspec

from atomiton.blueprint.durations import parse_duration
from atomiton.errors import NodeError
from atomiton.nodes.schema import (
    Schema,
    arms,
    is_class,
    is_model,
    is_named_tuple,
    unwrap,
)

Convert = Callable[[object], object]
_SCALARS = frozenset({type(None), bool, float, str})
_KEPT = frozenset({bytes, datetime.datetime})
#: The first bytes of a NaN or an infinity in MessagePack; other bytes may look the same.
_PERHAPS_NOT_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "an object",
    datetime.datetime: "a date-time",
}
_EXPECTED: Mapping[object, str] = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}
_TYPES: Mapping[object, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}


class _Port(Protocol):
    """The part of a ``Parameter`` that conversion needs."""

    @property
    def name(self) -> str: ...
    @property
    def schema(self) -> dict[str, object]: ...
    @property
    def default(self) -> object: ...
    @property
    def required(self) -> bool: ...
    @property
    def expression(self) -> bool: ...
    @property
    def annotation(self) -> object: ...


def describe(value: object) -> str:
    """The kind of a value, in words."""
    return _NAMES.get(type(value)) or f"a {type(value).__name__}"


# --- in: JSON to Python -------------------------------------------------------------------


def converter(parameter: _Port) -> Convert | None:
    """How to turn a JSON value into what the function declares.

    Args:
        parameter: An input port that is no expression.

    Returns:
        A function that converts, or raises ``NodeError`` (TYPE_MISMATCH or INVALID_INPUT) naming
        the parameter; None when anything may be passed as it is.
    """
    if parameter.expression:
        return None
    optional = not parameter.required and parameter.default is None
    if parameter.annotation is None:
        if not parameter.schema:
            return None
        return functools.partial(_checked, parameter.name, parameter.schema, _exact(parameter))
    inner = _conversion(parameter.annotation)
    return functools.partial(_converted, parameter.name, inner, optional)


def _exact(parameter: _Port) -> type | None:
    """The one Python type that needs no further look."""
    found = _TYPES.get(parameter.schema.get("type")) if len(parameter.schema) == 1 else None
    return found[-1] if found else None


def _checked(name: str, schema: Schema, exact: type | None, value: object) -> object:
    if type(value) is exact:
        return value
    if exact is float and type(value) is int:
        return float(value)
    if exact is int and type(value) is float and value.is_integer():
        return int(value)
    problem = mismatch(schema, value)
    if problem is not None:
        raise NodeError(
            f"parameter {name!r}{problem}", code="TYPE_MISMATCH", details={"parameter": name}
        )
    return value


def _converted(name: str, convert: Convert, optional: bool, value: object) -> object:  # noqa: FBT001
    if value is None and optional:
        return None
    try:
        return convert(value)
    except (ValueError, TypeError) as error:
        # msgspec's and pydantic's errors are ValueErrors; so are those of Path and datetime.
        raise NodeError(
            f"parameter {name!r}: {error}", code="INVALID_INPUT", details={"parameter": name}
        ) from error


def mismatch(schema: Schema, value: object) -> str | None:
    """Say how a value does not fit a schema without references; None when it fits."""
    options = schema.get("anyOf")
    if isinstance(options, list):
        problems = [mismatch(cast("Schema", part), value) for part in cast("list[object]", options)]
        return None if None in problems else min((p for p in problems if p), key=_depth)
    if "enum" in schema:
        allowed = cast("list[object]", schema["enum"])
        if any(value == item and type(value) is type(item) for item in allowed):
            return None
        return f" must be one of {', '.join(map(repr, allowed))}, not {value!r}"
    kind = schema.get("type")
    if kind is None:
        return None
    if type(value) not in _TYPES[kind] and not isinstance(value, _TYPES[kind]):
        return f" must be {_EXPECTED[kind]}, not {describe(value)}"
    if isinstance(value, bool) and kind != "boolean":
        return f" must be {_EXPECTED[kind]}, not a boolean"
    return _inner(schema, value)


def _depth(problem: str) -> int:
    return 0 if problem.startswith(("[", ".")) else 1


def _inner(schema: Schema, value: object) -> str | None:
    items = schema.get("items")
    if items and isinstance(value, list):
        among, rest = cast("Schema", items), cast("list[object]", value)
        # Many numbers, or texts, are looked at all at once.
        if len(among) == 1 and set(map(type, rest)).issubset(_TYPES.get(among.get("type"), ())):
            return None
        for index, item in enumerate(rest):
            problem = mismatch(among, item)
            if problem is not None:
                return f"[{index}]{problem}"
    if isinstance(value, dict):
        properties = cast("dict[str, Schema]", schema.get("properties", {}))
        for name in cast("list[str]", schema.get("required", [])):
            if name not in value:
                return f" lacks {name!r}"
        others = cast("Schema", schema.get("additionalProperties") or {})
        if properties or others:
            for name, item in cast("dict[str, object]", value).items():
                problem = mismatch(properties.get(name, others), item)
                if problem is not None:
                    return f".{name}{problem}"
    return None


def _conversion(annotation: object) -> Convert:
    """A function from JSON to one Python type; raises ``ValueError`` or ``TypeError``."""
    inner, extras = unwrap(annotation)
    members = arms(inner)
    if len(members) > 1:
        return functools.partial(_first, [_member(member) for member in members])
    if any(isinstance(extra, msgspec.Meta) for extra in extras):
        return functools.partial(_by_msgspec, annotation)
    return _member(inner)


def _member(annotation: object) -> Convert:
    if annotation is None or annotation is type(None):
        return _null
    if is_class(annotation):
        if issubclass(annotation, PurePath):
            return functools.partial(_path, annotation)
        if annotation is datetime.timedelta:
            return _timedelta
        if is_model(annotation):
            return functools.partial(_model, annotation)
        if is_named_tuple(annotation):
            return functools.partial(_named, annotation)
    return functools.partial(_by_msgspec, annotation)


def _first(members: list[Convert], value: object) -> object:
    problems: list[str] = []
    for convert in members:
        try:
            return convert(value)
        except (ValueError, TypeError) as error:
            problems.append(str(error))
    raise ValueError("; ".join(dict.fromkeys(problems)))


def _null(value: object) -> object:
    if value is not None:
        raise ValueError(f"expected null, got {describe(value)}")
    return None


def _path(cls: type[Any], value: object) -> object:
    if not isinstance(value, str | PurePath):
        raise ValueError(f"expected the path of a file as text, got {describe(value)}")
    return cls(value)


def _timedelta(value: object) -> object:
    if isinstance(value, datetime.timedelta):
        return value
    return datetime.timedelta(seconds=parse_duration(value))


def _model(cls: type[Any], value: object) -> object:
    validate = cast("Convert", getattr(cls, "model_validate"))  # noqa: B009
    return validate(value)


def _named(cls: type[Any], value: object) -> object:
    if isinstance(value, dict):
        fields = cast("tuple[str, ...]", getattr(cls, "_fields", ()))
        given = cast("dict[str, object]", value)
        unknown = [name for name in given if name not in fields]
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r}")
        defaults = cast("dict[str, object]", getattr(cls, "_field_defaults", {}))
        lacking = [name for name in fields if name not in given and name not in defaults]
        if lacking:
            raise ValueError(f"the value lacks {lacking[0]!r}")
        value = [given[name] if name in given else defaults[name] for name in fields]
    return _by_msgspec(cls, value)


def _by_msgspec(annotation: object, value: object) -> object:
    return msgspec.convert(value, cast("type[Any]", annotation), dec_hook=_decode, str_keys=True)


def _decode(cls: type[Any], value: object) -> object:
    """Types that msgspec does not know."""
    return value if isinstance(value, cls) else _member_strict(cls)(value)


def _member_strict(cls: type[Any]) -> Convert:
    if issubclass(cls, PurePath):
        return functools.partial(_path, cls)
    if is_model(cls):
        return functools.partial(_model, cls)
    raise ValueError(f"expected a {cls.__name__}")


# --- out: Python to JSON ------------------------------------------------------------------


def to_value(result: object) -> object:
    """Turn what a node returned into a JSON value that nobody else holds.

    Text, numbers, booleans, null, bytes and date-times stay; lists, tuples and objects are copied
    deeply (tuples become lists, a ``NamedTuple`` that is the whole result an object); dataclasses,
    structs, enumerations, dates, paths and pydantic models take their JSON form.

    Raises:
        NodeError: With code TYPE_MISMATCH when something has no JSON form, naming its place.
    """
    kind = type(result)
    if kind in _SCALARS or kind in _KEPT:
        if kind is float and not math.isfinite(cast("float", result)):
            raise _refused(f"the result is {result}, which has no JSON form")
        if kind is not str or cast("str", result).isascii():
            return result
    elif kind is not int:
        try:
            if is_named_tuple(kind):
                names = cast("tuple[str, ...]", getattr(kind, "_fields", ()))
                items = cast("tuple[object, ...]", result)
                result = dict(zip(names, items, strict=True))
            result = _fresh(result)
        except RecursionError:
            raise _refused("the result holds itself, or is nested too deeply") from None
        except _UnfitError as error:
            place = _place(result)
            at = f" at result{place}" if place else ""
            raise _refused(f"the result holds {error}{at}, which has no JSON form") from None
    _refuse_unfit(result)
    return result


def checked(result: object) -> object:
    """Look whether a fresh JSON value, as typed results of nodes are, can be put on record.

    Raises:
        NodeError: With code TYPE_MISMATCH: it holds text that is not Unicode, a number that is not
            finite, or an integer of more than 64 bits.
    """
    try:
        _refuse_unfit(result)
    except TypeError:
        return to_value(result)  # not that plain after all
    except RecursionError:
        raise _refused("the result holds itself, or is nested too deeply") from None
    return result


def _refuse_unfit(result: object) -> None:
    try:
        # Cheaper than a look at every number in Python; the bytes are thrown away.
        packed = msgspec.msgpack.encode(result)
    except OverflowError:
        raise _refused("the result holds an integer of more than 64 bits") from None
    except UnicodeEncodeError:
        raise _refused("the result holds text that is not valid Unicode") from None
    if _PERHAPS_NOT_FINITE.search(packed) is not None:
        _refuse_not_finite(result, "")


def _refuse_not_finite(value: object, place: str) -> None:
    if type(value) is float and not math.isfinite(value):
        at = f" at result{place}" if place else ""
        raise _refused(f"the result holds {value}{at}, which has no JSON form")
    for step, item in _parts(value):
        _refuse_not_finite(item, place + step)


def _refused(message: str) -> NodeError:
    return NodeError(message, code="TYPE_MISMATCH")


class _UnfitError(Exception):
    """Something has no JSON form."""


_BASES: tuple[Callable[[Any], object], ...] = (str, int, float, list, tuple, dict, bytes)
_UNKNOWN = object()
_FLAT = _SCALARS | _KEPT | {int}


def _fresh(value: object) -> object:
    kind = type(value)
    if kind is dict:
        return {
            (key if type(key) is str else _key(key)): (
                item if type(item) in _FLAT else _fresh(item)
            )
            for key, item in cast("dict[object, object]", value).items()
        }
    if kind is list or kind is tuple:
        items = cast("list[object]", value)
        return [item if type(item) in _FLAT else _fresh(item) for item in items]
    return value if kind in _FLAT else _other(value)


def _parts(value: object) -> list[tuple[str, object]]:
    """What an object or a list holds, and how a place in it is written."""
    if isinstance(value, dict):
        return [(f".{key}", item) for key, item in cast("dict[object, object]", value).items()]
    if isinstance(value, list | tuple):
        items = enumerate(cast("list[object]", value))
        return [(f"[{index}]", item) for index, item in items]
    return []


def _place(value: object) -> str:
    """Where in a value that has no JSON form the reason is; looked for only when there is one."""
    for step, item in _parts(value):
        try:
            _fresh(item)
        except _UnfitError:
            return step + _place(item)
    return ""


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bool) or key is None or not isinstance(key, int | float | datetime.date):
        raise _UnfitError(f"an object key of type {type(key).__name__}")
    return key.isoformat() if isinstance(key, datetime.date) else repr(key)


def _other(value: object) -> object:
    known = _known(value)
    if known is not _UNKNOWN:
        return known
    try:
        return _fresh(msgspec.to_builtins(value, builtin_types=_KEPT, enc_hook=_encode))
    except (TypeError, ValueError):
        raise _unknown(value) from None


def _known(value: object) -> object:
    """What msgspec does not write as we do."""
    if isinstance(value, bytearray | memoryview):
        return bytes(cast("bytes", value))
    if isinstance(value, PurePath):
        return str(value)
    if is_model(cast("object", type(value))):
        return _fresh(cast("Callable[[], object]", getattr(value, "model_dump"))())  # noqa: B009
    if isinstance(value, datetime.datetime):
        return value
    if not isinstance(value, enum.Enum):
        for base in _BASES:
            if isinstance(value, cast("type", base)):
                return _fresh(base(value))
    if isinstance(value, set | frozenset):
        # Sets have no order; the same result must read the same in every process.
        return sorted((_fresh(item) for item in cast("set[object]", value)), key=_rank)
    return _UNKNOWN


def _rank(value: object) -> tuple[str, object]:
    kind = "number" if isinstance(value, int | float) else type(value).__name__
    return (kind, value if kind in ("number", "str") else repr(value))


def _unknown(value: object) -> _UnfitError:
    return _UnfitError(f"a value of type {type(value).__qualname__}")


def _encode(value: object) -> object:
    """What msgspec does not know, inside of what it knows."""
    known = _known(value)
    if known is _UNKNOWN:
        raise _unknown(value)
    return known
