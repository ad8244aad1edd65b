"""Bodies made by a function of the user: one node or a group, repeated or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar, cast

from atomiton.blueprint.model import Json
from atomiton.builder.built import BuiltBlueprint
from atomiton.builder.literals import as_document, as_part, template
from atomiton.builder.parts import Part, Root
from atomiton.builder.scopes import Body, Record
from atomiton.builder.standing import Ends
from atomiton.builder.tracer import Tracer, parameters_of
from atomiton.nodes.recording import Policies
from atomiton.nodes.spec import NodeFunction

F = TypeVar("F", bound=Callable[..., object])

#: Keys of a node that mean the same for it and for each turn of its repeat.
_OF_EACH_TURN: Final = frozenset(
    {"uses", "call", "with", "name", "description", "retry", "timeout", "runtime"}
)


class Made(NamedTuple):
    """What a function recorded.

    Attributes:
        body: The nodes.
        value: What it returned, as a part of an expression.
        output: The same, as a value of a document; ``Ends`` for what the last nodes give.
        roots: The names that all of it uses.
    """

    body: Body
    value: Part
    output: Json | Ends
    roots: set[Root]

    @property
    def single(self) -> Record | None:
        """The node, if there is one only and its output is what was returned."""
        records = list(self.body.records.values())
        if len(records) == 1 and self.value.source == records[0].id:
            return records[0]
        return None

    @property
    def may_be_repeated(self) -> bool:
        """Whether the one node can be repeated itself, and needs no group around it."""
        record = self.single
        return record is not None and record.document.keys() <= _OF_EACH_TURN


def make(
    trace: Tracer,
    body: Body,
    function: Callable[..., object],
    arguments: tuple[object, ...] | list[object] = (),
    constants: Mapping[str, object] | None = None,
) -> Made:
    """Call a function that records nodes into a body.

    Args:
        trace: The tracing.
        body: What the nodes go into.
        function: A node function, a blueprint, or any function that calls some.
        arguments: What to call it with.
        constants: What to call it with by name.
    """
    with trace.collect() as roots, trace.inside(body):
        result = function(*arguments, **(constants or {}))
        if isinstance(result, Ends):
            return Made(body, Part("null"), result, roots)
        output = as_document(result)
        value = as_part(result)
    body.prune(value.roots)
    return Made(body, value, output, roots)


def group_document(made: Made) -> dict[str, Json]:
    """The keys of a group: its nodes, and what it gives."""
    nodes = cast("Json", made.body.document())
    if isinstance(made.output, Ends):
        return {"nodes": nodes}
    # An output of null is none at all in the format, so nothing is written as an expression.
    output = template(Part("null")) if made.output is None else made.output
    return {"nodes": nodes, "output": output}


def place(
    trace: Tracer,
    made: Made,
    keys: Mapping[str, Json],
    roots: set[Root],
    policies: Policies,
    base: str,
    *,
    direct: bool,
) -> object:
    """Record what a function made, as the one node that it is or as a group around its nodes.

    Args:
        trace: The tracing.
        made: What was made; at least one node.
        keys: Keys of the repeat.
        roots: What they use.
        policies: Of the whole.
        base: What to make its id of.
        direct: Whether the function is a node function, so that its policies are the whole's.
    """
    record = made.single
    roots = roots | {root for root in made.roots if root.scope is not made.body}
    if record is None or not (direct or made.may_be_repeated):
        return trace.node({**keys, **group_document(made)}, roots, policies, base)
    trace.free_id(record.id)
    document = {**keys, **record.document}
    return trace.node(document, roots, policies, record.id)


def is_node(function: Callable[..., object]) -> bool:
    """Whether a function is one node, whose policies are those of the repeat around it."""
    return isinstance(function, NodeFunction)


def takes_number(function: Callable[..., object], constants: Mapping[str, object]) -> bool:
    """Whether a function of an item also takes its number, as its second parameter."""
    if isinstance(function, NodeFunction | BuiltBlueprint):
        return False
    return len([name for name in parameters_of(function) if name not in constants]) > 1


def base_of(function: Callable[..., object], otherwise: str) -> str:
    """What to make the id of a group of: the name of its function, if it has one."""
    name = getattr(function, "__name__", "<lambda>")
    return otherwise if name == "<lambda>" else str(name)
