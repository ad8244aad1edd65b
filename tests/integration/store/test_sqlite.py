"""The SQLite store against real files and faults."""

import asyncio
import os
import stat
import subprocess
import sys
import time

import apsw
import pytest

from atomiton.errors import RunBusy, StoreError
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store import schema
from atomiton.store.records import LARGE
from atomiton.store.sqlite import SqliteJournal

DONE = StatusChange("completed", ended_at=9.0)


def header(run, **more):
    return RunHeader(
        **{"run": run, "blueprint": "b", "blueprint_hash": "h", "created_at": 1.0} | more
    )


def change(path, sql, bindings=()):
    connection = apsw.Connection(str(path))
    connection.execute(sql, bindings).fetchall()
    connection.close()


async def test_everything_is_there_after_reopening(path, opened):
    journal = await opened(path)
    await journal.create(header("r1", key="k"), [b"1"], sync=True)
    await journal.append("r1", 1, [b"2"], sync=False)
    await journal.save_blueprint("h", b"{}")
    await journal.post("r1", b"m")
    await journal.close()
    journal = await opened(path)
    assert await journal.read("r1") == [b"1", b"2"]
    assert (await journal.header("r1")).owner is None
    assert await journal.abandoned() == ["r1"]
    assert await journal.claim("r1")
    assert await journal.take_messages("r1") == [b"m"]
    assert await journal.load_blueprint("h") == b"{}"
    await journal.append("r1", 2, [b"3"], sync=True)
    assert await journal.check() == []


async def test_files_are_private(tmp_path, opened):
    os.umask(os.umask(0o022))
    path = tmp_path / "new" / "runs.db"
    journal = await opened(path)
    await journal.create(header("r1"), [b"1"], sync=True)
    for file in [*path.parent.glob("runs.db*"), *path.parent.glob("*/*")]:
        mode = stat.S_IMODE(file.stat().st_mode)
        assert mode == (0o700 if file.is_dir() else 0o600), file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await journal.close()
    assert sorted(file.name for file in path.parent.rglob("*")) == ["runs.db", "runs.db.owners"]


@pytest.mark.parametrize("inline", [0, 1.0])
async def test_close_finishes_what_was_asked_for(path, opened, inline):
    journal = await opened(path, inline=inline)
    await journal.create(header("r1"), [], sync=True)
    pending = [asyncio.ensure_future(journal.append("r1", n, [b"x"], sync=True)) for n in range(50)]
    await asyncio.sleep(0)
    for number in range(50, 100):
        await journal.append("r1", number, [b"x"], sync=False)
    await journal.close()
    await asyncio.gather(*pending)
    assert len(await (await opened(path)).read("r1")) == 100


async def test_two_journals_of_one_process_are_two_owners(path, opened):
    one, two = await opened(path), await opened(path)
    await one.create(header("r1"), [b"1"], sync=True)
    assert not await two.claim("r1")
    assert (await two.header("r1")).owner == one.owner
    await one.release("r1")
    assert await two.claim("r1")
    with pytest.raises(RunBusy):
        await one.append("r1", 1, [b"2"], sync=True)
    await asyncio.gather(
        *(two.append("r1", number, [b"x"], sync=True) for number in range(1, 30)),
        *(one.create(header(f"s{number}"), [b"1"], sync=True) for number in range(30)),
    )
    assert len(await one.list()) == 31


async def test_damaged_records_are_named(path, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [b"1", b"2", b"3"], sync=True)
    await journal.create(header("r2"), [b"1", b"2", b"3"], sync=True)
    await journal.close()
    change(path, "UPDATE records SET data = x'ff' WHERE run = 'r1' AND seq = 2")
    change(path, "DELETE FROM records WHERE run = 'r2' AND seq = 2")
    journal = await opened(path)
    with pytest.raises(StoreError, match="run r1: record 2 is damaged") as caught:
        await journal.read("r1")
    assert caught.value.details == {"run": "r1", "record": 2}
    assert await journal.read("r1", 2) == [b"3"]
    with pytest.raises(StoreError, match="run r2: record 2 is damaged"):
        await journal.read("r2")
    found = "\n".join(await journal.check())
    assert "Run r1: record 2 is damaged" in found
    assert "Run r2 has gaps" in found


async def test_flipped_bytes_in_the_file_are_found(path, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [b"a rather special record"], sync=True)
    await journal.close()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"rather special", b"rather Special"))
    with pytest.raises(StoreError, match="run r1: record 1"):
        await (await opened(path)).read("r1")


async def test_large_contents_are_stored_once_and_checked(path, opened):
    journal = await opened(path)
    large = b"x" * (4 * LARGE)
    await journal.create(header("r1"), [large, large], sync=True)
    await journal.create(header("r2"), [large], sync=True)
    await journal.close()
    assert path.stat().st_size < 2 * len(large)
    change(path, "UPDATE blobs SET data = ?", (b"y" + large[1:],))
    journal = await opened(path)
    with pytest.raises(StoreError, match=r"run r2: record 1 .* has changed"):
        await journal.read("r2")
    assert any("Run r1: record 1" in sentence for sentence in await journal.check())
    await journal.close()
    change(path, "DELETE FROM blobs")
    with pytest.raises(StoreError, match=r"run r1: record 1 .* is missing"):
        await (await opened(path)).read("r1")


@pytest.mark.parametrize("inline", [0, 1.0])
async def test_a_full_disk_loses_nothing_and_passes(path, opened, inline):
    journal = await opened(path, inline=inline)
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.create(header("r2"), [b"1"], sync=True)
    connection = journal._writing.connection
    pages = connection.execute("PRAGMA page_count").fetchall()[0][0]
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    for _ in range(2):
        with pytest.raises(StoreError, match="disk is full"):
            await journal.append("r1", 1, [b"x" * 20000, b"y" * 20000], DONE, sync=True)
    large = [journal.append("r1", 1, [b"x" * 100_000], sync=True) for _ in range(3)]
    small = [journal.append("r2", n, [b"2"], sync=True) for n in range(1, 4)]
    outcomes = await asyncio.gather(*large, *small, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreError] * 3 + [type(None)] * 3
    assert await journal.read("r1") == [b"1"]
    assert (await journal.header("r1")).status == "running"
    connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    await journal.append("r1", 1, [b"x" * 20000], sync=True)
    assert await journal.check() == []


async def test_the_failure_of_an_unawaited_append_is_told(path, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.create(header("r2"), [b"1"], sync=True)
    await journal.append("r1", 5, [b"x"], sync=False)
    await journal.append("r1", 6, [b"x"], sync=False)
    with pytest.raises(StoreError, match="to follow record 5"):
        await journal.append("r1", 7, [b"x"], sync=True)
    await journal.append("r1", 1, [b"2"], sync=True)
    await journal.append("r1", 9, [b"x"], sync=False)
    with pytest.raises(StoreError, match="to follow record 9"):
        await journal.read("r1")
    assert await journal.read("r1") == [b"1", b"2"]
    await journal.append("r2", 5, [b"x"], sync=False)
    with pytest.raises(StoreError, match="r2"):
        await journal.close()


async def test_unawaited_appends_reach_the_disk_soon(path, opened):
    journal, other = await opened(path), await opened(path)
    await journal.create(header("r1"), [], sync=True)
    await journal.append("r1", 0, [b"1"], sync=False)
    deadline = time.monotonic() + 2
    while not await other.read("r1"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_nonsense_does_not_stop_the_writer(path, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [b"1"], sync=True)
    good = [journal.append("r1", n, [b"x"], sync=True) for n in range(1, 5)]
    bad = [journal.create(header(object()), [], sync=True), journal.post("r1", object)]
    outcomes = await asyncio.gather(*good, *bad[:1], return_exceptions=True)
    bad[1].close()
    assert outcomes[:4] == [None] * 4
    assert isinstance(outcomes[4], StoreError)
    await journal.append("r1", 5, [b"x"], sync=True)


async def test_another_process_that_writes_is_waited_for(path, opened):
    journal = await opened(path, inline=1.0)
    await journal.create(header("r1"), [b"1"], sync=True)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(journal.append("r1", 1, [b"2"], sync=True))
    before = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - before < 1, "the event loop was held up"
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    await waiting


async def test_a_version_1_file_opens_later(path, opened, monkeypatch):
    known = schema.migrations()
    monkeypatch.setattr("atomiton.store.sqlite.migrations", lambda: known[:1])
    journal = await opened(path)
    await journal.create(header("r1"), [b"1", b"2"], sync=True)
    await journal.close()
    monkeypatch.undo()
    extra = "ALTER TABLE runs ADD COLUMN colour TEXT; UPDATE runs SET colour = 'red';"
    later = [*known, (len(known) + 1, extra), (len(known) + 2, "CREATE TABLE more (a)")]
    monkeypatch.setattr("atomiton.store.sqlite.migrations", lambda: later)
    for _ in range(2):
        journal = await opened(path)
        assert await journal.read("r1") == [b"1", b"2"]
        assert journal._reading.rows("SELECT colour FROM runs", ()) == [("red",)]
        await journal.close()
    monkeypatch.undo()
    with pytest.raises(StoreError, match=f"newer version.*schema {len(later)}"):
        await SqliteJournal(path).open()


async def test_a_migration_that_fails_leaves_the_file_as_it_was(path, opened, monkeypatch):
    known = schema.migrations()
    journal = await opened(path)
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.close()
    broken = [*known, (len(known) + 1, "CREATE TABLE half (a); CREATE TABLE runs (a);")]
    monkeypatch.setattr("atomiton.store.sqlite.migrations", lambda: broken)
    with pytest.raises(StoreError, match="already exists"):
        await SqliteJournal(path).open()
    monkeypatch.undo()
    journal = await opened(path)
    assert await journal.read("r1") == [b"1"]
    assert journal._reading.rows("SELECT 1 FROM sqlite_schema WHERE name = 'half'", ()) == []


def test_migrations_are_numbered_from_one_without_gaps():
    assert [number for number, _ in schema.migrations()] == list(
        range(1, len(schema.migrations()) + 1)
    )


async def test_places_that_cannot_hold_a_store_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("dear diary, this is not a database at all")
    foreign = tmp_path / "foreign.db"
    change(foreign, "CREATE TABLE theirs (a)")
    folder = tmp_path / "folder"
    folder.mkdir()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    for place, why in (
        (text, "not a SQLite database; name another file"),
        (foreign, "belongs to another program"),
        (folder, "this is a folder"),
        (damaged, "damaged|not a SQLite database"),
        (text / "runs.db", "is a file, not a folder"),
    ):
        with pytest.raises(StoreError, match=why) as caught:
            await SqliteJournal(place).open()
        assert str(place) in str(caught.value)
    assert text.read_text().startswith("dear diary")
    assert not list(tmp_path.glob("*.owners/*"))


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write anywhere")
async def test_read_only_places_are_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="writable"):
        await SqliteJournal(tmp_path / "runs.db").open()


async def test_a_store_that_cannot_be_opened_is_opened_later(path, opened):
    path.write_text("not a database")
    journal = SqliteJournal(path)
    with pytest.raises(StoreError):
        await journal.open()
    path.unlink()
    await journal.open()
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.close()


async def test_the_log_is_written_back_while_it_works(path, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [], sync=True)
    for number in range(600):
        await journal.append("r1", number, [b"x" * 30_000], sync=False)
        if number % 20 == 0:
            await journal.read("r1", number, 1)
    await journal.close()
    assert path.stat().st_size > 600 * 30_000
    journal = await opened(path)
    wal = path.with_name("runs.db-wal")
    await journal.claim("r1")
    for number in range(600, 1200):
        await journal.append("r1", number, [b"x" * 30_000], sync=True)
    assert wal.stat().st_size < 12_000_000


def test_sqlite_versions_that_damage_files_are_told():
    from atomiton.store.doctor import _sqlite

    assert _sqlite("3.51.3") == []
    assert _sqlite("3.54.1") == []
    assert "3.40.1" in _sqlite("3.40.1")[0]


async def test_flagged_runs_and_missing_blueprints_are_told(path, opened):
    journal = await opened(path)
    await journal.save_blueprint("h", b"{}")
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.append("r1", 1, [], StatusChange("paused", reason="lost attempt"), sync=True)
    await journal.create(header("r2", blueprint_hash="gone"), [b"1"], sync=True)
    found = await journal.check()
    assert found == [
        "Run r2 is unfinished but its blueprint gone is not stored.",
        "Run r1 is flagged: lost attempt.",
    ]


def test_importing_the_stores_does_not_load_sqlite():
    unwanted = "{'apsw', 'sqlite3', 'platformdirs'}"
    code = f"import atomiton.store, sys; assert not {unwanted} & set(sys.modules)"
    # Measuring coverage loads modules of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_every_query_of_many_runs_uses_an_index():
    from atomiton.store import reader

    connection = apsw.Connection(":memory:")
    for _, sql in schema.migrations():
        connection.execute(sql).fetchall()
    queries = [(reader._UNOWNED, (1,)), (reader._OWNED_BY, ("o", 1))]
    queries += [(sql, ("x",) * sum(kind) + ("r", 1)) for kind, sql in reader._LISTS.items()]
    for sql, bindings in queries:
        plan = [row[-1] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, bindings)]
        assert "USING" in plan[0], (sql, plan)
        assert not any("TEMP B-TREE" in step for step in plan), (sql, plan)
