"""Every law holds whatever a process dies of, and whenever.

A failing seed is repeated, and tells its story, with

    python -m atomiton.drivers.simulation SEED
"""

from __future__ import annotations

import multiprocessing
import time

import pytest

from atomiton.drivers.simulated_blueprints import random_plan
from atomiton.drivers.simulated_world import Violation
from atomiton.drivers.simulation import POINTS, Faults, Tally, check_seed, simulate

SHORT = 300
CHUNK = 30
CAMPAIGN = 10_000


@pytest.mark.parametrize("first", range(0, SHORT, CHUNK))
def test_every_law_holds_with_a_crash_at_every_write(first: int) -> None:
    for seed in range(first, first + CHUNK):
        tally = check_seed(seed)
        assert tally.runs > POINTS
        assert tally.crashes >= tally.runs - 5, "a crash was asked for and did not come"


def tried(seed: int) -> tuple[int, Tally, str]:
    """Try a seed in another process, which hands back plain data."""
    try:
        return seed, check_seed(seed), ""
    except Violation as violation:
        return seed, Tally(), f"{violation} ({violation.__notes__[0]})"


@pytest.mark.campaign
def test_ten_thousand_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    before = time.monotonic()
    total, violations = Tally(), list[str]()
    # A fresh process for each: nothing of the test runner's state is shared.
    with multiprocessing.get_context("spawn").Pool() as pool:
        for seed, tally, problem in pool.imap_unordered(tried, range(CAMPAIGN), chunksize=20):
            total.runs += tally.runs
            total.crashes += tally.crashes
            total.writes += tally.writes
            if problem:
                violations.append(f"seed {seed}: {problem}")
    with capsys.disabled():
        print(
            f"\n{CAMPAIGN:,} seeds, {total.runs:,} runs, {total.writes:,} journal writes, "
            f"{total.crashes:,} crashes in {time.monotonic() - before:.0f} s: "
            f"{len(violations)} violations"
        )
    assert violations == []


def test_many_crashes_end_some_time() -> None:
    crashes = [
        simulate(random_plan(seed), seed, Faults(crashes=0.25, power=0.5, lost=0.1)).crashes
        for seed in range(40)
    ]
    assert sum(crashes) > 100
