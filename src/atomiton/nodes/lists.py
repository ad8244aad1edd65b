"""The rest of the ``data`` family: nodes that order, group, count and cut lists."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from typing import TypedDict, cast

from atomiton.errors import NodeError
from atomiton.nodes.data import Items, Listed, values_of
from atomiton.nodes.spec import Lambda, node

Rank = tuple[object, ...]


class Group(TypedDict):
    """The items with one key."""

    key: object
    items: list[object]
    count: int


class Grouped(TypedDict):
    """Groups in the order of their first items.

    Attributes:
        groups: Each with its `key`, `items` and `count`.
        count: How many groups.
    """

    groups: list[Group]
    count: int


class Aggregate(TypedDict):
    """Figures over a list.

    Attributes:
        count: How many numbers.
        sum: 0 of an empty list.
        average: Null of an empty list.
        minimum: Null of an empty list.
        maximum: Null of an empty list.
    """

    count: int
    sum: int | float
    average: float | None
    minimum: int | float | None
    maximum: int | float | None


async def each(items: Sequence[object], by: Lambda | None) -> list[object]:
    """The value of an expression for each item; the items themselves without one."""
    return list(items) if by is None else await values_of(items, by)


def rank(value: object) -> Rank:
    """A key that orders values of one kind; null comes last, lists go item by item."""
    if value is None:
        return (9,)
    if isinstance(value, bool):
        return (0, value)
    if isinstance(value, int | float):
        return (1, value)
    if isinstance(value, str):
        return (2, value)
    if isinstance(value, datetime.datetime):
        return (3, value.timestamp())
    if isinstance(value, bytes):
        return (4, value)
    if isinstance(value, list):
        return (5, *(rank(item) for item in cast("list[object]", value)))
    raise NodeError("objects have no order: sort by one of their fields", code="TYPE_MISMATCH")


def identity(value: object) -> object:
    """A hashable key that is equal for equal values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, list):
        return (list, tuple(map(identity, cast("list[object]", value))))
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return (dict, frozenset((name, identity(item)) for name, item in pairs))
    return value


@node(
    "data.sort",
    effect="pure",
    title="Sort",
    icon="arrow-down-a-z",
    plain=True,
    example="""
    atomiton: 1
    id: sort-example
    nodes:
      sorted:
        uses: data.sort
        with:
          items: [{age: 41}, {age: 36}]
          by: item.age
    output: ${{ sorted.items }}
    """,
)
async def sort(
    items: Items,
    by: Lambda | None = None,
    descending: bool = False,  # noqa: FBT001 - a port, given by name
) -> Listed:
    """A list in order. Equal items keep their order; null comes last, also when descending.

    Args:
        items: The list to work on.
        by: Expression over `item` and `index` to order by; the item itself by default.
        descending: Largest first.
    """
    keys = await each(items, by)
    ranks = list(map(rank, keys))
    kinds = {kind[0] for kind in ranks} - {9}
    if len(kinds) > 1:
        raise NodeError(
            "values of different types have no common order; sort by one type",
            code="TYPE_MISMATCH",
        )
    known = [index for index, key in enumerate(keys) if key is not None]
    unknown = [index for index, key in enumerate(keys) if key is None]
    known.sort(key=ranks.__getitem__, reverse=descending)
    return {"items": [items[index] for index in known + unknown], "count": len(items)}


@node(
    "data.unique",
    effect="pure",
    title="Remove duplicates",
    icon="copy-minus",
    plain=True,
    example="""
    atomiton: 1
    id: unique-example
    nodes:
      once:
        uses: data.unique
        with:
          items: [3, 1, 3, 2, 1]
    output: ${{ once.items }}
    """,
)
async def unique(items: Items, by: Lambda | None = None) -> Listed:
    """The first of all items that are equal, in their order.

    Args:
        items: The list to work on.
        by: Expression over `item` and `index` to compare by; the item itself by default.
    """
    seen: set[object] = set()
    kept: list[object] = []
    for item, key in zip(items, await each(items, by), strict=True):
        mark = identity(key)
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return {"items": kept, "count": len(kept)}


@node(
    "data.flatten",
    effect="pure",
    title="Flatten",
    icon="list-collapse",
    plain=True,
    example="""
    atomiton: 1
    id: flatten-example
    nodes:
      flat:
        uses: data.flatten
        with:
          items: [[1, 2], [3, [4]]]
    output: ${{ flat.items }}
    """,
)
async def flatten(items: Items, depth: int = 1) -> Listed:
    """A list whose inner lists are replaced by their items.

    Args:
        items: The list to work on.
        depth: How many levels of lists to open; 0 leaves the list as it is.
    """
    if depth < 0:
        raise NodeError("depth must not be negative", code="INVALID_INPUT")
    flat = list(items)
    for _ in range(depth):
        if not any(isinstance(item, list) for item in flat):
            break
        opened: list[object] = []
        for item in flat:
            if isinstance(item, list):
                opened += cast("list[object]", item)
            else:
                opened.append(item)
        flat = opened
        await asyncio.sleep(0)
    return {"items": flat, "count": len(flat)}


@node(
    "data.slice",
    effect="pure",
    title="Slice",
    icon="scissors",
    plain=True,
    example="""
    atomiton: 1
    id: slice-example
    nodes:
      some:
        uses: data.slice
        with:
          items: [a, b, c, d]
          start: 1
          end: 3
    output: ${{ some.items }}
    """,
)
async def slice_(items: Items, start: int = 0, end: int | None = None) -> Listed:
    """A part of a list. Negative positions count from the end.

    Args:
        items: The list to work on.
        start: Position of the first item, from 0.
        end: Position after the last item; the end of the list by default.
    """
    part = list(items[start:end])
    return {"items": part, "count": len(part)}


@node(
    "data.group",
    effect="pure",
    title="Group",
    icon="group",
    plain=True,
    example="""
    atomiton: 1
    id: group-example
    nodes:
      cities:
        uses: data.group
        with:
          items: [{city: Rome}, {city: Oslo}, {city: Rome}]
          by: item.city
    output: ${{ cities.groups }}
    """,
)
async def group(items: Items, by: Lambda) -> Grouped:
    """The items of a list in groups of equal keys, in the order in which the keys first appear.

    Args:
        items: The list to work on.
        by: Expression over `item` and `index`; items with equal values go together.
    """
    groups: dict[object, Group] = {}
    for item, key in zip(items, await each(items, by), strict=True):
        found = groups.setdefault(identity(key), {"key": key, "items": [], "count": 0})
        found["items"].append(item)
        found["count"] += 1
    return {"groups": list(groups.values()), "count": len(groups)}


@node(
    "data.aggregate",
    effect="pure",
    title="Aggregate",
    icon="chart-no-axes-column",
    plain=True,
    example="""
    atomiton: 1
    id: aggregate-example
    nodes:
      figures:
        uses: data.aggregate
        with:
          items: [{total: 10}, {total: 20}]
          of: item.total
    output: ${{ figures.average }}
    """,
)
async def aggregate(items: Items, of: Lambda | None = None) -> Aggregate:
    """Count, sum, average, minimum and maximum of the numbers of a list.

    Nulls count for nothing. Without numbers, `count` and `sum` are 0 and the others null.

    Args:
        items: The list to work on.
        of: Expression over `item` and `index` that gives a number; the item itself by default.
    """
    numbers: list[int | float] = []
    for index, number in enumerate(await each(items, of)):
        if isinstance(number, int | float) and not isinstance(number, bool):
            numbers.append(number)
        elif number is not None:
            raise NodeError(
                f"of must give a number, but is {number!r:.80} for item {index}",
                code="TYPE_MISMATCH",
                details={"index": index},
            )
    total = sum(numbers)
    return {
        "count": len(numbers),
        "sum": total,
        "average": total / len(numbers) if numbers else None,
        "minimum": min(numbers, default=None),
        "maximum": max(numbers, default=None),
    }
