"""Parks runs that wait for a signal, in a process of its own, or looks at them in another.

    python parking_worker.py park STORE COUNT
    python parking_worker.py look STORE RUN ...

Prints one line of JSON for each tenth of the runs parked, or one for what looking took.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path

from atomiton import Conductor
from atomiton.blueprint.document import read_blueprint

BLUEPRINT = """
atomiton: 1
id: parked
inputs: {number: integer}
nodes:
  answer: {wait: {signal: go}}
  sum: {uses: data.value, with: {value: "${{ inputs.number + answer }}"}}
output: ${{ sum }}
"""
#: How many are started together, and how many may be in memory before more are started: a run
#: that waits leaves memory after a second.
TOGETHER = 200
AT_ONCE = 2000
#: How often the same is looked up, for a median.
TIMES = 9


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def tell(**figures: object) -> None:
    print(json.dumps(figures), flush=True)


async def park(store: str, count: int) -> None:
    blueprint = read_blueprint(BLUEPRINT)[0]
    began, kept = time.perf_counter(), []
    async with Conductor(store) as conductor:
        for first in range(0, count, TOGETHER):
            numbers = range(first, min(first + TOGETHER, count))
            begun = (conductor.start(blueprint, {"number": number}) for number in numbers)
            runs = await asyncio.gather(*begun)
            while len(conductor.driver.runs) > AT_ONCE:
                await asyncio.sleep(0.01)
            done = numbers[-1] + 1
            if done * 10 // count > first * 10 // count:
                kept.append(runs[-1].id)
                seconds = round(time.perf_counter() - began, 1)
                tell(parked=done, megabytes=resident(), seconds=seconds, run=kept[-1])
        while conductor.driver.runs:
            await asyncio.sleep(0.05)


async def look(store: str, runs: list[str]) -> None:
    took: dict[str, list[float]] = {name: [] for name in ("page", "waiting", "show", "signal")}
    before = time.perf_counter()
    async with Conductor(store) as conductor:
        opened = time.perf_counter() - before

        async def timed(name: str, work):
            began = time.perf_counter()
            result = await work
            took[name].append(time.perf_counter() - began)
            return result

        for _ in range(TIMES):
            assert await timed("page", conductor.list(limit=20))
            assert len(await timed("waiting", conductor.list(status="waiting", limit=20))) == 20
        outputs = []
        for run in runs:
            assert (await timed("show", conductor.show(run))).status == "waiting"
            await timed("signal", conductor.signal(run, "go", 1))
            outputs.append((await conductor.result(run)).output)
        medians = {name: statistics.median(times) for name, times in took.items()}
        tell(
            opened=opened, megabytes=resident(), driven=len(conductor.driver.runs), outputs=outputs,
            **medians,
        )  # fmt: skip


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    asyncio.run(park(where, int(rest[0])) if what == "park" else look(where, rest))
