"""Groups: nodes with a scope of their own, as a whole or in a race."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar, cast

from atomiton.blueprint.model import Json, Retry
from atomiton.builder.bodies import base_of, group_document, make
from atomiton.builder.literals import as_document
from atomiton.builder.parts import COMPARE, Part, conditional, infix
from atomiton.builder.places import wrong
from atomiton.builder.plain import plain_call
from atomiton.builder.scopes import Body, current
from atomiton.builder.standing import part_of
from atomiton.builder.traced import Traced
from atomiton.builder.tracer import Tracer
from atomiton.nodes.recording import Join, Policies

R = TypeVar("R")


def group(
    function: Callable[[], R],
    /,
    *,
    id: str | None = None,  # noqa: A002 - the key of the format
    name: str | None = None,
    description: str | None = None,
    needs: Sequence[object] | None = None,
    if_: bool | None = None,
    join: Join | None = None,
    enabled: bool | None = None,
    retry: Retry | Mapping[str, object] | None = None,
    timeout: float | str | None = None,
    deadline: float | str | None = None,
    on_error: Literal["continue"] | Mapping[str, object] | None = None,
    compensate: Callable[[R], object] | Callable[[], object] | None = None,
    weight: float | None = None,
) -> R:
    """Put nodes into a group: a scope of their own, with policies for all of them together.

    Args:
        function: Calls the nodes; what it returns is what the group gives.
        id: Id of the group.
        name, description: For people.
        needs: Results of nodes that come first.
        if_: Condition; when false nothing in the group runs.
        join: When it runs, if it depends on several nodes.
        enabled: Whether it runs at all.
        retry: When all of it is tried again.
        timeout: Bound of one attempt of all of it.
        deadline: Bound of all attempts together.
        on_error: ``continue``, or ``{"value": ...}`` to go on with that.
        compensate: What undoes all of it.
        weight: Share of the run's progress.

    Returns:
        What ``function`` returns.
    """
    trace = current()
    if not isinstance(trace, Tracer):
        return cast("R", None) if if_ is False else plain_call(function)
    body = Body("the function given to group()")
    made = make(trace, body, function)
    if not body.records:
        raise wrong("group() calls no node here", "leave it out")
    roots = {root for root in made.roots if root.scope is not body}
    policies = Policies(
        id=id,
        name=name,
        description=description,
        needs=needs,
        if_=if_,
        join=join,
        enabled=enabled,
        retry=retry,
        timeout=timeout,
        deadline=deadline,
        on_error=on_error,
        compensate=compensate,
        weight=weight,
    )
    base = base_of(function, "group")
    return cast("R", trace.node(group_document(made), roots, policies, base))


def race(
    *functions: Callable[[], R],
    id: str | None = None,  # noqa: A002 - the key of the format
    needs: Sequence[object] | None = None,
) -> R:
    """Do several things at once; the first that completes wins, the others are cancelled.

    Args:
        functions: Each calls the nodes of one contestant, and returns what it gives.
        id: Id of the node.
        needs: Results of nodes that come first.

    Returns:
        What the winner gave. As ordinary Python, the first function wins.
    """
    if len(functions) < 2:
        raise wrong("race() takes at least two functions")
    trace = current()
    if not isinstance(trace, Tracer):
        return plain_call(functions[0])
    body = Body("the function given to race()")
    with trace.collect() as found, trace.inside(body):
        contestants = [_contestant(trace, function) for function in functions]
        *first, value = contestants
        for part in reversed(first):
            status = Part(f"nodes.{part.source}.status", roots=part.roots)
            test = infix(status, "==", Part("'completed'"), COMPARE)
            value = conditional(test, part, value)
        output = as_document(Traced(value))
    document: dict[str, Json] = {
        "race": True,
        "nodes": cast("Json", body.document()),
        "output": output,
    }
    roots = {root for root in found if root.scope is not body}
    return cast("R", trace.node(document, roots, Policies(id=id, needs=needs), "race"))


def _contestant(trace: Tracer, function: Callable[[], object]) -> Part:
    """Record one contestant as one node, so that it has one end."""
    inner = Body("a function given to race()")
    made = make(trace, inner, function)
    if not inner.records:
        raise wrong("each function given to race() must call a node")
    roots = {root for root in made.roots if root.scope is not inner}
    record = made.single
    if record is None:
        base = base_of(function, "contestant")
        return part_of(trace.node(group_document(made), roots, Policies(), base))
    trace.free_id(record.id)
    return trace.add(trace.new_id(record.id, record.id), record.document, roots)
