"""The page and the charts of what was measured side by side."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def goals() -> dict[str, tuple[str, Any]]:
    """For each workload what we want: in words, and whether our median and those of others do."""
    return {
        "W1": ("15 µs", lambda us, _: us <= 15e-6),
        "W1d": ("1.3 × bare SQLite", lambda us, bare: us <= 1.3 * bare["bare SQLite"]),
        "W2": ("asyncio.gather", lambda us, bare: us <= bare["bare asyncio"]),
        "W2d": ("30 ms", lambda us, _: us <= 0.030),
        "W3": ("11.0 ms", lambda us, _: us <= 0.011),
        "W4": ("40 µs", lambda us, _: us <= 40e-6),
        "W5": ("200 µs (5,000 runs a second)", lambda us, _: us <= 1 / 5000),
        "W6": ("120 ms", lambda us, _: us <= 0.120),
        **{
            name: ("1 ms more than bare asyncio", lambda us, bare: us - bare["bare asyncio"] < 1e-3)
            for name in ("P1", "P2", "P3", "P4", "P5")
        },
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
    lines = ["| | wanted, at most | measured | |", "|---|---|---|---|"]
    for workload, (words, reached) in goals().items():
        known = medians(figures["results"].get(workload, {}))
        if OURS in known:
            met = "met" if reached(known[OURS], known) else "missed"
            lines.append(f"| {workload} | {words} | {shown(known[OURS])} | {met} |")
    return "\n".join(lines)


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
