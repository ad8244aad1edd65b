"""The JSON Schema of the format, for editors that complete and check while one types."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Protocol, cast

from atomiton.blueprint.plan import NodeKind, Port
from atomiton.blueprint.schema_parts import (
    HAS_EXPRESSION,
    Schema,
    body_schema,
    closed,
    compensation_schema,
    duration_schema,
    named,
    node_schema,
    property_schema,
    ref,
    retry_schema,
    runtime_schema,
    text,
    trigger_schema,
    wait_schema,
    whole,
    words,
)


class DescribedPort(Port, Protocol):
    """What a schema needs to know of a parameter."""

    @property
    def description(self) -> str:
        """One line for people."""
        ...


class DescribedKind(NodeKind, Protocol):
    """What a schema needs to know of a node type."""

    @property
    def description(self) -> str:
        """What it does."""
        ...

    @property
    def parameters(self) -> tuple[DescribedPort, ...]:
        """Input ports."""
        ...


def format_schema(node_types: Sequence[DescribedKind] = ()) -> Schema:
    """Make the JSON Schema (2020-12) of the blueprint format.

    Args:
        node_types: With them, ``uses`` is one of their names, and ``with`` is checked against
            the parameters of the type that is used.

    Example:
        >>> sorted(format_schema()["required"])
        ['atomiton', 'id', 'nodes']
    """
    definitions: Schema = {
        "duration": duration_schema({"exclusiveMinimum": 0}),
        "delay": duration_schema({"minimum": 0}),
        "condition": {
            "description": "An expression that is true or false, without ${{ }}.",
            "type": ["string", "boolean"],
        },
        "codes": {
            "description": "Codes of errors.",
            "type": ["array", "string"],
            "items": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"},
        },
        "property": property_schema(),
        "retry": retry_schema(),
        "runtime": runtime_schema(),
        "body": body_schema(),
        "node": node_schema(),
        "compensation": compensation_schema(),
        "wait": wait_schema(),
        "trigger": trigger_schema(),
    }
    if node_types:
        for name in ("node", "compensation"):
            _add_types(cast("Schema", definitions[name]), definitions, node_types)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Atomiton blueprint",
        "description": "A workflow: nodes, and how data goes from one to the other.",
        **closed(_top(), "atomiton", "id", "nodes"),
        "$defs": definitions,
    }


def _top() -> Schema:
    limits: Schema = {
        "concurrency": whole("Nodes at once.", 1),
        "timeout": ref("duration", "Wall clock of the run."),
        "steps": whole("Attempts in all.", 1),
        "cost": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "What attempts may spend in all before no more begin.",
        },
    }
    defaults: Schema = {
        "retry": ref("retry"),
        "timeout": ref("duration"),
        "runtime": ref("runtime"),
    }
    lifecycle = {key: ref("node") for key in ("success", "failure", "cancel", "always")}
    point: Schema = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
    }
    secret = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"}
    return {
        "atomiton": {"const": 1, "description": "Version of the format."},
        "id": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9-]{0,63}$",
            "description": "Id of the blueprint.",
        },
        "name": text("Name for people."),
        "version": text("The author's own version of this blueprint."),
        "description": text("What it is for."),
        "metadata": {"type": "object", "description": "author, tags, or anything else."},
        "inputs": named(ref("property"), "Inputs; required unless they have a default."),
        "variables": named({}, "Constants, seen as vars."),
        "secrets": {"type": "array", "items": secret, "description": "Secrets it may read."},
        "nodes": ref("body"),
        "output": {"description": "What the run gives; may hold ${{ expressions }}."},
        "defaults": {**closed(defaults), "description": "Policies of every node."},
        "limits": {**closed(limits), "description": "Bounds of one run."},
        "durability": words("When results are on disk.", "sync", "async", "none"),
        "compensate_on": {
            "type": "array",
            "items": {"enum": ["failure", "cancel"]},
            "description": "When to compensate.",
        },
        "on": {**closed(cast("Schema", lifecycle)), "description": "Nodes at a run's end."},
        "triggers": {
            "type": "array",
            "items": ref("trigger"),
            "description": "What starts runs by itself.",
        },
        "layout": {
            "type": "object",
            "additionalProperties": point,
            "description": "Places of nodes in the studio.",
        },
    }


def _add_types(node: Schema, definitions: Schema, types: Sequence[DescribedKind]) -> None:
    """Tell the names of the types, and the parameters of each."""
    names = [kind.name for kind in types]
    versions = "|".join(map(re.escape, names))
    properties = cast("dict[str, Schema]", node["properties"])
    properties["uses"] = {
        "anyOf": [
            {
                "enum": names,
                "enumDescriptions": [kind.description for kind in types],
            },
            {"type": "string", "pattern": f"^({versions})@[1-9][0-9]*$"},
        ],
        "description": "Name of a node type.",
    }
    node["allOf"] = [_type_rule(kind, definitions) for kind in types]


def _type_rule(kind: DescribedKind, definitions: Schema) -> Schema:
    parameters = [each for each in kind.parameters if not getattr(each, "variadic", False)]
    open_ended = len(parameters) < len(kind.parameters)
    properties: Schema = {each.name: _parameter(kind, each, definitions) for each in parameters}
    required = [each.name for each in parameters if each.required]
    given: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": open_ended,
        "description": kind.description,
    }
    then: Schema = {"properties": {"with": given}}
    if required:
        given["required"] = required
        then["required"] = ["with"]
    name = f"^{re.escape(kind.name)}(@[1-9][0-9]*)?$"
    uses: Schema = {"type": "string", "pattern": name}
    return {"if": {"properties": {"uses": uses}, "required": ["uses"]}, "then": then}


def _parameter(kind: DescribedKind, parameter: DescribedPort, definitions: Schema) -> Schema:
    if parameter.expression:
        schema: Schema = {"type": ["string", "boolean", "number"]}
    else:
        own = copy.deepcopy(dict(parameter.schema))
        prefix = f"{kind.name}.{parameter.name}."
        for name, part in cast("Schema", own.pop("$defs", {})).items():
            definitions[prefix + name] = _moved(part, prefix)
        schema = {"anyOf": [_moved(own, prefix), HAS_EXPRESSION]} if own else {}
    if parameter.description:
        schema["description"] = parameter.description
    return schema


def _moved(value: object, prefix: str) -> object:
    """Point references at the definitions of one parameter, which stand with all others."""
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {
            key: part.replace("#/$defs/", f"#/$defs/{prefix}")
            if key == "$ref" and isinstance(part, str)
            else _moved(part, prefix)
            for key, part in entries.items()
        }
    if isinstance(value, list):
        return [_moved(part, prefix) for part in cast("list[object]", value)]
    return value
