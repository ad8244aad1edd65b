"""Branches: one of several routes is taken, and its value goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeVar, cast, overload

from atomiton.blueprint.model import Json
from atomiton.builder.literals import as_condition, as_part
from atomiton.builder.parts import COMPARE, Part, conditional, infix, select
from atomiton.builder.places import wrong
from atomiton.builder.plain import plain_call
from atomiton.builder.scopes import Record, current
from atomiton.builder.standing import part_of
from atomiton.builder.traced import Traced
from atomiton.builder.tracer import Tracer
from atomiton.nodes.recording import Join, Policies

A = TypeVar("A")
B = TypeVar("B")


ELSE: Final = object()
"""The condition of the route that is taken when no other is."""


class Route(NamedTuple):
    """One way to go on: its name, its condition, and what it does."""

    name: str
    when: object
    function: Callable[[], object] | None


class _Taken(NamedTuple):
    """What a route recorded, and its value."""

    route: Route
    records: list[Record]
    value: Part


@overload
def branch(condition: bool, /, *, then: Callable[[], A], id: str | None = None) -> A | None: ...  # noqa: FBT001 - always given in place
@overload
def branch(
    condition: bool,  # noqa: FBT001 - always given in place
    /,
    *,
    then: Callable[[], A],
    otherwise: Callable[[], B],
    id: str | None = None,
) -> A | B: ...
def branch(
    condition: bool,  # noqa: FBT001 - always given in place
    /,
    *,
    then: Callable[[], object],
    otherwise: Callable[[], object] | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
) -> object:
    """Do one thing or another.

    Args:
        condition: Decides; exactly true or false.
        then: Called for the route of true; calls the nodes that run there.
        otherwise: The same for false; by default nothing happens there.
        id: Id of the node.

    Returns:
        The value of the route that is taken; None of one that is not given. When no route calls
        a node, that is an expression.

    Example:
        >>> branch(2 > 1, then=lambda: "more", otherwise=lambda: "less")
        'more'
    """
    trace = current()
    routes = [Route("then", condition, then), Route("otherwise", ELSE, otherwise)]
    if isinstance(trace, Tracer):
        return _branch(trace, routes, id)
    return _plainly(routes)


@overload
def switch(
    routes: Mapping[str, tuple[bool, Callable[[], A]]], /, *, id: str | None = None
) -> A | None: ...
@overload
def switch(
    routes: Mapping[str, tuple[bool, Callable[[], A]]],
    /,
    *,
    default: Callable[[], B],
    id: str | None = None,
) -> A | B: ...
def switch(
    routes: Mapping[str, tuple[bool, Callable[[], object]]],
    /,
    *,
    default: Callable[[], object] | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
) -> object:
    """Take the first of several routes whose condition is true.

    Args:
        routes: Name of each route to its condition and what happens there, in order.
        default: What happens when no condition is true; by default nothing.
        id: Id of the node.

    Returns:
        The value of the route that is taken; None when there is none.

    Example:
        >>> switch({"big": (5 > 9, lambda: "big"), "small": (5 > 3, lambda: "small")})
        'small'
    """
    trace = current()
    if not routes or "default" in routes:
        raise wrong("switch() takes at least one route, and none of the name 'default'")
    listed = [Route(name, when, function) for name, (when, function) in routes.items()]
    listed.append(Route("default", ELSE, default))
    if isinstance(trace, Tracer):
        return _branch(trace, listed, id)
    return _plainly(listed)


def routes(
    conditions: Mapping[str, object],
    /,
    *,
    id: str | None = None,  # noqa: A002 - the key of the format
    mode: Literal["first", "all"] | None = None,
    name: str | None = None,
    description: str | None = None,
    needs: Sequence[object] | None = None,
    if_: bool | None = None,
    join: Join | None = None,
    enabled: bool | None = None,
    timeout: float | str | None = None,
    deadline: float | str | None = None,
    on_error: Literal["continue"] | Mapping[str, object] | None = None,
    compensate: Callable[..., object] | None = None,
    weight: float | None = None,
) -> Any:  # noqa: ANN401 - what branches give is not declared
    """A branch by itself: nodes come after one of its routes by ``needs=["ID.ROUTE"]``.

    ``branch`` and ``switch`` are easier to read where what a route does stands in one place.

    Args:
        conditions: Name of each route to its condition, or to ``else``.
        id: Id of the node, by which its routes are named.
        mode: Whether the ``first`` route that holds is taken, as by default, or ``all``.
        name, description: For people.
        needs: Results of nodes that come first.
        if_: Condition; when false the node is skipped, and so are all its routes.
        join: When it runs, if it depends on several nodes.
        enabled: Whether it runs at all.
        timeout, deadline: Bounds of it.
        on_error: What happens when a condition cannot be decided.
        compensate: What undoes it.
        weight: Share of the run's progress.

    Returns:
        ``{"route": ...}``, or ``{"routes": [...]}`` with ``mode="all"``.
    """
    trace = current()
    if not isinstance(trace, Tracer):
        raise wrong("as ordinary Python a branch has no nodes to choose", "use branch or switch")
    document: dict[str, Json] = {}
    with trace.collect() as roots:
        document["branch"] = {name: as_condition(when) for name, when in conditions.items()}
    if mode is not None:
        document["mode"] = mode
    policies = Policies(
        id=id,
        name=name,
        description=description,
        needs=needs,
        if_=if_,
        join=join,
        enabled=enabled,
        timeout=timeout,
        deadline=deadline,
        on_error=on_error,
        compensate=compensate,
        weight=weight,
    )
    return trace.node(document, roots, policies, "branch")


def _plainly(routes: list[Route]) -> object:
    for route in routes:
        if route.when is ELSE or route.when is True:
            return None if route.function is None else plain_call(route.function)
        if route.when is not False:
            raise TypeError(f"a condition must be true or false, not {route.when!r:.60}")
    return None


def _branch(trace: Tracer, routes: list[Route], wanted: str | None) -> object:
    conditions: dict[str, Json] = {}
    with trace.collect() as roots:
        for route in routes:
            conditions[route.name] = "else" if route.when is ELSE else as_condition(route.when)
    node = trace.node({"branch": conditions}, roots, Policies(id=wanted), "branch")
    id_ = part_of(node).source
    taken = [_follow(trace, id_, route) for route in routes]
    if not any(route.records for route in taken):
        del trace.body.records[id_]
        trace.free_id(id_)
        return Traced(_chosen(taken, [as_part(route.when) for route in routes[:-1]]))
    which = select(trace.output_of(id_), "route", "")
    tests = [infix(which, "==", as_part(r.name), COMPARE) for r in routes[:-1]]
    return _merge(trace, id_, taken, _chosen(taken, tests))


def _follow(trace: Tracer, id_: str, route: Route) -> _Taken:
    """Record what a route does; its first nodes come after the branch took it."""
    before = set(trace.body.records)
    value = Part("null")
    if route.function is not None:
        value = as_part(route.function())
        trace.use(value)
    records = [r for name, r in trace.body.records.items() if name not in before]
    inside = {record.id for record in records}
    for record in records:
        if not record.refs & inside:
            record.need(f"{id_}.{route.name}")
    return _Taken(route, records, value)


def _chosen(taken: list[_Taken], tests: list[Part]) -> Part:
    """The value of the first route whose test holds, else of the last."""
    *first, last = taken
    value = last.value
    for route, test in reversed(list(zip(first, tests, strict=True))):
        value = conditional(test, route.value, value)
    return value


def _merge(trace: Tracer, id_: str, taken: list[_Taken], value: Part) -> Traced:
    """A node that hands on the value of the route that was taken, once that is done."""
    from atomiton.nodes.data import value as node

    id_of_merge = trace.new_id(None, "merge")
    trace.free_id(id_of_merge)
    merged = node.with_(id=id_of_merge)(Traced(value))
    record = trace.body.records[id_of_merge]
    record.passing = True
    for route in taken:
        ids = {r.id for r in route.records}
        used = {root.name for root in route.value.roots}
        within = {ref for r in route.records for ref in r.refs}
        ends = [r.id for r in route.records if r.id not in within]
        # What a route did without handing it on is waited for too: a route is done as a whole.
        waits = [end for end in ends if end not in used]
        if not ids & used and not ends:
            waits = [f"{id_}.{route.route.name}"]
        for wait in waits:
            record.need(wait)
    return cast("Traced", merged)
