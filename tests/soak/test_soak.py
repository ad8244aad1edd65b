"""Under steady load with faults nothing grows but the store, by its new data; pruning undoes that.

``make campaign`` loads for hours: ATOMITON_TEST_SOAK=SECONDS says how long.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

ROOT = Path(__file__).parents[2]
#: Seconds: in passing, and when there is time.
SHORT, LONG = 24, int(os.environ.get("ATOMITON_TEST_SOAK", "7200"))
KEPT = 100
#: Seconds in which a process has not yet come to rest.
BRIEF = 60
#: Bytes of memory that the last third may hold more than the middle one.
MEMORY = 3 << 20
#: Bytes that the log of the store may be longer: it is written from its beginning again only when
#: nobody reads.
LOG = 8 << 20
#: Threads that are begun once, and stay.
THREADS = 2
#: What the store takes for a byte of facts: indexes, headers, free parts of pages.
OVERHEAD = 2.0
#: Bytes that a store of nothing but its tables takes, with its log.
EMPTY = 200_000

Looks = Sequence[dict[str, float]]


class Soaked(NamedTuple):
    """What a soak has come to.

    Attributes:
        data: Bytes of the facts of all runs.
        store: Bytes of the store with all of them.
        pruned: Bytes of the store when all runs but ``KEPT`` were deleted.
    """

    looks: Looks
    runs: int
    data: int
    store: int
    pruned: int

    def __str__(self) -> str:
        """Say it in a line."""
        first, last = self.looks[len(self.looks) // 3], self.looks[-1]
        return (
            f"{self.runs:,} runs in {last['at'] - self.looks[0]['at']:.0f} s, "
            f"{last['kills']:.0f} kills; memory {first['memory'] / 1e6:.1f} to "
            f"{last['memory'] / 1e6:.1f} MB, {last['files']:.0f} files, {last['threads']:.0f} "
            f"threads, a log of at most {max(look['log'] for look in self.looks) / 1e6:.1f} MB; "
            f"{self.store / self.runs:,.0f} bytes of store and "
            f"{self.data / self.runs:,.0f} of facts a run; {self.pruned:,} bytes with {KEPT} runs "
            f"kept: {len(self.wrong())} violations"
        )

    def wrong(self) -> list[str]:
        """What has grown that should not."""
        # In half a minute threads are still begun for the first time, each with memory of its own.
        brief = self.looks[-1]["at"] - self.looks[0]["at"] < BRIEF
        found = grown(self.looks, slack=3 if brief else 1)
        each = self.data / self.runs
        if self.store > OVERHEAD * self.data + EMPTY:
            found.append(f"a store of {self.store:,} bytes for {self.data:,} of facts")
        if self.pruned > OVERHEAD * KEPT * each + EMPTY:
            found.append(f"a store of {self.pruned:,} bytes for {KEPT} runs of {each:.0f}")
        return found


def grown(looks: Looks, slack: float = 1) -> list[str]:
    """What a process holds more of in the last third of its time than in the middle one.

    How many threads there are under load follows how much is at work at once, and so how busy the
    machine is: they are counted at rest, before and after.
    """
    third = len(looks) // 3
    middle, last = looks[third : 2 * third], looks[2 * third :]
    found = []
    memory = [statistics.median(look["memory"] for look in part) for part in (middle, last)]
    if memory[1] > memory[0] + MEMORY * slack:
        found.append(f"memory: from {memory[0]:,.0f} to {memory[1]:,.0f} bytes")
    for what, more in (("files", 3), ("tasks", 10), ("log", LOG)):
        before, after = (statistics.median(look[what] for look in part) for part in (middle, last))
        if after > before + more * slack:
            found.append(f"{what}: from {before:.0f} to {after:.0f}")
    before, after = (looks[at]["threads"] for at in (0, -1))
    if after > before + THREADS:
        found.append(f"threads: from {before:.0f} to {after:.0f}")
    # The least of each part is what is left when garbage has just been collected.
    before, after = (min(look["objects"] for look in part) for part in (middle, last))
    if after > before * (1 + slack / 4):
        found.append(f"objects: from {before:,.0f} to {after:,.0f}")
    return found


def command(*arguments: object) -> str:
    """Run a program without what measures coverage, which grows."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    given = [sys.executable, *map(str, arguments)]
    done = subprocess.run(given, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def facts(store: Path) -> tuple[int, int]:
    """How many runs there are, and the bytes of all their facts."""
    connection = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        data = "SELECT coalesce(sum(length(data)), 0) FROM records"
        return next(connection.execute(f"SELECT (SELECT count(*) FROM runs), ({data})"))
    finally:
        connection.close()


def soak(folder: Path, seconds: int) -> Soaked:
    store = folder / "runs.db"
    told = command("-m", "tests.soak.load", store, seconds)
    looks = [json.loads(line) for line in told.splitlines()]
    runs, data = facts(store)
    full = size(store)
    command("-m", "atomiton", "runs", "prune", "--keep", KEPT, "--store", store)
    return Soaked(looks, runs, data, full, size(store))


def size(store: Path) -> int:
    """Bytes of a store with its log."""
    files = (store, store.with_name(f"{store.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


@linux
@pytest.mark.slow
@pytest.mark.timed
def test_nothing_grows_in_passing(tmp_path: Path) -> None:
    soaked = soak(tmp_path, SHORT)
    print(soaked)
    assert soaked.wrong() == []
    last = soaked.looks[-1]
    assert min(last[status] for status in ("completed", "failed", "cancelled")) > 10
    assert last["kills"] >= 3
    assert soaked.runs > last["runs"], "nothing was begun by those that were killed"


@linux
@pytest.mark.campaign
def test_nothing_grows_in_hours(tmp_path: Path, tell: Callable[[str], None]) -> None:
    soaked = soak(tmp_path, LONG)
    tell(f"soak: {soaked}")
    assert soaked.wrong() == []


def steady(**more: float) -> Looks:
    """Looks at a process of which some things grow with each."""
    still = {
        "at": 0,
        "memory": 5e7,
        "files": 15,
        "threads": 30,
        "tasks": 20,
        "objects": 5e4,
        "log": 1e7,
    }
    return [
        {**still, **{k: still[k] + v * n for k, v in {"at": 2, **more}.items()}} for n in range(60)
    ]


def test_what_is_steady_is_let_alone() -> None:
    assert grown(steady()) == []
    assert Soaked(steady(), 10, 50_000, EMPTY, EMPTY).wrong() == []


@pytest.mark.planted
@pytest.mark.parametrize(
    ("what", "each"),
    [
        ("memory", 2e5),
        ("files", 0.2),
        ("threads", 0.3),
        ("tasks", 1),
        ("objects", 1000),
        ("log", 1e6),
    ],
)
def test_what_leaks_is_found(what: str, each: float) -> None:
    assert [found.partition(":")[0] for found in grown(steady(**{what: each}))] == [what]


@pytest.mark.planted
def test_a_store_that_grows_by_more_than_its_data_is_found() -> None:
    assert len(Soaked(steady(), 10, 50_000, 10_000_000, EMPTY).wrong()) == 1
    assert len(Soaked(steady(), 10, 50_000, EMPTY, 10_000_000).wrong()) == 1
