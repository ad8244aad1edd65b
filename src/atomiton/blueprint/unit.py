"""Compiling one blueprint, and the blueprints that it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from atomiton.blueprint.inputs import check_inputs
from atomiton.blueprint.model import Blueprint, Node
from atomiton.blueprint.plan import Body, Called, Getter, NodeKind, PlanNode, Scope
from atomiton.blueprint.problems import Path, Problems, nearest
from atomiton.blueprint.types import check_value, describe_schema
from atomiton.blueprint.values import Values, is_constant, preparer, unescaped
from atomiton.errors import AtomitonError, BlueprintError, NotFound


class Types(Protocol):
    """Where node types are looked up."""

    def get(self, name: str) -> NodeKind:
        """The type of that name; raises ``NotFound``."""
        ...


Resolve = Callable[[Blueprint, str], Blueprint]
"""Finds the blueprint that one calls by a name; the same object for the same blueprint. Raises
``NotFound`` if there is none, ``BlueprintError`` if it is not a blueprint."""

CompileUnit = Callable[["UnitCompiler"], Body]


class Shared:
    """What the blueprints of one plan share.

    Attributes:
        uses: Every node that calls a node type.
        secrets: Every secret that one of them may read.
        bodies: The blueprints that are called, compiled, by identity.
        stack: The blueprints that are being compiled: each calls the next.
    """

    def __init__(self, types: Types, resolve: Resolve | None, compile_: CompileUnit) -> None:
        self.types = types
        self.resolve = resolve
        self.compile = compile_
        self.uses: list[PlanNode] = []
        self.secrets: dict[str, None] = {}
        self.bodies: dict[int, tuple[Blueprint, Body | None]] = {}
        self.stack: list[Blueprint] = []


class UnitCompiler:
    """What the bodies of one blueprint have in common while they are compiled."""

    def __init__(self, blueprint: Blueprint, shared: Shared, problems: Problems) -> None:
        self.blueprint = blueprint
        self.shared = shared
        self.problems = problems
        self.uses = shared.uses
        self._types: dict[Path, NodeKind | None] = {}
        for name in blueprint.secrets:
            shared.secrets[name] = None

    def type_of(self, node: Node, path: Path) -> NodeKind | None:
        """The type that a node runs; None if it runs none, or none that exists."""
        if node.uses is None:
            return None
        if path not in self._types:
            self._types[path] = self._find_type(node.uses, path)
        return self._types[path]

    def _find_type(self, name: str, path: Path) -> NodeKind | None:
        try:
            return self.shared.types.get(name)
        except NotFound as error:
            # What a registry suggests stands behind the semicolon of its sentence.
            message, _, hint = error.message.partition("; ")
            code = error.code if error.code != "NOT_FOUND" else "UNKNOWN_NODE_TYPE"
            self.problems.add(code, message, (*path, "uses"), hint or None)
            return None

    def find_called(self, name: str, path: Path) -> tuple[Blueprint, Body] | None:
        """The blueprint that is called by a name, compiled; None if it cannot be run."""
        shared = self.shared
        if shared.resolve is None:
            self.problems.add("NOT_FOUND", f"there is no blueprint '{name}' here", path)
            return None
        try:
            blueprint = shared.resolve(self.blueprint, name)
        except BlueprintError as error:
            self._add_problems(name, error, path)
            return None
        except AtomitonError as error:
            self.problems.add(error.code, error.message, path)
            return None
        if any(blueprint is caller for caller in shared.stack):
            ids = [caller.id for caller in shared.stack]
            circle = " -> ".join([*ids[ids.index(blueprint.id) :], blueprint.id])
            message = f"blueprints call each other in a circle: {circle}"
            self.problems.add("CIRCULAR_DEPENDENCY", message, path)
            return None
        body = self._compiled(blueprint, name, path)
        return None if body is None else (blueprint, body)

    def _compiled(self, blueprint: Blueprint, name: str, path: Path) -> Body | None:
        shared = self.shared
        known = shared.bodies.get(id(blueprint))
        if known is not None:
            return known[1]
        problems = Problems()
        body = shared.compile(UnitCompiler(blueprint, shared, problems))
        try:
            problems.raise_any()
        except BlueprintError as error:
            self._add_problems(name, error, path)
            shared.bodies[id(blueprint)] = (blueprint, None)
            return None
        shared.bodies[id(blueprint)] = (blueprint, body)
        return body

    def _add_problems(self, name: str, error: BlueprintError, path: Path) -> None:
        """Tell what is wrong with a blueprint that is called, where it is called."""
        for problem in error.problems:
            at = f":{problem.line}:{problem.column}" if problem.line else ""
            where = f" at {problem.path}" if problem.path else ""
            message = f"in {name}{at}{where}: {problem.message}"
            self.problems.add(problem.code, message, path, problem.hint)


def called(blueprint: Blueprint, given: Mapping[str, object], values: Values, path: Path) -> Called:
    """Compile the call of a blueprint: what it is given, checked as far as can be known.

    Args:
        blueprint: What is called.
        given: Its inputs, as the caller writes them.
        values: Compiles them where they stand.
        path: Of the node that calls.
    """
    getters: list[tuple[str, Getter]] = []
    constants: dict[str, object] = {}
    for name, value in given.items():
        place = (*path, "with", name)
        schema = blueprint.inputs.get(name)
        if schema is None:
            known = ", ".join(blueprint.inputs) or "none"
            hint = nearest(name, blueprint.inputs) or f"its inputs: {known}"
            message = f"'{blueprint.id}' has no input '{name}'"
            values.problems.add("INVALID_INPUT", message, place, hint)
        elif is_constant(value):
            constants[name] = unescaped(value)
            for at, message in check_value(constants[name], schema, ""):
                where = f" at {at}" if at else ""
                message = f"input '{name}'{where}: {message}"
                values.problems.add("TYPE_MISMATCH", message, place)
        else:
            if isinstance(value, str):
                values.check_edge(value, schema, f"input '{name}'", place)
            getters.append((name, values.value(value, place)))
    for name, schema in blueprint.inputs.items():
        if name not in given and "default" not in schema:
            message = f"'{blueprint.id}' needs the input '{name}' ({describe_schema(schema)})"
            values.problems.add("INVALID_INPUT", message, path, f"add '{name}:' under 'with:'")
    prepare = preparer(tuple(getters), constants)

    def inputs(scope: Scope) -> dict[str, object]:
        return check_inputs(blueprint, prepare(scope))

    variables: dict[str, object] = dict(blueprint.variables)
    return Called(blueprint.id, blueprint.version or "", inputs, variables)
