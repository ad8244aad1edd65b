"""Forks and tries again: what had completed is not run again, everything else is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from atomiton import Conductor, InputError, NodeError, node
from atomiton.blueprint.document import read_document
from atomiton.errors import AtomitonError, NotFound

ACTS: Counter[str] = Counter()
BROKEN: set[str] = set()


@node("t.act", effect="once")
async def act(name: str, value: object = None) -> object:
    ACTS[name] += 1
    if name in BROKEN:
        raise NodeError(f"{name} is broken")
    return value


@pytest.fixture(autouse=True)
def _clean() -> None:
    ACTS.clear()
    BROKEN.clear()


@pytest.fixture(params=["memory:", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")


def acts(name: str, value: object, **more: object) -> dict[str, object]:
    return {"uses": "t.act", "with": {"name": name, "value": value}, **more}


def document(nodes: dict[str, object], **more: object):
    return read_document({"atomiton": 1, "id": "test", "nodes": nodes, **more})


CHAIN = document(
    {
        "a": acts("a", "${{ inputs.x }}"),
        "aside": acts("aside", "side"),
        "b": acts("b", "${{ a * 10 + inputs.x }}"),
        "c": acts("c", "${{ b + 1 }}"),
    },
    inputs={"x": {"type": "integer", "default": 1}},
    output="${{ c }}",
)


async def test_a_fork_runs_only_the_node_and_what_waits_for_it(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(CHAIN)
        fork = await conductor.fork(first.run, "b", {"x": 5})
        result = await fork.result()
        assert (first.output, result.output) == (12, 16)  # a is still 1, x is 5 from b on
        assert ACTS == {"a": 1, "aside": 1, "b": 2, "c": 2}
        assert result.forked_from == first.run
        assert first.forked_from is None
        kinds = [event.kind async for event in fork.events()]
        assert kinds[0] == "run_requested"
        assert "attempt_lost" not in kinds
        assert (await conductor.show(first.run)).output == 12


async def test_a_fork_of_a_fork(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(CHAIN)
        second = await (await conductor.fork(first.run, "b", {"x": 5})).result()
        third = await (await conductor.fork(second.run, "c")).result()
        assert third.output == 16
        assert ACTS == {"a": 1, "aside": 1, "b": 2, "c": 3}
        assert third.forked_from == second.run


async def test_what_failed_is_tried_again_and_nothing_else(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        BROKEN.add("b")
        failed = await conductor.run(CHAIN)
        assert failed.status == "failed"
        BROKEN.clear()
        again = await (await conductor.retry(failed.run)).result()
        assert again.output == 12
        assert ACTS == {"a": 1, "aside": 1, "b": 2, "c": 1}


async def test_what_was_compensated_is_done_again(store: str) -> None:
    nodes = {
        "a": acts("a", 1, compensate={"uses": "t.act", "with": {"name": "undo a"}}),
        "b": acts("b", "${{ a }}"),
    }
    async with Conductor(store, nodes=[act]) as conductor:
        BROKEN.add("b")
        failed = await conductor.run(document(nodes, output="${{ b }}"))
        assert failed.compensation["completed"] == ["a"]
        BROKEN.clear()
        again = await (await conductor.retry(failed.run)).result()
        assert again.output == 1
        assert ACTS == {"a": 2, "undo a": 1, "b": 2}


NESTED = {
    "one": acts("item", "${{ item * 2 }}", map="${{ [1, 2, 3] }}"),
    "two": {
        "loop": {"times": 3},
        "nodes": {"t": acts("turn", "${{ index }}"), "u": {"wait": {"for": "1ms"}}},
    },
    "sig": {"wait": {"signal": "go"}},
    "ask": {"wait": {"approval": {"title": "Sure?"}}},
    "nap": {"wait": {"for": "1ms"}},
    "bad": acts("bad", 1, on_error={"value": "saved"}),
    "last": acts(
        "last",
        ["${{ one }}", "${{ sig }}", "${{ ask.approved }}", "${{ bad }}"],
        needs=["two", "nap"],
    ),
}


async def test_bodies_waits_and_answers_are_kept(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        BROKEN.add("bad")
        run = await conductor.start(document(NESTED, output="${{ last }}"))
        await run.signal("go", {"n": 7})
        await run.approve("ask", by="ada")
        first = await run.result()
        assert first.output == [[2, 4, 6], {"n": 7}, True, "saved"]
        before = dict(ACTS)
        again = await (await conductor.fork(first.run, "last")).result()
        assert again.output == first.output
        assert {**before, "last": 2} == ACTS
        assert again.nodes["bad"].status == "failed"


async def test_a_fork_may_take_another_way(store: str) -> None:
    nodes = {
        "first": acts("first", "${{ inputs.x }}"),
        "way": {"branch": {"big": "inputs.x > 10", "small": "else"}, "needs": ["first"]},
        "b": acts("b", "big", needs=["way.big"]),
        "s": acts("s", "small", needs=["way.small"]),
    }
    inputs = {"x": {"type": "integer", "default": 1}}
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(document(nodes, inputs=inputs))
        fork = await (await conductor.fork(first.run, "way", {"x": 20})).result()
        assert fork.nodes["b"].status == "completed"
        assert ACTS == {"first": 1, "s": 1, "b": 1}


async def test_a_fork_survives_its_process(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(CHAIN)
        fork = await conductor.fork(first.run, "b", {"x": 5}, paused=True, key="one")
        same = await conductor.fork(first.run, "b", {"x": 5}, paused=True, key="one")
        assert fork.id == same.id
    async with Conductor(store, nodes=[act]) as conductor:
        await conductor.resume(fork.id)
        result = await conductor.result(fork.id)
        assert (result.output, result.forked_from) == (16, first.run)
        assert ACTS == {"a": 1, "aside": 1, "b": 2, "c": 2}


async def test_a_paused_fork_runs_nothing_before_it_is_told_to(store: str) -> None:
    nodes = {name: acts(name, name) for name in ("kept", "one", "two")}
    nodes["last"] = acts("last", "${{ one + two + kept }}")
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(document(nodes, output="${{ last }}"))
        assert dict.fromkeys(("kept", "one", "two", "last"), 1) == ACTS
        fork = await conductor.fork(first.run, "one", paused=True)
        again = await conductor.fork(fork.id, "two", paused=True)
        await asyncio.sleep(0.1)
        assert dict.fromkeys(("kept", "one", "two", "last"), 1) == ACTS
        for run in (fork, again):
            assert (await conductor.show(run.id)).status == "paused"
            assert (await conductor.header(run.id)).status == "paused"
        await conductor.step(fork.id)
        await until(lambda: ACTS["one"] == 2)
        await conductor.resume(fork.id)
        assert (await conductor.result(fork.id)).output == first.output
        assert ACTS == {"kept": 1, "one": 2, "two": 1, "last": 2}
        for _ in ("one", "two"):  # in the order of the blueprint, as in a run
            await conductor.step(again.id)
        await until(lambda: ACTS["two"] == 2)
        await conductor.resume(again.id)
        result = await conductor.result(again.id)
        assert (result.output, result.nodes["two"].attempts) == (first.output, 1)
        assert ACTS == {"kept": 1, "one": 3, "two": 2, "last": 3}


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_fork_that_is_paused_starts_nothing_before_it_goes_on(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        first = await conductor.run(CHAIN)
        before = ACTS.copy()
        fork = await conductor.fork(first.run, "b", {"x": 5}, paused=True)
        await asyncio.sleep(0.1)
        shown = await conductor.show(fork.id)
        assert (shown.status, shown.nodes["b"].status) == ("paused", "pending")
        assert before == ACTS
        await fork.resume()
        assert (await fork.result()).output == 16


async def test_what_cannot_be_forked_is_refused(store: str) -> None:
    async with Conductor(store, nodes=[act]) as conductor:
        done = await conductor.run(CHAIN)
        with pytest.raises(NotFound, match=r"has no node 'bb' at its top"):
            await conductor.fork(done.run, "bb")
        with pytest.raises(InputError, match="x"):
            await conductor.fork(done.run, "b", {"x": "text"})
        with pytest.raises(AtomitonError, match="has completed"):
            await conductor.retry(done.run)
        with pytest.raises(NotFound):
            await conductor.fork("run_none", "b")


async def test_a_wish_that_is_sent_again_counts_once(store: str) -> None:
    nodes = {"one": {"wait": {"signal": "go"}}, "two": {"wait": {"signal": "go"}, "needs": ["one"]}}
    async with Conductor(store, nodes=[act]) as conductor:
        run = await conductor.start(document(nodes))
        for _ in range(3):
            await conductor.signal(run.id, "go", 1, key="k1")
        assert (await conductor.show(run.id)).nodes["two"].status == "waiting"
        await conductor.signal(run.id, "go", 2, key="k2")
        assert (await run.result()).answers == {"one": 1, "two": 2}


async def test_an_answer_that_is_sent_again_counts_once(store: str) -> None:
    nodes = {"ask": {"wait": {"approval": {"title": "Sure?"}}}, "nap": {"wait": {"signal": "x"}}}
    async with Conductor(store, nodes=[act]) as conductor:
        run = await conductor.start(document(nodes))
        for _ in range(2):
            await conductor.approve(run.id, by="ada", key="k1")
        await run.signal("x")
        assert (await run.result()).status == "completed"
