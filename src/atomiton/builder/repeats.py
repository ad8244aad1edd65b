"""Repeats: the same for each item of a list, or again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Concatenate, Literal, TypedDict, TypeVar, cast, overload

from atomiton.blueprint.model import Json
from atomiton.builder.bodies import Made, base_of, is_node, make, place, takes_number
from atomiton.builder.literals import as_condition, as_document, as_part
from atomiton.builder.parts import Part, Root, method
from atomiton.builder.places import wrong
from atomiton.builder.plain import plain_call
from atomiton.builder.scopes import Body, Scope, current
from atomiton.builder.traced import Traced
from atomiton.builder.tracer import Tracer, parameters_of
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.nodes.recording import Policies
from atomiton.nodes.spec import NodeFunction

T = TypeVar("T")
R = TypeVar("R")

#: Most turns of a loop that says nothing else.
MOST_TURNS = 1000


class ItemError(TypedDict):
    """What stands in the place of an item that failed, with ``on_item_error="collect"``."""

    error: ErrorInfo


class Entry(dict[str, object]):
    """An entry of an object, as a repeat over it has it: ``key`` and ``value``.

    Args:
        entry: Both.

    Example:
        >>> entry = Entry(("a", 1))
        >>> entry.key, entry["value"], entry
        ('a', 1, {'key': 'a', 'value': 1})
    """

    def __init__(self, entry: tuple[object, object]) -> None:
        super().__init__(zip(("key", "value"), entry, strict=True))

    @property
    def key(self) -> object:
        """The key."""
        return self["key"]

    @property
    def value(self) -> object:
        """What stands under it."""
        return self["value"]


# Callables of one parameter first: type checkers infer what a lambda takes only from these.
@overload
def each(
    items: Iterable[T],
    body: Callable[[T], R],
    /,
    *,
    concurrency: int | None = None,
    on_item_error: Literal["fail", "skip"] | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> list[R]: ...
@overload
def each(
    items: Iterable[T],
    body: Callable[Concatenate[T, ...], R],
    /,
    *,
    concurrency: int | None = None,
    on_item_error: Literal["fail", "skip"] | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> list[R]: ...
@overload
def each(
    items: Iterable[T],
    body: Callable[[T], R],
    /,
    *,
    concurrency: int | None = None,
    on_item_error: Literal["collect"],
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> list[R | ItemError]: ...
@overload
def each(
    items: Iterable[T],
    body: Callable[Concatenate[T, ...], R],
    /,
    *,
    concurrency: int | None = None,
    on_item_error: Literal["collect"],
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> list[R | ItemError]: ...
def each(
    items: Iterable[T],
    body: Callable[..., R],
    /,
    *,
    concurrency: int | None = None,
    on_item_error: Literal["fail", "collect", "skip"] | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
    needs: Sequence[object] | None = None,
    **constants: object,
) -> object:
    """Do the same for each item of a list; the results are in the order of the items.

    Args:
        items: The list; or an object, whose items are its entries, with ``key`` and ``value``.
        body: A node function, a blueprint, or a function that calls some. It takes the item and,
            if it has a second parameter, the item's number from 0.
        concurrency: Most items at once; all by default.
        on_item_error: ``fail`` (the others are cancelled, the default), ``collect`` (the error
            stands in the item's place) or ``skip`` (the item is left out).
        id: Id of the node.
        needs: Results of nodes that come first.
        constants: Other parameters of ``body``, the same for each item.

    Returns:
        The list of what ``body`` gives. When it calls no node, that is an expression.

    Example:
        >>> each([1, 2], lambda number: number * 10)
        [10, 20]
    """
    trace = current()
    if not isinstance(trace, Tracer):
        return _each_plainly(items, body, on_item_error, constants)
    keys: dict[str, Json] = {"map": None}
    with trace.collect() as roots:
        keys["map"] = as_document(items)
    body, id = _named_at_once(body, id)  # noqa: A001 - the key of the format
    repeated = trace.body if is_node(body) else None
    wanted = parameters_of(body)
    name = trace.new_item("item" if repeated or not wanted else wanted[0])
    scope = Body("the function given to each()", frozenset({name, "index"}), repeated)
    arguments = _named(scope, name, "index")[: 2 if takes_number(body, constants) else 1]
    made = make(trace, scope, body, arguments, constants)
    if not scope.records:
        if concurrency is not None or on_item_error is not None or id is not None:
            raise wrong("each() calls no node here, so it only computes", "leave its options out")
        return _mapped(items, name, made)
    if name != "item":
        keys["as"] = name
    if concurrency is not None:
        keys["concurrency"] = concurrency
    if on_item_error is not None:
        keys["on_item_error"] = on_item_error
    policies = Policies(id=id, needs=needs)
    base = base_of(body, "each")
    return place(trace, made, keys, roots, policies, base, direct=repeated is not None)


def _named_at_once(body: Callable[..., R], id_: str | None) -> tuple[Callable[..., R], str | None]:
    """Give an id to a node function itself: its compensation refers to the node by it."""
    if id_ is None or not is_node(body):
        return body, id_
    return cast("NodeFunction[..., R]", body).with_(id=id_), None


def _named(scope: Body, *names: str) -> list[object]:
    return [Traced(Part(name, roots=frozenset({Root(name, scope)}))) for name in names]


def _mapped(items: object, name: str, made: Made) -> Traced:
    """A list computed of a list, item by item, without a node."""
    given = as_part(items)
    if given.type == "object":  # of which expressions take the keys, and repeats the entries
        entry = Part("{'key': key, 'value': value}")
        given = method(given, "transformList", Part("key"), Part("value"), entry)
    if any(root.name == "index" and root.scope is made.body for root in made.value.roots):
        found = method(given, "transformList", Part("index"), Part(name), made.value)
    else:
        found = method(given, "map", Part(name), made.value)
    outer = frozenset(root for root in found.roots if root.scope is not made.body)
    return Traced(found._replace(roots=outer))


def _each_plainly(
    items: Iterable[T],
    body: Callable[..., R],
    on_item_error: str | None,
    constants: dict[str, object],
) -> list[object]:
    results: list[object] = []
    listed: Iterable[object] = items
    if isinstance(items, Mapping):
        listed = map(Entry, cast("Mapping[object, object]", items).items())
    for index, item in enumerate(listed):
        arguments = (item, index) if takes_number(body, constants) else (item,)
        try:
            results.append(plain_call(body, *arguments, **constants))
        except Exception as error:  # a node may raise anything
            if on_item_error == "collect":
                code = error.code if isinstance(error, AtomitonError) else "NODE_FAILED"
                results.append({"error": ErrorInfo(code, str(error))})
            elif on_item_error != "skip":
                raise
    return results


@overload
def repeat(
    body: Callable[[T], T],
    start: T,
    /,
    *,
    while_: Callable[[T], bool] | None = None,
    until: Callable[[T], bool] | None = None,
    times: int | None = None,
    max: int | None = None,
    delay: float | str | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> T: ...
@overload
def repeat(
    body: Callable[Concatenate[T, ...], T],
    start: T,
    /,
    *,
    while_: Callable[[T], bool] | None = None,
    until: Callable[[T], bool] | None = None,
    times: int | None = None,
    max: int | None = None,
    delay: float | str | None = None,
    id: str | None = None,
    needs: Sequence[object] | None = None,
    **constants: object,
) -> T: ...
def repeat(
    body: Callable[..., T],
    start: T,
    /,
    *,
    while_: Callable[[T], bool] | None = None,
    until: Callable[[T], bool] | None = None,
    times: int | None = None,
    max: int | None = None,  # noqa: A002 - the key of the format
    delay: float | str | None = None,
    id: str | None = None,  # noqa: A002 - the key of the format
    needs: Sequence[object] | None = None,
    **constants: object,
) -> T:
    """Do the same again and again, each turn with what the turn before gave.

    Args:
        body: A node function, a blueprint, or a function that calls some. It takes the value so
            far and, if it has a second parameter, the number of the turn from 0.
        start: What the first turn is given.
        while_: Tested before each turn.
        until: Tested after each turn.
        times: Number of turns. Exactly one of these three is given.
        max: Most turns, 1000 by default; to reach it before the condition ends the loop fails.
        delay: Wait between turns, in seconds or as text such as ``10s``.
        id: Id of the node.
        needs: Results of nodes that come first.
        constants: Other parameters of ``body``, the same in each turn.

    Returns:
        What the last turn gave; ``start`` when there was none.

    Example:
        >>> repeat(lambda number: number * 2, 1, times=10)
        1024
    """
    if (while_ is None) + (until is None) + (times is None) != 2:
        raise wrong("repeat() takes exactly one of while_, until and times")
    trace = current()
    if not isinstance(trace, Tracer):
        return _repeat_plainly(body, start, while_, until, times, max, constants)
    body, id = _named_at_once(body, id)  # noqa: A001 - the key of the format
    repeated = trace.body if is_node(body) else None
    scope = Body("the function given to repeat()", frozenset({"acc", "index"}), repeated)
    acc, index = _named(scope, "acc", "index")
    loop: dict[str, Json] = {}
    with trace.collect() as roots:
        with trace.inside(scope), trace.inside(Scope("the condition of repeat()")):
            for key, test in (("while", while_), ("until", until)):
                if test is not None:
                    loop[key] = as_condition(test(cast("T", acc)))
        if times is not None:
            loop["times"] = times if type(times) is int else as_condition(times)
        if start is not None:  # which is where loops begin that do not say
            loop["start"] = as_document(start)
    loop |= {key: value for key, value in (("max", max), ("delay", delay)) if value is not None}
    arguments = [acc, index] if takes_number(body, constants) else [acc]
    made = make(trace, scope, body, arguments, constants)
    if not scope.records:
        from atomiton.nodes.data import value  # a loop repeats a node, if only this

        computed = made.value
        name = trace.new_id(None, base_of(body, "repeat"))
        trace.free_id(name)
        made = make(trace, scope, lambda: value.with_(id=name)(Traced(computed)))
    roots = {root for root in roots if root.scope is not scope}
    policies = Policies(id=id, needs=needs)
    base = base_of(body, "repeat")
    direct = repeated is not None
    return cast("T", place(trace, made, {"loop": loop}, roots, policies, base, direct=direct))


def _repeat_plainly(
    body: Callable[..., T],
    start: T,
    while_: Callable[[T], bool] | None,
    until: Callable[[T], bool] | None,
    times: int | None,
    most: int | None,
    constants: dict[str, object],
) -> T:
    acc = start
    most = MOST_TURNS if most is None else most
    two = takes_number(body, constants)
    turn = 0
    while turn != times and (while_ is None or while_(acc)):
        if turn == most:
            raise AtomitonError(f"the loop did not end within {most} turns", code="LOOP_LIMIT")
        acc = plain_call(body, *([acc, turn] if two else [acc]), **constants)
        turn += 1
        if until is not None and until(acc):
            break
    return acc
