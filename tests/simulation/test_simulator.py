"""The simulator itself: one number replays everything, and it can tell what happened."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import pytest

from atomiton.blueprint.model import Blueprint, Limits, Node, Retry, Wait
from atomiton.drivers import simulation
from atomiton.drivers.simulated_blueprints import SimulatedTypes, random_blueprint, random_plan
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_laws import Laws
from atomiton.drivers.simulated_world import Violation, script_of
from atomiton.drivers.simulation import CALM, STORM, Faults, main, simulate
from atomiton.errors import IllegalEvent, NotFound
from atomiton.machine import RunState
from atomiton.machine.events import Paused

PRINT = """
import zlib
from atomiton.drivers.simulated_blueprints import random_plan
from atomiton.drivers.simulation import STORM, simulate
from atomiton.machine.records import encode
import msgspec
from msgspec.structs import replace
faults = replace(STORM, crashes=0.05)
digest = 0
for seed in range(40):
    outcome = simulate(random_plan(seed), seed, faults)
    for part in (*outcome.commands, *outcome.facts, *outcome.effects):
        digest = zlib.crc32(msgspec.msgpack.encode(part), digest)
print(digest)
"""


def test_one_number_replays_everything() -> None:
    for seed in range(20):
        again = [
            simulate(random_plan(seed), seed, Faults(crashes=0.1, lost=0.1, requests=3))
            for _ in range(2)
        ]
        assert again[0] == again[1]
        assert again[0].story == again[1].story


def test_the_same_facts_give_the_same_bytes_for_every_hash_seed() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(digests) == 1
    assert digests != {"0\n"}


def test_seeds_draw_all_there_is() -> None:
    """What is never drawn is never tested."""
    nodes = [node for seed in range(300) for node in random_blueprint(seed).nodes.values()]
    limits = [random_blueprint(seed).limits for seed in range(300)]
    outcomes = [simulate(random_plan(seed), seed, STORM) for seed in range(300)]
    assert {node.uses for node in nodes} == {"sim.pure", "sim.idempotent", "sim.once", None}
    for field in ("if_", "retry", "timeout", "deadline", "on_error", "wait", "needs"):
        assert 10 < sum(bool(getattr(node, field)) for node in nodes) < len(nodes)
    assert 0 < sum(not node.enabled for node in nodes) < 200
    for field in ("concurrency", "steps", "timeout"):
        assert 5 < sum(getattr(limit, field) is not None for limit in limits) < 295
    assert max(len(random_blueprint(seed).nodes) for seed in range(300)) == 12
    assert {outcome.status for outcome in outcomes} == {"completed", "failed", "cancelled"}
    codes = {outcome.error.code for outcome in outcomes if outcome.error}
    assert codes >= {"TIMEOUT", "CANCELLED", "FLAKY", "NOT_FOUND", "EXPRESSION_ERROR"}
    facts = {type(fact).__name__ for outcome in outcomes for fact in outcome.facts}
    assert len(facts) == 11, "every kind of fact occurs"


def test_a_blueprint_of_ones_own() -> None:
    nodes = {
        "first": Node(uses="sim.once", retry=Retry(attempts=3)),
        "pause": Node(wait=Wait(seconds=60.0), needs=("first",)),
        "last": Node(uses="sim.pure", with_={"values": ["${{ first.value }}"]}, needs=("pause",)),
    }
    blueprint = Blueprint(id="own", nodes=nodes, limits=Limits(concurrency=1))
    outcome = next(
        found
        for found in (simulate(blueprint, seed) for seed in range(20))
        if found.status == "completed"
    )
    assert outcome.nodes == dict.fromkeys(nodes, "completed")
    assert [effect.key for effect in outcome.effects][-1] == "run/last"
    assert outcome.effects[-1].time >= outcome.effects[0].time + 60
    assert outcome.crashes == 0
    assert outcome.same_end(outcome)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(NotFound):
        SimulatedTypes().get("sim.none")


def test_scripts_differ_by_seed_node_and_attempt() -> None:
    scripts = {repr(script_of(s, n, a)) for s in range(5) for n in range(5) for a in range(1, 5)}
    assert len(scripts) > 30


def test_a_seed_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["4"]) == 0
    told = capsys.readouterr().out
    assert "a process comes up" in told
    assert told.rstrip().endswith("every law holds")


def test_a_seed_that_breaks_a_law_tells_how(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "TURNS", 3)
    assert main(["4"]) == 1
    assert "VIOLATION liveness: the run does not end" in capsys.readouterr().out


def test_an_error_of_any_kind_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomiton.drivers.simulated_process.apply", lambda run, event: 1 // 0)
    with pytest.raises(Violation, match="ZeroDivisionError") as caught:
        simulate(random_plan(1), 1)
    assert caught.value.story


def test_calm_seeds_do_not_race() -> None:
    for seed in range(0, 40, 2):
        plan = random_plan(seed, calm=True)
        assert simulate(plan, seed, CALM).same_end(simulate(plan, seed, Faults()))


def test_the_journal_takes_records_in_order_only() -> None:
    journal = SimulatedJournal()
    journal.append(0, [b"a", b"b"], sync=True)
    journal.append(2, [b"c"], sync=False)
    with pytest.raises(Violation, match="3 records, appended after 2"):
        journal.append(2, [b"d"], sync=True)
    kept = set()
    for seed in range(20):
        copy = SimulatedJournal()
        copy.append(0, [b"a", b"b"], sync=True)
        copy.append(2, [b"c"], sync=False)
        copy.lose_power(Random(seed))
        kept.add(tuple(copy.records))
    assert kept == {(b"a", b"b"), (b"a", b"b", b"c")}, "a batch is there, or it is not"


def test_a_machine_that_takes_what_it_must_refuse_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("atomiton.drivers.simulated_laws.apply", lambda run, event: [])
    laws = Laws(random_plan(1), SimulatedJournal(), lambda what: None)
    with pytest.raises(Violation, match=r"refusal: .* was taken"):
        laws.refused(RunState(random_plan(1)), Paused(1.0))


def test_a_machine_that_changes_while_it_refuses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(run: RunState, event: object) -> None:
        run.steps += 1
        raise IllegalEvent("no")

    monkeypatch.setattr("atomiton.drivers.simulated_laws.apply", wrong)
    laws = Laws(random_plan(1), SimulatedJournal(), lambda what: None)
    with pytest.raises(Violation, match="steps: 0 or 1"):
        laws.refused(RunState(random_plan(1)), Paused(1.0))
