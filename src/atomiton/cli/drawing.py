"""A blueprint as nodes and lines, and those as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.reading import as_mapping
from atomiton.blueprint.walking import IsExpression, node_texts
from atomiton.errors import ExpressionError, NotFound
from atomiton.nodes.registry import Registry

#: Words that mean something to Mermaid and cannot name a node there.
_RESERVED = {"end", "graph", "subgraph", "style", "class", "click", "default", "flowchart"}


class Box(msgspec.Struct):
    """A node: its path, what it is, and the path of the group around it."""

    id: str
    kind: str
    label: str
    group: str | None


def name_of(box: Box) -> str:
    """The path of a node without that of the group it stands in.

    Example:
        >>> name_of(Box("group.inner", "wait", "wait", "group"))
        'inner'
    """
    return box.id if box.group is None else box.id.removeprefix(f"{box.group}.")


class Line(msgspec.Struct, frozen=True):
    """From one node to another: a reference with the field it reads, or a ``needs``."""

    source: str
    target: str
    kind: str
    field: str | None


class Drawing(msgspec.Struct):
    """What is drawn of a blueprint."""

    blueprint: str
    nodes: list[Box]
    edges: list[Line]


def drawing_of(blueprint: Blueprint, registry: Registry) -> Drawing:
    """Find the nodes and lines of a blueprint, in document order."""
    drawing = Drawing(blueprint.id, [], [])
    _body(blueprint.document, "", {}, _expressions_of(registry), drawing)
    return drawing


def _expressions_of(registry: Registry) -> IsExpression:
    def is_expression(type_: str, parameter: str) -> bool:
        try:
            return registry.takes_expression(type_, parameter)
        except NotFound:
            return False  # a node type that is not known here takes no expressions

    return is_expression


def _body(
    owner: Mapping[str, object],
    group: str,
    outer: Mapping[str, str],
    is_expression: IsExpression,
    drawing: Drawing,
) -> None:
    prefix = f"{group}." if group else ""
    nodes = {
        id_: as_mapping(node) or {} for id_, node in (as_mapping(owner.get("nodes")) or {}).items()
    }
    scope = {**outer, **{id_: prefix + id_ for id_ in nodes}}
    for id_, node in nodes.items():
        path = prefix + id_
        kind, label = kind_of(node)
        drawing.nodes.append(Box(path, kind, label, group or None))
        seen: set[Line] = set()
        for kind, name, field in _named(node, is_expression):
            line = Line(scope.get(name, ""), path, kind, field)
            if line.source and line.source != path and line not in seen:
                seen.add(line)
                drawing.edges.append(line)
        if "nodes" in node:
            _body(node, path, scope, is_expression, drawing)


def kind_of(node: Mapping[str, object]) -> tuple[str, str]:
    """What a node is, in one word and in a few."""
    repeat = "map: " if "map" in node else "loop: " if "loop" in node else ""
    if "uses" in node:
        return "uses", f"{repeat}{node['uses']}"
    if "nodes" in node:
        return "group", f"{repeat}group"
    if "call" in node:
        return "call", f"{repeat}call {node['call']}"
    return ("branch", "branch") if "branch" in node else ("wait", "wait")


def _named(
    node: Mapping[str, object], is_expression: IsExpression
) -> Iterator[tuple[str, str, str | None]]:
    """What a node names: how, the name, and what is read of it. References come before needs."""
    for written in node_texts(node, (), is_expression):
        if written.kind == "needs":
            name, _, route = written.text.partition(".")
            yield "needs", name, route or None
            continue
        try:
            expressions = written.expressions()
        except ExpressionError:
            continue  # malformed: validate says so
        for _, expression in expressions:
            for reference in expression.references:
                name, fields = reference.name, reference.path
                if name == "nodes" and fields:
                    name, fields = fields[0], fields[1:]
                yield "reference", name, fields[0] if fields else None


_SHAPES = {
    "uses": ('["', '"]'),
    "group": ('["', '"]'),
    "call": ('[["', '"]]'),
    "branch": ('{"', '"}'),
    "wait": ('(["', '"])'),
}


def draw(drawing: Drawing, direction: str = "LR") -> str:
    """Write a drawing in the language of Mermaid.

    Example:
        >>> boxes = [Box("a", "uses", "data.value", None), Box("b", "wait", "wait", None)]
        >>> print(draw(Drawing("x", boxes, [Line("a", "b", "reference", "value")])))
        flowchart LR
            a["a<br/>data.value"]
            b(["b<br/>wait"])
            a -->|value| b
    """
    groups = {box.id for box in drawing.nodes if box.kind == "group"}
    lines = [f"flowchart {direction}", *_boxes(drawing.nodes, None, groups, "    ")]
    for line in drawing.edges:
        arrow = "-.->" if line.kind == "needs" else "-->"
        label = f"|{_text(line.field)}|" if line.field else ""
        lines.append(f"    {_name(line.source)} {arrow}{label} {_name(line.target)}")
    return "\n".join(lines)


def _boxes(boxes: list[Box], group: str | None, groups: set[str], space: str) -> Iterator[str]:
    for box in boxes:
        if box.group != group:
            continue
        id_ = name_of(box)
        if box.id in groups:
            yield f'{space}subgraph {_name(box.id)}["{_text(id_)}"]'
            yield from _boxes(boxes, box.id, groups, space + "    ")
            yield f"{space}end"
        else:
            before, after = _SHAPES[box.kind]
            yield f"{space}{_name(box.id)}{before}{_text(id_)}<br/>{_text(box.label)}{after}"


def _name(path: str) -> str:
    name = path.replace(".", "__")
    return f"{name}_" if name in _RESERVED else name


def _text(text: str) -> str:
    return text.replace('"', "#quot;").replace("|", "#124;").replace("<", "#lt;")
