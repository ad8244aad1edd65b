"""Places boxes in columns, so that lines go from left to right and touch no box on their way.

The steps are those of every layered drawing: a column for each box (behind all that it waits for),
a place in the column (few crossings), a height (straight lines). A line that passes a column gets
a place of its own in it. Nothing here knows what is drawn.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

Point = tuple[float, float]

#: Between two boxes, and around a line that passes, in one column.
GAP: Final = 22.0
LANE: Final = 18.0
#: Room for a line to change its height between two columns.
BEND: Final = 52.0
_SWEEPS: Final = 8
#: More passing lines than this are drawn straight through instead.
_MOST_LANES: Final = 30_000


class Link(msgspec.Struct, frozen=True):
    """A line between two boxes.

    Attributes:
        source: Index of the box it comes from; None when it comes from outside, on the left.
        target: Index of the box it goes to.
        room: Width to keep free before its end, for a label.
        port: Where it ends, below the top of the box; None for any place.
    """

    source: int | None
    target: int
    room: float = 0.0
    port: float | None = None


class Layout(msgspec.Struct):
    """Where everything is.

    Attributes:
        width, height: Of the whole.
        places: Left and top of each box.
        heights: Of each box: what was asked for, or more where many lines end.
        routes: For each link, its corners; between each second and third it changes its height.
    """

    width: float
    height: float
    places: list[Point]
    heights: list[float]
    routes: list[list[Point]]


def arrange(sizes: Sequence[Point], links: Sequence[Link]) -> Layout:
    """Find places for boxes.

    Args:
        sizes: Width and height of each box.
        links: The lines; a line around a cycle goes back.

    Returns:
        Places with no two boxes, and no line and box, upon each other.

    Example:
        >>> layout = arrange([(50, 40), (50, 40)], [Link(0, 1)])
        >>> layout.places
        [(0.0, 0.0), (102.0, 0.0)]
    """
    work = _Work(sizes, links)
    work.order()
    work.stack()
    return work.layout()


class _Vertex:
    """A box, or the place of a line in a column that it passes."""

    __slots__ = ("before", "behind", "column", "height", "index", "ports", "top", "width")

    def __init__(self, column: int, width: float, height: float) -> None:
        self.column = column
        self.width = width
        self.height = height
        self.index = 0.0
        self.top = 0.0
        self.before: list[_Vertex] = []
        self.behind: list[_Vertex] = []
        #: Where the line from each vertex before ends; parallel to ``before``.
        self.ports: list[float | None] = []

    @property
    def is_lane(self) -> bool:
        return self.width == 0


class _Work:
    """One drawing on its way."""

    def __init__(self, sizes: Sequence[Point], links: Sequence[Link]) -> None:
        self.links = links
        columns = _columns(len(sizes), links)
        self.boxes = [
            _Vertex(column, width, height)
            for column, (width, height) in zip(columns, sizes, strict=True)
        ]
        #: For each link the vertices on its way, from its source to its target.
        self.ways: list[list[_Vertex]] = []
        #: For each link which of the lines that end at its target it is.
        self.ends: list[int] = []
        lanes = 0
        entries: list[_Vertex] = []
        for link in links:
            target = self.boxes[link.target]
            if link.source is None:
                first = _Vertex(0, 0, LANE)
                entries.append(first)
            else:
                first = self.boxes[link.source]
            passed = max(0, target.column - first.column - 1)
            lanes += passed
            if lanes > _MOST_LANES:
                passed = 0
            way = [first]
            way += [_Vertex(first.column + 1 + step, 0, LANE) for step in range(passed)]
            self.ways.append([*way, target])
        count = 1 + max((box.column for box in self.boxes), default=0)
        self.columns: list[list[_Vertex]] = [[] for _ in range(count)]
        for vertex in (*entries, *self.boxes):
            self.columns[vertex.column].append(vertex)
        for way, link in zip(self.ways, links, strict=True):
            for vertex in way[1:-1]:
                self.columns[vertex.column].append(vertex)
            self.ends.append(len(way[-1].before))
            for one, other in pairwise(way):
                one.behind.append(other)
                other.before.append(one)
                other.ports.append(link.port if other is way[-1] else LANE / 2)

    # -- places in the columns -----------------------------------------------------------------

    def order(self) -> None:
        """Sort each column so that few lines cross; the order that was given decides ties."""
        self._number()
        best = self._crossings()
        kept = [list(column) for column in self.columns]
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            columns = self.columns[1:] if forward else self.columns[-2::-1]
            for column in columns:
                column.sort(key=lambda vertex: _middle(vertex, forward=forward))
                for place, vertex in enumerate(column):
                    vertex.index = float(place)
            crossings = self._crossings()
            if crossings < best:
                best, kept = crossings, [list(column) for column in self.columns]
        self.columns = kept
        self._number()
        for box in self.boxes:
            _spread_ports(box)

    def _number(self) -> None:
        for column in self.columns:
            for place, vertex in enumerate(column):
                vertex.index = float(place)

    def _crossings(self) -> int:
        return sum(_crossings(column) for column in self.columns[1:])

    # -- heights ---------------------------------------------------------------------------------

    def stack(self) -> None:
        """Move what is in a column up and down, so that lines are straight where they can be."""
        for column in self.columns:
            top = 0.0
            for vertex in column:
                vertex.top = top
                top += vertex.height + GAP
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            for column in self.columns if forward else reversed(self.columns):
                _settle(column, forward=forward)
        highest = min((v.top for column in self.columns for v in column), default=0.0)
        for column in self.columns:
            for vertex in column:
                vertex.top -= highest

    # -- the result --------------------------------------------------------------------------------

    def layout(self) -> Layout:
        """Turn columns into coordinates."""
        widths = [max((v.width for v in column), default=0.0) for column in self.columns]
        rooms = [0.0] * len(widths)
        for link in self.links:
            column = self.boxes[link.target].column
            rooms[column] = max(rooms[column], link.room)
        lefts: list[float] = []
        x = 0.0
        for column, width in enumerate(widths):
            x += rooms[column] + (BEND if column else 0.0)
            lefts.append(x)
            x += width
        routes = [
            _route(way, way[-1].ports[end], lefts, widths, rooms)
            for way, end in zip(self.ways, self.ends, strict=True)
        ]
        height = max((v.top + v.height for column in self.columns for v in column), default=0.0)
        places = [(lefts[box.column], box.top) for box in self.boxes]
        return Layout(x, height, places, [box.height for box in self.boxes], routes)


def _route(
    way: list[_Vertex],
    port: float | None,
    lefts: list[float],
    widths: list[float],
    rooms: list[float],
) -> list[Point]:
    first, target = way[0], way[-1]
    y = first.top + first.height / 2
    column = first.column
    points = [(lefts[column] + first.width, y), (lefts[column] + widths[column], y)]
    for vertex in way[1:]:
        left = lefts[vertex.column]
        right = left + widths[vertex.column]
        y = vertex.top + vertex.height / 2
        if vertex is target:
            right = left
            y = y if port is None else vertex.top + port
        points += [(left - rooms[vertex.column], y), (right, y)]
    return points


def _columns(count: int, links: Sequence[Link]) -> list[int]:
    """The column of each box: behind the last of those it has lines from."""
    behind: list[list[int]] = [[] for _ in range(count)]
    open_ = [0] * count
    columns = [0] * count
    for link in links:
        if link.source is None:
            columns[link.target] = 1
        elif link.source != link.target:
            behind[link.source].append(link.target)
            open_[link.target] += 1
    if any(link.source is None for link in links):
        columns = [1] * count  # the first column is the border
    waiting = [box for box in range(count) if open_[box]]
    ready = [box for box in range(count) if not open_[box]]
    done = [False] * count
    while ready or waiting:
        if not ready:  # around a cycle: begin with the first
            waiting = [box for box in waiting if not done[box]]
            if not waiting:
                break
            ready.append(waiting[0])
        box = ready.pop()
        if done[box]:
            continue
        done[box] = True
        for other in behind[box]:
            if not done[other]:
                columns[other] = max(columns[other], columns[box] + 1)
                open_[other] -= 1
                if not open_[other]:
                    ready.append(other)
    return columns


def _middle(vertex: _Vertex, *, forward: bool) -> float:
    others = vertex.before if forward else vertex.behind
    if not others:
        return vertex.index
    return sum(other.index for other in others) / len(others)


def _crossings(column: list[_Vertex]) -> int:
    """How often the lines that end in a column cross each other."""
    seen: list[float] = []
    count = 0
    for vertex in column:
        ends = sorted(other.index for other in vertex.before)
        for end in ends:
            count += len(seen) - bisect_left(seen, end + 0.5)
        for end in ends:
            insort(seen, end)
    return count


def _spread_ports(box: _Vertex) -> None:
    """Give each line that ends at a box a place of its own, in the order they come in."""
    free = [place for place, port in enumerate(box.ports) if port is None]
    box.height = max(box.height, LANE * len(free) + 8)
    free.sort(key=lambda place: box.before[place].index)
    for step, place in enumerate(free):
        box.ports[place] = box.height / 2 + LANE * (step - (len(free) - 1) / 2)


def _port(vertex: _Vertex, before: _Vertex) -> float:
    port = vertex.ports[vertex.before.index(before)]
    return vertex.height / 2 if port is None else port


def _settle(column: list[_Vertex], *, forward: bool) -> None:
    """Bring each vertex as near to where its lines want it as the others in its column allow.

    That is a regression under an order: neighbours that want to pass each other share one place.
    """
    blocks: list[tuple[float, float, int]] = []  # sum of wishes by weight, weight, members
    offset = 0.0
    offsets: list[float] = []
    for above, vertex in zip([None, *column], column, strict=False):
        if above is not None:
            both = above.is_lane and vertex.is_lane
            offset += above.height + (0.0 if both else GAP)
        offsets.append(offset)
        wish, weight = _wish(vertex, forward=forward)
        total, members = (wish - offset) * weight, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / weight:
            more, more_weight, more_members = blocks.pop()
            total, weight, members = total + more, weight + more_weight, members + more_members
        blocks.append((total, weight, members))
    place = 0
    for total, weight, members in blocks:
        for vertex in column[place : place + members]:
            vertex.top = total / weight + offsets[place]
            place += 1


def _wish(vertex: _Vertex, *, forward: bool) -> tuple[float, float]:
    """Where the top of a vertex should be, and how much that matters."""
    if forward:
        wishes = [
            other.top + other.height / 2 - (vertex.height / 2 if port is None else port)
            for other, port in zip(vertex.before, vertex.ports, strict=True)
        ]
    else:
        wishes = [other.top + _port(other, vertex) - vertex.height / 2 for other in vertex.behind]
    if not wishes:
        return vertex.top, 0.05
    return sum(wishes) / len(wishes), 8.0 if vertex.is_lane else 1.0
