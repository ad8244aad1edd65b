"""Runs that stop at breakpoints end as the others, and go on after a crash as they stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from atomiton.blueprint.plan import Group, LoopPlan, MapPlan, Plan, PlanNode
from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulation import CALM, POINTS, STORM, simulate
from atomiton.machine.events import BreakpointChecked, Resumed

CHUNK = 20


def paths(nodes: Sequence[PlanNode], above: str = "") -> Iterator[str]:
    """Every node of a plan by its path."""
    for node in nodes:
        path = above + node.id
        yield path
        detail = node.detail
        if isinstance(detail, MapPlan | LoopPlan):
            detail = detail.node.detail
        if isinstance(detail, Group):
            yield from paths(detail.body.nodes, f"{path}.")


def every_other(plan: Plan, seed: int) -> list[str]:
    return list(paths(plan.root.nodes))[seed % 2 :: 2]


@pytest.mark.parametrize("first", range(0, 120, CHUNK))
def test_a_run_with_breakpoints_ends_as_one_without(first: int) -> None:
    stopped = 0
    for seed in range(first, first + CHUNK):
        plan, weather = random_plan(seed, weather_of(seed)), weather_of(seed)
        faults = STORM if weather == "storm" else CALM
        plain = simulate(plan, seed, faults)
        broken = simulate(plan, seed, faults, every_other(plan, seed))
        if weather != "storm":
            assert broken.same_end(plain, "calm"), f"seed {seed}"
        checked = [fact for fact in broken.facts if isinstance(fact, BreakpointChecked)]
        hits = sum(fact.stops for fact in checked)
        stopped += hits
        resumed = sum(isinstance(fact, Resumed) for fact in broken.facts)
        assert resumed or not hits or weather == "storm" or broken.status != "completed"
    assert stopped > 3


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_after_a_crash_at_any_write_it_stands_where_it_stood(seed: int) -> None:
    plan, weather = random_plan(seed, weather_of(seed)), weather_of(seed)
    base = STORM if weather == "storm" else CALM
    stops = every_other(plan, seed)
    first = simulate(plan, seed, base, stops)
    for place in range(min(first.writes, 40) * POINTS):
        again = simulate(plan, seed, replace(base, crash_at=place), stops)
        assert weather == "storm" or again.same_end(first, "calm"), f"seed {seed}, place {place}"
