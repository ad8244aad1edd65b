"""Comprehensions: the only loops there are. Each turn is charged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, cast

import msgspec

from atomiton.blueprint.expressions.limits import LIMIT, Failure, Frame
from atomiton.blueprint.expressions.values import (
    ABSENT,
    Maybe,
    as_list,
    as_map,
    compare,
    is_map,
    type_name,
)


class Body(msgspec.Struct, frozen=True):
    """What a comprehension does with each item.

    Attributes:
        at: Where its errors point.
        slot: The first of its variables in the frame.
        names: How many variables it has.
        test: Which items count.
        give: What each gives.
        cost: Steps of one turn.
    """

    at: int
    slot: int
    names: int
    test: Callable[[Frame], object] | None
    give: Callable[[Frame], object] | None
    cost: int


def turns(target: object, body: Body, frame: Frame) -> Iterator[object]:
    """Walk through a list or the keys of a map, with the variables set and the steps charged."""
    kind = type(target)
    if kind is not list and kind is not dict:
        raise Failure(
            body.at,
            lambda: f"only a list or a map can be walked through, not a {type_name(target)}",
        )
    items = list(as_map(target)) if kind is dict else as_list(target)
    variables, slot, cost, at = frame.variables, body.slot, body.cost, body.at
    if body.names == 1:
        for item in items:
            frame.steps -= cost
            if frame.steps < 0:
                frame.charge(0, at)
            variables[slot] = item
            yield item
        return
    second = slot + 1
    for position, item in enumerate(items):
        frame.charge(cost, at)
        variables[slot] = item if kind is dict else position
        variables[second] = as_map(target)[item] if kind is dict else item
        yield item


def holds(body: Body, frame: Frame) -> bool:
    """Whether the current item counts."""
    test = body.test
    if test is None:
        return True
    value = test(frame)
    if value is True or value is False:
        return value
    raise Failure(body.at, lambda: f"the condition must give a bool, not a {type_name(value)}")


def give(body: Body, frame: Frame) -> object:
    """What the current item gives."""
    return None if body.give is None else body.give(frame)


def _decide(target: object, body: Body, frame: Frame, *, wanted: bool) -> bool:
    failure: Failure | None = None
    for _ in turns(target, body, frame):
        try:
            if holds(body, frame) is wanted:
                return wanted
        except Failure as found:
            if found.code == LIMIT:
                raise
            frame.charge(4, body.at)
            failure = failure or found
    if failure is not None:
        raise failure
    return not wanted


def _all(target: object, body: Body, frame: Frame) -> object:
    return _decide(target, body, frame, wanted=False)


def _exists(target: object, body: Body, frame: Frame) -> object:
    return _decide(target, body, frame, wanted=True)


def _exists_one(target: object, body: Body, frame: Frame) -> object:
    return sum(holds(body, frame) for _ in turns(target, body, frame)) == 1


def _filter(target: object, body: Body, frame: Frame) -> object:
    return [item for item in turns(target, body, frame) if holds(body, frame)]


def _map(target: object, body: Body, frame: Frame) -> object:
    if body.test is None and body.give is not None:
        code = body.give
        return [code(frame) for _ in turns(target, body, frame)]
    return [give(body, frame) for _ in turns(target, body, frame) if holds(body, frame)]


def _transform_map(target: object, body: Body, frame: Frame) -> object:
    if not is_map(target):
        raise Failure(body.at, lambda: f"transformMap() takes a map, not a {type_name(target)}")
    return {key: give(body, frame) for key in turns(target, body, frame) if holds(body, frame)}


def _sort_by(target: object, body: Body, frame: Frame) -> object:
    keyed = [(give(body, frame), item) for item in turns(target, body, frame)]
    return [item for _, item in ordered(keyed, body.at, frame)]


def ordered(
    keyed: list[tuple[object, object]], at: int, frame: Frame | None
) -> list[tuple[object, object]]:
    """Sort pairs by their first part, which must be of one ordered type; stable."""
    if frame is not None:
        frame.charge(len(keyed) * max(1, len(keyed).bit_length() // 8), at)
    if not keyed:
        return keyed
    first = keyed[0][0]
    for key, _ in keyed:
        # Raises unless the types have an order; that, not its answer, is wanted here.
        compare(_any_order, first, key, at, frame)
    return sorted(keyed, key=_first)


def _any_order(left: object, right: object) -> bool:
    return left is right


def _first(pair: tuple[object, object]) -> int:
    # Checked before: any type with an order will do.
    return cast("int", pair[0])


def _opt_map(target: object, body: Body, frame: Frame) -> object:
    found = _opened(target, body, frame)
    return Maybe(present=True, value=give(body, frame)) if found else ABSENT


def _opt_flat_map(target: object, body: Body, frame: Frame) -> object:
    if not _opened(target, body, frame):
        return ABSENT
    value = give(body, frame)
    if type(value) is not Maybe:
        raise Failure(body.at, "optFlatMap() must give an optional value")
    return value


def _opened(target: object, body: Body, frame: Frame) -> bool:
    if type(target) is not Maybe:
        raise Failure(body.at, lambda: f"an optional value is needed, not a {type_name(target)}")
    frame.charge(body.cost, body.at)
    frame.variables[body.slot] = target.value
    return target.present


MACROS: Final[dict[str, Callable[[object, Body, Frame], object]]] = {
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _map,
    "transformList": _map,
    "transformMap": _transform_map,
    "sortBy": _sort_by,
    "optMap": _opt_map,
    "optFlatMap": _opt_flat_map,
}
