"""What a node gives, as JSON Schema: as far as that is known before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from atomiton.blueprint.expressions import parse_template
from atomiton.blueprint.model import Node
from atomiton.blueprint.plan import NodeKind
from atomiton.blueprint.problems import Path
from atomiton.blueprint.reading import as_list, as_mapping
from atomiton.errors import ExpressionError

Schema = Mapping[str, object]
TypeOf = Callable[[Node, Path], NodeKind | None]

_SCALARS: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def result_of(node: Node, path: Path, type_of: TypeOf) -> Schema | None:
    """What a node gives; None where it is not known.

    Args:
        node: The node.
        path: Where it stands.
        type_of: Finds the node type of a node.
    """
    result = _once(node, path, type_of)
    if node.map is not None:
        return {"type": "array"} if result is None else {"type": "array", "items": result}
    # Without a turn a loop gives its start, which may be anything.
    turns = node.loop is None or "until" in node.loop
    return result if turns else None


def _once(node: Node, path: Path, type_of: TypeOf) -> Schema | None:
    if node.branch is not None:
        return {"type": "object", "properties": {"routes" if node.mode == "all" else "route": {}}}
    if node.wait is not None:
        return None if node.wait.approval is None else _approval(node.wait.approval)
    if node.nodes is not None:
        if node.output is None:
            return {"type": "object"}
        return _written(node.output, node.nodes, (*path, "nodes"), type_of)
    kind = type_of(node, path)
    return None if kind is None else kind.result


def _approval(asked: Mapping[str, object]) -> Schema:
    fields = {
        name: {"type": schema} if isinstance(schema, str) else schema
        for name, schema in (as_mapping(asked.get("fields")) or {}).items()
    }
    answer = {
        "approved": {"type": "boolean"},
        "by": {"type": "string"},
        "at": {"type": "string"},
        "comment": {"type": "string"},
        "fields": {"type": "object", "properties": fields},
    }
    return {"type": "object", "properties": answer}


def _written(
    value: object, nodes: Mapping[str, Node], path: Path, type_of: TypeOf
) -> Schema | None:
    """What a value that may hold expressions gives, where it sees the nodes of a body."""
    if isinstance(value, str):
        return _text(value, nodes, path, type_of)
    entries = as_mapping(value)
    if entries is not None:
        parts = {key: _written(part, nodes, path, type_of) for key, part in entries.items()}
        return {"type": "object", "properties": {k: part or {} for k, part in parts.items()}}
    if as_list(value) is not None:
        return {"type": "array"}
    name = _SCALARS.get(type(value))
    return None if name is None else {"type": name}


def _text(text: str, nodes: Mapping[str, Node], path: Path, type_of: TypeOf) -> Schema | None:
    try:
        template = parse_template(text)
    except ExpressionError:
        return None  # reported where it is compiled
    if not template.whole:
        return {"type": "string"}
    names = template.expressions[0][1].path
    if not names or names[0] not in nodes:
        return None
    found = result_of(nodes[names[0]], (*path, names[0]), type_of)
    for name in names[1:]:
        properties = as_mapping((found or {}).get("properties")) or {}
        found = cast("Schema | None", as_mapping(properties.get(name)))
    return found
