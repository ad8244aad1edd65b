"""Deleting runs gives back everything that only they needed, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from atomiton.conductor.pruning import delete, give_back, prune
from atomiton.errors import AtomitonError, NotFound
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.ports.retention import Retention
from atomiton.store import schema
from atomiton.store.records import LARGE, head_checksum
from atomiton.store.sqlite import SqliteJournal

DONE = StatusChange("completed", ended_at=9.0)
OLD = b"o" * (LARGE + 1)


def header(run, digest="h"):
    return RunHeader(run=run, blueprint="b", blueprint_hash=digest, created_at=1.0)


async def fill(journal, first, count, large=b"", digest="h"):
    await journal.save_blueprint(digest, digest.encode() * 1000)
    for number in range(first, first + count):
        run = f"r{number:04}"
        records = [b"x" * 2000] * 5 + ([(b"head", large)] if large else [])
        await journal.create(header(run, digest), records, sync=False)
        await journal.append(run, len(records), [], DONE, sync=False)


def sizes(journal):
    counts = {}
    for table in ("runs", "records", "blobs", "blueprints", "messages"):
        ((counts[table],),) = journal._reading.rows(f"SELECT count(*) FROM {table}", ())
    return counts


async def test_the_space_comes_back(path, opened):
    journal = await opened(path)
    await fill(journal, 0, 50)
    await journal.close()
    small = path.stat().st_size
    journal = await opened(path)
    await fill(journal, 50, 300, OLD, "old")
    await fill(journal, 350, 2, b"k" * (LARGE + 1), "kept")
    await journal.close()
    assert path.stat().st_size > 4 * small
    journal = SqliteJournal(path)
    await journal.open()
    told = []
    assert await prune(journal, Retention(keep=52), told.append) == 300
    assert told == [200, 300]
    # The newest 52: the first 50 are older, so 0..249 went, and 50 of the "old" stay.
    assert sizes(journal)["runs"] == 52
    assert await prune(journal, Retention(keep=2)) == 50
    before = path.stat().st_size
    left = []
    await give_back(journal, left.append)
    assert left[0] > 0
    assert left[-1] == 0
    assert sizes(journal) == {
        "runs": 2, "records": 12, "blobs": 1, "blueprints": 1, "messages": 0,
    }  # fmt: skip
    for run in ("r0350", "r0351"):
        assert (await journal.read(run))[-1] == b"head" + b"k" * (LARGE + 1)
    assert await journal.check() == []
    await journal.close()
    assert path.stat().st_size < before / 4


async def test_blueprints_that_somebody_may_need_stay(path, opened):
    one, two = await opened(path), await opened(path)
    await one.save_blueprint("soon", b"{}")
    await two.save_blueprint("also", b"{}")
    await give_back(one)
    assert await one.load_blueprint("also") == b"{}"
    await two.close()
    await give_back(one)
    with pytest.raises(NotFound):
        await one.load_blueprint("also")
    await one.create(header("r1", "soon"), [b"1"], sync=True)
    assert await one.load_blueprint("soon") == b"{}", "it was saved for this run"


async def test_a_file_without_room_for_steps_is_written_anew(path, opened):
    connection = schema.open_database(path)
    connection.execute("PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL").fetchall()
    schema.migrate(connection, path, schema.migrations())
    connection.close()
    journal = await opened(path)
    await fill(journal, 0, 200)
    other = await opened(path)
    assert await prune(journal, Retention(keep=1)) == 199
    await give_back(journal)
    assert path.stat().st_size > 1_000_000, "others have it open: later runs use the space"
    await other.close()
    await give_back(journal)
    assert path.stat().st_size < 200_000
    assert await journal.check() == []
    await journal.close()
    journal = await opened(path)
    assert journal._reading.rows("PRAGMA auto_vacuum", ()) == [(2,)]


async def test_others_write_while_runs_are_deleted(path, opened):
    journal, other = await opened(path), await opened(path)
    await fill(journal, 0, 600)
    await other.create(header("z"), [], sync=True)
    slowest = 0.0

    async def write():
        nonlocal slowest
        loop = asyncio.get_running_loop()
        for number in range(60):
            before = loop.time()
            await other.append("z", number, [b"x" * 5000], sync=True)
            slowest = max(slowest, loop.time() - before)

    writing = asyncio.create_task(write())
    count = await prune(journal, Retention(keep=5))
    await give_back(journal)
    await writing
    assert count == 595
    assert len(await journal.read("z")) == 60
    assert slowest < 5
    assert await journal.check() == []


async def test_one_run_is_deleted(path, opened):
    journal = await opened(path)
    await fill(journal, 0, 2)
    await journal.create(header("open"), [b"1"], sync=True)
    await delete(journal, "r0000")
    with pytest.raises(NotFound):
        await delete(journal, "r0000")
    with pytest.raises(AtomitonError, match="has not ended"):
        await delete(journal, "open")
    assert [found.run for found in await journal.list()] == ["r0001", "open"]


def test_the_head_of_a_run_is_summed_up():
    assert head_checksum("r", "b", "", "h", 1.0, None) != head_checksum("r", "b", "", "h", 1.0, "")
