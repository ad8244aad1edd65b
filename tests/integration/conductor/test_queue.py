"""Runs that wait for their turn: order, bounds, reasons, and what a kill leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.blueprint.model import Blueprint
from atomiton.errors import AtomitonError, NotFound
from atomiton.ports.admission import Admission, Rate

WORK = Path(__file__).with_name("queue_nodes.py")
KILLED = Path(__file__).with_name("queue_process.py")


def document(id_: str, uses: str = "q.act", **given: object) -> Blueprint:
    nodes = {"a": {"uses": uses, "with": given}}
    return read_document({"atomiton": 1, "id": id_, "nodes": nodes})


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "runs.db")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def opened(store: str, **bounds: object) -> Conductor:
    return Conductor(store, nodes=[str(WORK)], admission=Admission(**bounds))  # type: ignore[arg-type]


def begun(log: Path) -> list[str]:
    """What has begun, in order."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.split()[1] for line in lines if line.startswith("begin")]


def most_at_once(log: Path) -> int:
    now = most = 0
    for line in log.read_text().splitlines():
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def test_those_of_higher_priority_begin_first(store: str, log: Path) -> None:
    async with opened(store, concurrency=1) as conductor:
        first = await conductor.start(document("x", log=str(log), name="first", seconds=1.5))
        await until(lambda: begun(log))
        runs = [
            await conductor.start(document("x", log=str(log), name=name), priority=priority)
            for name, priority in [("low", -1), ("one", 0), ("two", 0), ("high", 7)]
        ]
        for run in [first, *runs]:
            assert (await run.result()).ok
    assert begun(log) == ["first", "high", "one", "two", "low"]
    assert most_at_once(log) == 1


async def test_a_waiting_run_says_what_for(store: str, log: Path) -> None:
    bounds = {"blueprints": {"x": 1}, "lane": 1}
    async with opened(store, **bounds) as conductor:
        slow = document("x", log=str(log), name="slow", seconds=60)
        first = await conductor.start(slow)
        await until(lambda: begun(log))
        second, third = await conductor.start(slow), await conductor.start(slow)
        shown = await conductor.show(third.id)
        assert shown.status == "queued"
        assert shown.reason == (
            f"waits in the queue: 1 of 1 runs of 'x' are under way ({first.id}); 1 before it"
        )
        assert [(of.kind, of.title) for of in await conductor.waits(second.id)] == [
            ("queue", f"waits in the queue: 1 of 1 runs of 'x' are under way ({first.id})")
        ]
        assert (await conductor.header(second.id)).status == "queued"
        assert {of.run for of in await conductor.list(status="queued")} == {second.id, third.id}
        sizes = await conductor.queue_sizes()
        assert (sizes.waiting, sizes.delayed, sizes.running) == (2, 0, 1)
        lanes = document("y", log=str(log), name="lane", seconds=60)
        held = await conductor.start(lanes, lane="ada")
        free = await conductor.start(lanes, lane="bob")
        await until(lambda: begun(log).count("lane") == 2)
        behind = await conductor.start(lanes, lane="ada")
        reason = (await conductor.show(behind.id)).reason
        assert reason is not None
        assert "1 of 1 runs in the lane 'ada'" in reason
        assert held.id in reason
        # A run that waits is cancelled without ever having begun.
        await conductor.cancel(third.id, "not needed")
        assert (await third.result()).status == "cancelled"
        # And one that somebody wants goes on at once.
        await conductor.resume(second.id)
        await until(lambda: begun(log).count("slow") == 2)
        for run in (first, second, held, free, behind):
            await run.cancel()
            await run.result()


async def test_a_delayed_run_begins_at_its_time(store: str, log: Path) -> None:
    async with opened(store) as conductor:
        began = time.time()
        work = document("x", log=str(log), name="later")
        run = await conductor.start(work, delay=1.5, key="k")
        same = await conductor.start(work, delay=1.5, key="k")
        assert run.id == same.id
        assert (await conductor.show(run.id)).reason == "waits in the queue for its time"
        (wait,) = await conductor.waits(run.id)
        assert wait.until == pytest.approx(began + 1.5, abs=0.5)
        assert (await conductor.queue_sizes()).delayed == 1
        assert (await run.result()).ok
        assert time.time() - began >= 1.5
    assert begun(log) == ["later"]


async def test_rates_are_counted_when_runs_are_admitted(store: str, log: Path) -> None:
    async with opened(store, rates={"*": Rate(3, 2.0)}) as conductor:
        began = time.time()
        work = document("x", log=str(log), name="n")
        runs = [await conductor.start(work) for _ in range(5)]
        await until(lambda: len(begun(log)) == 3)
        await asyncio.sleep(0.3)
        assert len(begun(log)) == 3
        reason = (await conductor.show(runs[4].id)).reason
        assert reason is not None
        assert "3 runs of 'x' in 2 s" in reason
        for run in runs:
            assert (await run.result()).ok
        assert time.time() - began >= 1.9


async def test_what_failed_is_listed_and_done_again(store: str, log: Path) -> None:
    async with opened(store, concurrency=5) as conductor:
        failing = document("x", "q.fail_once", file=str(log.with_name("flag")))
        failed = await conductor.run(failing)
        assert failed.status == "failed"
        await conductor.run(document("y", log=str(log), name="fine"))
        other = await conductor.run(document("z", "flow.fail", message="no", code="OTHER"))
        letters = await conductor.dead_letters()
        assert [(of.run, of.code) for of in letters] == [
            (other.run, "OTHER"),
            (failed.run, "NODE_FAILED"),
        ]
        assert [of.run for of in await conductor.dead_letters(blueprint="x")] == [failed.run]
        assert [of.run for of in await conductor.dead_letters(code="OTHER")] == [other.run]
        assert [of.run for of in await conductor.dead_letters(before=other.run)] == [failed.run]
        again = await conductor.replay(failed.run)
        assert (await again.result()).ok
        assert (await conductor.replay(failed.run)).id == again.id
        assert [of.run for of in await conductor.dead_letters()] == [other.run]
        with pytest.raises(NotFound):
            await conductor.replay("run_none")


async def test_what_is_done_again_waits_for_its_turn_too(store: str, log: Path) -> None:
    """Forks, retries and replays keep the bounds, with the priority of the first run."""
    act = {"uses": "q.act", "with": {"log": str(log), "name": "${{ inputs.name }}", "seconds": 0.1}}
    fails = {"uses": "q.fail_once", "with": {"file": "${{ inputs.flag }}"}, "needs": ["a"]}
    nodes = {"a": act, "b": fails, "c": {**act, "needs": ["b"]}}
    inputs = {"name": "string", "flag": "string"}
    whole = read_document({"atomiton": 1, "id": "w", "inputs": inputs, "nodes": nodes})
    given = {"name": "w", "flag": str(log.with_name("flag"))}
    async with opened(store, concurrency=1) as conductor:
        failed = await conductor.run(whole, given, lane="ada", priority=7)
        assert failed.status == "failed"
        blocker = await conductor.start(
            document("x", log=str(log), name="x", seconds=60.0), priority=9
        )
        await until(lambda: "x" in begun(log))
        low = await conductor.start(document("y", log=str(log), name="y"))
        fork = await conductor.fork(failed.run, "c", {"name": "fork"})
        retry = await conductor.retry(failed.run)
        replay = await conductor.replay(failed.run)
        assert (await conductor.replay(failed.run)).id == replay.id
        paused = await conductor.fork(failed.run, "c", {"name": "paused"}, paused=True)
        assert (await conductor.show(paused.id)).status == "paused"
        for run in (fork, retry, replay):
            assert "1 of 1 runs are under way" in str((await conductor.show(run.id)).reason)
        assert (await conductor.queue_sizes()).waiting == 4
        await blocker.cancel()
        results = [await run.result() for run in (fork, retry, replay, low)]
        assert [of.status for of in results] == ["completed"] * 4
        assert [of.nodes["a"].attempts for of in results[:3]] == [1] * 3
        assert begun(log) == ["w", "x", "fork", "w", "w", "y"]  # what had completed is kept
        assert most_at_once(log) == 1
        await conductor.cancel(paused.id)


async def test_a_queued_fork_survives_its_process(store: str, log: Path) -> None:
    work = document("w", log=str(log), name="w")
    async with opened(store, concurrency=1) as conductor:
        first = await conductor.run(work)
        await conductor.start(document("x", log=str(log), name="x", seconds=60.0))
        await until(lambda: "x" in begun(log))
        fork = await conductor.fork(first.run, "a", key="k")
        assert (await conductor.header(fork.id)).status == "queued"
    async with opened(store, concurrency=2) as conductor:
        assert (await conductor.result(fork.id)).ok
        assert (await conductor.fork(first.run, "a", key="k")).id == fork.id
    assert begun(log).count("w") == 2


async def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AtomitonError, match="no queue"):
        Conductor("memory:", admission=Admission(concurrency=1))
    async with Conductor("memory:") as conductor:
        with pytest.raises(AtomitonError, match="cannot be delayed"):
            await conductor.start(document("x", "data.value", value=1), delay=1)
    async with Conductor(str(tmp_path / "r.db")) as conductor:
        for wrong in ({"priority": 2**40}, {"lane": "x" * 300}, {"delay": -1.0}):
            with pytest.raises(AtomitonError) as refused:
                await conductor.start(document("x", "data.value", value=1), **wrong)  # type: ignore[arg-type]
            assert refused.value.code == "INVALID_INPUT"
        with pytest.raises(AtomitonError, match="paused"):
            await conductor.start(document("x", "data.value", value=1), delay=1, paused=True)


async def test_two_processes_share_the_bounds(store: str, log: Path) -> None:
    async with opened(store, concurrency=3) as one, opened(store, concurrency=3) as two:
        work = document("x", log=str(log), name="n", seconds=0.05)
        runs = [await (one, two)[n % 2].start(work, {}) for n in range(24)]
        results = await asyncio.gather(*(one.result(run.id) for run in runs))
    assert all(result.ok for result in results)
    assert len(begun(log)) == 24
    assert most_at_once(log) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [150, pytest.param(1000, marks=pytest.mark.campaign)])
async def test_kills_lose_and_double_nothing(store: str, log: Path, number: int) -> None:
    """Processes that queue and drive are killed again and again: each run acts once."""
    ids = log.with_name("ids.txt")
    ids.touch()
    # Each is killed when it has queued a sixth, and queues no more than a fifth, so five at least
    # are needed however late the kill comes.
    asked = [sys.executable, str(KILLED), store, str(log), str(ids), str(number), str(number // 5)]
    kills = 0
    while len(ids.read_text().splitlines()) < number:
        process = subprocess.Popen(asked, env={**os.environ, "PYTHONPATH": os.getcwd()})
        wanted = min(number, len(ids.read_text().splitlines()) + number // 6)
        await until(lambda wanted=wanted: len(ids.read_text().splitlines()) >= wanted)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        assert kills < 200
    assert kills >= 5
    keys = {line.split()[0]: line.split()[1] for line in ids.read_text().splitlines()}
    assert len(keys) == number
    async with opened(store, concurrency=8) as conductor:
        async with asyncio.timeout(100 + number / 5):
            results = [await conductor.result(run) for run in keys.values()]
        headers = await conductor.list(limit=number + 10)
    assert len(headers) == number
    assert Counter(result.status for result in results) == {"completed": number}
    acted = Counter(line.split()[1] for line in log.read_text().splitlines())
    assert set(acted) == set(keys)
    print(json.dumps({"runs": number, "kills": kills, "acts": acted.total()}))
