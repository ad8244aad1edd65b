"""Steady load on one store, with all that goes wrong in ordinary life, for as long as it is asked.

    python -m tests.soak.load STORE SECONDS [--victim]

Prints what the process holds, a line of JSON at a time. A victim only makes load, until somebody
kills it; the other takes up what it leaves.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.ports.capabilities import Attempt

#: Runs at once; one in so many is cancelled, and one in so many of them watched.
LANES, CANCELLED, WATCHED = 12, 17, 5
#: Seconds between two kills of the victim, and between two looks.
KILLS, LOOKS = 5.0, 0.5
#: Seconds in which threads that have nothing to do end, and some more.
REST = 15.0
#: Bytes that a run is given, and hands on.
LOAD = "x" * 500

BLUEPRINT, _ = read_blueprint("""
atomiton: 1
id: soak
inputs: {number: integer, load: string}
compensate_on: [failure, cancel]
nodes:
  first:
    uses: soak.step
    with: {number: "${{ inputs.number }}", load: "${{ inputs.load }}"}
    compensate: {uses: soak.undo}
  flaky:
    uses: soak.flaky
    needs: [first]
    with: {number: "${{ inputs.number }}"}
    retry: {attempts: 3, delay: 5ms}
  slow:
    uses: soak.hang
    if: ${{ inputs.number % 7 == 0 }}
    timeout: 20ms
    on_error: {value: late}
  thread: {uses: soak.thread, needs: [first], with: {number: "${{ inputs.number }}"}}
  pause: {wait: {for: 10ms}, needs: [flaky]}
  each:
    map: ${{ [1, 2, 3, 4] }}
    needs: [pause, thread]
    uses: soak.thread
    with: {number: "${{ item }}"}
  last:
    uses: soak.last
    needs: [each]
    with: {number: "${{ inputs.number }}"}
output: ${{ last }}
""")


@node("soak.step")
async def step(number: int, load: str) -> str:
    return f"{number}{load}"


@node("soak.undo")
async def undo() -> None:
    """Nothing was done to the world."""


@node("soak.flaky")
async def flaky(number: int, attempt: Attempt) -> int:
    if number % 3 == 0 and attempt.attempt == 1:
        raise NodeError("not yet", code="FLAKY", retryable=True)
    return number


@node("soak.hang")
async def hang() -> None:
    await asyncio.sleep(60)


@node("soak.thread")
def thread(number: int) -> int:
    return number + 1


@node("soak.last")
async def last(number: int) -> int:
    if number % 10 == 0:
        raise NodeError("no", code="NO")
    return number


NODES = (step, undo, flaky, hang, thread, last)


class Load:
    """Runs that are begun as soon as others have ended."""

    def __init__(self, conductor: Conductor, blueprint: Blueprint = BLUEPRINT) -> None:
        self.conductor = conductor
        self.blueprint = blueprint
        self.numbers = itertools.count(1)
        self.ended: Counter[str] = Counter()
        self.seen = 0

    async def lane(self) -> None:
        """One run after the other."""
        for number in self.numbers:
            inputs = {"number": number, "load": LOAD}
            run = await self.conductor.start(self.blueprint, inputs)
            if number % WATCHED == 0:
                async for _ in self.conductor.events(run.id):
                    self.seen += 1
            elif number % CANCELLED == 0:
                await self.conductor.cancel(run.id)
            result = await run.result()
            wanted = "failed" if number % 10 == 0 else "completed"
            cancelled = number % CANCELLED == 0 and result.status == "cancelled"
            assert cancelled or result.status == wanted, (number, result.status, result.error)
            self.ended[result.status] += 1


def held(store: Path, load: Load) -> dict[str, float]:
    """What this process and the store hold now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    log = store.with_name(f"{store.name}-wal")
    return {
        "at": time.monotonic(),
        "runs": load.ended.total(),
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
        "log": log.stat().st_size if log.exists() else 0,
    }


class Victim:
    """A process that is killed again and again."""

    def __init__(self, store: Path) -> None:
        self.command = [sys.executable, "-m", "tests.soak.load", str(store), "0", "--victim"]
        self.process = subprocess.Popen(self.command)
        self.kills = 0

    async def die_often(self) -> None:
        """Kill it, begin anew."""
        while True:
            await asyncio.sleep(KILLS)
            self.kill()
            self.process = subprocess.Popen(self.command)

    def kill(self) -> None:
        """Kill it in the middle of its work."""
        self.process.kill()
        self.process.wait()
        self.kills += 1


async def soak(store: Path, seconds: float) -> None:
    """Load the store for so long; look again and again, and at rest before and after."""
    async with Conductor(str(store), nodes=NODES) as conductor:
        load = Load(conductor)
        before = held(store, load)
        print(json.dumps(before), flush=True)
        victim = Victim(store)
        tasks = [asyncio.create_task(load.lane()) for _ in range(LANES)]
        tasks.append(asyncio.create_task(victim.die_often()))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(LOOKS)
            for task in tasks:
                if task.done():
                    task.result()  # it never ends but with an error
            print(json.dumps(held(store, load)), flush=True)
        victim.kill()
        load.numbers = iter(())  # type: ignore[assignment]
        tasks.pop().cancel()
        await end(tasks, conductor)
        await rest(before["threads"])
        gc.collect()
        last = {**held(store, load), "kills": victim.kills, "seen": load.seen, **load.ended}
        print(json.dumps(last), flush=True)


async def end(tasks: list[asyncio.Task[None]], conductor: Conductor) -> None:
    """Let what was begun come to its end, and what the victim has left."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(60):
        while any(run.ended_at is None for run in await conductor.list(limit=1000)):
            await asyncio.sleep(0.1)


async def rest(threads: float) -> None:
    """Wait until no more threads are left than there were, or those that are left would stay."""
    until = time.monotonic() + REST
    while threading.active_count() > threads and time.monotonic() < until:
        await asyncio.sleep(0.1)


async def be_killed(store: Path) -> None:
    """Make load until then, or until nobody is left who would."""
    parent = os.getppid()
    async with Conductor(str(store), nodes=NODES, resume=False) as conductor:
        load = Load(conductor)
        lanes = [asyncio.create_task(load.lane()) for _ in range(LANES // 3)]
        while os.getppid() == parent:
            await asyncio.sleep(1)
        for lane in lanes:
            lane.cancel()


if __name__ == "__main__":
    path = Path(sys.argv[1])
    asyncio.run(be_killed(path) if "--victim" in sys.argv else soak(path, float(sys.argv[2])))
