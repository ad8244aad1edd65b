"""The ``data`` family."""

from __future__ import annotations

import asyncio
import time

import pytest

from atomiton.errors import NodeError
from atomiton.nodes import data, lists
from atomiton.testing.purity import assert_pure


def total(item, index=0, acc=None):
    return item["total"]


def big(item, index=0, acc=None):
    return item["total"] > 100


ORDERS = [
    {"id": 1, "total": 150, "city": "Oslo"},
    {"id": 2, "total": 50, "city": "Rome"},
    {"id": 3, "total": 120.5, "city": "Oslo"},
]


def pure(function, **inputs):
    """Run a node as its purity is proved."""
    return assert_pure(function, inputs)


def test_value_and_edit() -> None:
    assert pure(data.value, value={"a": [1]}) == {"a": [1]}
    assert pure(data.value, value=None) is None
    before = {"a": 1, "b": 2}
    assert pure(data.edit, data=before, values={"b": 3, "c": 4}) == {"a": 1, "b": 3, "c": 4}
    assert pure(data.edit, data=before, values={"c": 4}, keep_only_set=True) == {"c": 4}
    assert pure(data.edit, values={"c": 4}) == {"c": 4}


def test_map_filter_reduce() -> None:
    assert pure(data.map_, items=ORDERS, value=total) == {"items": [150, 50, 120.5], "count": 3}
    assert pure(data.filter_, items=ORDERS, where=big)["items"] == [ORDERS[0], ORDERS[2]]
    indexes = pure(data.map_, items=["a", "b"], value=lambda item, index=0, acc=None: index)
    assert indexes["items"] == [0, 1]

    def add(item, index=0, acc=None):
        return acc + item

    assert pure(data.reduce, items=[1, 2, 3], value=add, start=0) == {"value": 6}
    assert pure(data.reduce, items=[], value=add) == {"value": None}


@pytest.mark.parametrize("verdict", [None, 1, 0, "true", []])
def test_a_condition_must_be_a_boolean(verdict) -> None:
    with pytest.raises(NodeError, match="must be true or false") as caught:
        pure(data.filter_, items=[1], where=lambda item, index=0, acc=None: verdict)
    assert caught.value.code == "EXPRESSION_ERROR"
    assert caught.value.details == {"index": 0}


def test_sort() -> None:
    assert pure(lists.sort, items=[3, 1.5, 2])["items"] == [1.5, 2, 3]
    assert pure(lists.sort, items=["b", "Ä", "a"])["items"] == ["a", "b", "Ä"]
    assert pure(lists.sort, items=[2, None, 3], descending=True)["items"] == [3, 2, None]
    assert pure(lists.sort, items=[[2, 1], [1, 9]])["items"] == [[1, 9], [2, 1]]
    by_total = pure(lists.sort, items=ORDERS, by=total, descending=True)
    assert [order["id"] for order in by_total["items"]] == [1, 3, 2]
    same = [{"n": 1, "k": "a"}, {"n": 1, "k": "b"}]
    for descending in (True, False):
        kept = pure(lists.sort, items=same, by=lambda i, *_: i["n"], descending=descending)
        assert kept["items"] == same
    with pytest.raises(NodeError, match="no common order"):
        pure(lists.sort, items=[1, "a"])
    with pytest.raises(NodeError, match="objects have no order"):
        pure(lists.sort, items=[{}])


def test_unique() -> None:
    items = [1, 1.0, True, "1", None, None, [1], [1], {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    found = pure(lists.unique, items=items)
    assert found["items"] == [1, True, "1", None, [1], {"a": 1, "b": 2}]
    assert pure(lists.unique, items=ORDERS, by=lambda i, *_: i["city"])["count"] == 2


def test_flatten_and_slice() -> None:
    deep = [1, [2, [3, [4]]]]
    assert pure(lists.flatten, items=deep)["items"] == [1, 2, [3, [4]]]
    assert pure(lists.flatten, items=deep, depth=9)["items"] == [1, 2, 3, 4]
    assert pure(lists.flatten, items=deep, depth=0)["items"] == deep
    with pytest.raises(NodeError, match="negative"):
        pure(lists.flatten, items=deep, depth=-1)
    assert pure(lists.slice_, items=[1, 2, 3, 4], start=1, end=3)["items"] == [2, 3]
    assert pure(lists.slice_, items=[1, 2, 3], start=-2) == {"items": [2, 3], "count": 2}


def test_group() -> None:
    found = pure(lists.group, items=ORDERS, by=lambda i, *_: i["city"])
    assert found["count"] == 2
    assert found["groups"][0] == {"key": "Oslo", "items": [ORDERS[0], ORDERS[2]], "count": 2}
    assert pure(lists.group, items=[], by=total) == {"groups": [], "count": 0}


def test_aggregate() -> None:
    found = pure(lists.aggregate, items=ORDERS, of=total)
    assert found == {
        "count": 3,
        "sum": 320.5,
        "average": 320.5 / 3,
        "minimum": 50,
        "maximum": 150,
    }
    empty = {"count": 0, "sum": 0, "average": None, "minimum": None, "maximum": None}
    assert pure(lists.aggregate, items=[]) == empty
    assert pure(lists.aggregate, items=[None, 4])["count"] == 1
    with pytest.raises(NodeError, match="of must give a number"):
        pure(lists.aggregate, items=[True])


async def test_long_lists_let_others_run() -> None:
    items = list(range(100_000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    found = await data.filter_(items, lambda item, index=0, acc=None: item % 2 == 0)
    other.cancel()
    assert found["count"] == 50_000
    assert turns >= 40

    def slow(item, index=0, acc=None):
        time.sleep(0.00001)
        return True

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await data.filter_(items, slow)
