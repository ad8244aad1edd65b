"""The examples work as their pages say, by the real command line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from examples.crawl.website import SLOWNESS, Website
from examples.orders.generate import HEADERS, orders
from examples.orders.service import COUNTRIES, Service, customer, rates
from python_calamine import load_workbook

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def atomiton(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "atomiton", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "ATOMITON_STORE": str(folder / "runs.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def expected_totals(threshold: float) -> dict[str, tuple[int, float]]:
    """Orders and money by country, computed by other means."""
    in_euros = rates("EUR")["rates"]
    assert isinstance(in_euros, dict)
    totals: dict[str, tuple[int, float]] = {}
    for row in orders():
        order = dict(zip(HEADERS, row, strict=True))
        amount = int(order["quantity"]) * float(order["price"])
        if order["status"] == "cancelled" or amount < threshold:
            continue
        country = customer(order["customer"])["country"]
        count, total = totals.get(country, (0, 0.0))
        totals[country] = (count + 1, total + amount * in_euros[order["currency"]])
    return totals


def test_the_orders_are_those_that_the_script_makes() -> None:
    path = EXAMPLES / "orders" / "orders.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [list(HEADERS), *map(list, orders())]
    assert path.stat().st_size < 200_000


def test_the_order_report_is_right(tmp_path: Path) -> None:
    with Service(failures=2) as service:
        ended = atomiton(
            tmp_path, "run", EXAMPLES / "orders" / "report.yaml", "--json",
            "--input", f"service={service.url}", "--input", "threshold=2500",
            "--input", f"folder={tmp_path}",
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "Unclosed" not in ended.stderr
    said = json.loads(ended.stdout)
    assert said["status"] == "completed"
    assert said["nodes"]["rates"]["attempts"] == 3
    report = json.loads((tmp_path / "report.json").read_text())
    wanted = expected_totals(2500)
    assert set(wanted) == set(COUNTRIES)
    assert {row["country"]: row["orders"] for row in report["countries"]} == {
        country: count for country, (count, _) in wanted.items()
    }
    for row in report["countries"]:
        assert row["total"] == pytest.approx(wanted[row["country"]][1], abs=1)
    totals = [row["total"] for row in report["countries"]]
    assert totals == sorted(totals, reverse=True)
    assert report["total"] == pytest.approx(sum(totals))
    rows = load_workbook(str(tmp_path / "orders.xlsx")).get_sheet_by_index(0).to_python()
    assert len(rows) == 1 + report["orders_counted"] == 1 + sum(n for n, _ in wanted.values())
    assert rows[0][:2] == ["id", "date"]
    assert all(isinstance(row[0], str) and len(row[0]) == 6 for row in rows[1:])


def test_a_service_that_stays_away_is_an_error_that_says_so(tmp_path: Path) -> None:
    with Service() as service:
        away = service.url
    ended = atomiton(
        tmp_path, "run", EXAMPLES / "orders" / "report.yaml", "--json",
        "--input", f"service={away}", "--input", f"folder={tmp_path}",
    )  # fmt: skip
    assert ended.returncode == 1
    error = json.loads(ended.stdout)["error"]
    assert error["code"] == "CONNECTION"
    assert error["node"] in ("rates", "customers")
    assert not (tmp_path / "report.json").exists()


def test_the_order_report_passes_its_own_tests(tmp_path: Path) -> None:
    ended = atomiton(tmp_path, "test", EXAMPLES / "orders" / "report.test.yaml", "--json")
    said = json.loads(ended.stdout)
    assert (ended.returncode, said["passed"], said["failed"]) == (0, 3, 0), said
    assert not (ROOT / "examples" / "orders" / "out").exists()


def test_the_chain_adds_ten(tmp_path: Path) -> None:
    ended = atomiton(tmp_path, "run", EXAMPLES / "chain" / "chain.yaml", "--input", "start=32")
    assert (ended.returncode, ended.stdout) == (0, "42\n")


def test_the_crawl_is_parallel_and_complete(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with Website() as site:
        ended = atomiton(
            tmp_path, "run", EXAMPLES / "crawl" / "crawl.yaml", "--json",
            "--nodes", EXAMPLES / "crawl" / "nodes.py",
            "--input", f"site={site.url}", "--input", f"path={report}",
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["duration_ms"] < said["output"]["waited_ms"]
    assert said["output"]["waited_ms"] >= 8 * SLOWNESS * 1000
    made = json.loads(report.read_text())
    assert made["pages"] == 7
    assert made["not_visited"] == ["/contact"]
    assert made["titles"]["/"] == "Lamps & Sons"
    assert made["linked_from"]["/"] == 5
    assert made["linked_from"]["/help"] == 3


def demo(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.demo", "--folder", folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_demo_shows_what_it_made(tmp_path: Path) -> None:
    process = demo(tmp_path)
    said, progress = process.communicate(timeout=60)
    assert process.returncode == 0, progress
    assert "503" in progress
    assert "big completed in " in progress
    assert "big completed in 0.0 ms" not in progress
    for line in ("United Kingdom", "588", "of 3,000 orders read", "Next:"):
        assert line in said
    assert json.loads((tmp_path / "orders" / "report.json").read_text())["orders_counted"] == 588
    assert sorted(path.name for path in (tmp_path / "orders").iterdir()) == [
        "orders.xlsx",
        "report.json",
    ]
    assert (tmp_path / "runs.db").exists()


def test_the_demo_can_be_interrupted(tmp_path: Path) -> None:
    process = demo(tmp_path)
    assert process.stderr is not None
    while "rates failed" not in process.stderr.readline():
        assert process.poll() is None
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, progress = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.endswith("stopped\n")
    assert "Traceback" not in progress
    assert time.monotonic() - started < 5
    assert not (tmp_path / "orders" / "report.json").exists()
