"""What a step, a value and a run cost as there are more of them, and the page with the charts."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import side_by_side_page
from charts import lines
from measure import turns
from scale import LEFT, fill, hang, leave, looks
from side_by_side import machine
from workloads import NODES, chain, fan

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document

ROOT = Path(__file__).resolve().parent.parent
Points = list[tuple[float, float]]
STEPS = (100, 1_000, 10_000, 100_000)
BYTES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
RUNS = (1_000, 10_000, 100_000, 1_000_000)
LEFT_RUNS = (100, 1_000, 10_000)


@node("bench.hand_on")
async def hand_on(value: bytes) -> bytes:
    return value


async def of_steps(sizes: Sequence[int]) -> dict[str, Points]:
    """Seconds to compile and to run blueprints of so many steps."""
    made: dict[str, Points] = {}
    async with Conductor("memory:", nodes=NODES) as conductor:
        for build, shape in ((chain, "chain"), (fan, "fan")):
            for size in sizes:
                best = [float("inf")] * 2
                for turn in range(3):
                    blueprint = build(size, mark=turn)
                    gc.collect()
                    started = time.perf_counter()
                    conductor.library.program(blueprint)
                    compiled = time.perf_counter()
                    assert (await conductor.run(blueprint, {"x": 0})).ok
                    ended = time.perf_counter()
                    best = list(map(min, best, (compiled - started, ended - compiled)))
                made.setdefault(f"compile a {shape}", []).append((size, best[0]))
                made.setdefault(f"run a {shape}", []).append((size, best[1]))
    return made


async def of_bytes(sizes: Sequence[int], length: int = 5) -> dict[str, Points]:
    """Seconds and bytes of memory for a value that is handed down a chain."""
    nodes: dict[str, object] = {
        "n0": {"uses": "bench.hand_on", "with": {"value": "${{ inputs.v }}"}}
    }
    for number in range(1, length):
        before = f"${{{{ n{number - 1} }}}}"
        nodes[f"n{number}"] = {"uses": "bench.hand_on", "with": {"value": before}}
    last = f"n{length - 1}"
    document = {
        "atomiton": 1, "id": "values", "inputs": {"v": "any"}, "nodes": nodes,
        "output": f"${{{{ {last} }}}}",
    }  # fmt: skip
    blueprint = read_document(document)
    took: Points = []
    held: Points = []
    async with Conductor("memory:", nodes=[hand_on]) as conductor:
        for size in sizes:
            given = bytes(size)
            taken = []
            for _ in range(5):
                started = time.perf_counter()
                assert (await conductor.run(blueprint, {"v": given})).ok
                taken.append(time.perf_counter() - started)
            tracemalloc.start()
            assert (await conductor.run(blueprint, {"v": given})).ok
            held.append((size, tracemalloc.get_traced_memory()[1] / 1e6))
            tracemalloc.stop()
            took.append((size, statistics.median(taken)))
    return {"seconds, in memory": took, "more memory, MB": held}


async def of_runs(sizes: Sequence[int], folder: Path) -> dict[str, Points]:
    """Seconds that looks into a store take, with so many runs in it."""
    made: dict[str, Points] = {}
    for size in sizes:
        path = folder / f"{size}.db"
        await fill(path, size)
        async with Conductor(str(path)) as conductor:
            for name, taken in (await turns(looks(conductor, size), 9)).items():
                made.setdefault(name, []).append((size, statistics.median(taken)))
    return made


async def of_unfinished(sizes: Sequence[int], folder: Path) -> dict[str, Points]:
    """Seconds from opening a store to the end of all runs that a killed process has left."""
    points: Points = []
    for size in sizes:
        store, gate = folder / f"left-{size}.db", folder / f"gate-{size}"
        leave(store, gate, size)
        began = time.perf_counter()
        async with Conductor(str(store), nodes=[hang]) as conductor:
            while await conductor.list(status="running", limit=1, blueprint=LEFT.id):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert len(await conductor.list(status="completed", limit=size + 1)) == size
        points.append((size, time.perf_counter() - began))
    return {"take up and end": points}


def table(series: Mapping[str, Points], unit: str) -> str:
    """The points of a chart, as Markdown."""
    sizes = sorted({size for points in series.values() for size, _ in points})
    head = "| | " + " | ".join(f"{size:,.0f} {unit}" for size in sizes) + " |"
    rows = [head, "|---" * (len(sizes) + 1) + "|"]
    for name, points in series.items():
        scale = (lambda value: f"{value:,.1f}") if "MB" in name else side_by_side_page.shown
        rows.append(f"| {name} | " + " | ".join(scale(value) for _, value in points) + " |")
    return "\n".join(rows)


async def write(docs: Path, *, small: bool) -> None:
    """Measure everything and write the page."""
    cut = slice(0, 2) if small else slice(None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        parts = [
            ("steps", "steps of a blueprint", "seconds", await of_steps(STEPS[cut])),
            ("bytes", "bytes of a value through five nodes", "", await of_bytes(BYTES[cut])),
            ("runs", "ended runs in a store", "seconds", await of_runs(RUNS[cut], folder)),
            (
                "unfinished", "runs that a killed process left", "seconds",
                await of_unfinished(LEFT_RUNS[cut], folder),
            ),
        ]  # fmt: skip
    about = machine()
    told = "Measured on {date}: {machine}; {python}; load of the machine {load}.\n"
    made = [told.format(**about)]
    (docs / "scale").mkdir(parents=True, exist_ok=True)
    for name, across, up, series in parts:
        title = f"Cost against {across}"
        chart = lines(title, series, across, up)
        (docs / "scale" / f"{name}.svg").write_text(chart, encoding="utf-8")
        made.append(f"## {title}\n\n![{title}](scale/{name}.svg)\n\n{table(series, name)}\n")
    side_by_side_page.put(docs / "scale.md", "\n".join(made))
