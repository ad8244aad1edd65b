"""A blueprint as nodes and lines, and those as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec

from atomiton.blueprint.expressions import Reference, Template, parse, parse_template
from atomiton.blueprint.model import Blueprint, Node
from atomiton.errors import AtomitonError
from atomiton.nodes.registry import Registry

#: Words that mean something to Mermaid and cannot name a node there.
_RESERVED = {"end", "graph", "subgraph", "style", "class", "click", "default", "flowchart"}


class Box(msgspec.Struct):
    """A node: its path, what it is, and the path of the group around it."""

    id: str
    kind: str
    label: str
    group: str | None


class Line(msgspec.Struct):
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
    _body(blueprint.nodes, "", {}, registry, drawing)
    return drawing


def _body(
    nodes: Mapping[str, Node],
    group: str,
    outer: Mapping[str, str],
    registry: Registry,
    drawing: Drawing,
) -> None:
    prefix = f"{group}." if group else ""
    scope = {**outer, **{id_: prefix + id_ for id_ in nodes}}
    for id_, node in nodes.items():
        path = prefix + id_
        kind, label = _kind(node)
        drawing.nodes.append(Box(path, kind, label, group or None))
        seen: set[tuple[str, str | None]] = set()
        for reference in _references(node, registry):
            name, fields = reference.name, reference.path
            if name == "nodes" and fields:
                name, fields = fields[0], fields[1:]
            line = (scope.get(name, ""), fields[0] if fields else None)
            if line[0] and line[0] != path and line not in seen:
                seen.add(line)
                drawing.edges.append(Line(line[0], path, "reference", line[1]))
        for need in node.needs:
            name, _, route = need.partition(".")
            if name in scope:
                drawing.edges.append(Line(scope[name], path, "needs", route or None))
        if node.nodes is not None:
            _body(node.nodes, path, scope, registry, drawing)


def _kind(node: Node) -> tuple[str, str]:
    """What a node is, in one word and in a few."""
    repeat = "map: " if node.map is not None else "loop: " if node.loop is not None else ""
    if node.uses is not None:
        return "uses", repeat + node.uses
    if node.nodes is not None:
        return "group", f"{repeat}group"
    if node.call is not None:
        return "call", f"{repeat}call {node.call}"
    if node.branch is not None:
        return "branch", "branch"
    return "wait", "wait"


def _references(node: Node, registry: Registry) -> Iterator[Reference]:
    """The references of a node, in the order of the document as far as it matters."""
    bare = _expression_parameters(node, registry)
    for name, value in node.with_.items():
        if name in bare and isinstance(value, str):
            yield from _in_expression(value)
        else:
            yield from _in_value(value)
    yield from _in_value(node.map)
    for condition in (node.if_, *(node.branch or {}).values()):
        if condition is not None and condition != "else":
            yield from _in_expression(condition)
    for name, value in (node.loop or {}).items():
        if name in ("while", "until") and isinstance(value, str):
            yield from _in_expression(value)
        else:
            yield from _in_value(value)
    if node.wait is not None:
        if node.wait.until is not None:
            yield from _in_expression(node.wait.until)
        yield from _in_value(node.wait.seconds)


def _expression_parameters(node: Node, registry: Registry) -> set[str]:
    if node.uses is None:
        return set()
    try:
        return {port.name for port in registry.get(node.uses).parameters if port.expression}
    except AtomitonError:
        return set()  # a node type that is not known here takes no expressions


def _in_value(value: object) -> Iterable[Reference]:
    if isinstance(value, str):
        return _in_text(value)
    if isinstance(value, dict):
        parts: Iterable[object] = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        parts = cast("list[object]", value)
    else:
        return ()
    return [reference for part in parts for reference in _in_value(part)]


def _in_text(text: str) -> Iterable[Reference]:
    try:
        return _of_template(parse_template(text))
    except AtomitonError:
        return ()  # malformed: validate says so


def _of_template(template: Template) -> list[Reference]:
    from atomiton.blueprint.scope import references_of

    return list(references_of(template))


def _in_expression(text: str) -> Iterable[Reference]:
    if "${{" in text:
        return _in_text(text)
    try:
        return parse(text).references
    except AtomitonError:
        return ()


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
        id_ = box.id.rpartition(".")[2]
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
