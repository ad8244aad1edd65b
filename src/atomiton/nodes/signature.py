"""Reads a function's signature: parameters, injected capabilities, result."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import msgspec

from atomiton.errors import NodeError
from atomiton.nodes.schema import (
    Schema,
    argument_notes,
    arms,
    converts,
    is_class,
    schema_of,
    show_type,
    unwrap,
)
from atomiton.nodes.values import to_value
from atomiton.ports import capabilities


class Lambda(Protocol):
    """An expression given as a parameter: called with the item, its index and the accumulator.

    A blueprint built in Python gives a function that takes as many of them as it wants, under any
    names, so type checkers are told no more than that it is called.
    """

    def __call__(self, item: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as said
        """Evaluate; raises ``ExpressionError``."""
        ...


class Parameter(msgspec.Struct, frozen=True):
    """One input port.

    Attributes:
        name: Name of the port.
        schema: JSON Schema of its values; ``{}`` for anything.
        required: Whether it must be given.
        default: JSON value used when it is not given.
        expression: Whether the document holds a bare expression here (``Lambda``).
        annotation: The Python type to convert to; None when JSON values are passed as they are.
        variadic: Whether this parameter collects every other name (``**kwargs``).
        description: One line for people.
    """

    name: str
    schema: dict[str, object]
    required: bool = True
    default: object = None
    expression: bool = False
    annotation: object = None
    variadic: bool = False
    description: str = ""


class Signature(msgspec.Struct, frozen=True):
    """What a function takes and gives.

    Attributes:
        parameters: Input ports in order.
        capabilities: Parameter name to capability name.
        result: JSON Schema of the result.
        renamed: Port name to Python name, where they differ (``as`` and ``as_``).
    """

    parameters: tuple[Parameter, ...]
    capabilities: dict[str, str]
    result: Schema
    renamed: dict[str, str]


#: The classes a function asks capabilities with, and the names the engine knows them by.
CAPABILITIES: Mapping[object, str] = {
    capabilities.Http: "http",
    capabilities.Files: "files",
    capabilities.Process: "process",
    capabilities.Sql: "sql",
    capabilities.Mail: "mail",
    capabilities.Objects: "objects",
    capabilities.Sftp: "sftp",
    capabilities.Ftp: "ftp",
    capabilities.Queues: "queues",
    capabilities.Clock: "clock",
    capabilities.Random: "random",
    capabilities.Secrets: "secrets",
    capabilities.Log: "log",
    capabilities.Progress: "progress",
    capabilities.Attempt: "attempt",
}
#: Capabilities that touch the world; a pure node may only have the others.
WORLDLY = frozenset(
    {
        *("http", "files", "process", "sql", "mail", "objects", "sftp", "ftp"),
        "queues",
        *("clock", "random", "secrets"),
    }
)


def read_signature(function: Callable[..., object], name: str) -> Signature:
    """Read what a function takes and gives.

    Args:
        function: The function of a node type.
        name: Name of the node type, for messages.

    Returns:
        Its ports and capabilities.

    Raises:
        TypeError: The function cannot be a node; the message says why.
    """
    hints = _hints(function, name)
    notes = argument_notes(inspect.getdoc(function) or "")
    found: list[Parameter] = []
    injected: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for item in inspect.signature(function).parameters.values():
        capability = _capability(hints.get(item.name))
        if capability is not None:
            injected[item.name] = capability
            continue
        if item.kind in (item.POSITIONAL_ONLY, item.VAR_POSITIONAL):
            kind = "positional-only" if item.kind is item.POSITIONAL_ONLY else "a *list"
            raise TypeError(
                f"node {name!r}: parameter {item.name!r} is {kind}, but values are given by name"
            )
        parameter = _parameter(item, hints.get(item.name, object), notes, name)
        if parameter.name != item.name:
            renamed[parameter.name] = item.name
        found.append(parameter)
    try:
        result = schema_of(hints.get("return", object))
    except TypeError as error:
        raise TypeError(f"node {name!r}: the result: {error}") from None
    return Signature(tuple(found), injected, result, renamed)


def _hints(function: Callable[..., object], name: str) -> dict[str, object]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError:
        pass
    # A type that is local to the caller, as in a test: look where the decorator stands.
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("atomiton.nodes"):
        frame = frame.f_back
    try:
        around = dict(frame.f_locals) if frame is not None else {}
        return typing.get_type_hints(function, localns=around, include_extras=True)
    except NameError as error:
        raise TypeError(f"node {name!r}: an annotation cannot be read: {error}") from None


def _capability(annotation: object) -> str | None:
    for arm in arms(unwrap(annotation)[0]):
        if is_class(arm) and arm in CAPABILITIES:
            return CAPABILITIES[arm]
    return None


def _parameter(
    item: inspect.Parameter, annotation: object, notes: Mapping[str, str], node: str
) -> Parameter:
    port = item.name[:-1] if item.name.endswith("_") and len(item.name) > 1 else item.name
    inner, extras = unwrap(annotation)
    said = [extra for extra in extras if isinstance(extra, str)]
    said += [e.description for e in extras if isinstance(e, msgspec.Meta) and e.description]
    description = said[0] if said else notes.get(item.name, "")
    variadic = item.kind is item.VAR_KEYWORD
    required = item.default is item.empty and not variadic
    if Lambda in arms(inner):
        return Parameter(
            port, {"type": "string"}, required, expression=True, description=description
        )
    try:
        schema = schema_of(annotation)
    except TypeError as error:
        raise TypeError(f"node {node!r}: parameter {item.name!r}: {error}") from None
    schema.pop("description", None)
    default: object = None
    if not required and not variadic:
        default = _default(item, node)
        if default is None and schema:
            schema = nullable(schema)
    return Parameter(
        name=port,
        schema=schema,
        required=required,
        default=default,
        annotation=annotation if converts(annotation) else None,
        variadic=variadic,
        description=description,
    )


def _default(item: inspect.Parameter, node: str) -> object:
    try:
        return to_value(item.default)
    except NodeError:
        kind = show_type(cast("object", type(item.default)))
        raise TypeError(
            f"node {node!r}: the default of parameter {item.name!r} is a {kind}, "
            "which has no JSON form"
        ) from None


def nullable(schema: Schema) -> Schema:
    """The schema, with null allowed."""
    null: Schema = {"type": "null"}
    parts = schema.get("anyOf")
    if isinstance(parts, list):
        return schema if null in parts else {**schema, "anyOf": [*parts, null]}
    return schema if schema == null else {"anyOf": [schema, null]}
