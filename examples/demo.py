"""What ``make demo`` shows: a real report, made by the real command line.

Starts a stand-in for two services of a company on a free port of this machine, runs the order
report against it with live progress, and shows what was made. Touches nothing outside ``out/``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

from orders.service import Service

ROOT = Path(__file__).resolve().parent.parent
BLUEPRINT = "examples/orders/report.yaml"
STORE = "out/runs.db"
OUT = "out/orders"


class Country(TypedDict):
    """A line of the report."""

    country: str
    orders: int
    total: float
    largest: float


class Report(TypedDict):
    """The report, as it stands in its file."""

    currency: str
    orders_read: int
    orders_counted: int
    total: float
    countries: list[Country]


def run(url: str) -> int:
    """Run the blueprint in a process of its own; its progress goes to the screen."""
    shown = f"atomiton run {BLUEPRINT} --input service={url}"
    print(f"$ {shown}", flush=True)
    command = [sys.executable, "-m", *shown.split()]
    environment = {**os.environ, "ATOMITON_STORE": STORE}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has interrupted it as well: it cancels its run, and then ends.
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return 130


def show(report: Report) -> None:
    """The report as a table."""
    currency = report["currency"]
    print(f"\n{'country':<16}{'orders':>8}{'total ' + currency:>16}{'largest':>14}")
    for row in report["countries"]:
        print(
            f"{row['country']:<16}{row['orders']:>8}{row['total']:>16,.2f}{row['largest']:>14,.2f}"
        )
    total, counted = report["total"], report["orders_counted"]
    print(f"{'all':<16}{counted:>8}{total:>16,.2f}   of {report['orders_read']:,} orders read")


def point_out(seconds: float) -> None:
    """What was made, where, and what to try next."""
    print(f"\nMade in {seconds:.1f} s:")
    for name, what in (
        ("report.json", "the figures above"),
        ("orders.xlsx", "the orders that counted, as a workbook"),
    ):
        print(f"  {OUT}/{name:<14}{what}")
    print(f"  {STORE:<25}every step of the run, on record\n")
    runner = "uv run " if os.environ.get("VIRTUAL_ENV") is None else ""
    print("Next:")
    print(f"  {runner}atomiton run examples/chain/chain.yaml --input start=32")
    print(f"  ATOMITON_STORE={STORE} {runner}atomiton runs list")


def main() -> int:
    print("Big orders of a CSV file, priced over HTTP, as JSON and XLSX.")
    print("The service answers the first request with 503, so you can see a retry.\n")
    started = time.perf_counter()
    with Service() as service:
        status = run(service.url)
    if status == 0:
        with (ROOT / OUT / "report.json").open(encoding="utf-8") as stream:
            show(json.load(stream))
        point_out(time.perf_counter() - started)
    elif status == 130:
        print("\nstopped")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped")
        sys.exit(130)
