"""The SQLite store on a disk that fails at chosen calls, and on one that is slow."""

import asyncio
import threading
import time

import apsw
import pytest

from atomiton.errors import StoreError
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store.sqlite import SqliteJournal


class Faulty(apsw.VFS):
    """Passes everything on to the real disk until it is told to fail or to be slow."""

    def __init__(self):
        self.base = apsw.vfs_names()[0]
        super().__init__("faulty", self.base, makedefault=1)
        self.fails = ""
        self.slow = 0.0
        self.synced: list[int] = []

    def xOpen(self, name, flags):  # noqa: N802 - as the library has it
        return FaultyFile(self, name, flags)


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        super().__init__(disk.base, name, flags)
        self.disk = disk

    def xWrite(self, data, offset):  # noqa: N802
        if self.disk.fails == "write":
            raise apsw.IOError
        super().xWrite(data, offset)

    def xSync(self, flags):  # noqa: N802
        if self.disk.fails == "sync":
            raise apsw.IOError
        if self.disk.slow:
            self.disk.synced.append(threading.get_ident())
            time.sleep(self.disk.slow)
        super().xSync(flags)


@pytest.fixture
def disk():
    made = Faulty()
    yield made
    made.unregister()


def header(run):
    return RunHeader(run=run, blueprint="b", blueprint_hash="h", created_at=1.0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("inline", [0, 1.0])
@pytest.mark.parametrize("fails", ["write", "sync"])
async def test_an_io_error_loses_nothing_and_passes(path, disk, opened, fails, inline):
    journal = await opened(path, inline=inline)
    await journal.create(header("r1"), [b"1"], sync=True)
    await journal.create(header("r2"), [b"1"], sync=True)
    disk.fails = fails
    for _ in range(2):
        with pytest.raises(StoreError, match="IO"):
            await journal.append("r1", 1, [b"2"], sync=True)
    many = [journal.append(run, 1, [b"2"], sync=True) for run in ("r1", "r2")]
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreError, StoreError]
    disk.fails = ""
    assert await journal.read("r1") == [b"1"]
    await journal.append("r1", 1, [b"2"], sync=True)
    await journal.append("r2", 1, [b"2"], sync=True)
    await journal.close()
    journal = await opened(path)
    assert await journal.read("r1") == await journal.read("r2") == [b"1", b"2"]
    assert [sentence for sentence in await journal.check() if "damage" in sentence] == []


async def test_a_slow_disk_does_not_hold_up_the_loop(path, disk, opened):
    journal = await opened(path)
    await journal.create(header("r1"), [], sync=True)
    for number in range(200):
        await journal.append("r1", number, [b"x"], sync=True)
    disk.slow = 0.05
    await journal.append("r1", 200, [b"x"], sync=True)  # the one that finds out
    disk.synced.clear()
    for number in range(201, 211):
        await journal.append("r1", number, [b"x"], sync=True)
    assert len(disk.synced) >= 10
    assert threading.get_ident() not in disk.synced, "the loop waited for the disk"


@pytest.mark.parametrize(("inline", "here"), [(0, False), (60.0, True)])
async def test_commits_are_made_in_place_only_if_allowed(path, inline, here):
    journal = SqliteJournal(path, inline=inline)
    await journal.open()
    await journal.create(header("r1"), [], sync=True)
    threads = []
    flush = journal._tables.flush

    def noting():
        threads.append(threading.current_thread() is threading.main_thread())
        flush()

    journal._tables.flush = noting
    for number in range(5):
        await journal.append("r1", number, [b"x"], sync=True)
    await asyncio.gather(*(journal.append("r1", n, [b"x"], sync=True) for n in range(5, 100)))
    await journal.append("r1", 100, [b"x" * 100_000], sync=True)
    assert threads[:5] == [here] * 5
    assert threads[-1] is False, "a large record is never written in place"
    assert len(threads) < 12, "those who wait together share a commit"
    await journal.close()


async def test_a_record_is_added_now_when_nobody_could_share_the_commit(path):
    journal = SqliteJournal(path, inline=60.0)
    await journal.open()
    await journal.create(header("r1"), [], sync=True)
    await asyncio.sleep(0)
    done = [journal.append_now("r1", number, [b"x"]) for number in range(30)]
    assert done == [True] * 30
    asyncio.get_running_loop().call_soon(int)
    assert journal.append_now("r1", 30, [b"x"]) is False, "somebody is ready, and could join"
    await asyncio.sleep(0)
    many = [journal.append_now("r1", 30 + number, [b"x"]) for number in range(40)]
    assert many.count(False) > 0, "others have their turn after some"
    assert await journal.read("r1") == [b"x"] * (30 + many.index(False))
    await journal.close()


@pytest.mark.parametrize("change", [None, StatusChange("waiting")])
@pytest.mark.parametrize("fails", ["write", "sync"])
async def test_what_the_disk_refuses_now_is_not_there(path, disk, opened, fails, change):
    journal = await opened(path, inline=60.0)
    await journal.create(header("r1"), [b"1"], sync=True)
    await asyncio.sleep(0)
    disk.fails = fails
    assert journal.append_now("r1", 1, [b"2"], change) is False
    disk.fails = ""
    assert await journal.read("r1") == [b"1"]
    assert (await journal.header("r1")).status == "running"
    await asyncio.sleep(0)
    assert journal.append_now("r1", 1, [b"2"], change) is True
    await journal.close()
    journal = await opened(path)
    assert await journal.read("r1") == [b"1", b"2"]
