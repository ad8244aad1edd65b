"""What an expression costs beside the Python that says the same.

uv run python benchmarks/expressions.py
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import TypeVar

from atomiton.blueprint.expressions import parse, parse_template

Scope = dict[str, object]
T = TypeVar("T")

ROWS = [{"id": i, "total": i % 200, "status": "paid" if i % 3 else "open"} for i in range(100_000)]
SCOPE: Scope = {"item": {"id": 1, "total": 120, "status": "paid"}, "rows": ROWS}
LOADERS: dict[str, Callable[[Scope], object]] = {
    "item": lambda scope: scope["item"],
    "rows": lambda scope: scope["rows"],
}


def best(call: Callable[[], object], number: int) -> float:
    """Microseconds of one call, the best of seven rounds."""
    return min(timeit.repeat(call, number=number, repeat=7)) / number * 1e6


def row(name: str, ours: float, python: float | None) -> None:
    ratio = "" if python is None else f"{python:12.3f} {ours / python:8.1f}x"
    print(f"{name:42} {ours:12.3f} {ratio}")


def main() -> None:
    print(f"{'µs':>55} {'Python µs':>12} {'ratio':>9}")
    pairs: list[tuple[str, str, Callable[[Scope], object], int]] = [
        ("reference", "item.total", lambda s: s["item"]["total"], 200_000),  # type: ignore[index]
        (
            "condition",
            'item.total > 100 && item.status == "paid"',
            lambda s: s["item"]["total"] > 100 and s["item"]["status"] == "paid",  # type: ignore[index]
            200_000,
        ),
        (
            "filter of 100,000",
            'rows.filter(r, r.total > 100 && r.status == "paid")',
            lambda _: [r for r in ROWS if r["total"] > 100 and r["status"] == "paid"],  # type: ignore[operator]
            3,
        ),
        (
            "map of 100,000",
            "rows.map(r, r.total * 2)",
            lambda _: [r["total"] * 2 for r in ROWS],  # type: ignore[operator]
            3,
        ),
    ]
    for name, source, python, number in pairs:
        run = parse(source).bind(LOADERS)
        assert run(SCOPE) == python(SCOPE)
        row(name, best(lambda: run(SCOPE), number), best(lambda: python(SCOPE), number))  # noqa: B023
    fill = parse_template("Order ${{ item.id }}: ${{ item.total }}").bind(LOADERS)
    row("template with two parts", best(lambda: fill(SCOPE), 100_000), None)
    source = pairs[1][1]
    row("parse a condition", best(lambda: parse(source), 2_000), None)
    expression = parse(source)
    row("bind a condition", best(lambda: expression.bind(LOADERS), 20_000), None)


if __name__ == "__main__":
    main()
