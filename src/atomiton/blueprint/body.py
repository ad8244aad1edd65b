"""Compiling the nodes of one body: parameters, conditions, edges, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from atomiton.blueprint.expressions import Expression, Reference, Template, parse, parse_template
from atomiton.blueprint.graph import find_cycle
from atomiton.blueprint.model import Blueprint, Node
from atomiton.blueprint.narrow import as_list, as_object
from atomiton.blueprint.plan import (
    WAIT_FOR,
    WAIT_UNTIL,
    Body,
    Getter,
    NodeKind,
    PlanNode,
    Port,
    Scope,
)
from atomiton.blueprint.problems import Path, Problems, nearest
from atomiton.blueprint.scope import (
    BUILT_IN,
    Names,
    as_moment,
    as_seconds,
    condition,
    references_of,
)
from atomiton.blueprint.types import check_value, describe_schema, fits
from atomiton.errors import ExpressionError, NotFound

ITEM_NAMES = ("item", "index", "acc")


class Types(Protocol):
    """Where node types are looked up."""

    def get(self, name: str) -> NodeKind:
        """The type of that name; raises ``NotFound``."""
        ...


class BodyCompiler:
    """Compiles the nodes of a blueprint; problems are collected, not raised."""

    def __init__(self, blueprint: Blueprint, types: Types, problems: Problems) -> None:
        self.blueprint = blueprint
        self.types = types
        self.problems = problems
        self.names = Names({name: number for number, name in enumerate(blueprint.nodes)})
        self.needs: list[set[int]] = [set() for _ in blueprint.nodes]
        self.kinds: dict[str, NodeKind] = {}

    def compile(self) -> Body:
        """Compile every node and the output."""
        self._find_types()
        nodes = tuple(
            self._node(number, name, node)
            for number, (name, node) in enumerate(self.blueprint.nodes.items())
        )
        for node, needs in zip(nodes, self.needs, strict=True):
            node.needs = tuple(sorted(needs))
        for number, node in enumerate(nodes):
            for needed in node.needs:
                nodes[needed].successors.append(number)
        self._refuse_cycle(nodes)
        return Body(nodes, self._output(nodes))

    # -- nodes -----------------------------------------------------------------------------

    def _find_types(self) -> None:
        for name, node in self.blueprint.nodes.items():
            if node.uses is None:
                continue
            try:
                self.kinds[name] = self.types.get(node.uses)
            except NotFound as error:
                # What a registry suggests stands behind the semicolon of its sentence.
                message, _, hint = error.message.partition("; ")
                self.problems.add(
                    error.code if error.code != "NOT_FOUND" else "UNKNOWN_NODE_TYPE",
                    message,
                    ("nodes", name, "uses"),
                    hint or None,
                )

    def _node(self, number: int, name: str, node: Node) -> PlanNode:
        path: Path = ("nodes", name)
        compiled = PlanNode(name, name)
        self._refuse_unsupported(node, path)
        compiled.enabled = node.enabled
        compiled.weight = node.weight
        compiled.deadline = node.deadline
        compiled.runtime = node.runtime or self.blueprint.defaults.runtime
        for place, needed in enumerate(node.needs):
            self._need(number, needed, (*path, "needs", place))
        if node.if_ is not None:
            compiled.condition = self._condition(number, node.if_, (*path, "if"))
        if isinstance(node.on_error, dict):
            compiled.fallback = (node.on_error.get("value"),)
        if node.wait is not None:
            self._wait(number, node, compiled, path)
        elif name in self.kinds:
            self._uses(number, node, compiled, path)
        elif node.uses is not None and node.map is None and node.loop is None:
            # Its type is unknown; what it refers to can be checked all the same.
            self._value(number, node.with_, (*path, "with"))
        return compiled

    def _refuse_unsupported(self, node: Node, path: Path) -> None:
        wait = node.wait
        for what, present, key in (
            ("groups", node.nodes is not None, "nodes"),
            ("child runs ('call')", node.call is not None, "call"),
            ("branches", node.branch is not None, "branch"),
            ("map", node.map is not None, "map"),
            ("loop", node.loop is not None, "loop"),
            ("a join other than 'all'", node.join not in (None, "all"), "join"),
            ("compensation", node.compensate is not None, "compensate"),
            ("cached results", node.cache is not None, "cache"),
            ("waiting for a signal", wait is not None and wait.signal is not None, "wait"),
            ("waiting for an approval", wait is not None and wait.approval is not None, "wait"),
        ):
            if present:
                self.problems.unsupported(what, (*path, key))

    def _uses(self, number: int, node: Node, compiled: PlanNode, path: Path) -> None:
        kind = self.kinds[compiled.id]
        defaults = self.blueprint.defaults
        compiled.type = kind
        compiled.pure = kind.effect == "pure"
        compiled.once = kind.effect == "once"
        compiled.retry = node.retry or defaults.retry or kind.retry
        timeout = node.timeout if node.timeout is not None else defaults.timeout
        compiled.timeout = timeout if timeout is not None else kind.timeout
        compiled.prepare = self._parameters(number, node, kind, path)

    def _wait(self, number: int, node: Node, compiled: PlanNode, path: Path) -> None:
        wait = node.wait
        assert wait is not None
        compiled.pure = True
        if wait.until is not None:
            compiled.kind = WAIT_UNTIL
            place: Path = (*path, "wait", "until")
            compiled.when = as_moment(self._expression(number, wait.until, place), wait.until)
        else:
            compiled.kind = WAIT_FOR
            when = self._value(number, wait.seconds, (*path, "wait", "for"))
            compiled.when = as_seconds(when, str(wait.seconds))

    # -- parameters ------------------------------------------------------------------------

    def _parameters(
        self, number: int, node: Node, kind: NodeKind, path: Path
    ) -> Callable[[Scope], dict[str, object]]:
        ports = {port.name: port for port in kind.parameters if not port.variadic}
        rest = next((port for port in kind.parameters if port.variadic), None)
        getters: list[tuple[str, Getter]] = []
        constants: dict[str, object] = {}
        for name, value in node.with_.items():
            port = ports.get(name, rest)
            place = (*path, "with", name)
            if port is None:
                self.problems.add(
                    "INVALID_INPUT",
                    f"'{kind.name}' has no parameter '{name}'",
                    place,
                    nearest(name, ports) or f"its parameters: {', '.join(ports) or 'none'}",
                )
                continue
            getter = self._parameter(number, port, value, place)
            if getter is None:
                constants[name] = _unescaped(value)
            else:
                getters.append((name, getter))
        for name, port in ports.items():
            if port.required and name not in node.with_:
                self.problems.add(
                    "INVALID_INPUT",
                    f"'{kind.name}' needs the parameter '{name}' ({describe_schema(port.schema)})",
                    path if "with" not in self.blueprint.nodes else (*path, "with"),
                    f"add '{name}:' under 'with:'",
                )
        return _preparer(tuple(getters), constants)

    def _parameter(self, number: int, port: Port, value: object, path: Path) -> Getter | None:
        """The compiled value of a parameter; None when it is constant."""
        if port.expression:
            return self._lambda(number, value, path)
        if _is_constant(value):
            for place, message in check_value(_unescaped(value), port.schema, ""):
                where = f" at {place}" if place else ""
                self.problems.add(
                    "TYPE_MISMATCH", f"parameter '{port.name}'{where}: {message}", path
                )
            return None
        if isinstance(value, str):
            self._check_edge(value, port, path)
        return self._value(number, value, path)

    def _lambda(self, number: int, value: object, path: Path) -> Getter:
        if not isinstance(value, str):
            value = str(value).lower() if isinstance(value, bool) else str(value)
        source = _bare(value)
        parsed = self._parse(source, path)
        if parsed is None or not self._check_references(
            number, parsed.references, path, extra=ITEM_NAMES
        ):
            return _nothing
        return self.names.bind_lambda(parsed)

    def _check_edge(self, text: str, port: Port, path: Path) -> None:
        """Compare the types of both ends where a parameter is exactly one reference."""
        source = self._edge_schema(text)
        if source is not None and not fits(source, port.schema):
            self.problems.add(
                "TYPE_MISMATCH",
                f"{_bare(text)} gives {describe_schema(source)}, "
                f"but parameter '{port.name}' takes {describe_schema(port.schema)}",
                path,
            )

    def _edge_schema(self, text: str) -> Mapping[str, object] | None:
        try:
            template = parse_template(text)
        except ExpressionError:
            return None  # reported where it is compiled
        if not template.whole:
            return None
        where = template.expressions[0][1].path
        if where is None:
            return None
        if where[0] == "inputs" and len(where) == 2:
            return self.blueprint.inputs.get(where[1])
        kind = self.kinds.get(where[0])
        if kind is None:
            return None
        if len(where) == 1:
            return kind.result
        return as_object(_properties(kind).get(where[1])) if len(where) == 2 else None

    # -- values and expressions --------------------------------------------------------------

    def _value(self, number: int | None, value: object, path: Path) -> Getter:
        """Compile a value that may hold ``${{ }}`` anywhere inside."""
        if isinstance(value, str):
            return self._template(number, value, path)
        if _is_constant(value):
            return _constant(value)
        entries = as_object(value)
        if entries is not None:
            parts = tuple(
                (key, self._value(number, part, (*path, key))) for key, part in entries.items()
            )
            return lambda scope: {key: get(scope) for key, get in parts}
        items = tuple(
            self._value(number, part, (*path, index))
            for index, part in enumerate(as_list(value) or ())
        )
        return lambda scope: [get(scope) for get in items]

    def _template(self, number: int | None, text: str, path: Path) -> Getter:
        try:
            template = parse_template(text)
        except ExpressionError as error:
            self._report(error, path)
            return _nothing
        if template.constant is not None:
            return _constant(template.constant)
        references = references_of(template)
        if not self._check_references(number, references, path):
            return _nothing
        return self._bind(template, path)

    def _expression(self, number: int | None, text: str, path: Path) -> Getter:
        source = _bare(text)
        parsed = self._parse(source, path)
        if parsed is None or not self._check_references(number, parsed.references, path):
            return _nothing
        return self._bind(parsed, path)

    def _condition(self, number: int, text: str, path: Path) -> Getter:
        return condition(self._expression(number, text, path), _bare(text))

    def _parse(self, source: str, path: Path) -> Expression | None:
        try:
            return parse(source)
        except ExpressionError as error:
            self._report(error, path)
            return None

    def _bind(self, parsed: Expression | Template, path: Path) -> Getter:
        try:
            return self.names.bind(parsed)
        except ExpressionError as error:
            self._report(error, path)
            return _nothing

    def _report(self, error: ExpressionError, path: Path) -> None:
        self.problems.add(error.code, f"{error.message} (at character {error.offset + 1})", path)

    # -- references --------------------------------------------------------------------------

    def _need(self, number: int, name: str, path: Path) -> None:
        found = self.names.nodes.get(name)
        if found is not None:
            self.needs[number].add(found)
        elif "." in name and name.partition(".")[0] in self.names.nodes:
            self.problems.unsupported("needs on a route or an error", path)
        else:
            self._unknown(name, path, self.names.nodes)

    def _check_references(
        self,
        number: int | None,
        references: Iterable[Reference],
        path: Path,
        extra: tuple[str, ...] = (),
    ) -> bool:
        """Note the edges that references make; False if one of them names nothing."""
        good = True
        for reference in references:
            if reference.name in extra or reference.name == "run":
                continue
            good = self._check_reference(number, reference, path) and good
        return good

    def _check_reference(self, number: int | None, reference: Reference, path: Path) -> bool:
        name, fields = reference.name, reference.path
        if name in ("inputs", "vars", "secrets"):
            return self._check_built_in(name, fields, path)
        if name == "nodes":
            if not fields:
                self.problems.add(
                    "UNKNOWN_REFERENCE", "'nodes' needs the id of a node: nodes.ID.status", path
                )
                return False
            name, fields = fields[0], fields[:0]
        found = self.names.nodes.get(name)
        if found is None:
            self._unknown(name, path, (*self.names.nodes, *BUILT_IN, "nodes"))
            return False
        kind = self.kinds.get(name)
        ports: Mapping[str, object] = {} if kind is None else _properties(kind)
        if fields and ports and fields[0] not in ports:
            self.problems.add(
                "UNKNOWN_REFERENCE",
                f"'{name}' ({kind.name if kind else ''}) has no output '{fields[0]}'",
                path,
                nearest(fields[0], ports) or f"its outputs: {', '.join(ports)}",
            )
            return False
        if number is not None:
            self.needs[number].add(found)
        return True

    def _check_built_in(self, name: str, fields: tuple[str, ...], path: Path) -> bool:
        if name == "inputs":
            known: Iterable[str] = self.blueprint.inputs
        else:
            known = self.blueprint.variables if name == "vars" else self.blueprint.secrets
        if name == "secrets" and (len(path) < 3 or path[2] != "with"):
            self.problems.add(
                "UNKNOWN_REFERENCE", "secrets can only be used in the parameters of a node", path
            )
            return False
        if not fields or fields[0] in known:
            return True
        singular = {"inputs": "an input", "vars": "a variable", "secrets": "a secret"}[name]
        self.problems.add(
            "UNKNOWN_REFERENCE",
            f"the blueprint does not declare {singular} '{fields[0]}'",
            path,
            nearest(fields[0], known)
            or f"add it under '{'variables' if name == 'vars' else name}:'",
        )
        return False

    def _unknown(self, name: str, path: Path, known: Iterable[str]) -> None:
        self.problems.add(
            "UNKNOWN_REFERENCE", f"there is no node or value '{name}'", path, nearest(name, known)
        )

    def _refuse_cycle(self, nodes: tuple[PlanNode, ...]) -> None:
        cycle = find_cycle([node.needs for node in nodes], [node.successors for node in nodes])
        if cycle:
            names = [nodes[number].id for number in cycle]
            self.problems.add(
                "CIRCULAR_DEPENDENCY",
                f"nodes wait for each other: {' -> '.join([*names, names[0]])}",
                ("nodes", names[0]),
            )

    # -- output ------------------------------------------------------------------------------

    def _output(self, nodes: tuple[PlanNode, ...]) -> Getter:
        if self.blueprint.has_output:
            return self._value(None, self.blueprint.output, ("output",))
        sinks = tuple((node.id, number) for number, node in enumerate(nodes) if not node.successors)
        return lambda scope: {name: scope.outputs[number] for name, number in sinks}


def _preparer(
    getters: tuple[tuple[str, Getter], ...], constants: dict[str, object]
) -> Callable[[Scope], dict[str, object]]:
    """A function that gives the parameters; the common small cases are the fast ones."""
    if not getters:
        return lambda _scope: dict(constants)
    if len(getters) == 1 and not constants:
        name, get = getters[0]
        return lambda scope: {name: get(scope)}

    def prepare(scope: Scope) -> dict[str, object]:
        parameters = dict(constants)
        for name, get in getters:
            parameters[name] = get(scope)
        return parameters

    return prepare


def _properties(kind: NodeKind) -> Mapping[str, object]:
    return as_object(kind.result.get("properties")) or {}


def _bare(text: str) -> str:
    """The expression in a text that may, but need not, be wrapped in ``${{ }}``."""
    stripped = text.strip()
    if stripped.startswith("${{") and stripped.endswith("}}") and stripped.count("${{") == 1:
        return stripped[3:-2].strip()
    return text


def _is_constant(value: object) -> bool:
    """Whether a value holds no expression; goes through it without recursion."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, str):
            if "${{" in part.replace("$${{", ""):
                return False
            continue
        entries = as_object(part)
        rest.extend(entries.values() if entries is not None else as_list(part) or ())
    return True


def _unescaped(value: object) -> object:
    if isinstance(value, str):
        return value.replace("$${{", "${{")
    entries, items = as_object(value), as_list(value)
    if entries is not None:
        return {key: _unescaped(part) for key, part in entries.items()}
    return value if items is None else [_unescaped(part) for part in items]


def _constant(value: object) -> Getter:
    constant = _unescaped(value)
    return lambda _scope: constant


def _nothing(_scope: Scope) -> object:
    """Stands for an expression that was refused; never runs."""
    raise AssertionError("a plan with problems was run")
