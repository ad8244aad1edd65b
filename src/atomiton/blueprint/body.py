"""Compiling the nodes of a body: what each is, how they depend on each other, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.graph import find_cycles
from atomiton.blueprint.model import Node
from atomiton.blueprint.plan import (
    BRANCH,
    ENDED,
    ERROR,
    GROUP,
    JOIN_ALL,
    JOIN_ANY,
    JOIN_COUNT,
    JOIN_SETTLED,
    LOOP,
    MAP,
    NEED,
    ROUTE,
    WAIT_APPROVAL,
    WAIT_FOR,
    WAIT_SIGNAL,
    WAIT_UNTIL,
    Body,
    BodyScope,
    Edge,
    Getter,
    Group,
    LoopPlan,
    MapPlan,
    PlanNode,
    Routes,
    Scope,
    Undo,
    Waiting,
)
from atomiton.blueprint.problems import Path, nearest
from atomiton.blueprint.results import result_of
from atomiton.blueprint.routes import find_routes
from atomiton.blueprint.scope import Names, Schema, as_items, as_moment, as_seconds
from atomiton.blueprint.unit import UnitCompiler, called
from atomiton.blueprint.values import Values, constant

#: Turns after which a loop is stopped that does not say how many it may make.
MOST_TURNS = 1000

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_JOINS = {"all": JOIN_ALL, "any": JOIN_ANY, "settled": JOIN_SETTLED}


class BodyCompiler:
    """Compiles the nodes of one body.

    Args:
        unit: The blueprint that they are part of.
        nodes: By id, in document order.
        path: Where they stand in the document.
        outer: The names around them.
    """

    def __init__(
        self, unit: UnitCompiler, nodes: Mapping[str, Node], path: Path, outer: Names | None = None
    ) -> None:
        self.unit = unit
        self.nodes = nodes
        self.path = path
        numbers = {name: number for number, name in enumerate(nodes)}
        self.names = Names(outer, nodes=numbers, path=path)

    def compile(self, output: object, path: Path, *, has_output: bool) -> Body:
        """Compile every node, and what the body gives (``output``, which stands at ``path``)."""
        self._find_results()
        plan_nodes = tuple(
            self._node(number, name, node) for number, (name, node) in enumerate(self.nodes.items())
        )
        self._connect(plan_nodes)
        given = self._values(self.names).value(output, path) if has_output else None
        return Body(plan_nodes, given or _sinks(plan_nodes))

    def _values(self, names: Names, *, secrets: bool = False) -> Values:
        return Values(self.unit.blueprint, names, self.unit.problems, secrets=secrets)

    def _find_results(self) -> None:
        """Note what each node gives, as far as that is known before anything runs."""
        for name, node in self.nodes.items():
            if node.branch is not None:
                self.names.routes[name] = tuple(node.branch)
            self.names.results[name] = result_of(node, (*self.path, name), self.unit.type_of)

    # -- one node ----------------------------------------------------------------------------

    def _node(self, number: int, name: str, node: Node) -> PlanNode:
        self.names.current = number
        compiled = self.alone(name, node, (*self.path, name))
        self.names.current = None
        return compiled

    def alone(self, name: str, node: Node, path: Path) -> PlanNode:
        """Compile a node; one that is not part of the body sees it, and makes no edges."""
        compiled = PlanNode(name)
        compiled.enabled = node.enabled
        compiled.weight = node.weight
        compiled.deadline = node.deadline
        values = self._values(self.names)
        for order, needed in enumerate(node.needs):
            self._need(needed, (*path, "needs", order))
        if node.if_ is not None:
            compiled.condition = values.condition(node.if_, (*path, "if"))
        if isinstance(node.on_error, dict):
            place = (*path, "on_error", "value")
            compiled.fallback = values.value(node.on_error.get("value"), place)
        self._join(node, compiled)
        if node.map is not None:
            self._map(node, compiled, path)
        elif node.loop is not None:
            self._loop(node, compiled, path)
        else:
            self._kind(node, compiled, self.names, path)
            self._undo(node, compiled, self.names, path)
        return compiled

    def _join(self, node: Node, compiled: PlanNode) -> None:
        join = node.join
        if isinstance(join, dict):
            compiled.join, compiled.least = JOIN_COUNT, join["at_least"]
        elif join == "first":
            compiled.join, compiled.least = JOIN_COUNT, 1
        elif join is not None:
            compiled.join = _JOINS[join]

    def _kind(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        """Compile what a node does, in the scope in which it does it."""
        defaults = self.unit.blueprint.defaults
        compiled.retry = node.retry or defaults.retry
        compiled.timeout = node.timeout
        for where in (defaults.runtime, node.runtime):  # the later say it better
            if isinstance(where, dict):
                compiled.queue = where["queue"]
            elif where is not None:
                compiled.runtime = where
        if node.wait is not None:
            self._wait(node, compiled, names, path)
        elif node.branch is not None:
            self._branch(node, compiled, names, path)
        elif node.nodes is not None:
            self._group(node, compiled, names, path)
        elif node.call is not None:
            self._call(node, compiled, names, path)
        else:
            self._uses(node, compiled, names, path)
            return
        compiled.retry = node.retry
        if node.cache:
            message = "'cache' keeps what a node type gives: it goes with 'uses'"
            self.unit.problems.add("INVALID_BLUEPRINT", message, (*path, "cache"))
        if node.with_ and node.call is None:
            message = "'with' gives parameters to a node type or to a call"
            self.unit.problems.add("INVALID_BLUEPRINT", message, (*path, "with"))

    def _uses(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        kind = self.unit.type_of(node, path)
        values = self._values(names, secrets=True)
        if kind is None:
            # Its type is unknown; what it refers to can be checked all the same.
            values.value(node.with_, (*path, "with"))
            return
        if isinstance(node.runtime, str) and kind.runtime in ("program", "wasm"):
            what = "program" if kind.runtime == "program" else "module of WebAssembly"
            message = f"'{kind.name}' is a {what}: 'runtime' chooses where Python runs"
            self.unit.problems.add("NOT_SUPPORTED", message, (*path, "runtime"))
        compiled.type = kind
        compiled.pure = kind.effect == "pure"
        compiled.once = kind.effect == "once"
        compiled.retry = compiled.retry or kind.retry
        default = self.unit.blueprint.defaults.timeout
        for timeout in (default, kind.timeout):
            compiled.timeout = timeout if compiled.timeout is None else compiled.timeout
        compiled.prepare = values.parameters(kind, node.with_, path)
        if node.cache:
            from atomiton.blueprint.caching import compile_caching  # few blueprints say so

            compiled.caching = compile_caching(node, kind, self._values(names), path)
        compiled.step = len(self.unit.uses)
        self.unit.uses.append(compiled)

    def _wait(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        wait = node.wait
        assert wait is not None
        values = self._values(names)
        compiled.pure = True
        bounds = [bound for bound in (node.timeout, wait.timeout) if bound is not None]
        compiled.timeout = min(bounds, default=None)
        if wait.until is not None:
            compiled.kind = WAIT_UNTIL
            when = self._moment(values, wait.until, (*path, "wait", "until"))
            compiled.detail = Waiting(as_moment(when, wait.until))
        elif wait.signal is not None:
            compiled.kind = WAIT_SIGNAL
            match: Getter | None = None
            if wait.match is not None:
                payload = Names(names, items={"payload": "item"})
                match = self._values(payload).condition(wait.match, (*path, "wait", "match"))
            compiled.detail = Waiting(signal=wait.signal, match=match)
        elif wait.approval is not None:
            compiled.kind = WAIT_APPROVAL
            place = (*path, "wait", "approval")
            compiled.detail = Waiting(
                approval=wait.approval, texts=values.texts(wait.approval, place)
            )
        else:
            compiled.kind = WAIT_FOR
            seconds = values.value(wait.seconds, (*path, "wait", "for"))
            compiled.detail = Waiting(as_seconds(seconds, str(wait.seconds)))

    def _moment(self, values: Values, text: str, path: Path) -> Getter:
        """A moment: written out, or an expression that gives it."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            if not _DATE.match(text):
                return values.expression(text, path)
            wrong, hint = f"'{text[:80]}' is no moment: {error}", "such as 2030-01-01T00:00:00Z"
        else:
            if moment.tzinfo is not None:
                return constant(text)
            wrong, hint = f"the moment {text} has no time zone", "add Z or an offset such as +02:00"
        self.unit.problems.add("INVALID_BLUEPRINT", wrong, path, hint)
        return constant(text)

    def _branch(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        values = self._values(names)
        compiled.kind = BRANCH
        compiled.pure = True
        compiled.timeout = None
        routes: list[tuple[str, Getter | None]] = []
        for name, when in (node.branch or {}).items():
            place = (*path, "branch", name)
            routes.append((name, None if when == "else" else values.condition(when, place)))
        # ``else`` is taken when no other is, wherever it stands.
        routes.sort(key=lambda route: route[1] is None)
        compiled.detail = Routes(tuple(routes), node.mode == "all")

    def _group(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        assert node.nodes is not None
        compiled.kind = GROUP
        inner = BodyCompiler(self.unit, node.nodes, (*path, "nodes"), names)
        body = inner.compile(node.output, (*path, "output"), has_output=node.output is not None)
        compiled.detail = Group(body, node.race)

    def _call(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        assert node.call is not None
        compiled.kind = GROUP
        found = self.unit.find_called(node.call, (*path, "call"))
        values = self._values(names)
        if found is None:
            values.value(node.with_, (*path, "with"))
            return
        blueprint, body = found
        compiled.detail = Group(body, call=called(blueprint, node.with_, values, path))
        bounds = [bound for bound in (node.timeout, blueprint.limits.timeout) if bound is not None]
        compiled.timeout = min(bounds, default=None)

    # -- repeats -----------------------------------------------------------------------------

    def _map(self, node: Node, compiled: PlanNode, path: Path) -> None:
        compiled.kind = MAP
        items = as_items(self._values(self.names).value(node.map, (*path, "map")))
        if isinstance(node.map, str):
            takes: Schema = {"type": ["array", "object"]}
            self._values(self.names).check_edge(node.map, takes, "'map'", (*path, "map"))
        inner = PlanNode(compiled.id)
        seen = {node.as_ or "item": "item", "index": "index"}
        self._kind(node, inner, Names(self.names, items=seen), path)
        self._undo(node, inner, Names(self.names, items={**seen, compiled.id: "own"}), path)
        at_once, policy = node.concurrency or 0, node.on_item_error or "fail"
        compiled.detail = MapPlan(inner, items, at_once, policy, node.as_ or "item")

    def _loop(self, node: Node, compiled: PlanNode, path: Path) -> None:
        loop = node.loop or {}
        compiled.kind = LOOP
        seen = {"index": "index", "acc": "acc"}
        turn = Names(self.names, items=seen)
        inner = PlanNode(compiled.id)
        self._kind(node, inner, turn, path)
        self._undo(node, inner, Names(self.names, items={**seen, compiled.id: "own"}), path)
        values, place = self._values(self.names), (*path, "loop")
        conditions = {
            key: self._values(turn).condition(str(loop[key]), (*place, key))
            for key in ("while", "until")
            if key in loop
        }
        times = loop.get("times")
        counted: Getter | None = None
        if isinstance(times, str):
            counted = values.expression(times, (*place, "times"))
        elif times is not None:
            counted = values.value(times, (*place, "times"))
        most = loop.get("max", 0 if counted else MOST_TURNS)
        compiled.detail = LoopPlan(
            node=inner,
            before=conditions.get("while"),
            after=conditions.get("until"),
            times=counted,
            start=values.value(loop["start"], (*place, "start")) if "start" in loop else None,
            most=cast("int", most),
            delay=parse_duration(loop.get("delay", 0)),
        )

    def _undo(self, node: Node, compiled: PlanNode, names: Names, path: Path) -> None:
        """Compile the compensation of a node; it makes no edges, since it runs at the end."""
        if node.compensate is None:
            return
        current, self.names.current = self.names.current, None
        undo = PlanNode(f"{compiled.id}:compensate")
        what = node.compensate.node
        if what.cache:
            message = "what undoes a node acts each time: its results cannot be kept"
            place = (*path, "compensate", "cache")
            self.unit.problems.add("INVALID_BLUEPRINT", message, place, "leave out 'cache'")
        self._kind(what, undo, names, (*path, "compensate"))
        undo.deadline = what.deadline
        if what.enabled:
            compiled.undo = Undo(undo, node.compensate.when_failed)
        self.names.current = current

    # -- edges -------------------------------------------------------------------------------

    def _need(self, text: str, path: Path) -> None:
        """Note what a node needs: another, a route of a branch, or the error of another."""
        name, _, part = text.partition(".")
        found = self.names.node(name)
        if found is None:
            self._values(self.names).unknown(text, path, self.names.known())
        elif not part:
            self.names.need(name)
        elif part == "error":
            self.names.need(name, ERROR)
        else:
            self._need_route(name, part, found[1].routes.get(name), path)

    def _need_route(self, name: str, part: str, routes: tuple[str, ...] | None, path: Path) -> None:
        problems = self.unit.problems
        if routes is None:
            what = f"'{name}' is not a branch, so it has no route '{part}'"
            problems.add("UNKNOWN_REFERENCE", what, path, f"write '{name}' or '{name}.error'")
        elif part not in routes:
            hint = nearest(part, routes) or f"its routes: {', '.join(routes)}"
            problems.add("UNKNOWN_REFERENCE", f"'{name}' has no route '{part}'", path, hint)
        else:
            self.names.need(name, ROUTE, part)

    def _connect(self, nodes: tuple[PlanNode, ...]) -> None:
        """Turn the edges that were noted into numbers of the nodes before and after."""
        for number, node in enumerate(nodes):
            edges = _distinct(self.names.edges[number])
            node.needs = tuple(sorted({edge.source for edge in edges}))
            if node.join != JOIN_ALL or any(edge.kind != NEED for edge in edges):
                node.edges = edges
            for edge in edges:
                if edge.kind == ERROR:
                    nodes[edge.source].routes_error = True
            self._check_join(node, sum(edge.kind != ENDED for edge in edges))
        for number, node in enumerate(nodes):
            for needed in node.needs:
                nodes[needed].successors.append(number)
                if node.join == JOIN_COUNT:
                    nodes[needed].early = (*nodes[needed].early, number)
            if node.routes_error and node.fallback is not None:
                message = f"'{node.id}' has both 'on_error' and a node that needs its error"
                self.unit.problems.add(
                    "INVALID_BLUEPRINT", message, (*self.path, node.id, "on_error"), "remove one"
                )
        if not self._refuse_cycle(nodes):
            find_routes(nodes)

    def _check_join(self, node: PlanNode, edges: int) -> None:
        if node.join == JOIN_COUNT and node.least > edges:
            message = f"'{node.id}' waits for {node.least} nodes, but depends on {edges}"
            self.unit.problems.add("INVALID_BLUEPRINT", message, (*self.path, node.id, "join"))

    def _refuse_cycle(self, nodes: tuple[PlanNode, ...]) -> bool:
        cycles = find_cycles([node.needs for node in nodes], [node.successors for node in nodes])
        for cycle in cycles:
            names = [nodes[number].id for number in cycle]
            self.unit.problems.add(
                "CIRCULAR_DEPENDENCY",
                f"nodes wait for each other: {' -> '.join([*names, names[0]])}",
                (*self.path, names[0]),
            )
        return bool(cycles)


def _distinct(edges: Mapping[Edge, None]) -> tuple[Edge, ...]:
    """The edges of a node; looking at a node's status asks for nothing beside a real need."""
    needed = {edge.source for edge in edges if edge.kind != ENDED}
    return tuple(edge for edge in edges if edge.kind != ENDED or edge.source not in needed)


def _sinks(nodes: tuple[PlanNode, ...]) -> Getter:
    """What a body gives that does not say: the outputs of the nodes that nothing waits for."""
    sinks = tuple((node.id, number) for number, node in enumerate(nodes) if not node.successors)

    def give(scope: Scope) -> dict[str, object]:
        outputs = cast("BodyScope", scope).outputs
        return {name: outputs[number] for name, number in sinks}

    return give
