"""Joins: a node whose status is only looked at makes order, and is nothing that is waited for."""

from __future__ import annotations

import pytest
from tests.unit.machine.making import T0, names

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.drivers.simulated_blueprints import SimulatedTypes
from atomiton.errors import BlueprintError
from atomiton.machine import RunState, apply
from atomiton.machine.events import (
    AttemptCompleted,
    RunRequested,
)


def begun(nodes: str) -> RunState:
    text = "{atomiton: 1, id: joins, nodes: {" + nodes + "}}"
    run = RunState(compile_blueprint(read_blueprint(text)[0], SimulatedTypes()))
    apply(run, RunRequested(T0, "r", {}))
    return run


def ok(run: RunState, name: str) -> None:
    node = run.plan.paths().index(name)
    apply(run, AttemptCompleted(T0, 0, node, run.top.attempts[node], {"value": 1}))


def status(run: RunState, name: str) -> str:
    return names(run)[run.plan.paths().index(name)]


ROUTES = """
  b: {branch: {high: "false", low: else}},
  h: {uses: sim.pure, needs: [b.high]},
"""


def test_looking_at_a_node_on_another_route_starts_nothing() -> None:
    run = begun(ROUTES + "l: {uses: sim.pure, needs: [b.high], if: nodes.x.status != 'none'},"
                "x: {uses: sim.pure, needs: [b.low]}")  # fmt: skip
    ok(run, "x")
    assert names(run) == ["completed", "skipped", "skipped", "completed"]


def test_looking_at_a_node_keeps_nothing_from_standing_in() -> None:
    run = begun(ROUTES + "l: {uses: sim.pure, needs: [b.low], if: nodes.h.status != 'none'},"
                "m: {uses: sim.pure, needs: [h, l]}")  # fmt: skip
    ok(run, "l")
    assert status(run, "m") == "running"


TWO_BRANCHES = """
  b: {branch: {high: "false", medium: else, low: "false"}},
  h: {uses: sim.pure, needs: [b.high]}, m: {uses: sim.pure, needs: [b.medium]},
  l: {uses: sim.pure, needs: [b.low]},
  c: {branch: {x: "true", y: else}},
  x: {uses: sim.pure, needs: [c.x]}, y: {uses: sim.pure, needs: [c.y]},
"""


def test_where_two_branches_come_together_lies_on_the_routes_of_each() -> None:
    run = begun(TWO_BRANCHES + "n: {uses: sim.pure, needs: [h, l, x, y]},"
                "z: {uses: sim.pure, needs: [n, m]}")  # fmt: skip
    ok(run, "x")
    assert status(run, "n") == "skipped"
    ok(run, "m")
    assert status(run, "z") == "running"


DISABLED = "x: {uses: sim.pure, enabled: false}, y: {uses: sim.pure, enabled: false},"
LATER = "z: {uses: sim.pure},"


@pytest.mark.parametrize("join", ["any", "first", "{at_least: 1}"])
def test_a_node_that_is_looked_at_does_not_count_as_one_that_has_completed(join: str) -> None:
    node = f"m: {{uses: sim.pure, needs: [x, y], join: {join}, if: nodes.z.status != 'none'}}"
    run = begun(DISABLED + LATER + node)
    ok(run, "z")
    assert status(run, "m") == "skipped"
    assert run.status == "completed"


def test_a_node_that_is_looked_at_must_have_ended() -> None:
    first = "m: {uses: sim.pure, needs: [a, b], join: first, if: nodes.z.status == 'completed'}"
    run = begun("a: {uses: sim.pure}, b: {uses: sim.pure}," + LATER + first)
    ok(run, "a")
    assert status(run, "m") == "pending"
    ok(run, "z")
    assert status(run, "m") == "running"


def test_any_of_nothing_but_what_is_looked_at_is_given() -> None:
    run = begun(LATER + "m: {uses: sim.pure, join: any, if: nodes.z.status != 'none'}")
    ok(run, "z")
    assert status(run, "m") == "running"


def test_what_is_looked_at_cannot_be_one_of_at_least_so_many() -> None:
    node = "m: {uses: sim.pure, needs: [z], join: {at_least: 2}, if: nodes.y.status != 'none'}"
    with pytest.raises(BlueprintError, match="waits for 2 nodes, but depends on 1"):
        begun("y: {uses: sim.pure}," + LATER + node)
