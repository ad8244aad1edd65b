"""A sink of a race that fails and goes on with ``on_error`` wins over nobody who may complete."""

from __future__ import annotations

import pytest
from tests.simulation.planting import found_by

from atomiton.blueprint.document import read_blueprint
from atomiton.drivers.simulation import STORM, Outcome, simulate
from atomiton.machine import ending, stopping
from atomiton.machine.commands import Command
from atomiton.machine.state import COMPLETED, Frame

SEEDS = 300
RACE, _ = read_blueprint("""
atomiton: 1
id: fallbacks
nodes:
  race:
    race: true
    nodes:
      a: {uses: sim.idempotent, on_error: {value: 1}}
      b: {uses: sim.once, on_error: {value: 2}}
      c: {uses: sim.pure}
""")


def outcomes() -> list[Outcome]:
    return [simulate(RACE, seed, STORM) for seed in range(SEEDS)]


def test_who_goes_on_after_a_failure_neither_wins_nor_ends_the_race() -> None:
    waited = sum("race.a=failed" in told(one) for one in outcomes())
    assert waited > 10, "no race went on after a failure"


def told(outcome: Outcome) -> list[str]:
    """What became of the nodes, in races that somebody else has won."""
    ends = dict(outcome.inner)
    won = "completed" in (ends.get("race.b"), ends.get("race.c"))
    return [f"{path}={status}" for path, status in ends.items()] if won else []


@pytest.mark.planted
def test_one_that_wins_all_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ending.complete

    def wrong(
        frame: Frame,
        node: int,
        output: object,
        now: float,
        out: list[Command],
        status: int = COMPLETED,
    ) -> None:
        right(frame, node, output, now, out, status)
        if frame.race and frame.winner < 0:
            frame.winner = node
            stopping.stop_frame(frame, None, now, out)

    monkeypatch.setattr(ending, "complete", wrong)  # how one that has failed goes on
    assert found_by(outcomes).law == "race"
