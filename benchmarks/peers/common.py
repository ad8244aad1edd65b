"""The same workloads for every engine, made of two shapes: a chain of steps, and a fan of them.

An engine says how it builds these two (``Peer``); ``main`` runs what is asked for and prints JSON.
Only the standard library is used: every engine runs in an environment of its own.

    python PEER.py WORKLOAD [SECONDS]
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

ROUNDS = 400
"""More rounds than this say nothing new."""
LANES = 64
BLOCK = 0.005
"""What takes less is run again and again for so many seconds, and a sample is their mean."""
WARMING = 12
"""Most blocks that are run before what is measured: the first runs of a process are its slowest."""


class Step:
    """One step in both its forms; an engine takes the one that its documentation recommends."""

    def __init__(self, name: str, function: Callable[[object], object], sleep: float = 0.0) -> None:
        self.name = name
        self.sleep = sleep
        self.function = function

    async def __call__(self, value: object) -> object:
        """Do it, waiting without blocking."""
        if self.sleep:
            await asyncio.sleep(self.sleep)
        return self.function(value)

    def blocking(self, value: object) -> object:
        """Do it in a thread of its own."""
        if self.sleep:
            time.sleep(self.sleep)
        return self.function(value)


def add_one(value: object) -> object:
    return value + 1  # type: ignore[operator]


def same(value: object) -> object:
    return value


def fib(value: object) -> object:
    def of(n: int) -> int:
        return n if n < 2 else of(n - 1) + of(n - 2)

    of(10)
    return value


def double(_value: object) -> object:
    return [2 * number for number in range(100_000)]


def large(value: object) -> object:
    kept = [number for number in value if number > 10]  # type: ignore[attr-defined]
    return [sum(kept), len(kept)]


def fails(_value: object) -> object:
    raise RuntimeError("on purpose")


ADD, SAME, FIB, FAILS = (
    Step(f.__name__, f) for f in (add_one, same, fib, fails)
)  # fmt: skip
DOUBLE, LARGE = Step("double", double), Step("large", large)


def naps(*milliseconds: int) -> list[Step]:
    return [Step(f"nap{ms}", same, ms / 1000) for ms in milliseconds]


Run = Callable[[object], object]
"""Runs what was built once, on an input; gives the result, or what has to be awaited for it."""


class Peer:
    """How an engine builds the two shapes; what it has not raises ``NotImplementedError``."""

    name = ""
    package = ""
    """The distribution whose version is shown; empty for the standard library."""
    skips: ClassVar[dict[str, str]] = {}
    """Workloads that it cannot do, with the reason."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def open(self) -> None:
        """Start what it needs, such as a server."""

    async def ready(self) -> None:
        """Do what can only be done once the shape is built."""

    async def close(self) -> None:
        """Stop it."""

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        """Steps one after the other; each gets what the one before gave."""
        raise NotImplementedError("no chains")

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        """One step, that many at once, and one that counts what they gave."""
        raise NotImplementedError("no fans")


class Workload:
    """What is measured: a shape, an input, the right result, seconds that nothing can save."""

    def __init__(
        self, shape: Callable[[Peer], Run], given: object, right: object, least: float = 0.0
    ) -> None:
        self.shape = shape
        self.given = given
        self.right = right
        self.least = least


def chain(*steps: Step, durable: bool = False) -> Callable[[Peer], Run]:
    return lambda peer: peer.chain(steps, durable=durable)


def fan(width: int, step: Step, *, durable: bool = False) -> Callable[[Peer], Run]:
    return lambda peer: peer.fan(width, step, durable=durable)


ERROR = "an error"
NAP10, NAP50 = naps(10, 50)
WORKLOADS = {
    "W1": Workload(chain(*[ADD] * 10), 0, 10),
    "W1d": Workload(chain(*[ADD] * 10, durable=True), 0, 10),
    "W2": Workload(fan(1000, SAME), 0, 1000),
    "W2d": Workload(fan(1000, SAME, durable=True), 0, 1000),
    "W3": Workload(fan(100, NAP10), 0, 100),
    "W4": Workload(chain(*[FIB] * 40), 0, 0),
    "W5": Workload(chain(*[ADD] * 3, durable=True), 0, 3),
    "W6": Workload(chain(ADD), 0, 1),
    "P1": Workload(chain(*naps(80, 5, 30)), 0, 0, 0.115),
    "P2": Workload(chain(*naps(10, 5, 100)), 0, 0, 0.115),
    "P3": Workload(fan(5, NAP50), 0, 5, 0.05),
    "P4": Workload(chain(DOUBLE, LARGE), 0, [9_999_899_970, 99_994]),
    "P5": Workload(chain(NAP10, FAILS), 0, ERROR, 0.01),
}


async def once(run: Run, workload: Workload) -> None:
    """Run it, and look whether it gave what is right."""
    try:
        given = run(workload.given)
        if inspect.isawaitable(given):
            given = await given
    except Exception:  # engines wrap errors in errors of their own
        if workload.right is ERROR:
            return
        raise
    if given != workload.right:
        raise AssertionError(f"gave {given!r:.200}, not {workload.right!r}")


async def one_by_one(run: Run, workload: Workload, seconds: float) -> list[float]:
    """Seconds of each run, for about so long; three at least. The first warm up."""
    taken: list[float] = []
    times, each = 1, float("inf")
    begun = time.perf_counter()
    for _ in range(WARMING):
        started = time.perf_counter()
        for _ in range(times):
            await once(run, workload)
        each = min(each, (time.perf_counter() - started) / times)
        if each > BLOCK and time.perf_counter() - begun > seconds / 4:
            break
        times = max(1, int(BLOCK / each))
    until = begun + seconds
    while len(taken) < 3 or (time.perf_counter() < until and len(taken) < ROUNDS):
        gc.collect()
        started = time.perf_counter()
        for _ in range(times):
            await once(run, workload)
        taken.append((time.perf_counter() - started) / times)
    return taken


async def at_once(run: Run, workload: Workload, seconds: float) -> list[float]:
    """Seconds for each run while ``LANES`` are under way at any time; each block is a sample."""
    await asyncio.gather(*(once(run, workload) for _ in range(4)))
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while not taken or (time.perf_counter() < until and len(taken) < 50):
        left = iter(range(4 * LANES))

        async def lane() -> None:
            for _ in left:  # noqa: B023 - all lanes of a block share it
                await once(run, workload)

        started = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        taken.append((time.perf_counter() - started) / (4 * LANES))
    return taken


async def measure(peer: Peer, name: str, seconds: float) -> dict[str, object]:
    """Measure one workload on one engine."""
    workload = WORKLOADS[name]
    await peer.open()
    try:
        run = workload.shape(peer)
        await peer.ready()
        if name == "W6":
            await once(run, workload)
            taken: list[float] = []
        elif name == "W4":
            taken = await over_plain(run, workload, seconds)
        elif name == "W5":
            taken = await at_once(run, workload, seconds)
        else:
            taken = await one_by_one(run, workload, seconds)
    finally:
        await peer.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = memory / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return {"seconds": [second - workload.least for second in taken], "memory": megabytes}


async def over_plain(run: Run, workload: Workload, seconds: float) -> list[float]:
    """What the engine adds to the same work in plain Python, each time measured right after it."""

    def plain(value: object) -> object:
        for _ in range(40):
            value = fib(value)
        return value

    async def block(run: Run, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            await once(run, workload)
        return (time.perf_counter() - started) / times

    times = max(1, int(BLOCK / min(await one_by_one(run, workload, seconds / 4))))
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < 3 or (time.perf_counter() < until and len(taken) < ROUNDS):
        gc.collect()
        least = await block(plain, times)
        taken.append(await block(run, times) - least)
    return taken


def main(peer: type[Peer]) -> None:
    """Measure what the command line asks for."""
    name, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    if name in peer.skips:
        print(json.dumps({"skipped": peer.skips[name]}))
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            found = asyncio.run(measure(peer(Path(folder)), name, seconds))
        except NotImplementedError as reason:
            found = {"skipped": str(reason)}
    print("\n" + json.dumps(found), flush=True)


def awaiting(*awaitables: Awaitable[object]) -> Awaitable[list[object]]:
    """All of them at once."""
    return asyncio.gather(*awaitables)  # type: ignore[return-value]
