"""A drawing as SVG: no fonts, scripts or addresses, and readable in light and in dark."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from atomiton.cli.drawing import Box, Drawing, Line, name_of
from atomiton.cli.layout import LANE, Link, Point, arrange

#: Width of a character, as a share of its size; all fonts of one width are about as wide.
_CHARACTER: Final = 0.62
_ID, _TYPE, _LABEL = 13, 11, 11
_BOX_HEIGHT: Final = 46.0
_PAD: Final = 18.0
_HEADER: Final = 34.0
_MARGIN: Final = 24.0
#: Longer texts are cut; the whole is shown when one points at them.
_MOST_TEXT: Final = 30
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_STYLE: Final = """
.page{fill:#fff}
.box{fill:#f6f8fa;stroke:#57606a;stroke-width:1.2}
.branch{fill:#fff8e5;stroke:#9a6700}
.wait{fill:#eefbf1;stroke:#1a7f37}
.call{fill:#f3effc;stroke:#6639ba}
.group{fill:#0969da;fill-opacity:.05;stroke:#0969da;stroke-opacity:.6}
.id{fill:#1f2328;font-weight:600}
.type{fill:#57606a}
.line{fill:none;stroke:#57606a;stroke-width:1.2}
.head{fill:#57606a}
.needs{stroke-dasharray:5 4}
.label{fill:#0550ae}
.error{fill:#b42318}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}
.box{fill:#161b22;stroke:#8b949e}
.branch{fill:#272115;stroke:#d29922}
.wait{fill:#12261e;stroke:#3fb950}
.call{fill:#211b30;stroke:#a371f7}
.group{fill:#58a6ff;fill-opacity:.07;stroke:#58a6ff;stroke-opacity:.6}
.id{fill:#e6edf3}
.type{fill:#9da7b3}
.line{stroke:#8b949e}
.head{fill:#8b949e}
.label{fill:#79c0ff}
.error{fill:#ff7b72}
}
"""


def draw_svg(drawing: Drawing) -> str:
    """Write a drawing as an SVG image.

    A box is a node; its shape tells what it is. A solid line is a reference, labelled with the
    fields that it reads; a dashed one an order without data, labelled with its route.

    Example:
        >>> draw_svg(Drawing("x", [Box("a", "uses", "data.value", None)], [])).count("<rect")
        2
    """
    return "\n".join(_Picture(drawing).lines()) + "\n"


class _Body:
    """The inside of the document or of a group, laid out, with its own corner as the origin."""

    def __init__(self) -> None:
        self.width = 0.0
        self.height = 0.0
        self.boxes: list[tuple[Box, float, float, float, float]] = []
        self.wires: dict[Line, list[Point]] = {}

    def take(self, inner: _Body, x: float, y: float) -> None:
        """Put another body into this one."""
        for box, left, top, width, height in inner.boxes:
            self.boxes.append((box, left + x, top + y, width, height))
        for wire, points in inner.wires.items():
            moved = [(left + x, top + y) for left, top in points]
            outside = self.wires.get(wire)
            # A line from outside goes straight on behind the border.
            self.wires[wire] = moved if outside is None else outside[:-1] + moved[1:]


class _Picture:
    """Lays out a drawing, from the innermost groups outwards, and writes it."""

    def __init__(self, drawing: Drawing) -> None:
        self.name = drawing.blueprint
        self.around = {box.id: box.group for box in drawing.nodes}
        self.inside: dict[str | None, list[Box]] = {}
        for box in drawing.nodes:
            self.inside.setdefault(box.group, []).append(box)
        self.body = self._body(None, _merged(drawing.edges))

    def lines(self) -> Iterator[str]:
        """The text of the image."""
        body, title = self.body, _xml(self.name)
        width = max(body.width, _text_width(self.name, _ID)) + 2 * _MARGIN
        height = body.height + 2 * _MARGIN + _HEADER
        size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
        font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
        yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{font}">'
        yield f"<title>{title}</title>"
        yield f"<style>{_STYLE}</style>"
        yield f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>'
        yield f'<text class="id" x="{_MARGIN}" y="{_MARGIN + 8}" font-size="{_ID}">{title}</text>'
        yield f'<g transform="translate({_MARGIN} {_MARGIN + _HEADER})">'
        yield from (_group(*found) for found in body.boxes if found[0].kind == "group")
        yield from (_wire(*found) for found in body.wires.items())
        yield from (_box(*found) for found in body.boxes if found[0].kind != "group")
        yield from (_label(*found) for found in body.wires.items() if found[0].field)
        yield "</g>"
        yield "</svg>"

    def _body(self, group: str | None, wires: list[Line]) -> _Body:
        """Lay out one body and those in it; of the lines, those that end in it."""
        boxes = self.inside.get(group, [])
        inner: dict[str, _Body] = {}
        headers: dict[str, float] = {}
        for box in boxes:
            if box.kind == "group":
                into = [wire for wire in wires if self._child(wire.target, box.id)]
                inner[box.id] = self._body(box.id, into)
                own = sum(wire.target == box.id for wire in wires)
                headers[box.id] = max(_HEADER, LANE * own + 12)
        sizes = [_size(box, inner.get(box.id), headers.get(box.id, 0.0)) for box in boxes]
        links = dict(self._links(boxes, wires, inner, headers))
        layout = arrange(sizes, list(links.values()))
        body = _Body()
        body.width, body.height = layout.width, layout.height
        body.wires = dict(zip(links, layout.routes, strict=True))
        for box, (x, y), (width, _), height in zip(
            boxes, layout.places, sizes, layout.heights, strict=True
        ):
            body.boxes.append((box, x, y, width, height))
            if box.id in inner:
                body.take(inner[box.id], x + _PAD, y + headers[box.id])
        return body

    def _links(
        self,
        boxes: list[Box],
        wires: list[Line],
        inner: Mapping[str, _Body],
        headers: Mapping[str, float],
    ) -> Iterator[tuple[Line, Link]]:
        """The lines of a body as the layout knows them."""
        number = {box.id: place for place, box in enumerate(boxes)}
        own = dict.fromkeys(inner, 0)
        group = boxes[0].group if boxes else None
        for wire in wires:
            target = self._child(wire.target, group)
            source = number.get(self._child(wire.source, group))
            if source == number[target]:
                continue  # it stays inside
            if wire.target != target:  # it goes on inside, where it has its label
                port = headers[target] + inner[target].wires[wire][0][1]
                yield wire, Link(source, number[target], 0.0, port)
            elif target in inner:
                own[target] += 1
                yield wire, Link(source, number[target], _room(wire), LANE * own[target])
            else:
                yield wire, Link(source, number[target], _room(wire))

    def _child(self, path: str, group: str | None) -> str:
        """The box of a body that a node is, or is in; empty when it is outside."""
        place: str | None = path
        while place is not None:
            around = self.around[place]
            if around == group:
                return place
            place = around
        return ""


def _merged(edges: list[Line]) -> list[Line]:
    """One line for all references between two nodes, with all their fields."""
    fields: dict[tuple[str, str, str], list[str]] = {}
    for edge in edges:
        found = fields.setdefault((edge.source, edge.target, edge.kind), [])
        if edge.field:
            found.append(edge.field)
    return [
        Line(source, target, kind, _short(", ".join(found)) or None)
        for (source, target, kind), found in fields.items()
    ]


# -- texts ---------------------------------------------------------------------------------------


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), quote=True)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _text_width(text: str, size: float) -> float:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return (len(text) + wide) * size * _CHARACTER


def _room(wire: Line) -> float:
    return _text_width(wire.field, _LABEL) + 18 if wire.field else 10.0


def _size(box: Box, inner: _Body | None, header: float) -> Point:
    name = _short(name_of(box))
    if inner is not None:
        title = _text_width(name, _ID) + _text_width(_short(box.label), _TYPE) + 36
        return max(inner.width + 2 * _PAD, title), inner.height + header + _PAD
    text = max(_text_width(name, _ID), _text_width(_short(box.label), _TYPE))
    return max(text + 36, 96.0), _BOX_HEIGHT


# -- shapes --------------------------------------------------------------------------------------


def _group(box: Box, x: float, y: float, width: float, height: float) -> str:
    name = name_of(box)
    behind = x + 24 + _text_width(_short(name), _ID)
    return (
        f'<g><title>{_xml(box.id)}</title><rect class="box group" x="{x:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" rx="8"/>'
        f'<text class="id" x="{x + 14:.1f}" y="{y + 21:.1f}" font-size="{_ID}">'
        f"{_xml(_short(name))}</text>"
        f'<text class="type" x="{behind:.1f}" y="{y + 21:.1f}" font-size="{_TYPE}">'
        f"{_xml(_short(box.label))}</text></g>"
    )


def _box(box: Box, x: float, y: float, width: float, height: float) -> str:
    middle, centre = x + width / 2, y + height / 2
    name = _xml(_short(name_of(box)))
    label = _xml(_short(box.label))
    return (
        f"<g><title>{_xml(box.id)}: {_xml(box.label)}</title>"
        f"{_shape(box.kind, x, y, width, height)}"
        f'<text class="id" x="{middle:.1f}" y="{centre - 3:.1f}" font-size="{_ID}" '
        f'text-anchor="middle">{name}</text>'
        f'<text class="type" x="{middle:.1f}" y="{centre + 13:.1f}" font-size="{_TYPE}" '
        f'text-anchor="middle">{label}</text></g>'
    )


def _shape(kind: str, x: float, y: float, width: float, height: float) -> str:
    if kind == "branch":
        right, bottom, centre = x + width, y + height, y + height / 2
        corners = [
            (x, centre), (x + 12, y), (right - 12, y), (right, centre), (right - 12, bottom),
            (x + 12, bottom),
        ]  # fmt: skip
        points = " ".join(f"{left:.1f},{top:.1f}" for left, top in corners)
        return f'<polygon class="box branch" points="{points}"/>'
    radius = height / 2 if kind == "wait" else 6
    shape = (
        f'<rect class="box {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius:.1f}"/>'
    )
    if kind == "call":
        for side in (x + 7, x + width - 7):
            shape += f'<path class="box call" d="M{side:.1f} {y:.1f}v{height:.1f}"/>'
    return shape


def _wire(line: Line, points: list[Point]) -> str:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for place, (left, top) in enumerate(rest):
        if place % 2 == 0 or top == y:
            path += f"H{left:.1f}" if top == y else f"L{left:.1f} {top:.1f}"
        else:
            bend = (x + left) / 2
            path += f"C{bend:.1f} {y:.1f} {bend:.1f} {top:.1f} {left:.1f} {top:.1f}"
        x, y = left, top
    dashed = " needs" if line.kind == "needs" else ""
    title = f"<title>{_xml(line.source)} → {_xml(line.target)}</title>"
    head = f'<path class="head" d="M{x:.1f} {y:.1f}l-8 -4v8z"/>'
    return f'<g>{title}<path class="line{dashed}" d="{path}"/>{head}</g>'


def _label(line: Line, points: list[Point]) -> str:
    x, y = points[-1]
    kind = "label error" if (line.kind, line.field) == ("needs", "error") else "label"
    return (
        f'<text class="{kind}" x="{x - 11:.1f}" y="{y - 4:.1f}" font-size="{_LABEL}" '
        f'text-anchor="end">{_xml(line.field or "")}</text>'
    )
