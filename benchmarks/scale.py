"""A store with very many runs: what looking and going on cost, beside a store with few.

    python benchmarks/scale.py [--stored 100000] [--unfinished 2000] [--folder FOLDER]

``--stored`` ended runs are put into one store and a hundredth of them into another; what people
look up is measured in both, in turns. ``--unfinished`` runs are begun by a process that is killed,
and taken up by another.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from measure import Figure, compare, header, line, turns

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.machine.events import RunRequested
from atomiton.machine.records import encode
from atomiton.ports.journal import RunHeader
from atomiton.store.sqlite import SqliteJournal

#: Looking at a hundred times as many runs may take this much longer.
GOAL = 2.0
#: Seconds in which 10,000 runs are to be taken up.
TAKE_UP = 10.0
ROUNDS = 15
#: One run in so many has failed, or is of another blueprint.
RARE = 1000


@node("bench.hang", effect="idempotent")
async def hang(gate: str) -> str:
    """Hang for ever the first time, and not at all once a file is there."""
    while not Path(gate).exists():  # noqa: ASYNC110, ASYNC240 - until it is killed
        await asyncio.sleep(60)
    return "done"


SMALL = read_document(
    {
        "atomiton": 1,
        "id": "small",
        "inputs": {"number": "integer"},
        "nodes": {"a": {"uses": "data.value", "with": {"value": "${{ inputs.number }}"}}},
    }
)
LEFT = read_document(
    {
        "atomiton": 1,
        "id": "left",
        "inputs": {"gate": "string"},
        "nodes": {
            "a": {"uses": "data.value", "with": {"value": 1}},
            "b": {"uses": "bench.hang", "needs": "a", "with": {"gate": "${{ inputs.gate }}"}},
        },
    }
)


def id_of(number: int) -> str:
    """A run's id; later ones sort after earlier ones, and all before those of today."""
    return f"run_{number:012x}{number * 2654435761 % (1 << 56):014x}"


async def fill(path: Path, count: int) -> None:
    """Put ended runs into a store: copies of one that really ran, under other ids."""
    async with Conductor(str(path)) as conductor:
        real = (await conductor.run(SMALL, {"number": 1})).run
        shown = await conductor.journal.header(real)
        facts = await conductor.journal.read(real)
    journal = SqliteJournal(path)
    await journal.open()

    async def copy(number: int) -> None:
        run, made = id_of(number), shown.created_at + number
        failed = number % RARE == 1
        copied = RunHeader(
            run=run,
            blueprint="rare" if number % RARE == 2 else shown.blueprint,
            blueprint_hash=shown.blueprint_hash,
            created_at=made,
            status="failed" if failed else "completed",
            ended_at=made + 1,
            error_code="NODE_FAILED" if failed else None,
            error_message="no" if failed else None,
        )
        request = encode(RunRequested(made, run, {"number": number}, number))
        await journal.create(copied, [request, *facts[1:]], sync=False)

    for first in range(0, count, 4000):
        await asyncio.gather(*map(copy, range(first, min(first + 4000, count))))
    await journal.close()


Look = Callable[[], Awaitable[object]]


def looks(conductor: Conductor, count: int) -> dict[str, Look]:
    """What people look up in a store, by name."""
    middle, journal = id_of(count // 2), conductor.journal
    return {
        "list the newest 20": lambda: conductor.list(limit=20),
        "list 20 from the middle on": lambda: conductor.list(limit=20, before=middle),
        "list 20 failed": lambda: conductor.list(limit=20, status="failed"),
        "list 20 waiting, there are none": lambda: conductor.list(limit=20, status="waiting"),
        "list 20 of a rare blueprint": lambda: conductor.list(limit=20, blueprint="rare"),
        "list 20 failed of a rare one, none": lambda: conductor.list(
            limit=20, blueprint="rare", status="failed"
        ),
        "list 20 waiting of one, none": lambda: conductor.list(
            limit=20, blueprint="small", status="waiting"
        ),
        "show one": lambda: conductor.show(middle),
        "abandoned runs, none": journal.abandoned,
        "due runs, none": lambda: journal.due(time.time()),
        "run one more": lambda: conductor.run(SMALL, {"number": 1}),
    }


async def measure_looks(folder: Path, count: int) -> list[Figure]:
    """The same in a store of many runs and in one of a hundredth of them."""
    many, few = folder / "many.db", folder / "few.db"
    for path, runs in ((many, count), (few, count // 100)):
        began = time.perf_counter()
        await fill(path, runs)
        taken, each = time.perf_counter() - began, path.stat().st_size / runs
        print(f"{runs:,} runs stored in {taken:.1f} s, {each:.0f} bytes each", flush=True)
    figures: list[Figure] = []
    began = time.perf_counter()
    async with Conductor(str(many)) as large:
        figures.append(Figure("open it", "ms", (time.perf_counter() - began) * 1000, goal=100.0))
        async with Conductor(str(few)) as small:
            others = looks(small, count // 100)
            for name, look in looks(large, count).items():
                taken = await turns({"many": look, "few": others[name]}, ROUNDS)
                both = (taken["many"], taken["few"])
                figures.append(compare(name, *both, "1/100 of them", goal=GOAL, unit="ms"))
        ending = await turns({"many": lambda: large.journal.ending("zzzz")}, 3)
        figures.append(Figure("find by the end of an id", "ms", ending["many"][0] * 1000))
    return figures


async def begin(store: str, gate: str, count: int) -> None:
    """Begin runs, say so, and hang."""
    async with Conductor(store, nodes=[hang]) as conductor:
        for first in range(0, count, 500):
            runs = range(first, min(first + 500, count))
            await asyncio.gather(*(conductor.start(LEFT, {"gate": gate}) for _ in runs))
        print("begun", flush=True)
        await asyncio.sleep(600)


def leave(store: Path, gate: Path, count: int) -> None:
    """Have a process begin runs, and kill it."""
    command = [sys.executable, __file__, "--begin", str(store), str(gate), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.kill()
    gate.touch()


async def measure_taking_up(folder: Path, count: int) -> Figure:
    """Seconds from opening a store to the end of every run that a killed process has left."""
    store = folder / "left.db"
    leave(store, folder / "gate", count)
    began = time.perf_counter()
    async with Conductor(str(store), nodes=[hang]) as conductor:
        for left in await conductor.list(status="running", limit=count):
            while (await conductor.journal.header(left.run)).ended_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        completed = await conductor.list(status="completed", limit=count + 1)
    assert len(completed) == count, len(completed)
    return Figure(f"{count:,} killed runs taken up and ended", "s", seconds, goal=_goal(count))


def _goal(count: int) -> float:
    return max(1.0, TAKE_UP * count / 10_000)


async def main(stored: int, unfinished: int, folder: Path) -> list[Figure]:
    figures = await measure_looks(folder, stored) if stored else []
    if unfinished:
        figures.append(await measure_taking_up(folder, unfinished))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--unfinished", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="where to; kept")
    parser.add_argument("--begin", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.begin:
        asyncio.run(begin(*given.begin[:2], int(given.begin[2])))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            place = given.folder or Path(temporary)
            made = asyncio.run(main(given.stored, given.unfinished, place))
        print("\n" + "\n".join([header(), *map(line, made)]))
