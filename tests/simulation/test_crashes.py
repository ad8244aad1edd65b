"""Every law holds whatever a process dies of, and whenever.

A failing seed is repeated, and tells its story, with

    python -m atomiton.drivers.simulation SEED
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence

import pytest

from atomiton.blueprint.plan import Plan
from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulated_world import Violation
from atomiton.drivers.simulation import POINTS, STORM, Faults, Tally, check_seed, simulate
from atomiton.machine import RunState, apply, bodies
from atomiton.machine.commands import Command
from atomiton.machine.events import Event
from atomiton.machine.finishing import undone

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


def test_bodies_that_are_forgotten_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of maps and loops with very many items the bodies are let go of once they have ended."""
    stories = []
    for seed in range(400):
        plan = random_plan(seed, weather_of(seed))
        stories.append((plan, simulate(plan, seed, STORM).facts))
    kept = [replayed(plan, facts) for plan, facts in stories]
    monkeypatch.setattr(bodies, "KEPT", 0)
    forgotten = 0
    for (plan, facts), (run, commands) in zip(stories, kept, strict=True):
        again, same = replayed(plan, facts)
        assert same == commands
        assert undone(again) == undone(run)
        forgotten += len(run.frames) - len(again.frames)
    assert forgotten > 40


def replayed(plan: Plan, facts: Sequence[Event]) -> tuple[RunState, list[Command]]:
    run = RunState(plan)
    return run, [command for fact in facts for command in apply(run, fact)]
