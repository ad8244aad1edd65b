"""Workflows in which lists of items flow from node to node, as n8n and Node-RED have them.

The output of a node is the list of its items. What takes several outputs in takes the items of all
of them, one after the other; a node that was skipped has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from atomiton.interop.data import kept
from atomiton.interop.draft import CODE, Draft, Node
from atomiton.interop.expressions.cel import braced, plain_text
from atomiton.interop.report import Entry

Wire = tuple[str, int]
"""A node, and which of its outputs."""


@dataclass(slots=True)
class Part:
    """A node of the file.

    Attributes:
        key: Its name or id there.
        type: What it is.
        entry: Of the report.
        said: All that the file says of it.
        wires: For each input the outputs that lead to it.
        outputs: Expression of the items of each output, once it is made.
        pairs: Whether its items are those of its first input, one by one, in their order.
        single: Whether it gives exactly one item.
        starts: Whether it starts runs.
        inner: Parts of it that are nodes of their own in the file, by the kind of their wires.
        taken: The node whose part it is, once that is made.
        secrets: Names of secrets that its parameters hold.
    """

    key: str
    type: str
    entry: Entry
    said: dict[str, object]
    wires: dict[int, list[Wire]] = field(default_factory=dict[int, list[Wire]])
    outputs: list[str] = field(default_factory=list[str])
    pairs: bool = False
    single: bool = False
    starts: bool = False
    inner: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    taken: str = ""
    secrets: list[str] = field(default_factory=list[str])


class Items:
    """The nodes of a file and how they are wired.

    Args:
        parts: By key, in the order of the file.
    """

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.parts = dict(parts)
        self._cuts: list[tuple[Wire, str]] = []

    def ordered(self) -> list[Part]:
        """Nodes after all that lead to them; wires that lead back are cut, and told of."""
        state: dict[str, int] = {}
        done: list[Part] = []
        behind = self._behind()
        roots = sorted(self.parts, key=lambda key: not self.parts[key].starts)
        for root in roots:
            if root in state:
                continue
            state[root] = 1
            work = [(root, list(behind[root]))]
            while work:
                key, left = work[-1]
                if not left:
                    state[key] = 2
                    done.append(self.parts[key])
                    work.pop()
                    continue
                other = left.pop()
                if other not in state:
                    state[other] = 1
                    work.append((other, list(behind[other])))
                elif state[other] == 1:
                    self._cut(key, other)
        return done[::-1]

    def _behind(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {key: [] for key in self.parts}
        for part in self.parts.values():
            for wires in part.wires.values():
                for source, _ in wires:
                    if part.key not in found[source]:
                        found[source].append(part.key)
        return found

    def _cut(self, source: str, target: str) -> None:
        part = self.parts[target]
        for number, wires in part.wires.items():
            self._cuts += [(wire, target) for wire in wires if wire[0] == source]
            part.wires[number] = [wire for wire in wires if wire[0] != source]
        reason = f"the wire back to '{target}' is cut: what goes in circles is not mapped"
        self.parts[source].entry.fails(reason)

    def mark_cuts(self, draft: Draft) -> None:
        """Where a wire was cut, put a node that fails when items come to it."""
        for (source, output), target in self._cuts:
            part = self.parts[source]
            id_ = part.entry.node
            if output >= len(part.outputs) or id_ not in draft.nodes:
                continue
            draft.originals.setdefault(id_, kept(part.said))
            message = f"here '{source}' goes back to '{target}', which was not imported"
            fail: Node = {
                "description": plain_text(f"Not mapped: the way back to '{target}'"),
                "uses": "flow.fail",
                "with": {"message": plain_text(message)[:500], "code": CODE},
            }
            draft.nodes[draft.name(f"{id_}_back")] = once(fail, part.outputs[output])

    def reached(self) -> set[str]:
        """Nodes that something which starts runs leads to."""
        behind = self._behind()
        left = [key for key, part in self.parts.items() if part.starts]
        found = set(left)
        while left:
            for other in behind[left.pop()]:
                if other not in found:
                    found.add(other)
                    left.append(other)
        return found

    def sources(self, part: Part, number: int = 0) -> list[str]:
        """Expressions of the items that come to an input."""
        found: list[str] = []
        for source, output in part.wires.get(number, []):
            outputs = self.parts[source].outputs
            found.append(outputs[output] if output < len(outputs) else "[]")
        return list(dict.fromkeys(found))

    def incoming(self, part: Part, number: int = 0) -> str:
        """Expression of all items that come to an input."""
        found = self.sources(part, number)
        if len(found) == 1:
            return found[0]
        if not found:
            return "[]"
        return f"({' + '.join(f'({text} == null ? [] : {text})' for text in found)})"

    def pair_of(self, part: Part, wanted: str) -> str | None:
        """Expression of the item of another node that belongs to ``item``; None if none is sure."""
        other = self.parts.get(wanted)
        if other is None or not other.outputs:
            return None
        if other.single:
            return f"{other.outputs[0]}[0]"
        here: Part | None = part
        while here is not None:
            wires = here.wires.get(0, [])
            if len(wires) != 1 or len(here.wires) > 1:
                return None
            source, number = wires[0]
            if source == wanted:
                return f"{other.outputs[number]}[index]" if number < len(other.outputs) else None
            here = self.parts[source] if self.parts[source].pairs else None
        return None


def with_inputs(node: Node, part: Part, numbers: Iterable[int] = (0,)) -> Node:
    """A node that also runs when only some of what leads to it has given items."""
    wires = {wire for number in numbers for wire in part.wires.get(number, [])}
    return {**node, "join": "any"} if len(wires) > 1 else node


def once(node: Node, incoming: str) -> Node:
    """A node that runs once for all items, and not at all when there are none."""
    test = f"{incoming}.size() > 0"
    return {"if": f"({node['if']}) && {test}" if "if" in node else test, **_without_if(node)}


def _without_if(node: Node) -> Node:
    return {key: value for key, value in node.items() if key != "if"}


def value(expression: str) -> Node:
    """A node that gives the value of an expression."""
    return {"uses": "data.value", "with": {"value": braced(expression)}}


def each(incoming: str, core: Node) -> Node:
    """A node that runs for each item."""
    return {"map": braced(incoming), **core}


def first(incoming: str) -> str:
    """Expression of a list of the first item alone, or of nothing."""
    return f"{incoming}.slice(0, math.least(1, {incoming}.size()))"
