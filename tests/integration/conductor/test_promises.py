"""Promises that take a store, a second start, or many runs to check."""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from pathlib import Path

import pytest

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_document
from atomiton.errors import InputError


@node("t.one", effect="pure")
async def one(x: int = 1) -> int:
    return x


def blueprint(value: int):
    nodes = {
        "wait": {"wait": {"for": "300ms"}},
        "a": {"uses": "t.one", "with": {"x": value}, "needs": ["wait"]},
    }
    return read_document({"atomiton": 1, "id": "same-id", "nodes": nodes, "output": "${{ a }}"})


async def test_a_run_in_flight_keeps_the_blueprint_it_started_with(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    async with Conductor(path, nodes=[one]) as conductor:
        old = (await conductor.start(blueprint(1))).id
    async with Conductor(path, nodes=[one]) as conductor:
        new = (await conductor.start(blueprint(2))).id
        assert (await conductor.result(old)).output == 1
        assert (await conductor.result(new)).output == 2


async def test_a_run_that_two_ask_for_at_once_is_driven_once(tmp_path: Path) -> None:
    acted: list[str] = []

    @node("t.act")
    async def act() -> str:
        acted.append("act")
        await asyncio.sleep(0.1 if len(acted) > 1 else 30)
        return "done"

    path = str(tmp_path / "runs.db")
    document = read_document({"atomiton": 1, "id": "asked", "nodes": {"a": {"uses": "t.act"}}})
    async with Conductor(path, nodes=[act], grace=0.1) as conductor:
        run = (await conductor.start(document)).id
        await asyncio.sleep(0.05)
    async with Conductor(path, nodes=[act], resume=False) as conductor:
        await asyncio.gather(*(conductor.resume(run) for _ in range(3)))
        assert (await conductor.result(run)).output == {"a": "done"}
    assert acted == ["act", "act"]


async def runs(conductor: Conductor, count: int) -> None:
    document = read_document({"atomiton": 1, "id": "small", "nodes": {"a": {"uses": "t.one"}}})
    for _ in range(count):
        await conductor.run(document)


async def test_memory_does_not_grow_with_finished_runs() -> None:
    async with Conductor("memory:", nodes=[one]) as conductor:
        await runs(conductor, 500)
        gc.collect()
        tracemalloc.start()
        await runs(conductor, 300)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        await runs(conductor, 1500)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert after - before < 40_000, "bytes for 1,500 more runs"


@pytest.mark.campaign
async def test_memory_stays_flat_over_100_000_runs() -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async with Conductor("memory:", nodes=[one]) as conductor:
        await runs(conductor, 5_000)
        before = resident()
        await runs(conductor, 100_000)
        grown = resident() - before
    print(f"100,000 runs: {grown / 1024:.0f} KiB more")
    assert grown < 2 << 20


async def test_a_large_value_is_stored_once(tmp_path: Path) -> None:
    @node("t.large")
    async def large() -> str:
        return "x" * 1_000_000

    path = tmp_path / "runs.db"
    document = read_document({"atomiton": 1, "id": "large", "nodes": {"a": {"uses": "t.large"}}})
    async with Conductor(str(path), nodes=[large]) as conductor:
        for _ in range(5):
            result = await conductor.run(document)
        assert (await conductor.show(result.run)).output == {"a": "x" * 1_000_000}
    size = path.stat().st_size
    assert size < 2_500_000, f"five runs with the same megabyte take {size:,} bytes"


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("it cannot even say what it is")


@node("t.fails")
async def fails(kind: str, token: str = "") -> str:
    if kind == "unspeakable":
        raise UnspeakableError
    if kind == "no text":
        raise NodeError(5)  # type: ignore[arg-type]
    if kind == "long":
        raise NodeError("x" * 100_000, details={"body": "y" * 1_000_000})
    if kind == "large":
        raise NodeError("x", details={"count": 10**30})
    raise NodeError(f"no access with {token}", details={"headers": [f"Bearer {token}"]})


@pytest.mark.parametrize(
    ("kind", "message"), [("unspeakable", "UnspeakableError"), ("no text", "5"), ("large", "x")]
)
async def test_an_error_that_cannot_be_kept_is_an_error_of_its_node(
    tmp_path: Path, kind: str, message: str
) -> None:
    nodes = {"a": {"uses": "t.fails", "with": {"kind": kind}}}
    document = read_document({"atomiton": 1, "id": "bad", "nodes": nodes})
    async with Conductor(str(tmp_path / "runs.db"), nodes=[fails]) as conductor:
        result = await conductor.run(document)
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("NODE_FAILED", message)


async def test_of_a_long_error_the_beginning_is_kept(tmp_path: Path) -> None:
    nodes = {"a": {"uses": "t.fails", "with": {"kind": "long"}}}
    document = read_document({"atomiton": 1, "id": "long", "nodes": nodes})
    async with Conductor(str(tmp_path / "runs.db"), nodes=[fails]) as conductor:
        run = (await conductor.run(document)).run
    async with Conductor(str(tmp_path / "runs.db"), nodes=[fails]) as conductor:
        error = (await conductor.show(run)).error
    assert error is not None
    assert error.message.endswith("xx\n[cut: 34464 bytes more]")
    assert str((error.details or {})["body"]).endswith(" bytes more]")
    assert sum(file.stat().st_size for file in tmp_path.glob("runs.db*")) < 1_000_000


async def test_an_error_does_not_give_a_secret_away(tmp_path: Path) -> None:
    parameters = {"kind": "", "token": "${{ secrets.TOKEN }}"}
    nodes = {"a": {"uses": "t.fails", "with": parameters}}
    document = read_document({"atomiton": 1, "id": "leak", "secrets": ["TOKEN"], "nodes": nodes})
    path = tmp_path / "runs.db"
    async with Conductor(str(path), nodes=[fails], secrets={"TOKEN": "s3cr3t-value"}) as conductor:
        result = await conductor.run(document)
    assert result.error is not None
    assert result.error.message == "no access with ***"
    assert result.error.details == {"headers": ["Bearer ***"]}
    assert not any(
        b"s3cr3t-value" in file.read_bytes() for file in tmp_path.glob("runs.db*") if file.is_file()
    )


@pytest.mark.parametrize("turns", range(6))
async def test_a_start_that_is_cancelled_leaves_no_run_that_nobody_drives(
    tmp_path: Path, turns: int
) -> None:
    nodes = {"a": {"wait": {"for": "1h"}}}
    document = read_document({"atomiton": 1, "id": "slow", "nodes": nodes})
    async with Conductor(str(tmp_path / "runs.db")) as conductor:
        for work in (conductor.start(document), conductor.run(document)):
            starting = asyncio.ensure_future(work)
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.sleep(turns / 5000)
            starting.cancel()
            await asyncio.wait([starting])
            if not starting.cancelled():
                await starting.result().cancel()
                await starting.result().result()
        assert {header.status for header in await conductor.list()} <= {"cancelled"}


LISTED = {
    "atomiton": 1,
    "id": "listed",
    "inputs": {"items": "array"},
    "nodes": {"wait": {"wait": {"for": "50ms"}}},
    "output": "${{ inputs.items }}",
}


async def test_a_list_that_its_caller_changes_later_stays_for_the_run(tmp_path: Path) -> None:
    items = [1]
    async with Conductor(str(tmp_path / "runs.db")) as conductor:
        run = await conductor.start(read_document(LISTED), {"items": items})
        items.append(2)
        assert (await conductor.result(run.id)).output == [1]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (float("nan"), r"input 'items' holds nan at items\[0\]"),
        ("\ud800", "input 'items' holds text that is not valid Unicode"),
        (10**30, "more than 64 bits"),
        (object(), r"a value of type object at items\[0\]"),
    ],
)
async def test_inputs_that_cannot_be_kept_are_refused(item: object, said: str) -> None:
    async with Conductor("memory:") as conductor:
        with pytest.raises(InputError, match=said):
            await conductor.run(read_document(LISTED), {"items": [item]})
