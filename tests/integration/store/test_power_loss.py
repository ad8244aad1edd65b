"""What a disk may hold when the power goes: nothing that was promised is missing from it.

Every call of SQLite to its files is written down while a store is used. At any moment the power may
go: what was synced since is certain, all else is lost, kept or torn in any part. Each such image is
opened as a store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from tests.integration.store.disks import Call, RecordingDisk, image

from atomiton.errors import AtomitonError, StoreError
from atomiton.ports.journal import RunHeader, StatusChange
from atomiton.store import schema, tables, writer
from atomiton.store.database import Database
from atomiton.store.sqlite import SqliteJournal

IMAGES = 160
CAMPAIGN = 6_000
#: Images of one history of a store.
EACH = 40
DONE = StatusChange("completed", ended_at=9.0)


class Lost(AssertionError):
    """Something that was promised is not there."""


class History:
    """A store in use, by chance; and everything anybody was promised.

    Attributes:
        sent: The records sent to each run, in order; whatever is read must begin like them.
    """

    def __init__(self, path: Path, disk: RecordingDisk, seed: int) -> None:
        self.draw = Random(seed)
        self.disk = disk
        self.path = path
        self.journal = SqliteJournal(path, inline=self.draw.choice((0.0, 60.0)))
        self.sent: dict[str, list[bytes]] = {}
        self.stored: dict[str, int] = {}
        self.ended: set[str] = set()
        self.documents: dict[str, bytes] = {}
        self.messages = 0

    async def go(self) -> None:
        """Use the store for a while, in two sittings."""
        for _ in range(2):
            await self.journal.open()
            for run in await self.journal.abandoned():
                await self.journal.claim(run)
            for _ in range(self.draw.randint(4, 14)):
                await self.act()
                # The rest of the turn, so that what may be done at once is done so too.
                await asyncio.sleep(0)
            if self.draw.random() < 0.7:
                await self.journal.close()
                self.journal = SqliteJournal(self.path, inline=self.draw.choice((0.0, 60.0)))
            else:
                break
        with contextlib.suppress(AtomitonError):
            await self.journal.close()

    async def act(self) -> None:
        live = [run for run in self.sent if run not in self.ended]
        if not live or self.draw.random() < 0.25:
            await self.create()
            return
        kind = self.draw.random()
        if kind < 0.1:
            self.messages += 1
            await self.journal.post(live[0], b"message %d" % self.messages)
            self.disk.ack(("message", live[0], b"message %d" % self.messages))
        elif kind < 0.3:
            some = self.draw.sample(live, min(len(live), 4))
            await asyncio.gather(*(self.append(run) for run in some))
        else:
            await self.append(self.draw.choice(live))

    async def create(self) -> None:
        run, digest = f"r{len(self.sent)}", f"h{self.draw.randint(0, 3)}"
        document = self.documents.setdefault(digest, digest.encode() * self.draw.randint(1, 3000))
        await self.journal.save_blueprint(digest, document)
        records = self.records(run)
        self.sent[run] = [*records]
        header = RunHeader(run=run, blueprint="b", blueprint_hash=digest, created_at=1.0)
        await self.journal.create(header, records, sync=True)
        self.stored[run] = len(records)
        self.disk.ack(("run", run, len(records), digest))

    async def append(self, run: str) -> None:
        records, after = self.records(run), self.stored[run]
        self.sent[run] += records
        self.stored[run] += len(records)
        sync = self.draw.random() < 0.6
        change = None
        if sync and self.draw.random() < 0.2:
            change = DONE
            self.ended.add(run)
        at_once = change is None and self.draw.random() < 0.3
        if at_once and self.journal.append_now(run, after, records):
            self.disk.ack(("run", run, self.stored[run], None))
            return
        await self.journal.append(run, after, records, change, sync=sync)
        if sync:
            self.disk.ack(("run", run, after + len(records), None))
            if change is not None:
                self.disk.ack(("ended", run))

    def records(self, run: str) -> list[bytes]:
        count, first = self.draw.randint(1, 4), len(self.sent.get(run, ()))
        return [
            b"%s/%d " % (run.encode(), first + n) * self.draw.choice((1, 3, 40, 900))
            for n in range(count)
        ]


async def examine(folder: Path, history: History, calls: list[Call]) -> None:
    """Open an image as a store; everything promised by then must be there."""
    path = folder / history.path.name
    journal = SqliteJournal(path)
    try:
        await journal.open()
    except StoreError as error:
        raise Lost(f"the store does not open: {error}") from error
    try:
        await compare(journal, history, [call.said for call in calls if call.kind == "ack"])
    except (AtomitonError, IndexError) as error:
        raise Lost(f"the store cannot be read: {error}") from error
    finally:
        await journal.close()


async def hold_no_other(journal: SqliteJournal, history: History) -> None:
    """What is in the store is what was written, as far as it goes."""
    problems = [text for text in await journal.check() if not text.startswith("Owner ")]
    if problems:
        raise Lost("; ".join(problems))
    kept = {header.run: header for header in await journal.list(limit=1000)}
    for run in kept:
        records = await journal.read(run)
        if records != history.sent[run][: len(records)]:
            raise Lost(f"run {run} holds what nobody wrote")
        digest = kept[run].blueprint_hash
        if await journal.load_blueprint(digest) != history.documents[digest]:
            raise Lost(f"blueprint {digest} holds what nobody wrote")


async def compare(journal: SqliteJournal, history: History, promised: list[object]) -> None:
    await hold_no_other(journal, history)
    kept = {header.run: header for header in await journal.list(limit=1000)}
    taken: dict[str, list[bytes]] = {}
    for said in promised:
        match said:
            case ("run", run, count, _):
                have = len(await journal.read(run)) if run in kept else 0
                if have < count:
                    raise Lost(f"of run {run} {have} records are left, {count} were promised")
            case ("ended", run):
                if kept[run].status != "completed":
                    raise Lost(f"run {run} has ended, and is {kept[run].status}")
            case ("message", run, text):
                if run not in taken:
                    await journal.claim(run)
                    taken[run] = await journal.take_messages(run)
                if text not in taken[run]:
                    raise Lost(f"a message to {run} is lost")


@contextlib.contextmanager
def recorded(lies: Callable[[str], bool]) -> Iterator[RecordingDisk]:
    disk = RecordingDisk(lies)
    try:
        yield disk
    finally:
        disk.unregister()


async def campaign(
    folder: Path, images: int, lies: Callable[[str], bool] = lambda _: False
) -> tuple[int, int]:
    """Try so many images; gives how many, and how many calls they were drawn from."""
    tried = calls = 0
    for seed in range(images // EACH):
        place = folder / f"history{seed}"
        with recorded(lies) as disk:
            history = History(place / "runs.db", disk, seed)
            await history.go()
        draw = Random(seed)
        calls += len(disk.calls)
        for number in range(EACH):
            until = draw.randint(1, len(disk.calls))
            files = image(disk.calls, until, draw)
            target = folder / f"image{seed}-{number}"
            target.mkdir()
            for name, content in files.items():
                (target / name).write_bytes(content)
            try:
                await examine(target, history, disk.calls[:until])
            except Lost as lost:
                lost.add_note(f"history {seed}, image {number}, after {until} calls")
                raise
            tried += 1
            for file in sorted(target.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
    return tried, calls


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what happens rarely happen often: write the log back, keep contents by their hash."""
    monkeypatch.setattr(writer, "_CHECKPOINT_PAGES", 24)
    monkeypatch.setattr(tables, "LARGE", 4096)


@pytest.mark.slow
async def test_nothing_that_was_promised_is_lost_with_the_power(tmp_path: Path) -> None:
    tried, calls = await campaign(tmp_path, IMAGES)
    assert tried == IMAGES
    assert calls > IMAGES


@pytest.mark.campaign
async def test_thousands_of_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tried, calls = await campaign(tmp_path, CAMPAIGN)
    with capsys.disabled():
        print(f"\npower loss: {tried:,} images of {calls:,} calls: 0 violations")


# -- bugs planted on purpose ------------------------------------------------------------------


class _Hasty:
    """A connection that never syncs a commit, whatever it is told."""

    def __init__(self, real: Database, level: str) -> None:
        self._real = real
        self._level = level

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def execute(self, statements: str, bindings: object = ()) -> object:
        if "synchronous" in statements:
            statements = f"PRAGMA synchronous = {self._level}"
        return self._real.execute(statements, bindings)  # type: ignore[arg-type]


def hasty(level: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        right = schema.open_database

        def wrong(path: Path, flags: int | None = None) -> object:
            return _Hasty(right(path, flags), level)

        patch.setattr(schema, "open_database", wrong)

    return plant


def told_before_it_is_written(patch: pytest.MonkeyPatch) -> None:
    """Unawaited work is all there is: a synced append is treated as if it were none."""
    right = writer.Writer.do

    async def wrong(self: writer.Writer, work: object, run: str, **how: object) -> object:
        if run and how["sync"]:
            self.put(writer.Job(work, run))  # type: ignore[arg-type]
            return run
        return await right(self, work, run, **how)  # type: ignore[arg-type]

    patch.setattr(writer.Writer, "do", wrong)


def a_blueprint_is_kept_too_late(patch: pytest.MonkeyPatch) -> None:
    right = SqliteJournal.create

    async def wrong(self: SqliteJournal, header: RunHeader, *rest: object, **how: object) -> str:
        document, self.kept = self.kept, b""  # type: ignore[attr-defined]
        made = await right(self, header, *rest, **how)  # type: ignore[arg-type]
        await save(self, header.blueprint_hash, document)
        return made

    save = SqliteJournal.save_blueprint

    async def later(self: SqliteJournal, digest: str, document: bytes) -> None:
        self.kept = document  # type: ignore[attr-defined]

    patch.setattr(SqliteJournal, "save_blueprint", later)
    patch.setattr(SqliteJournal, "create", wrong)


PLANTED = [
    hasty("NORMAL"),
    hasty("OFF"),
    told_before_it_is_written,
    a_blueprint_is_kept_too_late,
]


@pytest.mark.parametrize(
    "plant", PLANTED, ids=["synchronous NORMAL", "synchronous OFF", "told early", "blueprint late"]
)
async def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(Lost) as caught:
        await campaign(tmp_path, 1_000)
    print(caught.value, caught.value.__notes__)


@pytest.mark.parametrize("ending", [".db", "-wal"])
async def test_a_disk_that_lies_is_found_out(tmp_path: Path, ending: str) -> None:
    """Proof that what is lost would be noticed: with pretended syncs it is."""
    with pytest.raises(Lost):
        await campaign(tmp_path, 1_000, lies=lambda name: name.endswith(ending))


def test_images_hold_what_was_synced() -> None:
    calls = [
        Call("open", "a"),
        Call("write", "a", 0, b"x" * 1024),
        Call("sync", "a"),
        Call("write", "a", 1024, b"y" * 1024),
    ]
    seen = {image(calls, 4, Random(seed))["a"] for seed in range(200)}
    assert all(content.startswith(b"x" * 1024) for content in seen)
    assert {b"x" * 1024, b"x" * 1024 + b"y" * 1024} <= seen
    assert b"x" * 1024 + b"y" * 512 in seen, "writes are torn"
