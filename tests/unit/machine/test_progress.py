"""How far a run is."""

from __future__ import annotations

import math

import pytest
from tests.unit.machine.making import T0, bad, begun, compiled, fire, lost, ok, plan_of, uses

from atomiton.blueprint.model import Retry
from atomiton.machine import RunState, apply
from atomiton.machine.events import AttemptCompleted
from atomiton.machine.progress import Progress, ProgressMeter


def test_nodes_count_by_their_weight() -> None:
    run, _ = begun(plan_of(uses("a", weight=3), uses("b", 0, weight=1)))
    meter = ProgressMeter(run)
    assert meter.read(T0 + 1) == Progress(0.0, 0, 2, ("a",), None)
    ok(run, 0)
    assert meter.read(T0 + 3) == Progress(0.75, 1, 2, ("b",), 1.0)
    ok(run, 1)
    assert meter.read(T0 + 4) == Progress(1.0, 2, 2, (), 0.0)


def test_an_attempt_counts_as_far_as_it_says() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    meter = ProgressMeter(run)
    meter.report(0, 0, 0.5)
    assert meter.read(T0).fraction == 0.25
    meter.report(0, 0, 7.0)
    assert meter.read(T0).fraction == 0.5


@pytest.mark.parametrize("fraction", [math.nan, -1.0, -math.inf])
def test_what_is_no_share_counts_as_nothing(fraction: float) -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    meter = ProgressMeter(run)
    meter.report(0, 0, fraction)
    ok(run, 1)
    assert meter.read(T0).fraction == 0.5


def test_it_never_goes_back() -> None:
    run, _ = begun(plan_of(uses("a", retry=Retry(attempts=2)), uses("b", 0)))
    meter = ProgressMeter(run)
    meter.report(0, 0, 0.8)
    assert meter.read(T0).fraction == 0.4
    meter.report(0, 0, 0.2)
    bad(run, 0)
    assert meter.read(T0).fraction == 0.4
    fire(run)
    lost(run, 0)
    assert meter.read(T0).fraction == 0.4


def test_weightless_nodes_are_done_at_the_end_only() -> None:
    run, _ = begun(plan_of(uses("a", weight=0)))
    meter = ProgressMeter(run)
    assert meter.read(T0).fraction == 0
    ok(run, 0)
    assert meter.read(T0).fraction == 1


def test_the_estimate_begins_with_the_first_moment() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    ok(run, 0)
    assert ProgressMeter(run).read(T0 + 0.5).left == 0.5


def test_nothing_is_estimated_when_the_clock_went_back() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    ok(run, 0)
    assert ProgressMeter(run).read(T0 - 5).left is None


def done(run: RunState, path: str) -> None:
    """Complete the node of that path."""
    for frame in list(run.frames.values()):
        for node in range(len(frame.status)):
            if frame.path(node) == path:
                apply(run, AttemptCompleted(T0, frame.id, node, frame.attempts[node], None))
                return
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("node", "steps"),
    [
        ("nodes: {x: {V, weight: 3}, y: {V, needs: x}}", [("n.x", 0.375), ("n.y", 0.5)]),
        ("map: [1, 2, 3, 4], concurrency: 1, V", [("n[0]", 0.125), ("n[1]", 0.25)]),
        ("map: [1, 2], nodes: {x: {V, weight: 5}, y: {V}}", [("n[0].x", 5 / 24), ("n[1].y", 0.25)]),
        ("loop: {times: 4}, V", [("n[0]", 0.125), ("n[1]", 0.25)]),
        ("loop: {times: 0}, V", []),
        ("loop: {until: index == 1}, V", [("n[0]", 0.5 / 3), ("n[1]", 0.5)]),
    ],
)
def test_what_is_inside_counts_for_the_node_that_holds_it(
    node: str, steps: list[tuple[str, float]]
) -> None:
    node = node.replace("V", "uses: data.value, with: {value: 1}")
    run, _ = begun(compiled(f"nodes: {{n: {{{node}}}, z: {{wait: {{signal: s}}}}}}"))
    meter = ProgressMeter(run)
    assert meter.read(T0).fraction == (0.0 if steps else 0.5)
    for path, fraction in steps:
        assert path in meter.read(T0).running
        done(run, path)
        assert meter.read(T0).fraction == pytest.approx(fraction)
