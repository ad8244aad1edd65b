"""What would be undone when a run fails, and in which order: from the blueprint alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from heapq import heapify, heappop, heappush

import msgspec

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.reading import as_mapping
from atomiton.cli.drawing import Box, Drawing, Line, kind_of


class Undo(msgspec.Struct):
    """What undoes one node.

    Attributes:
        node: Path of the node.
        by: What runs, such as the name of a node type.
        when_failed: Whether it runs also when the node itself failed.
        repeated: Whether it runs once for each item or turn of a repeat.
        before: Paths of those that are undone only after this one, as the node needs them.
    """

    node: str
    by: str
    when_failed: bool
    repeated: bool
    before: list[str]


class _Seen(msgspec.Struct):
    """A node as its document has it, and where it stands."""

    node: Mapping[str, object]
    repeated: bool
    enabled: bool


class Whole(msgspec.Struct):
    """A blueprint with those that it calls, each as a group in the place of its call."""

    drawing: Drawing
    seen: dict[str, _Seen]


#: Finds what a blueprint calls by a name, and draws it; None if there is none.
Find = Callable[[Blueprint, str], "tuple[Blueprint, Drawing] | None"]


def whole(
    blueprint: Blueprint, drawing: Drawing, find: Find, above: tuple[Blueprint, ...] = ()
) -> Whole:
    """Put what a blueprint calls in the places of its calls.

    Args:
        blueprint: The blueprint.
        drawing: Its nodes and lines.
        find: Finds what is called.
        above: Those that call it; what calls itself is not gone into again.
    """
    made = Whole(Drawing(drawing.blueprint, list(drawing.nodes), list(drawing.edges)), {})
    for path, seen in _nodes(blueprint.document, "", repeated=False, enabled=True):
        name = seen.node.get("call")
        found = find(blueprint, name) if isinstance(name, str) else None
        if found is not None and all(found[0] is not one for one in (*above, blueprint)):
            _put(made, path, seen, whole(*found, find, (*above, blueprint)))
        made.seen[path] = seen
    return made


def _put(made: Whole, path: str, call: _Seen, inner: Whole) -> None:
    for box in inner.drawing.nodes:
        group = path if box.group is None else f"{path}.{box.group}"
        made.drawing.nodes.append(Box(f"{path}.{box.id}", box.kind, box.label, group))
    for line in inner.drawing.edges:
        ends = f"{path}.{line.source}", f"{path}.{line.target}"
        made.drawing.edges.append(Line(*ends, line.kind, line.field))
    for name, seen in inner.seen.items():
        made.seen[f"{path}.{name}"] = _Seen(
            seen.node, seen.repeated or call.repeated, seen.enabled and call.enabled
        )


def undone(blueprint: Whole) -> list[Undo]:
    """Find the compensations of a blueprint, the first to run first.

    What a run undoes it undoes in the reverse order of completion. A blueprint says as much as its
    lines do: a node is undone before those that it needs. Nodes that do not need each other stand
    in the reverse order of the document, though either may complete first.

    Args:
        blueprint: The blueprint, with those that it calls.
    """
    needs = _needs(blueprint.drawing)
    found: list[Undo] = []
    for path in reversed(_in_order(list(blueprint.seen), needs)):
        seen = blueprint.seen[path]
        body = as_mapping(seen.node.get("compensate"))
        if body is not None and seen.enabled and body.get("enabled") is not False:
            _, by = kind_of(body)
            found.append(Undo(path, by, body.get("when_failed") is True, seen.repeated, []))
    paths = {undo.node for undo in found}
    for undo in found:
        undo.before = _nearest(undo.node, needs, paths)
    return found


def draw_undone(drawing: Drawing, found: list[Undo]) -> Drawing:
    """The compensations as a drawing: a line from what is undone first to what follows."""
    boxes = [Box(undo.node, "uses", undo.by, None) for undo in found]
    lines = [Line(undo.node, other, "reference", None) for undo in found for other in undo.before]
    return Drawing(f"{drawing.blueprint}: undone on failure", boxes, lines)


def _nodes(
    owner: Mapping[str, object], prefix: str, *, repeated: bool, enabled: bool
) -> Iterator[tuple[str, _Seen]]:
    for id_, value in (as_mapping(owner.get("nodes")) or {}).items():
        node = as_mapping(value) or {}
        again = repeated or "map" in node or "loop" in node
        runs = enabled and node.get("enabled") is not False
        if "nodes" in node:
            yield from _nodes(node, f"{prefix}{id_}.", repeated=again, enabled=runs)
        yield prefix + id_, _Seen(node, again, runs)


def _needs(drawing: Drawing) -> dict[str, list[str]]:
    """What each node waits for: its lines, those of the groups around it, and what it holds."""
    needs: dict[str, list[str]] = {box.id: [] for box in drawing.nodes}
    begun: dict[str, list[str]] = {box.id: [] for box in drawing.nodes}
    groups = {box.id: box.group for box in drawing.nodes}
    for line in drawing.edges:
        begun[line.target].append(line.source)
    for box in drawing.nodes:
        around: str | None = box.id
        while around is not None:
            needs[box.id] += [s for s in begun[around] if s != box.id]
            around = groups[around]
        if box.group is not None:
            needs[box.group].append(box.id)
    return needs


def _in_order(paths: list[str], needs: Mapping[str, list[str]]) -> list[str]:
    """Every node behind what it waits for; the document decides between others."""
    place = {path: number for number, path in enumerate(paths)}
    behind: dict[str, list[str]] = {path: [] for path in paths}
    open_ = {path: len(needs[path]) for path in paths}
    for path in paths:
        for needed in needs[path]:
            behind[needed].append(path)
    ready = [place[path] for path in paths if not open_[path]]
    heapify(ready)
    ordered: list[str] = []
    while ready:
        path = paths[heappop(ready)]
        ordered.append(path)
        for other in behind[path]:
            open_[other] -= 1
            if not open_[other]:
                heappush(ready, place[other])
    done = set(ordered)
    return ordered + [path for path in paths if path not in done]  # around a cycle


def _nearest(path: str, needs: Mapping[str, list[str]], wanted: set[str]) -> list[str]:
    """What is wanted of all that a node waits for, without what another of those waits for."""
    found = _first_wanted(path, needs, wanted)
    further: set[str] = set()
    pending = list(found)
    while pending:
        for other in _first_wanted(pending.pop(), needs, wanted):
            if other not in further:
                further.add(other)
                pending.append(other)
    return [other for other in found if other not in further]


def _first_wanted(path: str, needs: Mapping[str, list[str]], wanted: set[str]) -> list[str]:
    """The first wanted node on every way back from a node."""
    found: list[str] = []
    seen = {path}
    pending = list(reversed(needs[path]))
    while pending:
        other = pending.pop()
        if other in seen:
            continue
        seen.add(other)
        if other in wanted:
            found.append(other)
        else:
            pending += reversed(needs[other])
    return found
