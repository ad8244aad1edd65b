"""What the SQLite store costs over raw SQLite, both measured in turns in one run.

    uv run python benchmarks/journal.py

Absolute figures follow the disk; the ratios are what counts.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

import apsw

from atomiton.ports.journal import RunHeader
from atomiton.store import MemoryJournal
from atomiton.store.sqlite import SqliteJournal

RECORD = b"x" * 300
INSERT = "INSERT INTO records (run, seq, checksum, data, blob) VALUES (?, ?, ?, ?, ?)"
TABLE = """
PRAGMA synchronous = EXTRA;
PRAGMA journal_mode = WAL;
CREATE TABLE records (run TEXT, seq INTEGER, checksum INTEGER, data BLOB, blob BLOB,
                      PRIMARY KEY (run, seq)) WITHOUT ROWID;
"""


def header(run):
    return RunHeader(run=run, blueprint="b", blueprint_hash="h", created_at=1.0)


class Raw:
    """One connection, one thread, nothing else."""

    def __init__(self, path):
        self.connection = apsw.Connection(str(path))
        self.connection.execute(TABLE).fetchall()
        self.cursor = self.connection.cursor()
        self.numbers = itertools.count()

    def one_by_one(self, count):
        """Commit rows one by one; gives the seconds each."""
        started = time.perf_counter()
        for number in itertools.islice(self.numbers, count):
            self.cursor.execute(INSERT, ("r", number, 1, RECORD, None))
        return (time.perf_counter() - started) / count

    def batches(self, count, size):
        """Commit rows in batches; gives the seconds each row."""
        started = time.perf_counter()
        for _ in range(count // size):
            rows = [("r", n, 1, RECORD, None) for n in itertools.islice(self.numbers, size)]
            self.cursor.execute("BEGIN IMMEDIATE")
            self.cursor.executemany(INSERT, rows)
            self.cursor.execute("COMMIT")
        return (time.perf_counter() - started) / count


async def one_by_one(journal, run, first, count, *, sync=True):
    started = time.perf_counter()
    for number in range(first, first + count):
        await journal.append(run, number, [RECORD], sync=sync)
    return (time.perf_counter() - started) / count


async def at_once(journal, prefix, appenders, each):
    runs = [f"{prefix}-{number}" for number in range(appenders)]
    for run in runs:
        await journal.create(header(run), [], sync=False)
    started = time.perf_counter()
    await asyncio.gather(*(one_by_one(journal, run, 0, each) for run in runs))
    return (time.perf_counter() - started) / (appenders * each)


async def measure(folder, turns):
    raw = Raw(folder / "raw.db")
    stores = {
        "sqlite": SqliteJournal(folder / "adaptive.db"),
        "sqlite, always by thread": SqliteJournal(folder / "threaded.db", inline=0),
    }
    for journal in stores.values():
        await journal.open()
        await journal.create(header("r"), [], sync=True)
    block, seen = 200, {}

    def note(name, seconds):
        seen.setdefault(name, []).append(seconds * 1e6)

    for turn in range(turns):
        note("raw, one by one", raw.one_by_one(block))
        for name, journal in stores.items():
            note(f"{name}, one by one", await one_by_one(journal, "r", turn * block, block))
    for turn in range(max(3, turns // 4)):
        note("raw, 200 a commit", raw.batches(10_000, 200))
        for name, journal in stores.items():
            for appenders in (16, 200):
                each = 4000 // appenders
                prefix = f"{turn}-{appenders}"
                note(
                    f"{name}, {appenders} at once", await at_once(journal, prefix, appenders, each)
                )
            run = f"u{turn}"
            await journal.create(header(run), [], sync=True)
            note(f"{name}, unawaited", await one_by_one(journal, run, 0, 4000, sync=False))
            await journal.read(run, 3999)
    for journal in stores.values():
        await journal.close()
    memory = MemoryJournal()
    await memory.open()
    await memory.create(header("r"), [], sync=True)
    note("memory", await one_by_one(memory, "r", 0, 20_000))
    return {name: statistics.median(values) for name, values in seen.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=16, help="how often each is measured")
    parser.add_argument("--folder", help="where to put the files; default: a temporary folder")
    parser.add_argument("--json", action="store_true", help="print figures for a program")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        figures = asyncio.run(measure(Path(folder), given.turns))
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{'':42}{'us each':>9}{'a second':>11}{'of raw':>8}")
    for name, each in figures.items():
        base = figures["raw, one by one" if "one by one" in name else "raw, 200 a commit"]
        print(f"{name:42}{each:9.1f}{1e6 / each:11,.0f}{each / base:8.2f}")


if __name__ == "__main__":
    main()
