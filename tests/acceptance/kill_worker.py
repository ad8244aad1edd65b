"""A process to be killed: takes up what was left, starts runs, says what was accepted.

    python kill_worker.py STORE BLUEPRINT LOG RUNS

Prints the id of every accepted run when it is on record, and ``idle`` when nothing is left to do.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from atomiton import Conductor

NODES = Path(__file__).with_name("kill_nodes.py")


async def main(store: str, blueprint: str, log: str, runs: int) -> None:
    async with Conductor(store, nodes=[NODES]) as conductor:
        started = []
        for number in range(runs):
            started.append(await conductor.start(blueprint, {"log": log, "start": number}))
            print(started[-1].id, flush=True)
        await asyncio.gather(*(run.result() for run in started))
        while any(run.ended_at is None for run in await conductor.list(limit=10_000)):
            await asyncio.sleep(0.05)
        print("idle", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
