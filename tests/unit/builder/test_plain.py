"""A blueprint's function as ordinary Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.builder.making import Order, convert, keep, note, read

from atomiton.builder import (
    approval,
    blueprint,
    branch,
    each,
    group,
    race,
    repeat,
    switch,
    wait_for,
)
from atomiton.errors import AtomitonError, NodeError, TracingError
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


@pytest.mark.parametrize("ask", [lambda: wait_for(signal="paid"), lambda: approval("Sure?")])
def test_nobody_answers_ordinary_python(ask: Callable[[], object]) -> None:
    with pytest.raises(TracingError, match="nobody to wait for"):
        blueprint(id="x")(ask)()
