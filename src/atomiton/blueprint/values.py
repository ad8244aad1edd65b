"""Compiling values and expressions in a scope, and saying what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from atomiton.blueprint.expressions import (
    Expression,
    Reference,
    Template,
    parse,
    parse_template,
    value_to_text,
)
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.narrow import as_list, as_object
from atomiton.blueprint.plan import Getter, NodeKind, Port, Scope
from atomiton.blueprint.problems import Path, Problems, dotted, nearest
from atomiton.blueprint.scope import BUILT_IN, ITEM_NAMES, Names, Schema, condition, references_of
from atomiton.blueprint.types import check_value, describe_schema, fits
from atomiton.errors import ExpressionError

Parameters = Callable[[Scope], dict[str, object]]

RUN_FIELDS: Final = ("id", "blueprint", "version", "started_at", "status", "error")
INFO_FIELDS: Final = ("status", "attempts", "error", "duration_ms")
ERROR_FIELDS: Final = ("code", "message", "node", "attempt", "retryable", "details")
"""What can be read of ``run``, of ``nodes.ID`` and of the error of either."""


class Values:
    """Compiles the values that stand in one scope; problems are collected, not raised.

    Args:
        blueprint: What the values are part of.
        names: What names mean where they stand.
        problems: What was found wrong.
        secrets: Whether secrets may be used here.
    """

    def __init__(
        self, blueprint: Blueprint, names: Names, problems: Problems, *, secrets: bool = False
    ) -> None:
        self.blueprint = blueprint
        self.names = names
        self.problems = problems
        self.secrets = secrets

    # -- parameters of a node type ---------------------------------------------------------

    def parameters(self, kind: NodeKind, given: Mapping[str, object], path: Path) -> Parameters:
        """Compile the parameters of a node that runs a type; ``path`` is the node's."""
        ports = {port.name: port for port in kind.parameters if not port.variadic}
        rest = next((port for port in kind.parameters if port.variadic), None)
        getters: list[tuple[str, Getter]] = []
        constants: dict[str, object] = {}
        for name, value in given.items():
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
            getter = self._parameter(port, value, place)
            if getter is None:
                constants[name] = unescaped(value)
            else:
                getters.append((name, getter))
        for name, port in ports.items():
            if port.required and name not in given:
                self.problems.add(
                    "INVALID_INPUT",
                    f"'{kind.name}' needs the parameter '{name}' ({describe_schema(port.schema)})",
                    path,
                    f"add '{name}:' under 'with:'",
                )
        return preparer(tuple(getters), constants)

    def _parameter(self, port: Port, value: object, path: Path) -> Getter | None:
        """The compiled value of a parameter; None when it is constant."""
        if port.expression:
            return self._function(value, path)
        if is_constant(value):
            for place, message in check_value(unescaped(value), port.schema, ""):
                where = f" at {place}" if place else ""
                self.problems.add(
                    "TYPE_MISMATCH", f"parameter '{port.name}'{where}: {message}", path
                )
            return None
        if isinstance(value, str):
            self.check_edge(value, port.schema, f"parameter '{port.name}'", path)
        return self.value(value, path)

    def _function(self, value: object, path: Path) -> Getter:
        """Compile a bare expression over item, index and acc."""
        if not isinstance(value, str):
            value = str(value).lower() if isinstance(value, bool) else str(value)
        parsed = self._parse(bare(value), path)
        inner = Names(self.names, items=ITEM_NAMES)
        if parsed is None or not self._check_references(inner, parsed.references, path):
            return nothing
        return self.names.bind_lambda(parsed)

    def check_edge(self, text: str, schema: Schema, what: str, path: Path) -> None:
        """Compare the types of both ends where a value is exactly one reference."""
        where = self._reference(text)
        found = self._source(where) if where else None
        if self._is_text(text) and not fits({"type": "string"}, schema):
            message = f"what holds text beside an expression is text, but {what} takes "
            hint = "leave only the ${{ }}" if text.strip() == text else "leave out the spaces"
            self.problems.add("TYPE_MISMATCH", message + describe_schema(schema), path, hint)
        if found is not None and not fits(found[1], schema):
            gives, takes = (
                describe_schema(part).replace("string", "text") for part in (found[1], schema)
            )
            message = f"{dotted(found[0])} gives {gives}, but {what} takes {takes}"
            self.problems.add("TYPE_MISMATCH", message, path)

    def _source(self, where: tuple[str, ...]) -> tuple[Path, Schema] | None:
        """Where the value of a dotted path comes from and what it is, where that is known."""
        place: Path = where
        result: Schema | None
        if where[0] == "inputs":
            result = {"properties": self.blueprint.inputs}
        else:
            at = self._node(where[0])
            if at is None:
                return None
            place, result = (*at.path, *where), at.results.get(where[0])
        for name in where[1:]:
            result = as_object(_properties(result or {}).get(name))
        return None if result is None else (place, result)

    def _reference(self, text: str) -> tuple[str, ...]:
        """The names of a text that is exactly one dotted path; none if it is anything else."""
        try:
            template = parse_template(text)
        except ExpressionError:
            return ()  # reported where it is compiled
        return (template.whole and template.expressions[0][1].path) or ()

    def _is_text(self, text: str) -> bool:
        """Whether a value with expressions always gives text, as there is more in it than one."""
        try:
            template = parse_template(text)
        except ExpressionError:
            return False  # reported where it is compiled
        return template.constant is None and not template.whole

    def _node(self, name: str) -> Names | None:
        """The body in which the node of a name stands, unless an item of that name hides it."""
        for _, at in self.names.chain():
            if name in at.items:
                return None
            if name in at.nodes:
                return at
        return None

    def _result(self, name: str) -> Schema | None:
        """What the node of a name gives, where that is known."""
        found = self._node(name)
        return None if found is None else found.results.get(name)

    # -- values and expressions --------------------------------------------------------------

    def value(self, value: object, path: Path) -> Getter:
        """Compile a value that may hold ``${{ }}`` anywhere inside."""
        if isinstance(value, str):
            return self._template(value, path)
        if is_constant(value):
            return constant(value)
        entries = as_object(value)
        if entries is not None:
            parts = tuple((key, self.value(part, (*path, key))) for key, part in entries.items())
            return lambda scope: {key: get(scope) for key, get in parts}
        items = tuple(
            self.value(part, (*path, index)) for index, part in enumerate(as_list(value) or ())
        )
        return lambda scope: [get(scope) for get in items]

    def texts(self, asked: Mapping[str, object], path: Path) -> Getter | None:
        """Compile the texts that a person is shown; None if they hold no expression."""
        shown = {key: asked[key] for key in ("title", "description") if key in asked}
        if not any("${{" in str(text) for text in shown.values()):
            return None
        getters = {key: self.value(text, (*path, key)) for key, text in shown.items()}
        return lambda scope: {key: value_to_text(get(scope)) for key, get in getters.items()}

    def _template(self, text: str, path: Path) -> Getter:
        try:
            template = parse_template(text)
        except ExpressionError as error:
            self._report(error, path)
            return nothing
        if template.constant is not None:
            return constant(template.constant)
        if not self._check_references(self.names, references_of(template), path):
            return nothing
        return self._bind(template, path)

    def expression(self, text: str, path: Path) -> Getter:
        """Compile a bare expression, which may be wrapped in ``${{ }}`` all the same."""
        parsed = self._parse(bare(text), path)
        if parsed is None or not self._check_references(self.names, parsed.references, path):
            return nothing
        return self._bind(parsed, path)

    def condition(self, text: str, path: Path) -> Getter:
        """Compile an expression that must give true or false."""
        self.check_edge(f"${{{{ {bare(text)} }}}}", {"type": "boolean"}, "a condition", path)
        return condition(self.expression(text, path), bare(text))

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
            return nothing

    def _report(self, error: ExpressionError, path: Path) -> None:
        self.problems.add(error.code, f"{error.message} (at character {error.offset + 1})", path)

    # -- references --------------------------------------------------------------------------

    def _check_references(
        self, names: Names, references: tuple[Reference, ...], path: Path
    ) -> bool:
        """Note the edges that references make; False if one of them names nothing."""
        good = True
        for reference in references:
            good = self._check_reference(names, reference, path) and good
        if good:
            names.need_all(references)
        return good

    def _check_reference(self, names: Names, reference: Reference, path: Path) -> bool:
        name, fields = reference.name, reference.path
        if name == "run":
            return self._check_facts("run", fields, RUN_FIELDS, path)
        if name in ("inputs", "vars", "secrets"):
            return self._check_built_in(name, fields, path)
        if name == "nodes":
            if not fields:
                message = "'nodes' needs the id of a node: nodes.ID.status"
                self.problems.add("UNKNOWN_REFERENCE", message, path)
                return False
            if names.node(fields[0]) is None:
                self.unknown(fields[0], path, names.known())
                return False
            return self._check_facts(f"nodes.{fields[0]}", fields[1:], INFO_FIELDS, path)
        if not names.sees(name):
            self.unknown(name, path, (*names.known(), *BUILT_IN, "nodes"))
            return False
        return self._check_output(name, fields, path)

    def _check_facts(
        self, of: str, fields: tuple[str, ...], known: tuple[str, ...], path: Path
    ) -> bool:
        """Whether what is read of a run, a node or an error is among what is known of it."""
        if not fields or fields[0] in known:
            inner = len(fields) > 1 and fields[0] == "error"
            return not inner or self._check_facts(f"{of}.error", fields[1:], ERROR_FIELDS, path)
        hint = nearest(fields[0], known) or f"its fields: {', '.join(known)}"
        message = f"'{of}' has no field '{fields[0]}'"
        self.problems.add("UNKNOWN_REFERENCE", message, path, hint)
        return False

    def _check_output(self, name: str, fields: tuple[str, ...], path: Path) -> bool:
        result = self._result(name)
        ports = _properties(result or {})
        if not fields or not ports or fields[0] in ports:
            return True
        self.problems.add(
            "UNKNOWN_REFERENCE",
            f"'{name}' has no output '{fields[0]}'",
            path,
            nearest(fields[0], ports) or f"its outputs: {', '.join(ports)}",
        )
        return False

    def _check_built_in(self, name: str, fields: tuple[str, ...], path: Path) -> bool:
        blueprint = self.blueprint
        if name == "inputs":
            known: Iterable[str] = blueprint.inputs
        else:
            known = blueprint.variables if name == "vars" else blueprint.secrets
        if name == "secrets" and not self.secrets:
            self.problems.add(
                "UNKNOWN_REFERENCE", "secrets can only be used in the parameters of a node", path
            )
            return False
        if name == "secrets" and not fields:
            message = "'secrets' needs the name of a secret: secrets.NAME"
            self.problems.add("UNKNOWN_REFERENCE", message, path)
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

    def unknown(self, name: str, path: Path, known: Iterable[str]) -> None:
        """Note a name that means nothing here."""
        self.problems.add(
            "UNKNOWN_REFERENCE", f"there is no node or value '{name}'", path, nearest(name, known)
        )


class Single:
    """Gives the parameters of a node that has only one, and that one alone to who asks for it.

    Attributes:
        name: Its name.
        get: Gives its value.
    """

    __slots__ = ("get", "name")

    def __init__(self, name: str, get: Getter) -> None:
        self.name = name
        self.get = get

    def __call__(self, scope: Scope) -> dict[str, object]:
        """The parameters, by name."""
        return {self.name: self.get(scope)}


def preparer(
    getters: tuple[tuple[str, Getter], ...], constants: Mapping[str, object]
) -> Parameters:
    """A function that gives the parameters; the common small cases are the fast ones."""
    if not getters:
        return lambda _scope: dict(constants)
    if len(getters) == 1 and not constants:
        return Single(*getters[0])

    def prepare(scope: Scope) -> dict[str, object]:
        parameters = dict(constants)
        for name, get in getters:
            parameters[name] = get(scope)
        return parameters

    return prepare


def _properties(schema: Schema) -> Mapping[str, object]:
    return as_object(schema.get("properties")) or {}


def bare(text: str) -> str:
    """The expression in a text that may, but need not, be wrapped in ``${{ }}``."""
    stripped = text.strip()
    if stripped.startswith("${{") and stripped.endswith("}}") and stripped.count("${{") == 1:
        return stripped[3:-2].strip()
    return text


def is_constant(value: object) -> bool:
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


def unescaped(value: object) -> object:
    """A constant value with every ``$${{`` turned into the ``${{`` it stands for."""
    if isinstance(value, str):
        return value.replace("$${{", "${{")
    entries, items = as_object(value), as_list(value)
    if entries is not None:
        return {key: unescaped(part) for key, part in entries.items()}
    return value if items is None else [unescaped(part) for part in items]


def constant(value: object) -> Getter:
    """A getter that always gives the same."""
    given = unescaped(value)
    return lambda _scope: given


def nothing(_scope: Scope) -> object:
    """Stands for an expression that was refused; never runs."""
    raise AssertionError("a plan with problems was run")
