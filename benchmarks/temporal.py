"""A blueprint on Temporal against a workflow written by hand: ``python benchmarks/temporal.py``.

Both do the same ten activities on the same development server, each with a worker process of its
own, measured in turns: runs one after the other, and many at once. With ``--pure`` the steps are
pure nodes against local activities.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Figure, compare, header, line, plain
from temporal_blueprint import NODES, document
from temporal_by_hand import STEPS, ByHand, ByHandNear
from temporalio.client import Client

from atomiton.blueprint.document import read_document
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor

HERE = Path(__file__).resolve().parent
#: Largest ratio that is wanted.
GOAL = 1.15
THEIRS = "by hand"
#: Sides of ours: only the output is waited for, as by hand; or a summary of every node too.
OURS, SUMMED = "output only", "run()"

Run = Callable[[], Awaitable[object]]


@contextmanager
def worker(file: str, *given: str, profile: str = "") -> Iterator[int]:
    """A worker in a process of its own; gives the id of that."""
    profiling = ["-m", "cProfile", "-o", profile] if profile else []
    process = subprocess.Popen(
        [sys.executable, *profiling, HERE / file, *given], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.send_signal(2)
        process.wait(20)


def spent(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def seconds_each(run: Run, count: int, together: int) -> float:
    """Seconds that each of some runs takes, so many at once."""
    room = asyncio.Semaphore(together)

    async def one() -> None:
        async with room:
            await run()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return (time.perf_counter() - begun) / count


class Measured:
    """What both sides took, turn by turn."""

    def __init__(self, sides: dict[str, Run], pids: dict[str, int]) -> None:
        self._sides = sides
        self._pids = pids
        self.taken: dict[str, list[float]] = {name: [] for name in sides}
        self.worked: dict[str, list[float]] = {name: [] for name in sides}

    async def turn(self, names: list[str], count: int, together: int, *, kept: bool) -> None:
        """Measure each side once."""
        for name in names:
            before = spent(self._pids[name])
            seconds = await seconds_each(self._sides[name], count, together)
            worked = (spent(self._pids[name]) - before) / count
            if kept:
                self.taken[name].append(seconds)
                self.worked[name].append(worked)

    def figures(self, what: str) -> list[Figure]:
        """What came of it, as lines of the table."""
        theirs, worked = self.taken[THEIRS], self.worked[THEIRS]
        made = [
            compare(f"{what}, {name}", self.taken[name], theirs, THEIRS, goal=GOAL, unit="ms")
            for name in (OURS, SUMMED)
        ]
        name = f"{what}, the worker's processor"
        return [*made, compare(name, self.worked[OURS], worked, THEIRS, unit="ms")]


async def measure(address: str, given: argparse.Namespace, pids: dict[str, int]) -> list[Figure]:
    place = parse(address)
    client = await Client.connect(place.target)
    blueprint = read_document(document(near=given.pure))
    numbers = itertools.count()
    of = ByHandNear if given.pure else ByHand
    async with TemporalConductor(f"{address}-ours", nodes=NODES) as conductor:

        async def ours() -> None:
            run = await conductor.start(blueprint, {"x": 0})
            assert (await conductor.journal.handle(run.id).result()).output == STEPS

        async def summed() -> None:
            assert (await conductor.run(blueprint, {"x": 0})).output == STEPS

        async def theirs() -> None:
            name = f"by-hand-{next(numbers)}"
            output = await client.execute_workflow(of.run, 0, id=name, task_queue=place.queue)
            assert output == STEPS

        sides: dict[str, Run] = {OURS: ours, THEIRS: theirs, SUMMED: summed}
        figures: list[Figure] = []
        kind = "ten pure" if given.pure else "ten steps"
        for what, count, together in (
            (f"{kind}, alone", given.runs, 1),
            (f"{kind}, {given.together} at once", 5 * given.runs, given.together),
        ):
            measured = Measured(sides, pids)
            for turn in range(given.rounds + 1):  # the first turn is for warming up
                names = list(sides)[:: 1 if turn % 2 else -1]
                await measured.turn(names, count, together, kept=turn > 0)
            figures += measured.figures(what)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pure", action="store_true", help="pure nodes, and local activities")
    parser.add_argument("--rounds", type=int, default=8, help="turns")
    parser.add_argument("--runs", type=int, default=12, help="runs a turn, one after the other")
    parser.add_argument("--together", type=int, default=20, help="runs at once")
    parser.add_argument("--json", action="store_true", help="print figures for a program")
    parser.add_argument("--profile", default="", help="a folder for profiles of the workers")
    given = parser.parse_args()
    sys.path.insert(0, str(HERE.parent))
    from tests.temporal_server import TemporalServer

    def profile(name: str) -> str:
        return f"{given.profile}/{name}.prof" if given.profile else ""

    server = TemporalServer()
    server.start()
    try:
        address = server.address(f"bench-{secrets.token_hex(3)}")
        queue = parse(address).queue
        with (
            worker("temporal_blueprint.py", f"{address}-ours", profile=profile("ours")) as ours,
            worker("temporal_by_hand.py", server.target, queue, profile=profile("by-hand")) as hand,
        ):
            pids = {OURS: ours, SUMMED: ours, THEIRS: hand}
            figures = asyncio.run(measure(address, given, pids))
    finally:
        server.stop()
    if given.json:
        print(json.dumps([plain(figure) for figure in figures]))
    else:
        print("\n".join([header(), *map(line, figures)]))


if __name__ == "__main__":
    main()
