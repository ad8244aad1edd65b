"""Damage is found and named, or has changed nothing: bits that flip, files that are cut off."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random

import apsw
import pytest
from tests.integration.store.damage import change, contents, copy, doctored, fill

from atomiton.store.wal import examine_log

OTHER_SIGNAL = (
    "UPDATE blueprints SET document = cast(replace(cast(document AS TEXT), "
    "'\"go\"', '\"no\"') AS BLOB)"
)
FLIPS, CUTS = 150, 60
CAMPAIGN = 4_000


async def kept_open(path: Path, target: Path) -> Path:
    """Fill a store, and copy it while its log is not written back."""
    await fill(path, runs=2)
    reading = apsw.Connection(str(path))
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM runs").fetchall()
    try:
        await fill(path, runs=3)
        return copy(path, target)
    finally:
        reading.close()


async def silent(path: Path, before: dict[str, list[tuple[object, ...]]]) -> str | None:
    """What has changed without anybody noticing; None if all is told, or as before."""
    findings = await doctored(path)
    if any(f.severity == "damage" or f.code == "TORN_LOG" for f in findings):
        assert all(f.message.endswith((".", "damaged", "database")) or f.message for f in findings)
        return None
    after = contents(path)
    if after == before:
        return None
    return next(name for name in before if before[name] != after[name])


async def flips(
    path: Path, target: Path, suffix: str, number: int, seed: int, before: dict
) -> tuple[int, int]:
    """Flip bits, each in a copy of its own; gives how many were told, and how many changed nothing.

    Raises:
        AssertionError: One has changed something, and nobody was told.
    """
    draw, told = Random(seed), 0
    good = path.with_name(path.name + suffix).read_bytes()
    for _ in range(number):
        place, bit = draw.randrange(len(good)), draw.randrange(8)
        bad = bytearray(good)
        bad[place] ^= 1 << bit
        file = copy(path, target)
        file.with_name(file.name + suffix).write_bytes(bad)
        what = await silent(file, before)
        assert what is None, f"bit {bit} of byte {place} of {suffix or 'the file'} changed {what}"
        told += any(f.severity == "damage" for f in await doctored(file))
    return told, number - told


async def cuts(path: Path, target: Path, places: list[int], before: dict) -> int:
    good, told = path.read_bytes(), 0
    for place in places:
        file = copy(path, target)
        file.write_bytes(good[:place])
        what = await silent(file, before)
        assert what is None, f"cut off at {place} of {len(good)}, {what} is other"
        told += 1
    return told


async def test_a_store_that_is_well_is_not_complained_about(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    await fill(path)
    before = path.read_bytes()
    assert [f for f in await doctored(path) if f.severity != "note"] == []
    assert path.read_bytes() == before
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["runs.db", "runs.db.owners"], "the look has left files behind"


@pytest.mark.slow
async def test_bits_that_flip_are_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    await fill(path)
    told, _ = await flips(path, tmp_path / "bad", "", FLIPS, 1, contents(path))
    assert told > FLIPS / 4


@pytest.mark.slow
async def test_bits_that_flip_in_the_log_are_found(tmp_path: Path) -> None:
    file = await kept_open(tmp_path / "runs.db", tmp_path / "open")
    before = contents(copy(file, tmp_path / "whole"))
    told, _ = await flips(file, tmp_path / "bad", "-wal", 40, 2, before)
    assert told > 10


@pytest.mark.slow
async def test_a_store_that_is_cut_off_is_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    await fill(path)
    length, draw = path.stat().st_size, Random(3)
    pages = [page + off for page in range(0, length, 4096) for off in (-1, 0, 1)]
    places = draw.sample([p for p in pages if 0 <= p < length], CUTS // 2)
    places += [draw.randrange(length) for _ in range(CUTS // 2)]
    assert await cuts(path, tmp_path / "bad", places, contents(path)) == CUTS


@pytest.mark.campaign
async def test_thousands_of_damages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.db"
    await fill(path)
    told, _ = await flips(path, tmp_path / "bad", "", CAMPAIGN, 4, contents(path))
    length, draw = path.stat().st_size, Random(5)
    pages = [
        p
        for page in range(0, length, 4096)
        for off in (-1, 0, 1)
        if 0 <= (p := page + off) < length
    ]
    places = pages + [draw.randrange(length) for _ in range(CAMPAIGN // 4)]
    cut = await cuts(path, tmp_path / "bad", places, contents(path))
    file = await kept_open(tmp_path / "other.db", tmp_path / "open")
    before = contents(copy(file, tmp_path / "whole"))
    log, _ = await flips(file, tmp_path / "bad", "-wal", CAMPAIGN // 8, 6, before)
    with capsys.disabled():
        print(
            f"\ndamage: {CAMPAIGN:,} bits of the file ({told:,} told, the others changed nothing), "
            f"{CAMPAIGN // 8:,} of the log ({log:,} told), {cut:,} cuts: 0 silent changes"
        )


async def test_a_log_that_is_cut_off_ends_at_a_commit(tmp_path: Path) -> None:
    """What cannot be seen in a log is where it ended: it opens as it was at one of its commits."""
    file = await kept_open(tmp_path / "runs.db", tmp_path / "open")
    log = file.with_name("runs.db-wal").read_bytes()
    whole = contents(copy(file, tmp_path / "whole"))
    torn = set()
    for place in Random(7).sample(range(len(log)), 30):
        other = copy(file, tmp_path / "cut")
        other.with_name("runs.db-wal").write_bytes(log[:place])
        found = examine_log(other.with_name("runs.db-wal"))
        torn.add(found.broken is not None)
        kept = contents(other)["records"]
        assert kept == [row for row in whole["records"] if row in kept]
        assert [f.code for f in await doctored(other) if f.severity == "damage"] == []
    assert True in torn


async def test_logs_are_examined(tmp_path: Path) -> None:
    file = await kept_open(tmp_path / "runs.db", tmp_path / "open")
    log = file.with_name("runs.db-wal")
    found = examine_log(log)
    assert (found.broken, found.after) == (None, 0)
    assert found.frames > 20
    assert examine_log(tmp_path / "none") == (0, None, 0)
    content = bytearray(log.read_bytes())
    content[32 + 24 + 4096 * 3 + 24 * 3 + 100] ^= 1  # in the fourth page
    log.write_bytes(content)
    found = examine_log(log)
    assert found.broken == 4
    assert found.after > 1
    (damaged,) = [f for f in await doctored(file) if f.code == "DAMAGED_LOG"]
    assert "page 4" in damaged.message


@pytest.mark.parametrize(
    ("sql", "code", "says"),
    [
        ("UPDATE records SET data = x'ff' WHERE seq = 1", "DAMAGED_RECORD", "record 1 is damaged"),
        ("DELETE FROM records WHERE seq = 2", "MISSING_RECORD", "has gaps"),
        ("DELETE FROM runs WHERE status = 'failed'", "UNLISTED_RUN", "not in the list"),
        ("UPDATE runs SET key = 'other' WHERE key = 'k1'", "DAMAGED_RUN", "list of runs"),
        ("UPDATE runs SET created_at = 5 WHERE key = 'k1'", "DAMAGED_RUN", "list of runs"),
        ("UPDATE runs SET status = 'failed' WHERE key = 'k1'", "WRONG_LIST", "listed as failed"),
        ("UPDATE runs SET ended_at = 5 WHERE key = 'k1'", "WRONG_LIST", "otherwise"),
        ("UPDATE runs SET error_message = 'x' WHERE status = 'failed'", "WRONG_LIST", "otherwise"),
        ("UPDATE blobs SET data = zeroblob(9)", "DAMAGED_RECORD", "has changed"),
        ("DELETE FROM blobs", "DAMAGED_RECORD", "is missing"),
        ("DELETE FROM blueprints", "MISSING_BLUEPRINT", "unfinished"),
        (
            OTHER_SIGNAL,
            "DAMAGED_BLUEPRINT",
            "not what the run started with",
        ),
        ("UPDATE blueprints SET document = x'7b'", "DAMAGED_BLUEPRINT", "cannot be read"),
        ("UPDATE messages SET data = x'00'", "DAMAGED_MESSAGE", "message 1 is damaged"),
        ("UPDATE runs SET owner = 'x' WHERE ended_at IS NULL", "UNKNOWN_OWNER", "never taken up"),
        ("PRAGMA journal_mode = DELETE", "JOURNAL_MODE", "journal mode delete"),
        ("UPDATE meta SET value = 99 WHERE name = 'schema'", "NEWER", "newer version"),
        ("PRAGMA application_id = 7", "UNREADABLE", "another program"),
    ],
)
async def test_every_kind_of_damage_is_named(
    tmp_path: Path, sql: str, code: str, says: str
) -> None:
    path = tmp_path / "runs.db"
    await fill(path, runs=3)
    change(path, sql)
    findings = await doctored(path)
    named = [f for f in findings if f.code == code]
    assert named, findings
    assert any(says in f.message for f in named), named
    assert all(f.fix for f in named if f.severity != "note" and f.code != "UNREADABLE")


async def test_a_record_that_does_not_follow_is_named(tmp_path: Path) -> None:
    from atomiton.machine.events import ApprovalGiven
    from atomiton.machine.records import encode
    from atomiton.store.records import checksum

    path = tmp_path / "runs.db"
    *_, run = await fill(path, runs=1)
    record = encode(ApprovalGiven(1.0, 0, 0, True, "ann"))
    sql = "UPDATE records SET data = ?, checksum = ? WHERE run = ? AND seq = 2"
    change(path, sql, (record, checksum(run, 2, record), run))
    (found,) = [f for f in await doctored(path) if f.severity == "damage"]
    assert (found.code, found.run) == ("NO_REPLAY", run)
    assert "beyond record 2" in found.message


def test_numbers_of_flips_are_many() -> None:
    """Every bit of a record and of its place is guarded: any one that flips is told."""
    from atomiton.store.records import checksum

    right = checksum("r1", 7, b"abc")
    wrong = [
        checksum(r, n, d) for r, n, d in itertools.product(("r1", "r2"), (7, 8), (b"abc", b"abb"))
    ]
    assert wrong.count(right) == 1
