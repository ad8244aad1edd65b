"""Memory over many runs in one process: it must not grow with the runs that have ended.

python benchmarks/memory.py [RUNS]
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from pathlib import Path

from measure import Figure, header, line

#: Bytes a run that count as none: what the look itself is off by.
NOISE = 8.0


def resident() -> float:
    """Megabytes this process holds in memory now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1e6 if sys.platform == "darwin" else 1e3)


async def grow(runs: int) -> list[float]:
    """Megabytes before that many runs, and after; what is kept of the last ones is full by then."""
    from workloads import NODES, chain

    from atomiton import Conductor

    seen, warm = [], max(10_000, runs // 10)
    async with Conductor("memory:", nodes=NODES) as conductor:
        of = chain(10)
        for number in range(warm + runs):
            await conductor.run(of, {"x": number})
            if number in (warm - 1, warm + runs - 1):
                gc.collect()
                seen.append(resident())
    return seen


def main(*, quick: bool) -> list[Figure]:
    """Measured in a process of its own, which holds nothing else."""
    runs = 20_000 if quick else 100_000
    ended = subprocess.run(
        [sys.executable, __file__, str(runs)], capture_output=True, text=True, check=True
    )
    before, after = json.loads(ended.stdout)
    grown = (after - before) * 1e6 / runs
    against = f"{runs:,} runs before"
    return [
        Figure("memory of the process", "MB", after, before, against, after / before, 1.1),
        Figure("... which grows with each run by", "B", grown, goal=NOISE),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(grow(int(sys.argv[1])))))
    else:
        print(header())
        for figure in main(quick=False):
            print(line(figure))
