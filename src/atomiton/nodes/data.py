"""The ``data`` family, one value at a time: constants, edits, map, filter, reduce.

Lists are worked through in portions with a turn of the event loop between them, so that a timeout
or a cancellation is seen in the middle of a long list. ``lists.py`` holds the other list nodes.
"""

from __future__ import annotations

import asyncio
from itertools import compress
from typing import Annotated, TypedDict, cast

from atomiton.errors import NodeError
from atomiton.nodes.spec import Lambda, node

#: Items between two turns of the event loop: some milliseconds of expressions.
PORTION = 2000


class Listed(TypedDict):
    """A list and its length."""

    items: list[object]
    count: int


class Reduced(TypedDict):
    """What is left of a list."""

    value: object


Items = Annotated[list[object], "The list to work on."]


def truths(values: list[object], start: int) -> list[bool]:
    """The values of a condition; nothing is true that is not exactly a boolean."""
    if all(kind is bool for kind in set(map(type, values))):
        return cast("list[bool]", values)
    index, value = next((i, v) for i, v in enumerate(values, start) if type(v) is not bool)
    raise NodeError(
        f"where must be true or false, but is {value!r:.80} for item {index}",
        code="EXPRESSION_ERROR",
        details={"index": index},
    )


@node(
    "data.value",
    effect="pure",
    icon="equal",
    plain=True,
    example="""
    atomiton: 1
    id: value-example
    nodes:
      greeting:
        uses: data.value
        with:
          value: {text: Hello, to: [Ada, Grace]}
    output: ${{ greeting.text }}
    """,
)
async def value(value: object) -> object:
    """A value as it is: a constant, or the result of an expression under a name of its own.

    Args:
        value: Any value; it is the output itself.
    """
    return value


@node(
    "data.edit",
    effect="pure",
    title="Edit fields",
    icon="pencil",
    plain=True,
    example="""
    atomiton: 1
    id: edit-example
    nodes:
      order:
        uses: data.edit
        with:
          data: {id: 7, total: 120, note: rush}
          values: {total: 99, currency: EUR}
    output: ${{ order }}
    """,
)
async def edit(
    values: dict[str, object],
    data: dict[str, object] | None = None,
    keep_only_set: bool = False,  # noqa: FBT001 - a port, given by name
) -> dict[str, object]:
    """An object with some fields set anew. The output is the object itself.

    Args:
        values: Fields to set, by name.
        data: The object to start from; nothing by default.
        keep_only_set: Leave out every field that `values` does not name.
    """
    return dict(values) if keep_only_set or data is None else {**data, **values}


@node(
    "data.map",
    effect="pure",
    title="Map",
    icon="arrow-right-left",
    plain=True,
    example="""
    atomiton: 1
    id: map-example
    nodes:
      doubled:
        uses: data.map
        with:
          items: [1, 2, 3]
          value: item * 2
    output: ${{ doubled.items }}
    """,
)
async def map_(items: Items, value: Lambda) -> Listed:
    """A list with each item replaced by the value of an expression.

    Args:
        items: The list to work on.
        value: Expression over `item` and `index`.
    """
    made: list[object] = []
    for start in range(0, len(items), PORTION):
        if start:
            await asyncio.sleep(0)
        portion = items[start : start + PORTION]
        made += map(value, portion, range(start, start + len(portion)))
    return {"items": made, "count": len(made)}


@node(
    "data.filter",
    effect="pure",
    title="Filter",
    icon="filter",
    plain=True,
    example="""
    atomiton: 1
    id: filter-example
    nodes:
      big:
        uses: data.filter
        with:
          items: [{total: 50}, {total: 150}]
          where: item.total > 100
    output: ${{ big.items }}
    """,
)
async def filter_(items: Items, where: Lambda) -> Listed:
    """The items of a list for which a condition holds, in their order.

    Args:
        items: The list to work on.
        where: Condition over `item` and `index`; must be exactly true or false.
    """
    kept: list[object] = []
    for start in range(0, len(items), PORTION):
        if start:
            await asyncio.sleep(0)
        portion = items[start : start + PORTION]
        verdicts = list(map(where, portion, range(start, start + len(portion))))
        kept += compress(portion, truths(verdicts, start))
    return {"items": kept, "count": len(kept)}


@node(
    "data.reduce",
    effect="pure",
    title="Reduce",
    icon="sigma",
    plain=True,
    example="""
    atomiton: 1
    id: reduce-example
    nodes:
      total:
        uses: data.reduce
        with:
          items: [1, 2, 3]
          value: acc + item
          start: 0
    output: ${{ total.value }}
    """,
)
async def reduce(items: Items, value: Lambda, start: object = None) -> Reduced:
    """One value made of a whole list, item by item.

    Args:
        items: The list to work on.
        value: Expression over `acc`, `item` and `index`; its value is the next `acc`.
        start: The first `acc`; null by default.
    """
    acc = start
    for first in range(0, len(items), PORTION):
        if first:
            await asyncio.sleep(0)
        for index, item in enumerate(items[first : first + PORTION], first):
            acc = value(item, index, acc)
    return {"value": acc}
