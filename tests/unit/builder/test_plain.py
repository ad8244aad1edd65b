"""A blueprint's function as ordinary Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.builder.making import Order, convert, keep, note, pick, read

from atomiton.builder import (
    approval,
    blueprint,
    branch,
    each,
    expression,
    group,
    race,
    repeat,
    size,
    switch,
    wait_for,
)
from atomiton.errors import AtomitonError, NodeError, TracingError
from atomiton.nodes import data, lists
from atomiton.nodes.recording import RECORDER
from atomiton.nodes.spec import node


@node
async def fail(n: int) -> int:
    if n == 2:
        raise NodeError("no twos", code="NO_TWOS")
    return n


@node
async def outer(n: int) -> int:
    """Calls another node in its body, as ordinary code does."""
    return await fail(n) + 1  # type: ignore[misc]


@blueprint
def report(path: Path, threshold: float = 100) -> list[float]:
    wait_for("1h")
    big = keep(read(path), threshold)
    return each(big, convert, currency="EUR")


@blueprint
def parent(threshold: float) -> object:
    found = report(Path("x"), threshold)
    return branch(
        len(found) > 1, then=lambda: note(found), otherwise=lambda: group(lambda: note("few"))
    )


def test_a_call_runs_the_body_and_async_nodes_to_their_end() -> None:
    assert report(Path("x")) == [300]
    assert report(Path("x"), threshold=0) == [100, 300]
    assert parent(1) == "noted [100, 300]"
    assert parent(threshold=100) == "noted few"
    assert RECORDER.get() is None


async def test_also_where_an_event_loop_runs() -> None:
    assert report(Path("x")) == [300]
    with pytest.raises(NodeError, match="no twos"):
        blueprint(failing)()


def failing() -> object:
    return fail(2)


def test_the_plain_function_is_there_and_nodes_call_each_other_as_usual() -> None:
    assert report.function is not report
    assert report.__name__ == "report"
    assert blueprint(calls_outer)() == 2


def calls_outer() -> object:
    return outer(1)


def test_policies_that_decide_about_data_are_heeded() -> None:
    def optional(wanted: bool) -> object:
        return [note.with_(if_=wanted)(1), note.with_(enabled=False)(2)]

    made = blueprint(optional)
    assert made(wanted=True) == ["noted 1", None]
    assert made(wanted=False) == [None, None]


def test_repeats_and_branches_mean_what_they_mean_in_a_run() -> None:
    assert each(["a", "b"], lambda item, place: f"{place}{item}") == ["0a", "1b"]
    assert each([1, 2, 3], fail, on_item_error="skip") == [1, 3]
    collected = each([1, 2], fail, on_item_error="collect")
    assert collected[0] == 1
    assert collected[1]["error"].code == "NO_TWOS"  # type: ignore[index]
    with pytest.raises(NodeError):
        each([1, 2], fail)
    assert each([Order(1, 5)], lambda order: order.total) == [5]
    assert repeat(lambda n, turn: n + turn, 0, times=4) == 6
    assert repeat(lambda n: n * 2, 1, while_=lambda n: n < 100) == 128
    assert repeat(lambda n: n + 1, 9, until=lambda n: n > 3) == 10
    with pytest.raises(AtomitonError, match="within 5 turns"):
        repeat(lambda n: n, 1, until=lambda n: n > 3, max=5)
    assert repeat(lambda n: n + 1, 0, times=5, max=5) == 5
    assert switch({"a": (False, lambda: 1)}) is None
    assert switch({"a": (False, lambda: 1)}, default=lambda: 2) == 2
    assert group(lambda: 1, if_=False) is None
    assert race(lambda: 1, lambda: 2) == 1
    for wrong in (1, None, "true"):
        with pytest.raises(TypeError, match="must be true or false"):
            branch(wrong, then=lambda: 1)  # type: ignore[call-overload]


def test_the_items_of_an_object_are_its_entries() -> None:
    def entries(given: dict[str, int]) -> object:
        made = data.value(3)
        return [
            each(given, lambda kv: data.value(kv.value)),  # type: ignore[attr-defined]
            each(given, lambda kv: kv.value),  # type: ignore[attr-defined]
            each(given, lambda kv, place: [place, kv["key"], kv]),  # type: ignore[index]
            each(given, data.value),
            each({"a": made, "b": 2}, lambda kv: [kv.key, kv.value]),  # type: ignore[attr-defined]
            each({"a": made, "b": 2}, lambda kv: note(kv.value)),  # type: ignore[attr-defined]
        ]

    ways = blueprint(entries)
    given = {"y": 1, "x": 2}
    listed = [{"key": "y", "value": 1}, {"key": "x", "value": 2}]
    assert ways(given) == [
        [1, 2], [1, 2], [[0, "y", listed[0]], [1, "x", listed[1]]], listed,
        [["a", 3], ["b", 2]], ["noted 3", "noted 2"],
    ]  # fmt: skip
    assert ways(given) == ways.run(given)


def test_functions_and_text_for_expressions_of_the_library() -> None:
    def chosen(numbers: list[int]) -> object:
        return [
            data.filter_(numbers, where=lambda item: item > 1)["items"],
            data.filter_(numbers, "item > 1")["items"],
            data.filter_(numbers, where="index > 0")["items"],
            data.map_(numbers, lambda number, place: number * 10 + place)["items"],
            data.map_(numbers, lambda index: index)["items"],
            data.reduce(numbers, value=lambda acc, item: acc + item, start=0)["value"],
            lists.sort(numbers, by=lambda n: -n)["items"],
            lists.sort(numbers)["items"],
        ]

    ways = blueprint(chosen)
    assert ways([1, 3, 2]) == [
        [3, 2], [3, 2], [3, 2], [10, 31, 22], [0, 1, 2], 6, [3, 2, 1], [1, 2, 3],
    ]  # fmt: skip
    assert ways([1, 3, 2]) == ways.run([1, 3, 2])
    orders = [Order(1, 5), Order(2, 9)]
    for where in (lambda order: order.total > 5, "item.total > 5"):
        assert blueprint(id="x")(lambda by: pick(orders, by))(where) == orders[1:]


def test_an_expression_of_the_library_that_is_wrong_is_refused() -> None:
    filtered = blueprint(id="x")(lambda where: data.filter_([1], where))
    for source in ("item >", "unknown > 1"):
        with pytest.raises(TracingError, match=r"item >|unknown"):
            filtered(source)
    with pytest.raises(TracingError, match="the function takes 4 values"):
        blueprint(id="x")(lambda: data.map_([1], lambda a, b, c, d: a))()  # type: ignore[misc]


def test_expressions_are_computed() -> None:
    def computed(orders: list[Order], least: float) -> object:
        big = expression("{}.filter(o, o.total > {})", orders, least)
        return note([size(big), expression("{} + 1", 1), expression("'{' + {} + '}'", "a")])

    with pytest.raises(TracingError, match="has 2 places"):
        blueprint(id="x")(lambda: expression("{} + {}", 1))()
    with pytest.raises(TracingError, match="vars"):
        blueprint(id="x")(lambda: expression("vars.a"))()
    ways = blueprint(computed)
    given = [Order(1, 5), Order(2, 9)], 6
    assert ways(*given) == ways.run(*given) == "noted [1, 2, '{a}']"
    with pytest.raises(TracingError, match="outside of a blueprint"):
        expression("1")


@pytest.mark.parametrize("ask", [lambda: wait_for(signal="paid"), lambda: approval("Sure?")])
def test_nobody_answers_ordinary_python(ask: Callable[[], object]) -> None:
    with pytest.raises(TracingError, match="nobody to wait for"):
        blueprint(id="x")(ask)()
