"""Every call that SQLite makes to its files fails once, each in a life of the store of its own.

Whatever fails, the caller is told with a ``StoreError`` or is not concerned; what was acknowledged
is there when the store is opened again, and the same journal goes on once the disk is well.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from tests.integration.store.disks import FAILURES, FailingDisk

from atomiton.errors import StoreError
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store import tables, writer
from atomiton.store.sqlite import SqliteJournal

DONE = StatusChange("completed", ended_at=9.0)

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


class Life:
    """One life of a store: every step that fails is tried once more, and must then succeed."""

    def __init__(self, path: Path, disk: FailingDisk, inline: float) -> None:
        self.path = path
        self.disk = disk
        self.inline = inline
        self.journal = SqliteJournal(path, inline=inline)
        self.stored: dict[str, list[bytes]] = {}
        self.told: list[StoreError] = []

    async def step(self, call):
        """Do something; when the disk fails it, the error is ours, and it works the next time."""
        for _ in range(2):
            try:
                return await call()
            except StoreError as error:  # nothing else is expected: it fails the test
                self.told.append(error)
        raise AssertionError(f"it fails twice, and the disk but once: {self.told}")

    async def open(self) -> None:
        async def opening():
            self.journal = SqliteJournal(self.path, inline=self.inline)
            await self.journal.open()

        await self.step(opening)

    async def close(self) -> None:
        with contextlib.suppress(StoreError):
            await self.journal.close()

    async def create(self, run: str) -> None:
        record = run.encode() * 50
        header = RunHeader(run=run, blueprint="b", blueprint_hash="h", created_at=1.0)
        await self.step(lambda: self.journal.save_blueprint("h", b"{}"))
        # A commit that failed may have reached the disk all the same: then the run exists.
        try:
            await self.step(lambda: self.journal.create(header, [record], sync=True))
        except AssertionError:
            assert await self.journal.read(run) == [record]
        self.stored[run] = [record]

    async def append(self, run: str, size: int, change: StatusChange | None = None) -> None:
        after, record = len(self.stored[run]), bytes([65 + len(self.stored[run])]) * size
        await self.step(lambda: self.journal.append(run, after, [record], change, sync=True))
        self.stored[run].append(record)

    async def live(self) -> None:
        await self.open()
        for run in ("r1", "r2"):
            await self.create(run)
        for size in (10, 6000, 10):
            await asyncio.sleep(0)
            await self.append("r1", size)
        await asyncio.gather(self.append("r1", 10), self.append("r2", 3000))
        assert await self.step(lambda: self.journal.read("r1")) == self.stored["r1"]
        await self.append("r2", 10, DONE)
        await self.close()
        await self.open()
        assert await self.step(lambda: self.journal.claim("r1"))
        await self.append("r1", 10)
        await self.step(lambda: self.journal.list())
        await self.close()

    async def look(self) -> None:
        """The disk is well again: all that was acknowledged is there."""
        journal = SqliteJournal(self.path)
        await journal.open()
        for run, records in self.stored.items():
            assert await journal.read(run) == records
        assert (await journal.header("r2")).status == "completed"
        # When the call of leaving failed, the owner is found dead, as after a kill.
        assert [text for text in await journal.check() if not text.startswith("Owner ")] == []
        await journal.close()
        with contextlib.closing(sqlite3.connect(self.path)) as other:  # another reader agrees
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def fail_at(path: Path, number: int | None, failure: str, inline: float) -> FailingDisk:
    disk = FailingDisk()
    try:
        disk.fails_at, disk.failure = number, failure
        life = Life(path, disk, inline)
        await life.live()
    finally:
        disk.unregister()
    await life.look()
    return disk


async def every_call(folder: Path, failure: str, inline: float, stride: int = 1) -> Counter[str]:
    """Let each call fail in turn; gives what kinds of calls they were."""
    calls = (await fail_at(folder / "all.db", None, failure, inline)).count
    failed: Counter[str] = Counter()
    for number in range(0, calls, stride):
        try:
            disk = await fail_at(folder / f"{number}.db", number, failure, inline)
        except BaseException as error:
            error.add_note(f"call {number} of {calls}, {failure}")
            raise
        failed[disk.failed or "none"] += 1
    return failed


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_CHECKPOINT_PAGES", 6)
    monkeypatch.setattr(tables, "LARGE", 4096)


@pytest.mark.slow
@pytest.mark.parametrize("inline", [0.0, 60.0], ids=["thread", "in place"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_calls_fail_and_nothing_is_lost(tmp_path: Path, failure: str, inline: float) -> None:
    failed = await every_call(tmp_path, failure, inline, stride=13 if failure == "EIO" else 7)
    assert failed["write"] > 3
    assert failed["sync"] >= 1


@pytest.mark.campaign
@pytest.mark.parametrize("inline", [0.0, 60.0], ids=["thread", "in place"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_every_call_fails_once(
    tmp_path: Path, failure: str, inline: float, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = await every_call(tmp_path, failure, inline)
    with capsys.disabled():
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(failed.items()))
        print(f"\n{failure} at each call once: {failed.total()} calls ({kinds}): 0 violations")
