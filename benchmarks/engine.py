"""The engine: chains, fans, waits, on record and in memory, beside the plain Python of each.

python benchmarks/engine.py
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
from measure import Figure, Side, compare, header, line, turns
from workloads import NODES, awaits, chain, fan, gather, gather_naps, naps, tasks

from atomiton import Blueprint, Conductor
from atomiton.ports.journal import Journal

TABLE = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE records (run TEXT, seq INTEGER, checksum INTEGER, data BLOB, blob BLOB,
                      PRIMARY KEY (run, seq)) WITHOUT ROWID;
"""
INSERT = "INSERT INTO records (run, seq, checksum, data, blob) VALUES (?, ?, ?, ?, ?)"


class RawCommits:
    """The commits a run needs, as single rows of raw SQLite with every one synced."""

    def __init__(self, path: Path, commits: int, size: int) -> None:
        self.connection = apsw.Connection(str(path))
        self.connection.execute(TABLE).fetchall()
        self.cursor = self.connection.cursor()
        self.row = b"x" * size
        self.commits = commits
        self.numbers = itertools.count()

    async def __call__(self) -> None:
        """Make them."""
        for number in itertools.islice(self.numbers, self.commits):
            self.cursor.execute(
                INSERT, ("run_00000000000000000000000000", number, 1, self.row, None)
            )


def running(conductor: Conductor, of: Blueprint, **inputs: object) -> Side:
    async def run() -> None:
        result = await conductor.run(of, inputs)
        assert result.ok, result.error

    return run


async def in_memory(*, quick: bool) -> list[Figure]:
    """W1 and W2 and W3, kept in memory only."""
    rounds = 9 if quick else 31
    figures = []
    async with Conductor("memory:", nodes=NODES) as conductor:
        ours = running(conductor, chain(10), x=0)
        sides: dict[str, Side] = {
            "ours": ours, "awaits": lambda: awaits(10), "tasks": lambda: tasks(10),
        }  # fmt: skip
        taken = await turns(sides, rounds, 400)
        name = "W1 chain of 10, in memory"
        figures.append(compare(name, taken["ours"], taken["awaits"], "10 bare awaits", goal=25))
        figures.append(compare(name, taken["ours"], taken["tasks"], "10 tasks", goal=1))
        for yields in (False, True):
            wide = fan(1000, "bench.yielding" if yields else "bench.step")
            taken = await turns(
                {
                    "ours": running(conductor, wide, x=0),
                    "gather": lambda yields=yields: gather(1000, yields=yields),
                },
                rounds,
                3,
            )
            name = f"W2 1 -> 1,000 -> join, {'sleep(0)' if yields else 'no-op'}"
            figures.append(
                compare(name, taken["ours"], taken["gather"], "asyncio.gather", goal=1, unit="ms")
            )
        for count, seconds, goal in ((100, 0.01, 1.1), (5, 0.2, 1.02)):
            taken = await turns(
                {
                    "ours": running(conductor, naps(count, seconds)),
                    "gather": lambda c=count, s=seconds: gather_naps(c, s),
                },
                3 if seconds > 0.1 else rounds,
            )
            name = f"W3 {count} x sleep {seconds * 1000:.0f} ms at once"
            figures.append(
                compare(
                    name, taken["ours"], taken["gather"], "asyncio.gather", goal=goal, unit="ms"
                )
            )
    return figures


async def counted(journal: Journal, run: Callable[[], Awaitable[object]]) -> tuple[int, int]:
    """How often a run goes to the journal, and how many bytes it leaves there."""
    (before,) = [header.run for header in await journal.list(limit=1)] or [""]
    calls = 0
    append, append_now, create = journal.append, journal.append_now, journal.create

    async def appending(*given: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        return await append(*given, **named)  # type: ignore[arg-type]

    def appending_now(*given: object, **named: object) -> bool:
        nonlocal calls
        done = append_now(*given, **named)  # type: ignore[arg-type]
        calls += done
        return done

    async def creating(*given: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        return await create(*given, **named)  # type: ignore[arg-type]

    journal.append, journal.append_now = appending, appending_now  # type: ignore[method-assign,assignment]
    journal.create = creating  # type: ignore[method-assign,assignment]
    try:
        await run()
    finally:
        journal.append, journal.append_now = append, append_now  # type: ignore[method-assign]
        journal.create = create  # type: ignore[method-assign]
    (header,) = await journal.list(limit=1)
    assert header.run != before
    return calls, sum(map(len, await journal.read(header.run)))


async def durable(*, quick: bool) -> list[Figure]:
    """W1 and W2 on SQLite, every result synced, beside the commits that takes."""
    rounds = 9 if quick else 31
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        async with Conductor(f"{folder}/runs.db", nodes=NODES) as conductor:
            # A node that may act needs its start on record before it acts; the end of the run is
            # one more. Pure nodes need none: what is left are the acceptance and the end.
            for uses, kind, commits in (("step", "idempotent", 11), ("pure_step", "pure", 2)):
                ours = running(conductor, chain(10, f"bench.{uses}"), x=0)
                await ours()
                calls, size = await counted(conductor.journal, ours)
                raw = RawCommits(Path(folder, f"{kind}.db"), commits, size // commits)
                taken = await turns({"ours": ours, "raw": raw}, rounds, 30)
                name = f"W1 durable, 10 {kind} nodes ({calls} commits)"
                against = f"{commits} raw commits of {size // commits} bytes"
                figures.append(compare(name, taken["ours"], taken["raw"], against, goal=1.3))
            wide = running(conductor, fan(1000), x=0)
            taken = await turns({"ours": wide}, rounds)
            value = statistics.median(taken["ours"]) * 1e3
            figures.append(Figure("W2 durable, 1 -> 1,000 -> join", "ms", value, goal=30))
    return figures


async def scale(*, quick: bool) -> list[Figure]:
    """Large blueprints: what a node costs must not depend on how many there are."""
    small, large = (1_000, 10_000) if quick else (10_000, 100_000)
    figures = []
    async with Conductor("memory:", nodes=NODES) as conductor:
        for make, shape in ((chain, "chain"), (fan, "fan")):
            each: dict[int, list[float]] = {}
            for turn, count in enumerate((small, large) * 3):
                gc.collect()
                started = time.perf_counter()
                made = make(count, mark=turn)  # one that is not compiled yet
                conductor.library.program(made)
                compiled = time.perf_counter()
                await running(conductor, made, x=0)()
                ended = time.perf_counter()
                seen = (compiled - started) / count, (ended - compiled) / count
                each[count] = list(map(min, each.get(count, seen), seen))
            for part, name in enumerate(("read and compile", "run")):
                ours, theirs = each[large][part], each[small][part]
                figures.append(
                    Figure(
                        f"{name} a {shape} of {large:,}, each node",
                        "us",
                        ours * 1e6,
                        theirs * 1e6,
                        f"of {small:,}; best of three",
                        ours / theirs,
                        1.5,
                    )
                )
    return figures


async def main(*, quick: bool) -> list[Figure]:
    return [
        *await in_memory(quick=quick),
        *await durable(quick=quick),
        *await scale(quick=quick),
    ]


if __name__ == "__main__":
    print(header())
    for figure in asyncio.run(main(quick=False)):
        print(line(figure))
