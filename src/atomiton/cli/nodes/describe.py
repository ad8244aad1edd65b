"""Node types as data and as words."""

from __future__ import annotations

import json
from typing import cast

from atomiton.nodes.spec import NodeType, Parameter


def type_object(type_: NodeType) -> dict[str, object]:
    """A node type as ``--json`` shows it."""
    return {
        "name": type_.name,
        "version": type_.version,
        "title": type_.title,
        "description": type_.description,
        "details": type_.details,
        "category": type_.category,
        "icon": type_.icon,
        "effect": type_.effect,
        "runtime": type_.runtime,
        "timeout": type_.timeout,
        "parameters": [_parameter_object(parameter) for parameter in type_.parameters],
        "result": type_.result,
        "example": type_.example,
        "source": type_.source,
        "deprecated": type_.deprecated,
    }


def _parameter_object(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "schema": parameter.schema,
        "required": parameter.required,
        "default": parameter.default,
        "expression": parameter.expression,
        "variadic": parameter.variadic,
        "description": parameter.description,
    }


def port_line(parameter: Parameter) -> str:
    """An input port on one line."""
    kind = "expression" if parameter.expression else words(parameter.schema)
    if parameter.required or parameter.variadic:
        need = "" if parameter.required else ", any name"
    else:
        need = f", default {json.dumps(parameter.default, default=str)}"
    said = f"  {parameter.description}" if parameter.description else ""
    return f"{parameter.name} ({kind}{need}){said}"


def output_line(name: str, schema: object) -> str:
    """An output port on one line."""
    known = cast("dict[str, object]", schema) if isinstance(schema, dict) else {}
    return f"{name} ({words(known)})  {known.get('description', '')}".rstrip()


def words(schema: object) -> str:
    """What a schema takes, in words.

    Example:
        >>> words({"type": "array", "items": {"type": "string"}})
        'array of string'
    """
    if not isinstance(schema, dict):
        return "any"
    known = cast("dict[str, object]", schema)
    options = known.get("anyOf")
    if isinstance(options, list):
        return " or ".join(dict.fromkeys(words(option) for option in cast("list[object]", options)))
    allowed = known.get("enum")
    if isinstance(allowed, list):
        return " | ".join(json.dumps(value) for value in cast("list[object]", allowed))
    kind = known.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(str(name) for name in cast("list[object]", kind))
    if kind == "array" and known.get("items"):
        return f"array of {words(known['items'])}"
    return str(kind)


def first_line(text: str) -> str:
    """The first sentence of a description, on one line."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")
