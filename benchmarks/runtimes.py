"""What a call costs wherever code runs: ``python -m benchmarks.runtimes``.

First the runtimes by themselves, then nodes in a run: a map of a node that does nothing, one item
after the other, in memory, wherever a node can be.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from atomiton import Conductor, node
from atomiton.blueprint.document import read_document
from atomiton.ports.runtime import Runtime
from atomiton.runtimes import ProcessRuntime, ThreadRuntime


def nothing(value: object) -> object:
    return value


async def call(runtime: Runtime, function: Callable[..., object], arguments: Mapping[str, object]):
    ended = asyncio.get_running_loop().create_future()
    runtime.start(function, arguments, lambda result, error: ended.set_result((result, error)))
    return await ended


async def round_trips(runtime: Runtime, times: int) -> tuple[float, float]:
    """Median and 99th percentile of one call after the other, in microseconds."""
    taken = []
    for n in range(times):
        begun = time.perf_counter()
        await call(runtime, nothing, {"value": n})
        taken.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


async def burst(runtime: Runtime, times: int) -> float:
    """Calls a second when all are started at once."""
    ended = asyncio.get_running_loop().create_future()
    left = times

    def done(_result: object, _error: BaseException | None) -> None:
        nonlocal left
        left -= 1
        if not left:
            ended.set_result(None)

    begun = time.perf_counter()
    for n in range(times):
        runtime.start(nothing, {"value": n}, done)
    await ended
    return times / (time.perf_counter() - begun)


async def large(runtime: Runtime, size: int) -> float:
    """Seconds to send and get back that many bytes."""
    data = bytes(size)
    begun = time.perf_counter()
    await call(runtime, nothing, {"value": data})
    return time.perf_counter() - begun


async def measure(name: str, runtime: Runtime, times: int) -> None:
    begun = time.perf_counter()
    await call(runtime, nothing, {"value": 0})
    first = time.perf_counter() - begun
    median, slow = await round_trips(runtime, times)
    rate = await burst(runtime, times * 2)
    seconds = await large(runtime, 50_000_000)
    begun = time.perf_counter()
    await runtime.close()
    closed = time.perf_counter() - begun
    print(
        f"{name:8} first {first * 1e3:6.1f} ms   round trip p50 {median:5.0f} µs, p99 {slow:5.0f}"
        f" µs   burst {rate:8.0f}/s   50 MB there and back {seconds * 1e3:4.0f} ms"
        f"   close {closed * 1e3:4.1f} ms"
    )


@node("bench.inline")
async def on_the_loop(value: int) -> int:
    return value


@node("bench.plain")
def plain(value: int) -> int:
    return value


#: Answers with its input: a program of the shell.
_SHELL = 'printf \'{"output": %s}\' "$ATOMITON_INPUT_VALUE"'
#: The smallest module that answers.
_MODULE = r"""
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"output\": 1}\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 14))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""
_DECLARED = """
atomiton-nodes: 1
nodes:
  bench.program:
    command: [sh, "{here}/answer.sh"]
    inputs: {value: integer}
  bench.module:
    module: answer.wat
    inputs: {value: integer}
"""
_CODE = {"code": "return value", "inputs": {"value": "${{ item }}"}}
_VALUE = {"value": "${{ item }}"}
#: What is measured -> (its node, how many calls).
PLACES: dict[str, tuple[dict[str, object], int]] = {
    "async, on the event loop": ({"uses": "bench.inline", "with": _VALUE}, 20_000),
    "plain, on the event loop": (
        {"uses": "bench.plain", "runtime": "inline", "with": _VALUE},
        20_000,
    ),
    "thread": ({"uses": "bench.plain", "with": _VALUE}, 5000),
    "process": ({"uses": "bench.plain", "runtime": "process", "with": _VALUE}, 5000),
    "module of WebAssembly": ({"uses": "bench.module", "with": _VALUE}, 1000),
    "program (a shell script)": ({"uses": "bench.program", "with": _VALUE}, 200),
    "python.run": ({"uses": "python.run", "with": _CODE}, 50),
}


async def a_call(conductor: Conductor, body: Mapping[str, object], times: int) -> float:
    """Microseconds of one call, from runs of so many and of one."""
    whole = {"map": "${{ inputs.all }}", "concurrency": 1, **body}
    document = {"atomiton": 1, "id": "bench", "durability": "none"}
    inputs = {"all": {"type": "array", "items": {"type": "integer"}}}
    blueprint = read_document({**document, "inputs": inputs, "nodes": {"calls": whole}})
    taken: list[float] = []
    for count in (1, 1, times):
        begun = time.perf_counter()
        result = await conductor.run(blueprint, {"all": list(range(count))})
        assert result.status == "completed", result.error
        taken.append(time.perf_counter() - begun)
    return (taken[2] - taken[1]) / (times - 1) * 1e6


async def in_runs(turns: int = 3) -> None:
    """Print what a call costs in each place: the least of a few turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "answer.sh").write_text(_SHELL)
        (folder / "answer.wat").write_text(_MODULE)
        (folder / "nodes.yaml").write_text(_DECLARED)
        nodes = [on_the_loop, plain, folder / "nodes.yaml"]
        found: dict[str, list[float]] = {place: [] for place in PLACES}
        async with Conductor("memory:", nodes=nodes) as conductor:
            for _ in range(turns):
                for place, (body, times) in PLACES.items():
                    found[place].append(await a_call(conductor, body, times))
        for place, taken in found.items():
            print(f"{place:26} {min(taken):9.0f} µs   (slowest turn {max(taken):.0f})")


async def main() -> None:
    await measure("thread", ThreadRuntime(), 20_000)
    await measure("process", ProcessRuntime(), 10_000)
    await in_runs()


if __name__ == "__main__":
    asyncio.run(main())
