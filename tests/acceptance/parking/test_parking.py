"""Runs that wait cost disk, not memory, however many they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.acceptance.processes import linux

WORKER = Path(__file__).with_name("parking_worker.py")
#: How many the campaign parks.
COUNT = int(os.environ.get("ATOMITON_TEST_PARKED", "1000000"))
#: Seconds for one look at the store, whatever it holds.
QUICK = 0.1
LOOKS = ("opened", "page", "waiting", "show", "signal")
#: Most megabytes of the process, and how much more at the end than when it was warm: after a
#: tenth, but not before as many are in memory at the same time as there will ever be.
MOST, MORE, WARM = 80, 3, 4_000


def worker(*arguments: object) -> list[dict]:
    """What the worker says; its lines are shown as they come."""
    lines = []
    command = [sys.executable, str(WORKER), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", file=sys.__stderr__ if COUNT > 10_000 else None, flush=True)
            lines.append(json.loads(line))
    assert process.returncode == 0
    return lines


def park_and_look(store: Path, count: int) -> None:
    tenths = worker("park", store, count)
    assert tenths[-1]["parked"] == count
    bytes_each = store.stat().st_size / count
    looked = worker("look", store, *(tenth["run"] for tenth in tenths))[-1]
    print(f"{count:,} runs wait: {bytes_each:.0f} bytes each, {tenths[-1]['megabytes']:.0f} MB")
    print({name: f"{looked[name] * 1000:.1f} ms" for name in LOOKS})
    assert max(tenth["megabytes"] for tenth in tenths) < MOST
    warm = next(tenth for tenth in tenths if tenth["parked"] >= WARM)
    assert tenths[-1]["megabytes"] - warm["megabytes"] < MORE
    assert bytes_each < 1000
    assert looked["outputs"] == [tenth["parked"] for tenth in tenths]
    assert looked["driven"] == 0
    assert looked["megabytes"] < MOST
    for name in LOOKS:
        assert looked[name] < (10 * QUICK if name == "opened" else QUICK), name


@linux
@pytest.mark.slow
@pytest.mark.timed
def test_a_few_thousand_waiting_runs_cost_disk_not_memory(tmp_path: Path) -> None:
    park_and_look(tmp_path / "runs.db", 8_000)


@linux
@pytest.mark.campaign
def test_a_million_waiting_runs_cost_disk_not_memory(tmp_path: Path) -> None:
    park_and_look(tmp_path / "runs.db", COUNT)
