"""Measuring sides in turns, and showing what came of it.

Both sides of a ratio are measured in the same process in short turns, so that whatever else the
machine does falls on both. A ratio is the median of the turns' ratios.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

#: Does its work once, or gives what has to be awaited for it.
Side = Callable[[], Awaitable[object]]


@dataclass
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured.
        value: Median of our side, in ``unit``.
        base: Median of the other side, in ``unit``; None when there is no other side.
        against: What the other side is.
        ratio: Ours over theirs.
        goal: Largest ratio (or value, without a ratio) that we want.
    """

    name: str
    unit: str
    value: float
    base: float | None = None
    against: str = ""
    ratio: float | None = None
    goal: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None when there is none."""
        if self.goal is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.goal


async def turns(sides: Mapping[str, Side], rounds: int, times: int = 1) -> dict[str, list[float]]:
    """Seconds of each side for one time, turn by turn; the first turn is for warming up."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            gc.collect()
            started = time.perf_counter()
            for _ in range(times):
                await side()
            seconds = (time.perf_counter() - started) / times
            if turn:
                taken[name].append(seconds)
        await asyncio.sleep(0)
    return taken


def compare(
    name: str,
    ours: list[float],
    theirs: list[float],
    against: str,
    *,
    goal: float | None = None,
    unit: str = "us",
) -> Figure:
    """A figure of two sides that were measured in turns."""
    scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[unit]
    return Figure(
        name,
        unit,
        statistics.median(ours) * scale,
        statistics.median(theirs) * scale,
        against,
        statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        goal,
    )


def header() -> str:
    return f"{'':44}{'ours':>11}{'':4}{'other':>11}{'ratio':>9}{'goal':>8}   against"


def line(figure: Figure) -> str:
    """A line of the table."""
    base = "" if figure.base is None else f"{figure.base:,.2f}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    goal = "" if figure.goal is None else f"{figure.goal:g}"
    mark = {True: " ok", False: " --", None: ""}[figure.reached]
    return (
        f"{figure.name:44}{figure.value:>11,.2f} {figure.unit:<3}{base:>11}{ratio:>9}"
        f"{goal:>8}{mark:3}{figure.against}"
    )


def plain(figure: Figure) -> dict[str, object]:
    """A figure for programs."""
    return {**asdict(figure), "reached": figure.reached}
