"""The examples work as their pages say, by the real command line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples.checkout.shop import shop
from examples.crawl.website import SLOWNESS, Website
from examples.filejobs.generate import BROKEN, COUNT, generate, values
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


# -- checkout ------------------------------------------------------------------------------------


def check_out(folder: Path, country: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Order at a new shop; what the run gave, and what the shop has in its file."""
    with shop(folder / "shop.json") as url:
        ended = atomiton(
            folder, "run", EXAMPLES / "checkout" / "checkout.yaml", "--json",
            "--input", f"shop={url}", "--input", f"country={country}",
        )  # fmt: skip
    said = json.loads(ended.stdout)
    assert ended.returncode == (0 if said["status"] == "completed" else 1), ended.stderr
    return said, json.loads((folder / "shop.json").read_text())


def test_an_order_is_charged_once_although_the_answer_got_lost(tmp_path: Path) -> None:
    said, kept = check_out(tmp_path, "Portugal")
    assert said["output"] == {"shipment": "shipment-1", "payment": "payment-1"}
    assert said["nodes"]["charge"]["attempts"] == 2
    assert kept["done"] == ["reserved reservation-1", "charged payment-1", "shipped shipment-1"]
    run = said["run"]
    assert kept["keys"] == {f"{run}/reserve": 1, f"{run}/charge": 2, f"{run}/ship": 1}


def test_an_order_that_cannot_be_shipped_is_undone_once_in_reverse(tmp_path: Path) -> None:
    said, kept = check_out(tmp_path, "Atlantis")
    assert (said["status"], said["error"]["node"]) == ("failed", "ship")
    assert said["error"]["details"]["status"] == 422
    assert said["nodes"]["ship"]["attempts"] == 1  # it would not get better
    assert said["compensation"] == {"completed": ["charge", "reserve"], "failed": []}
    assert kept["done"] == [
        "reserved reservation-1", "charged payment-1", "refunded payment-1",
        "released reservation-1",
    ]  # fmt: skip
    sent = {key.removeprefix(f"{said['run']}/"): times for key, times in kept["keys"].items()}
    assert sent == {"reserve": 1, "charge": 2, "ship": 1, "refund": 1, "release": 1}


# -- file jobs -----------------------------------------------------------------------------------


def test_broken_files_are_collected_and_the_others_summed_up(tmp_path: Path) -> None:
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    generate(inbox)
    ended = atomiton(
        tmp_path, "run", EXAMPLES / "filejobs" / "filejobs.yaml", "--json",
        "--input", f"folder={inbox}", "--input", f"out={out}",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    good = [number for number in range(COUNT) if number not in BROKEN]
    assert json.loads((out / "report.json").read_text()) == {
        "files": COUNT,
        "read": len(good),
        "warmest": max(max(values(number)) for number in good),
        "broken": [f"S{number:03}.json" for number in BROKEN],
    }
    nodes = json.loads(ended.stdout)["nodes"]
    failed = [path for path, node in nodes.items() if node["status"] == "failed"]
    assert {f"each[{number}].read" for number in BROKEN} <= set(failed)
    assert nodes["each"]["status"] == "completed"
    rows = load_workbook(str(out / "stations.xlsx")).get_sheet_by_index(0).to_python()
    assert rows[0] == ["file", "station", "average", "coldest", "warmest"]
    assert [row[1] for row in rows[1:]] == [f"S{number:03}" for number in good]
    for number, row in zip(good, rows[1:], strict=True):
        measured = values(number)
        assert row[2] == pytest.approx(sum(measured) / 24, abs=0.051)
        assert row[3:] == [min(measured), max(measured)]


# -- poll ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slow", "questions"), [(0, 1), (4, 5), (19, 20)])
def test_polling_ends_when_it_is_ready(slow: int, questions: int, tmp_path: Path) -> None:
    with shop(tmp_path / "shop.json", slow=slow) as url:
        ended = atomiton(
            tmp_path, "run", EXAMPLES / "poll" / "poll.yaml", "--input", f"shop={url}"
        )  # fmt: skip
    assert json.loads(ended.stdout) == {"questions": questions, "orders": [17, 18, 21]}
    asked = json.loads((tmp_path / "shop.json").read_text())["asked"]
    assert asked == {"export-1": questions}


def test_polling_gives_up_after_its_most_questions(tmp_path: Path) -> None:
    with shop(tmp_path / "shop.json", slow=20) as url:
        ended = atomiton(
            tmp_path, "run", EXAMPLES / "poll" / "poll.yaml", "--json", "--input", f"shop={url}"
        )  # fmt: skip
    assert ended.returncode == 1
    error = json.loads(ended.stdout)["error"]
    assert (error["code"], error["node"]) == ("LOOP_LIMIT", "ready")
    assert json.loads((tmp_path / "shop.json").read_text())["asked"] == {"export-1": 20}


# -- approval ------------------------------------------------------------------------------------


def ask(folder: Path, *options: str) -> list[str]:
    """The command that pays once it is allowed."""
    file = str(EXAMPLES / "approval" / "approval.yaml")
    return ["run", file, "--input", f"path={folder / 'paid.json'}", *options]


def asked_and_left(folder: Path) -> None:
    left = atomiton(folder, *ask(folder, "--detach"))
    assert left.returncode == 4, left.stderr


def asked_and_killed(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "atomiton", *ask(folder)],
        cwd=ROOT,
        env={**os.environ, "ATOMITON_STORE": str(folder / "runs.db")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "waits for an approval" not in (line := process.stderr.readline()):
        assert line, "it ended without having asked"
    process.kill()
    process.communicate(timeout=20)


@pytest.mark.parametrize("asked", [asked_and_left, asked_and_killed])
def test_an_approval_comes_after_the_process_has_ended(
    asked: Callable[[Path], None], tmp_path: Path
) -> None:
    asked(tmp_path)
    paid = tmp_path / "paid.json"
    (run,) = json.loads(atomiton(tmp_path, "runs", "list", "--json").stdout)
    assert (run["status"], run["driven"], paid.exists()) == ("waiting", False, False)
    wrong = atomiton(tmp_path, "runs", "approve", "last", "--by", "ada")
    assert wrong.returncode == 2
    assert "cost_centre" in wrong.stderr
    ended = atomiton(
        tmp_path, "runs", "approve", "last", "--by", "ada", "--field", "cost_centre=K7"
    )
    assert (ended.returncode, ended.stdout) == (0, "granted\n"), ended.stderr
    assert json.loads(paid.read_text()) == {
        "amount": 4200, "to": "Lamps & Sons", "allowed_by": "ada", "cost_centre": "K7",
    }  # fmt: skip
    again = atomiton(tmp_path, "runs", "approve", "last", "--field", "cost_centre=K7")
    assert again.returncode == 2


def test_what_is_denied_is_not_paid(tmp_path: Path) -> None:
    asked_and_left(tmp_path)
    ended = atomiton(tmp_path, "runs", "approve", "last", "--deny", "--comment", "too dear")
    assert (ended.returncode, ended.stdout) == (0, "denied\n"), ended.stderr
    assert "not paid: too dear" in ended.stderr
    assert not (tmp_path / "paid.json").exists()


# -- the demo ------------------------------------------------------------------------------------


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
