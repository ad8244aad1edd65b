"""No drawing has boxes upon boxes, lines through boxes, or labels upon labels."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomiton.cli.drawing import Box, Drawing, Line
from atomiton.cli.layout import Layout, Link, arrange
from atomiton.cli.svg import draw_svg

Rect = tuple[float, float, float, float]


def overlap(one: Rect, other: Rect) -> bool:
    """Whether two areas (left, top, right, bottom) share more than a border."""
    return (
        one[0] < other[2] - 0.01
        and other[0] < one[2] - 0.01
        and one[1] < other[3] - 0.01
        and other[1] < one[3] - 0.01
    )


@st.composite
def graphs(draw: st.DrawFn, *, cyclic: bool) -> tuple[list[tuple[float, float]], list[Link]]:
    count = draw(st.integers(0, 12))
    size = st.tuples(st.integers(90, 260), st.sampled_from([46, 46, 46, 200, 500]))
    sizes = [(float(w), float(h)) for w, h in draw(st.lists(size, min_size=count, max_size=count))]
    links = []
    for target in range(count):
        sources = range(count) if cyclic else range(target)
        some = st.sampled_from([None, *(s for s in sources if s != target)])
        for source in draw(st.lists(some, max_size=5)):
            fixed = sizes[target][1] > 46
            port = 18.0 * (1 + sum(link.target == target for link in links)) if fixed else None
            links.append(Link(source, target, draw(st.sampled_from([10.0, 60.0])), port))
    return sizes, links


def rects(sizes: list[tuple[float, float]], layout: Layout) -> list[Rect]:
    return [
        (x, y, x + size[0], y + height)
        for (x, y), size, height in zip(layout.places, sizes, layout.heights, strict=True)
    ]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(graphs(cyclic=False))
def test_nothing_lies_upon_anything_else(graph: tuple) -> None:
    sizes, links = graph
    layout = arrange(sizes, links)
    boxes = rects(sizes, layout)
    for box in boxes:
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= layout.width + 0.01
        assert box[3] <= layout.height + 0.01
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    labels: list[Rect] = []
    for link, points in zip(links, layout.routes, strict=True):
        for place, ((x, y), (right, bottom)) in enumerate(pairwise(points)):
            assert right >= x, "forward only"
            if place % 2 == 0:
                assert bottom == y, "level where it passes boxes and labels"
                assert not any(overlap((x, y - 1, right, y + 1), box) for box in boxes)
            else:
                assert not any(x < box[2] and box[0] < right for box in boxes), "bends between"
        x, y = points[-1]
        left, top, _, bottom = boxes[link.target]
        assert (x, top <= y <= bottom) == (left, True)
        assert points[-2][0] <= x - link.room + 0.01
        labels.append((x - link.room + 4, y - 15, x - 4, y - 2))
    for one, other in combinations(range(len(links)), 2):
        assert not overlap(labels[one], labels[other])
    for label in labels:
        assert not any(overlap(label, box) for box in boxes)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(graphs(cyclic=True))
def test_a_cycle_is_drawn_too(graph: tuple) -> None:
    sizes, links = graph
    layout = arrange(sizes, links)
    boxes = rects(sizes, layout)
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Nodes in groups in groups; lines from what a node can see."""
    drawing = Drawing(draw(st.sampled_from(["x", "a-rather-long-id", "<&>"])), [], [])
    text = st.sampled_from(["data.value", "map: group", "<b>&\"'", "x" * 100, "数据", "\x01"])
    field = st.sampled_from([None, "rows", "a_long_name_of_a_field_of_this", "error", "<&>"])

    def body(group: str | None, seen: tuple[str, ...], depth: int) -> None:
        here: tuple[str, ...] = ()
        for number in range(draw(st.integers(1, 4))):
            path = f"{group}.n{number}" if group else f"n{number}"
            deep = depth < 3 and draw(st.integers(0, 3)) == 0
            kind = "group" if deep else draw(st.sampled_from(["uses", "wait", "call", "branch"]))
            drawing.nodes.append(Box(path, kind, draw(text), group))
            for source in draw(st.lists(st.sampled_from([*seen, *here, ""]), max_size=4)):
                if source:
                    way = draw(st.sampled_from(["reference", "needs"]))
                    drawing.edges.append(Line(source, path, way, draw(field)))
            if deep:
                body(path, (*seen, *here), depth + 1)
            here = (*here, path)

    body(None, (), 0)
    return drawing


SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(drawings())
def test_the_image_is_whole_and_its_texts_are_apart(drawing: Drawing) -> None:
    root = ElementTree.fromstring(draw_svg(drawing))
    shapes = [*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}polygon")]
    plain = [shape for shape in shapes if shape.get("class", "").startswith("box ")]
    assert len(plain) == len(drawing.nodes)
    heads = [path for path in root.iter(f"{SVG}path") if path.get("class") == "head"]
    merged = {(line.source, line.target, line.kind) for line in drawing.edges}
    assert len(heads) == len(merged)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    texts = [area(text) for text in list(root)[-1].iter(f"{SVG}text")]
    for text in texts:
        assert text[0] >= -20
        assert text[1] >= -20
        assert text[2] <= width
        assert text[3] <= height
    assert not any(overlap(one, other) for one, other in combinations(texts, 2))


def area(text: ElementTree.Element) -> Rect:
    """Where a text is, if its characters are as wide as is usual."""
    size = float(text.get("font-size", ""))
    x, y = float(text.get("x", "")), float(text.get("y", ""))
    wide = len(re.findall(r"[\u4e00-\u9fff]", text.text or ""))
    width = (len(text.text or "") + wide) * size * 0.602
    left = x - {"middle": width / 2, "end": width, "start": 0}[text.get("text-anchor", "start")]
    return left, y - size * 0.76, left + width, y + size * 0.2
