"""Steps that say which comes next, as nodes that say what they wait for.

The steps of a state machine or of a list of tasks are a graph of jumps. Here every jump that can be
taken becomes a requirement of the node it leads to; where several lead to one node, routes of
branches stand in for each other, as the format has it. What is jumped back to becomes a loop, whose
turns hand on where to go next and with what data: ``{"next": ..., "data": ...}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry

END: Final = ""
"""Where a jump leads to that ends all steps around it."""

TURNS: Final = 1_000_000
"""Most turns of a loop that was made of jumps."""

_BRACES = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN = re.compile(r"(?<![\w.?`])[a-z][a-z0-9_]*\b(?!\()")

Build = Callable[[str], Node]
"""Makes a node, given the expression of the data that comes in."""


@dataclass(frozen=True, slots=True)
class Case:
    """A way on from a step that chooses.

    Attributes:
        condition: Given the data that comes in, a condition; ``else`` for the last.
        target: The step it leads to.
    """

    condition: Callable[[str], str]
    target: str


@dataclass(frozen=True, slots=True)
class Catch:
    """A way on from a step that failed.

    Attributes:
        condition: Given the expression of the error, a condition; None catches every error.
        target: The step it leads to.
        data: Given the data that came in and the error, what goes there: an expression or a node.
    """

    condition: Callable[[str], str] | None
    target: str
    data: Callable[[str, str], str | Node]


@dataclass(slots=True)
class Step:
    """A step.

    Attributes:
        key: Its name among the steps beside it.
        entry: Of the report; its ``node`` is the node to make.
        build: Makes the node, whose output is the data that goes on.
        target: The step that comes next; None where nothing goes on.
        passes: The node gives nothing: what came in goes on.
        cases: Ways on of a step that chooses; it has no ``build``.
        catches: Ways on when it fails.
        original: What the file says of it.
        beside: More nodes that look at what it gave.
    """

    key: str
    entry: Entry
    build: Build | None = None
    target: str | None = END
    passes: bool = False
    cases: list[Case] = field(default_factory=list[Case])
    catches: list[Catch] = field(default_factory=list[Catch])
    original: object = None
    beside: Callable[[str, str], Mapping[str, Node]] | None = None

    def targets(self) -> list[str]:
        """Every step that may come next."""
        ways = [case.target for case in self.cases]
        if not ways and self.target is not None:
            ways = [self.target]
        return [*ways, *(catch.target for catch in self.catches)]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A jump that was taken: what it waits for, the data it brings, and whether it was taken."""

    target: str
    needs: str
    value: str
    taken: str


@dataclass(slots=True)
class Compiled:
    """A body of nodes, and the jumps that lead out of it."""

    nodes: Node
    exits: list[Arrival]

    def output(self) -> str:
        """What the jump that was taken brings."""
        return merged([(exit_.taken, exit_.value) for exit_ in self.exits])


def merged(ways: Iterable[tuple[str, str]]) -> str:
    """The value of the one way that was taken."""
    found = list(ways)
    if not found:
        return "null"
    if len({value for _, value in found}) == 1:
        return found[0][1]
    text = "null" if len(found) > 1 else found[0][1]
    for taken, value in reversed(found):
        text = f"{taken} ? {value} : {text}"
    return f"({text})"


def compile_steps(draft: Draft, steps: Mapping[str, Step], start: str, value: str) -> Compiled:
    """Make nodes of steps.

    Args:
        draft: Names the nodes, and takes placeholders.
        steps: The steps by key.
        start: The first.
        value: Expression of the data that it is given.
    """
    return _Compiler(draft, steps).region(set(steps), start, value, None)


class _Compiler:
    def __init__(self, draft: Draft, steps: Mapping[str, Step]) -> None:
        self._draft = draft
        self._steps = steps

    def region(self, keys: set[str], start: str, value: str, cut: str | None) -> Compiled:
        """Compile some of the steps; jumps to ``cut`` lead out, even if it is one of them."""
        compiled = Compiled({}, [])
        arrivals: dict[str, list[Arrival]] = {start: [Arrival(start, "", value, "true")]}
        for part in self._parts(keys, start, cut):
            came = [a for key in part for a in arrivals.pop(key, [])]
            if not came:
                for key in part:
                    self._draft.left_out(self._steps[key].entry, self._steps[key].original)
                continue
            for jump in self._part(part, came, compiled.nodes, cut):
                inside = jump.target in keys and jump.target != cut
                if inside:
                    arrivals.setdefault(jump.target, []).append(jump)
                else:
                    compiled.exits.append(jump)
        return compiled

    def _parts(self, keys: set[str], start: str, cut: str | None) -> list[list[str]]:
        """Steps that come after each other, and together those that jump to each other."""
        found = _components(keys, start, self._steps, cut)
        reached = {key for part in found for key in part}
        return [*found, *([key] for key in self._steps if key in keys and key not in reached)]

    def _part(
        self, part: list[str], came: list[Arrival], nodes: Node, cut: str | None
    ) -> list[Arrival]:
        key = part[0]
        loops = len(part) > 1 or (key in self._steps[key].targets() and key != cut)
        if not loops:
            return self._step(self._steps[key], came, nodes)
        doors = {arrival.target for arrival in came}
        if len(doors) > 1:
            return self._refused(part, came, nodes)
        return self._loop(set(part), doors.pop(), came, nodes)

    def _refused(self, part: list[str], came: list[Arrival], nodes: Node) -> list[Arrival]:
        """Jumps into the middle of what is repeated: no loop has two doors."""
        reason = "steps that are repeated are jumped into at more than one place"
        for key in part:
            step = self._steps[key]
            _value, needs = self._arrive(step.entry.node, came, nodes)
            node = self._draft.placeholder(step.entry, reason, step.original)
            nodes[step.entry.node] = _waiting(node, needs)
        return []

    def _step(self, step: Step, came: list[Arrival], nodes: Node) -> list[Arrival]:
        id_ = step.entry.node
        value, needs = self._arrive(id_, came, nodes)
        if step.cases:
            return self._choice(step, value, needs, nodes)
        assert step.build is not None
        try:
            node = step.build(value)
            passes = step.passes
        except Untranslatable as error:
            node = self._draft.placeholder(step.entry, str(error), step.original)
            passes = False
        nodes[id_] = _waiting(node, needs)
        brings = value if passes else id_
        done = f'nodes.{id_}.status == "completed"'
        jumps = [Arrival(step.target, id_, brings, done)] if step.target is not None else []
        if step.beside is not None and step.entry.status != "not_mapped":
            nodes.update(step.beside(id_, value))
        return [*jumps, *self._caught(step, value, nodes)]

    def _choice(self, step: Step, value: str, needs: list[str], nodes: Node) -> list[Arrival]:
        id_ = step.entry.node
        try:
            routes = {f"r{n}": case.condition(value) for n, case in enumerate(step.cases, 1)}
        except Untranslatable as error:
            node = self._draft.placeholder(step.entry, str(error), step.original)
            nodes[id_] = _waiting(node, needs)
            # All ways on stay in the drawing; none of them is ever taken.
            return [
                Arrival(case.target, id_, value, f'nodes.{id_}.status == "completed"')
                for case in step.cases
            ]
        nodes[id_] = _waiting({"branch": routes}, needs)
        return [
            Arrival(case.target, f"{id_}.{route}", value, f"{id_}.route == {quoted(route)}")
            for route, case in zip(routes, step.cases, strict=True)
        ]

    def _caught(self, step: Step, value: str, nodes: Node) -> list[Arrival]:
        if not step.catches:
            return []
        id_ = step.entry.node
        error = f"nodes.{id_}.error"
        failed = f'nodes.{id_}.status == "failed"'
        first = step.catches[0]
        if first.condition is None:
            return [self._catch(first, id_, f"{id_}.error", failed, value, nodes)]
        chooser = self._draft.name(f"{id_}_failed")
        routes: dict[str, object] = {}
        jumps: list[Arrival] = []
        for number, catch in enumerate(step.catches, 1):
            route = f"e{number}"
            routes[route] = catch.condition(error) if catch.condition else "else"
            taken = f"{chooser}.route == {quoted(route)}"
            jumps.append(self._catch(catch, id_, f"{chooser}.{route}", taken, value, nodes))
            if catch.condition is None:
                break
        else:
            routes["other"] = "else"
            again = {"message": braced(f"{error}.message"), "code": braced(f"{error}.code")}
            rethrow: Node = {"uses": "flow.fail", "needs": [f"{chooser}.other"], "with": again}
            nodes[self._draft.name(f"{id_}_not_caught")] = rethrow
        nodes[chooser] = {"needs": [f"{id_}.error"], "branch": routes}
        return jumps

    def _catch(
        self, catch: Catch, id_: str, needs: str, taken: str, value: str, nodes: Node
    ) -> Arrival:
        try:
            data = catch.data(value, f"nodes.{id_}.error")
        except Untranslatable as error:
            fail = {"message": f"what was caught was not imported: {error}", "code": "NOT_MAPPED"}
            data = {"uses": "flow.fail", "with": fail}
        if isinstance(data, str):
            return Arrival(catch.target, needs, data, taken)
        made = self._draft.name(f"{id_}_caught")
        nodes[made] = {**data, "needs": [needs]}
        return Arrival(catch.target, made, made, f'nodes.{made}.status == "completed"')

    def _arrive(self, id_: str, came: list[Arrival], nodes: Node) -> tuple[str, list[str]]:
        """The data that comes to a node, and what it waits for."""
        needs = list(dict.fromkeys(arrival.needs for arrival in came if arrival.needs))
        values = {arrival.value for arrival in came}
        if len(values) == 1:
            return came[0].value, needs
        joined = self._draft.name(f"{id_}_input")
        value = braced(merged([(arrival.taken, arrival.value) for arrival in came]))
        nodes[joined] = {"uses": "data.value", "needs": needs, "with": {"value": value}}
        return joined, [joined]

    def _loop(self, keys: set[str], start: str, came: list[Arrival], nodes: Node) -> list[Arrival]:
        """Steps that jump back to the first of them."""
        id_ = self._draft.name(f"{self._steps[start].entry.node}_loop")
        value, needs = self._arrive(id_, came, nodes)
        body = self.region(keys, start, "acc.data", start)
        turns = [
            (exit_.taken, f'{{"next": {quoted(exit_.target)}, "data": {exit_.value}}}')
            for exit_ in body.exits
        ]
        again = quoted(start)
        loop: Node = {
            "name": f"Again: {self._steps[start].key}"[:200],
            "loop": {
                "until": f"acc.next != {again}",
                "start": braced(f'{{"next": {again}, "data": {value}}}'),
                "max": TURNS,
            },
            "nodes": body.nodes,
            "output": braced(merged(turns)),
        }
        nodes[id_] = _waiting(loop, needs)
        targets = list(dict.fromkeys(e.target for e in body.exits if e.target != start))
        done = f'nodes.{id_}.status == "completed"'
        if len(targets) < 2:
            return [Arrival(target, id_, f"{id_}.data", done) for target in targets]
        then = self._draft.name(f"{id_}_then")
        routes = {f"r{n}": f"{id_}.next == {quoted(t)}" for n, t in enumerate(targets, 1)}
        nodes[then] = {"branch": routes}
        return [
            Arrival(target, f"{then}.{route}", f"{id_}.data", f"{then}.route == {quoted(route)}")
            for route, target in zip(routes, targets, strict=True)
        ]


def _waiting(node: Node, needs: list[str]) -> Node:
    """A node that waits for what leads to it, where no reference of its own says so."""
    named = _references(node)
    wanted = [need for need in needs if "." in need or need not in named]
    if not wanted:
        return node
    before = cast("list[str]", node.get("needs", []))
    return {"needs": [*before, *(need for need in wanted if need not in before)], **node}


def _references(node: Node) -> set[str]:
    """Names that stand in the expressions of a node's values; never more than there are."""
    shown = {key: part for key, part in node.items() if key in ("with", "map", "nodes", "output")}
    if "uses" not in node:  # only what the node itself asks for is sure to be a requirement
        shown = {key: part for key, part in shown.items() if key != "with"}
    found: set[str] = set()
    for text in _BRACES.findall(json.dumps(shown, ensure_ascii=False).replace('\\"', '"')):
        bare = _QUOTED.sub(" ", text)
        found.update(_PLAIN.findall(bare))
    return found


def _components(
    keys: set[str], start: str, steps: Mapping[str, Step], cut: str | None
) -> list[list[str]]:
    """Strongly connected steps, each after all that lead to it (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []

    def nexts(key: str) -> list[str]:
        return [t for t in steps[key].targets() if t in keys and t != cut]

    work: list[tuple[str, list[str]]] = [(start, nexts(start))]
    order[start] = low[start] = 0
    stack.append(start)
    on_stack.add(start)
    while work:
        key, left = work[-1]
        if left:
            other = left.pop(0)
            if other not in order:
                order[other] = low[other] = len(order)
                stack.append(other)
                on_stack.add(other)
                work.append((other, nexts(other)))
            elif other in on_stack:
                low[key] = min(low[key], order[other])
            continue
        work.pop()
        if work:
            low[work[-1][0]] = min(low[work[-1][0]], low[key])
        if low[key] == order[key]:
            part = [stack.pop()]
            while part[-1] != key:
                part.append(stack.pop())
            on_stack.difference_update(part)
            found.append(part[::-1])
    return found[::-1]
