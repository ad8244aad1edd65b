"""The smallest task that pays: the length of a step at which half of a run's time is the steps'.

    python benchmarks/metg.py

Three shapes: a chain, a fan, and a stencil in which every step needs three of the row before. Each
step spins for a while; that while is halved until the steps are less than half of the whole. The
length at which they would be just that is read off between the last two.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time

from measure import Figure, header, line
from workloads import blueprint

from atomiton import Blueprint, Conductor, node

#: Nanoseconds that a step spins for; set between runs.
LENGTH = 0
#: Microseconds of the longest step, and what we want to reach.
LONGEST, GOAL = 64.0, 10.0


@node("bench.spin")
async def spin(values: object) -> object:
    """Keep a processor busy."""
    until = time.perf_counter_ns() + LENGTH
    while time.perf_counter_ns() < until:
        pass
    return len(values) if isinstance(values, list) else 0


def step(*before: str) -> dict[str, object]:
    return {"uses": "bench.spin", "with": {"values": [f"${{{{ {name} }}}}" for name in before]}}


def chain(length: int) -> dict[str, object]:
    return {f"n{place}": step(f"n{place - 1}") if place else step() for place in range(length)}


def fan(width: int) -> dict[str, object]:
    names = [f"n{place}" for place in range(width)]
    return {"source": step(), **{name: step("source") for name in names}, "joined": step(*names)}


def stencil(width: int, rows: int) -> dict[str, object]:
    nodes: dict[str, object] = {}
    for row in range(rows):
        for place in range(width):
            near = range(max(place - 1, 0), min(place + 2, width)) if row else ()
            nodes[f"n{row}_{place}"] = step(*(f"n{row - 1}_{other}" for other in near))
    return nodes


async def efficiency(conductor: Conductor, of: Blueprint, steps: int, length: float) -> float:
    """The part of a run that its steps take, each of so many microseconds; the median of some."""
    global LENGTH
    LENGTH = int(length * 1000)
    parts = []
    for turn in range(12):
        gc.collect()
        started = time.perf_counter()
        result = await conductor.run(of)
        taken = time.perf_counter() - started
        assert result.ok, result.error
        if turn:
            parts.append(steps * length * 1e-6 / taken)
    return statistics.median(parts)


async def smallest(conductor: Conductor, nodes: dict[str, object], name: str) -> Figure:
    """The length at which steps are half of the whole, in microseconds."""
    of = blueprint(f"metg-{name}", nodes)
    length, above = LONGEST, LONGEST
    share = best = await efficiency(conductor, of, len(nodes), length)
    while share > 0.5 and length > 0.2:
        above, best = length, share
        length /= 2
        share = await efficiency(conductor, of, len(nodes), length)
    if length == LONGEST:  # a busy machine: even these were not half of it
        return Figure(f"METG, {name} of {len(nodes)}, or more", "us", LONGEST, goal=GOAL)
    between = above - (above - length) * (best - 0.5) / (best - share)
    return Figure(f"METG, {name} of {len(nodes)}", "us", between, goal=GOAL)


async def main(*, quick: bool) -> list[Figure]:
    """The figure of each shape."""
    size = 1 if quick else 4
    shapes = {
        "chain": chain(100 * size), "fan": fan(100 * size), "stencil": stencil(10, 10 * size),
    }  # fmt: skip
    async with Conductor("memory:", nodes=[spin]) as conductor:
        return [await smallest(conductor, nodes, name) for name, nodes in shapes.items()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller shapes")
    print(header())
    for figure in asyncio.run(main(quick=parser.parse_args().quick)):
        print(line(figure))
