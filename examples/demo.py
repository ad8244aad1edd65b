"""What ``make demo`` shows: a real report, made by the real command line.

Starts a stand-in for two services of a company on a free port of this machine, runs the order
report against it with live progress, and shows what was made. Touches nothing outside ``out/``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

from examples.orders.service import Service

ROOT = Path(__file__).resolve().parent.parent
BLUEPRINT = "examples/orders/report.yaml"
#: Exit status of a program that Ctrl-C has ended, and of ``atomiton run`` whose run was cancelled.
STOPPED = 130
CANCELLED = 3


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


def run(url: str, folder: str) -> int:
    """Run the blueprint in a process of its own; its progress goes to the screen."""
    command = ["atomiton", "run", BLUEPRINT, "--input", f"service={url}"]
    command += ["--input", f"folder={folder}/orders"]
    print(f"$ {shlex.join(command)}", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "ATOMITON_STORE": f"{folder}/runs.db"},
        stdout=subprocess.DEVNULL,
    )
    try:
        status = process.wait()
    except KeyboardInterrupt:
        # The terminal has interrupted it as well: it cancels its run, and then ends.
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return STOPPED
    return STOPPED if status == CANCELLED else status


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


def point_out(folder: str, seconds: float) -> None:
    """What was made, where, and what to try next."""
    made = {
        f"{folder}/orders/report.json": "the figures above",
        f"{folder}/orders/orders.xlsx": "the orders that counted, as a workbook",
        f"{folder}/runs.db": "every step of the run, on record",
    }
    print(f"\nMade in {seconds:.1f} s:")
    for path, what in made.items():
        print(f"  {path:<24} {what}")
    print("\nNext:")
    print("  .venv/bin/atomiton run examples/chain/chain.yaml --input start=32")
    print(f"  .venv/bin/atomiton runs list --store {folder}/runs.db")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="out", help="where to put what is made")
    folder = parser.parse_args().folder
    print("Big orders of a CSV file, priced over HTTP, as JSON and XLSX.")
    print("The service answers the first request with 503, so you can see a retry.\n")
    started = time.perf_counter()
    with Service() as service:
        status = run(service.url, folder)
    if status == 0:
        with (ROOT / folder / "orders" / "report.json").open(encoding="utf-8") as stream:
            show(json.load(stream))
        point_out(folder, time.perf_counter() - started)
    elif status == STOPPED:
        print("\nstopped")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped")
        sys.exit(STOPPED)
