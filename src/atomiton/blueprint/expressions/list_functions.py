"""Functions on lists. None changes its list; each gives a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from atomiton.blueprint.expressions.conversions import Table
from atomiton.blueprint.expressions.limits import Failure, Frame, charge_items
from atomiton.blueprint.expressions.macros import ordered
from atomiton.blueprint.expressions.text_functions import whole
from atomiton.blueprint.expressions.values import (
    ABSENT,
    NUMBERS,
    Maybe,
    add,
    as_list,
    equal,
    is_list,
    is_plain,
    type_name,
)

_SUMMED: Final = frozenset({int, float, timedelta})


def _list(value: object, at: int) -> list[object]:
    if is_list(value):
        return as_list(value)
    raise Failure(at, lambda: f"a list is needed, not a {type_name(value)}")


def _sort(arguments: list[object], at: int, meter: Frame | None) -> object:
    items = _list(arguments[0], at)
    charge_items(meter, len(items), at)
    return [item for _, item in ordered([(item, item) for item in items], at, meter)]


def _distinct(arguments: list[object], at: int, meter: Frame | None) -> object:
    items = _list(arguments[0], at)
    charge_items(meter, len(items), at)
    seen: set[object] = set()
    nested: list[object] = []
    found: list[object] = []
    for item in items:
        kind = type(item)
        if kind is list or kind is dict:
            if any(equal(item, other, at, meter, 1) for other in nested):
                continue
            nested.append(item)
        else:
            if not is_plain(item):
                raise Failure(at, "a value of an unknown type cannot be compared")
            # Numbers are equal across their types; nothing else is.
            key = (0 if kind in NUMBERS else kind, item)
            if key in seen:
                continue
            seen.add(key)
        found.append(item)
    return found


def _slice(arguments: list[object], at: int, meter: Frame | None) -> object:
    items = _list(arguments[0], at)
    start, end = whole(arguments[1], at), whole(arguments[2], at)
    if not 0 <= start <= end <= len(items):
        raise Failure(at, f"{start} to {end} is out of range: the list has {len(items)} items")
    charge_items(meter, end - start, at)
    return items[start:end]


def _flatten(arguments: list[object], at: int, meter: Frame | None) -> object:
    depth = whole(arguments[1], at) if len(arguments) > 1 else 1
    if not 0 <= depth <= 100:
        raise Failure(at, "flatten() takes a depth of 0 to 100")
    items = _list(arguments[0], at)
    charge_items(meter, len(items), at)
    for _ in range(depth):
        if not any(is_list(item) for item in items):
            break
        found: list[object] = []
        for item in items:
            if is_list(item):
                charge_items(meter, len(as_list(item)), at)
                found.extend(as_list(item))
            else:
                found.append(item)
        charge_items(meter, len(found), at)
        items = found
    return items


def _first(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    items = _list(arguments[0], at)
    return Maybe(present=True, value=items[0]) if items else ABSENT


def _last(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    items = _list(arguments[0], at)
    return Maybe(present=True, value=items[-1]) if items else ABSENT


def _sum(arguments: list[object], at: int, meter: Frame | None) -> object:
    items = _list(arguments[0], at)
    charge_items(meter, len(items), at)
    total: object = 0
    for position, item in enumerate(items):
        if type(item) not in _SUMMED:
            raise Failure(at, f"sum() adds numbers or durations, not a {type_name(item)}")
        total = add(total, item, at, meter) if position or type(item) in NUMBERS else item
    return total


def _range(arguments: list[object], at: int, meter: Frame | None) -> object:
    count = whole(arguments[0], at)
    if count < 0:
        raise Failure(at, "lists.range() takes no negative number")
    charge_items(meter, count, at)
    return list(range(count))


TABLE: Final[Table] = {
    "sort": (_sort, 1, 1, True, True),
    "distinct": (_distinct, 1, 1, True, True),
    "slice": (_slice, 3, 3, True, False),
    "flatten": (_flatten, 1, 2, True, True),
    "first": (_first, 1, 1, True, False),
    "last": (_last, 1, 1, True, False),
    "sum": (_sum, 1, 1, True, True),
    "lists.range": (_range, 1, 1, False, True),
}
