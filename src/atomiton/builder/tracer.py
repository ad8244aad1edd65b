"""Recording nodes: calls of node functions, with their parameters and policies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

from atomiton.blueprint.durations import format_duration
from atomiton.blueprint.model import Json, Retry
from atomiton.builder.literals import as_condition, as_document
from atomiton.builder.parts import Part, Root
from atomiton.builder.places import wrong
from atomiton.builder.scopes import Body, Scope, Trace
from atomiton.builder.standing import Standing, part_of
from atomiton.builder.traced import Traced
from atomiton.nodes.recording import Policies
from atomiton.nodes.spec import NodeFunction, NodeType

#: What an expression over a list may name.
ITEM_NAMES: Final = ("item", "index", "acc")
#: Policies whose value is written as it is.
_AS_GIVEN: Final = ("name", "description", "join", "enabled", "timeout", "deadline", "runtime")


class Tracer(Trace):
    """Records calls of node functions as nodes."""

    def call(
        self,
        node: NodeFunction[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> object:
        """Record a call of a node function; gives its traced result."""
        given = _bind(node, args, kwargs)
        lambdas = {port.name for port in node.type.parameters if port.expression}
        with self.collect() as roots:
            parameters = {
                name: self.expression(value, name) if name in lambdas else as_document(value)
                for name, value in given.items()
            }
        self.types[node.type.name, node.type.version] = node.type
        document: dict[str, Json] = {"uses": uses(node.type)}
        if parameters:
            document["with"] = parameters
        made = self.node(document, roots, node.policies, node.type.name)
        if node.policies.on_error is not None or node.policies.if_ is not None:
            return made  # which may be something else than what the function says
        return Traced(part_of(made)._replace(schema=node.type.result))

    def node(
        self, document: dict[str, Json], roots: set[Root], policies: Policies, base: str
    ) -> Traced:
        """Record a node of any kind.

        Args:
            document: Its keys, without the policies.
            roots: What they use.
            policies: What the use of it asks for.
            base: What to make its id of, unless the policies say.

        Returns:
            Its output.
        """
        id_ = self.new_id(policies.id, base)
        with self.collect() as more:
            asked = self._policies(policies, id_)
        if "needs" in document and "needs" in asked:
            both = [*cast("list[Json]", document["needs"]), *cast("list[Json]", asked["needs"])]
            asked["needs"] = list(dict.fromkeys(map(str, both)))
        document |= asked
        return Traced(self.add(id_, document, roots | more))

    def expression(self, value: object, what: str) -> Json:
        """Write a parameter that is an expression over ``item``, ``index`` and ``acc``.

        Args:
            value: A function of them, an expression as text, or a traced condition.
            what: Name of the parameter, for messages.
        """
        if not callable(value) or isinstance(value, Standing):
            return as_condition(value)
        scope = Scope(f"the function given as {what!r}", frozenset(ITEM_NAMES))
        with self.inside(scope):
            return as_condition(value(*self.arguments(value, scope, ITEM_NAMES)))

    def arguments(
        self, function: Callable[..., object], scope: Scope, names: Sequence[str]
    ) -> list[Traced]:
        """What to call a function of an item with: by name if it uses our names, else in order.

        Args:
            function: The user's function.
            scope: Gives the names their meaning.
            names: The names that there are.
        """
        chosen = chosen_names(function, names)
        return [Traced(Part(name, roots=frozenset({Root(name, scope)}))) for name in chosen]

    # -- policies --------------------------------------------------------------------------

    def _policies(self, policies: Policies, id_: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        if policies.needs:
            found["needs"] = [self._need(need) for need in policies.needs]
        if policies.if_ is not None:
            found["if"] = as_condition(policies.if_)
        if policies.retry is not None:
            found["retry"] = retry_document(policies.retry)
        if policies.on_error is not None:
            with self.collect() as roots:
                found["on_error"] = as_document(policies.on_error)
            if roots:
                raise wrong("the value of on_error is a constant", "choose later with branch()")
        if policies.compensate is not None:
            found["compensate"] = self._compensation(policies.compensate, id_)
        if policies.when_failed:
            if not isinstance(self.stack[-1], _Compensation):
                raise wrong("'when_failed' belongs to the node that compensates another")
            found["when_failed"] = True
        for name in (*_AS_GIVEN, "cache", "weight"):
            value: object = getattr(policies, name)
            if value is not None:
                found[name] = as_document(value)
        return found

    def _need(self, need: object) -> str:
        if isinstance(need, str):
            return need
        if isinstance(need, Standing):
            part = part_of(need)
            body = self.body.repeated or self.body
            if any(root.scope is body for root in part.roots):
                words = part.source.split(".")
                if len(words) == 1:
                    return part.source
                if len(words) == 3 and words[0] == "nodes" and words[2] == "error":
                    return f"{words[1]}.error"
            raise wrong(f"'{part.source}' is no node of this body that another can come after")
        raise wrong(f"{need!r:.60} is nothing that a node can come after", "give its result")

    def _compensation(self, compensate: Callable[..., object], id_: str) -> Json:
        """The body of the node that a function of the result records."""
        body = _Compensation(f"the compensation of '{id_}'")
        result = Traced(self.output_of(id_))
        with self.late(), self.inside(body):
            compensate(*([result] if parameters_of(compensate) else []))
        records = list(body.records.values())
        if len(records) != 1:
            raise wrong(f"a compensation is one node, but '{id_}' is given {len(records)}")
        self.free_id(records[0].id)
        return records[0].document


class _Compensation(Body):
    """Holds the one node that compensates another."""


def uses(type_: NodeType) -> str:
    """What ``uses`` says of a node type; versions above 1 are pinned."""
    return type_.name if type_.version == 1 else f"{type_.name}@{type_.version}"


def words(given: object, kind: type[msgspec.Struct], key: str) -> dict[str, Json] | None:
    """What is given in the words of the format, as a dict; None for what is of the class.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(given, Mapping):
        return cast("dict[str, Json]", as_document(cast("Mapping[str, object]", given)))
    if isinstance(given, kind):
        return None
    name = kind.__name__
    raise TypeError(
        f"{key} is given as {name}(...) or as a dict with its keys, not as {given!r:.60}"
    )


def retry_document(retry: Retry | Mapping[str, object]) -> Json:
    """A retry rule as the format has it; what is as by default is left out."""
    said = words(retry, Retry, "retry")
    if said is not None or not isinstance(retry, Retry):
        return said
    written = cast("dict[str, Json]", msgspec.to_builtins(retry))
    for name in ("delay", "max_delay"):
        seconds = written.get(name)
        if isinstance(seconds, float | int):
            written[name] = format_duration(seconds)
    written |= {
        name: list(codes) for name, codes in (("on", retry.on), ("not_on", retry.not_on)) if codes
    }
    return {"attempts": retry.attempts} | written


def parameters_of(function: Callable[..., object]) -> list[str]:
    """Names of the positional parameters of a function that must or can be given in order."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ["item"]  # what is written in C does not say
    return [p.name for p in parameters if p.kind in kinds and p.default is p.empty]


def chosen_names(function: Callable[..., object], names: Sequence[str]) -> list[str]:
    """Which values a function wants: by name if it uses our names, else in order.

    Raises:
        TracingError: It takes more than there are.
    """
    wanted = parameters_of(function)
    chosen = wanted if set(wanted) <= set(names) else list(names[: len(wanted)])
    if len(chosen) < len(wanted):
        raise wrong(f"the function takes {len(wanted)} values; there are {', '.join(names)}")
    return chosen


def _bind(
    node: NodeFunction[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """Parameters by the names of their ports."""
    signature = inspect.signature(node.function)
    ports = [p for p in signature.parameters.values() if p.name not in node.type.capabilities]
    try:
        bound = signature.replace(parameters=ports).bind(*args, **kwargs)
    except TypeError as error:
        listed = ", ".join(port.name for port in ports)
        hint = f"its parameters: {listed or 'none'}"
        raise wrong(f"'{node.type.name}': {error}", hint) from None
    found: dict[str, object] = {}
    for name, value in bound.arguments.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            found |= cast("dict[str, object]", value)
        else:
            found[port_name(name)] = value
    return found


def port_name(name: str) -> str:
    """Name of the port of a parameter: ``as`` of ``as_``."""
    return name[:-1] if name.endswith("_") and len(name) > 1 else name
