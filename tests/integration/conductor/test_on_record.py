"""Runs that are kept: what is on record when, and who has a turn meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.drivers.eager import begin
from atomiton.store.sqlite import SqliteJournal

ACTED: list[int] = []


@node("t.act")
async def act(x: int = 0) -> int:
    ACTED.append(x)
    return x + 1


def chain(length: int):
    nodes: dict[str, object] = {"n0": {"uses": "t.act"}}
    for number in range(1, length):
        nodes[f"n{number}"] = {"uses": "t.act", "with": {"x": f"${{{{ n{number - 1} }}}}"}}
    return read_document({"atomiton": 1, "id": "chain", "nodes": nodes})


@pytest.fixture(params=[0, 60.0], ids=["threaded", "in-place"])
async def conductor(request, tmp_path: Path):
    ACTED.clear()
    journal = SqliteJournal(tmp_path / "runs.db", inline=request.param)
    async with Conductor(journal, nodes=[act]) as made:
        yield made


async def test_facts_are_announced_once_in_order_and_only_when_on_record(conductor) -> None:
    heard: list[int] = []
    conductor.bus.listen(lambda event: heard.append(event.number))
    result = await conductor.run(chain(10))
    assert heard == list(range(1, 22))
    assert len(await conductor.journal.read(result.run)) == 21


async def test_what_a_node_depends_on_is_on_record_before_it_acts(conductor, tmp_path) -> None:
    seen: list[int] = []

    @node("t.look")
    async def look(x: int) -> int:
        other = apsw.Connection(str(tmp_path / "runs.db"))
        seen.append(other.execute("SELECT count(*) FROM records").fetchall()[0][0])
        other.close()
        return x

    conductor.library.registry.add(look)
    nodes = {
        "a": {"uses": "t.act"},
        "b": {"uses": "t.look", "with": {"x": "${{ a }}"}},
        "c": {"uses": "t.look", "with": {"x": "${{ b }}"}},
    }
    await conductor.run(read_document({"atomiton": 1, "id": "looking", "nodes": nodes}))
    # Request, start and end of a, start of b; then also the end of b and the start of c.
    assert seen == [4, 6]


async def test_a_wish_of_a_listener_comes_before_the_next_attempt(conductor) -> None:
    tasks = []

    def cancel(event) -> None:
        if event.kind == "attempt_completed" and event.node == "n3":
            tasks.append(begin(conductor.cancel(event.run, "enough")))

    conductor.bus.listen(cancel)
    result = await conductor.run(chain(10))
    assert result.status == "cancelled"
    assert ACTED == [0, 1, 2, 3]


async def test_a_long_chain_lets_others_have_their_turn(conductor) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    # It sleeps first, so that nobody is ready and commits are made one after the other.
    timer = asyncio.get_running_loop().call_later(0.001, lambda: None)
    result = await conductor.run(chain(200))
    assert result.ok
    task = asyncio.create_task(other())
    result = await conductor.run(chain(200))
    task.cancel()
    timer.cancel()
    assert result.output == {"n199": 200}
    assert turns >= 5


async def test_those_who_stop_waiting_for_a_run_leave_nothing_behind(conductor) -> None:
    run = await conductor.start(chain(3), paused=True)
    execution = conductor.driver.runs[run.id]
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run.result(), 0.001)
    assert execution.waiters == []
    both = asyncio.gather(run.result(), run.result())
    await asyncio.sleep(0)
    await run.resume()
    assert [result.status for result in await both] == ["completed"] * 2


async def test_work_that_does_not_wait_needs_no_task() -> None:
    async def work(wait: float | None, error: Exception | None = None) -> str:
        if wait is not None:
            await asyncio.sleep(wait)
        if error is not None:
            raise error
        return "done"

    assert begin(work(None)) == ("done",)
    for wait in (0, 0.001):
        task = begin(work(wait))
        assert isinstance(task, asyncio.Task)
        assert await task == "done"
        with pytest.raises(KeyError):
            await begin(work(wait, KeyError()))  # type: ignore[misc]
    with pytest.raises(KeyError):
        begin(work(None, KeyError()))
    task = begin(work(10))
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
