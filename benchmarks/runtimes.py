"""How fast functions start and end on the runtimes: ``python benchmarks/runtimes.py``."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping

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


async def main() -> None:
    await measure("thread", ThreadRuntime(), 20_000)
    await measure("process", ProcessRuntime(), 10_000)


if __name__ == "__main__":
    asyncio.run(main())
