"""The page and the charts of what was measured side by side."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from charts import bars

OURS = "Atomiton"
TITLES = {
    "W1": "W1, in memory: ten steps, x to x + 1, one after the other",
    "W1d": "W1, durable: the same, each result kept before the next step",
    "W2": "W2, in memory: one, 1,000 tasks at once that do nothing, one that joins them",
    "W2d": "W2, durable",
    "W3": "W3: 100 naps of 10 ms at once",
    "W4": "W4: what is added to forty fib(10) in plain Python",
    "W5": "W5, durable: a run of three steps, 64 runs under way at any time",
    "W6": "W6: the whole process: import, build one step, run it",
    "P1": "P1: what is added to naps of 80, 5 and 30 ms",
    "P2": "P2: what is added to naps of 10, 5 and 100 ms",
    "P3": "P3: what is added to five naps of 50 ms at once",
    "P4": "P4: double 100,000 numbers, keep and add the large ones",
    "P5": "P5: what is added to a nap of 10 ms and a failure",
}
CHARTS = ("W1", "W1d", "W2", "W3", "W5", "W6")
Figures = Mapping[str, Any]


#: Seconds that ten bare awaits take on the machine on which the goals were set.
AWAITS = 0.87e-6


class Goal(NamedTuple):
    """What we want of a workload.

    Attributes:
        words: In words.
        most: The seconds, from the medians of the others, and how much slower this machine is.
        why: Why it is missed, where it is.
    """

    words: str
    most: Callable[[Mapping[str, float], float], float]
    why: str = ""


#: For each workload what we want; what Python alone takes is scaled to the machine.
GOALS = {
    "W1": Goal(
        "15 µs there",
        lambda _, slower: 15e-6 * slower,
        "these nodes take any value and wait for the step that all engines share; for nodes of "
        "their own see the account of [where the time goes](where-the-time-goes.md)",
    ),
    "W1d": Goal(
        "1.3 × bare SQLite",
        lambda bare, _: 1.3 * bare["bare SQLite"],
        "two of eleven commits change the list of runs as well, and after each sync Python goes "
        "on with cold caches",
    ),
    "W2": Goal("asyncio.gather", lambda bare, _: bare["bare asyncio"]),
    "W2d": Goal("30 ms", lambda *_: 0.030),
    "W3": Goal(
        "1.03 × bare asyncio",
        lambda bare, _: 1.03 * bare["bare asyncio"],
        "some µs for each of 100 nodes, about as much as the timers vary",
    ),
    "W4": Goal(
        "40 µs there",
        lambda _, slower: 40e-6 * slower,
        "forty nodes at 2 to 3 µs each: a fact, its successors, a call",
    ),
    "W5": Goal(
        "200 µs (5,000 runs a second)",
        lambda *_: 1 / 5000,
        "runs share commits, so it is the processor that is busy: facts are encoded, checked by "
        "sums and written by one thread beside the one that runs nodes",
    ),
    "W6": Goal(
        "2.9 × bare asyncio (120 ms there)", lambda bare, _: 120 / 42 * bare["bare asyncio"]
    ),
    **{
        name: Goal("1 ms more than bare asyncio", lambda bare, _: bare["bare asyncio"] + 1e-3)
        for name in ("P1", "P2", "P3", "P5")
    },
    "P4": Goal(
        "1 ms more than bare asyncio",
        lambda bare, _: bare["bare asyncio"] + 1e-3,
        "each of two lists of 100,000 numbers is looked through once, so that nothing is passed on "
        "that could not be kept",
    ),
}


def shown(seconds: float) -> str:
    """Seconds in a unit that suits them."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if abs(seconds) >= scale:
            return f"{seconds / scale:.3g} {unit}" if seconds < 100 else f"{seconds:,.0f} s"
    return f"{seconds * 1e6:.3g} µs"


def medians(row: Mapping[str, Any]) -> dict[str, float]:
    """Median of each engine that ran."""
    return {
        name: statistics.median(found["seconds"])
        for name, found in row.items()
        if found.get("seconds")
    }


def spread(samples: list[float]) -> str:
    """The middle half of the samples."""
    if len(samples) < 2:
        return "one block"
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return f"{shown(low)} to {shown(high)}"


def table(figures: Figures) -> str:
    """Every figure, as Markdown: a table for each workload."""
    parts = []
    for workload, row in figures["results"].items():
        known = medians(row)
        parts.append(f"### {TITLES[workload]}\n")
        parts.append("| | median | middle half | ratio | memory |\n|---|---|---|---|---|")
        for name, value in sorted(known.items(), key=lambda one: one[1]):
            mine = known.get(OURS)
            plain = mine is None or mine <= 0 or value <= 0
            ratio = "" if plain else f"{value / mine:.2f}"
            named = f"**{name}**" if name == OURS else name
            found = row[name]
            parts.append(
                f"| {named} | {shown(value)} | {spread(found['seconds'])} | {ratio} | "
                f"{found['memory']:.0f} MB |"
            )
        left = [
            f"{name}: {found['skipped']}" for name, found in row.items() if found.get("skipped")
        ]
        parts.append(f"\nNot measured: {'; '.join(left)}.\n" if left else "")
    return "\n".join(parts)


def targets(figures: Figures) -> str:
    """What we want and what is, as Markdown."""
    results = figures["results"]
    # The fastest: what the machine can do, not what else it did at that time.
    awaits = min(results.get("W1", {}).get("bare asyncio", {}).get("seconds", [AWAITS]))
    slower = awaits / AWAITS
    lines = ["| | wanted, at most | here | measured | |", "|---|---|---|---|---|"]
    for workload, goal in GOALS.items():
        known = medians(results.get(workload, {}))
        if OURS not in known or not known.keys() & {"bare asyncio", "bare SQLite"}:
            continue
        most, ours = goal.most(known, slower), known[OURS]
        met = "met" if ours <= most else f"missed: {goal.why}" if goal.why else "missed"
        lines.append(f"| {workload} | {goal.words} | {shown(most)} | {shown(ours)} | {met} |")
    told = (
        f"*There* is the machine on which the goals were set, where ten bare awaits take "
        f"{shown(AWAITS)}; here they take {shown(awaits)} when least else is done, and goals that "
        f"Python alone decides are scaled by {slower:.1f}."
    )
    return "\n".join([*lines, "", told])


def versions(figures: Figures) -> str:
    named = [f"{name} {version}" for name, version in figures["versions"].items() if version]
    return ", ".join(named)


def write(figures: Figures, folder: Path) -> None:
    """Write the page between its marks, and the charts beside it."""
    drawn = []
    (folder / "speed").mkdir(exist_ok=True)
    for workload in (name for name in CHARTS if name in figures["results"]):
        known = {k: v for k, v in medians(figures["results"][workload]).items() if v > 0}
        file = folder / "speed" / f"{workload}.svg"
        told = {name: shown(value) for name, value in known.items()}
        file.write_text(bars(TITLES[workload], known, told, OURS), encoding="utf-8")
        drawn.append(f"![{TITLES[workload]}](speed/{workload}.svg)\n")
    about = (
        f"Measured on {figures['date']}: {figures['machine']}; {figures['python']}; load of the "
        f"machine {figures['load']}. Versions: {versions(figures)}."
    )
    absent = figures.get("absent")
    if absent:
        about += f" Left out of this run: {', '.join(absent)}."
    made = "\n".join([about, "", targets(figures), "", *drawn, table(figures)])
    put(folder / "speed.md", made)


def put(path: Path, made: str) -> None:
    """Write what was measured between its marks."""
    before, _, rest = path.read_text(encoding="utf-8").partition("<!-- measured -->")
    _, _, after = rest.partition("<!-- end -->")
    path.write_text(f"{before}<!-- measured -->\n\n{made}\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
