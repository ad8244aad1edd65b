"""The simulator itself: one number replays everything, and it can tell what happened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from msgspec.structs import replace

from atomiton.blueprint.model import Blueprint, Limits, Node, Retry, Wait
from atomiton.blueprint.yaml import load
from atomiton.drivers import simulation
from atomiton.drivers.simulated_blueprints import (
    Drawing,
    SimulatedTypes,
    drawing_of,
    random_plan,
    weather_of,
)
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


def drawn_nodes(drawing: Drawing) -> Iterator[dict[str, object]]:
    """Every node of a drawing, in all its bodies."""
    found = [
        node
        for document in (drawing.document, *drawing.called.values())
        for node in (*document["nodes"].values(), *document.get("on", {}).values())
    ]
    for node in found:
        yield node
        found.extend(node.get("nodes", {}).values())
        found.extend(undo for undo in (node.get("compensate"),) if undo)


def test_seeds_draw_all_there_is() -> None:
    """What is never drawn is never tested."""
    drawings = [drawing_of(seed, weather_of(seed)) for seed in range(400)]
    nodes = [node for drawing in drawings for node in drawn_nodes(drawing)]
    keys = Counter(key for node in nodes for key in node)
    wanted = (
        "uses nodes call branch wait map loop mode race as concurrency on_item_error output needs"
        " if join enabled retry timeout deadline on_error compensate when_failed weight with"
    )
    assert {key: keys[key] for key in wanted.split() if keys[key] < 15} == {}
    values = Counter(f"{key}: {node[key]}" for node in nodes for key in node)
    for value in ("fail", "collect", "skip"):
        assert values[f"on_item_error: {value}"] > 10
    for value in ("any", "first", "settled", {"at_least": 2}):
        assert values[f"join: {value}"] > 5
    loops = Counter(key for node in nodes for key in node.get("loop", {}))
    assert set(loops) == {"times", "while", "until", "start", "max", "delay"}
    waits = Counter(key for node in nodes for key in node.get("wait", {}))
    assert set(waits) == {"for", "until", "signal", "match", "approval", "timeout"}
    text = str([drawing.document for drawing in drawings])
    assert "{{ nodes.n" in text
    for name in ("early_", "late_", "never_", "'map': []", "'map': {", ".error'", ".high'"):
        assert name in text
    top = [drawing.document for drawing in drawings]
    for key in ("limits", "compensate_on", "on", "output"):
        assert 20 < sum(key in document for document in top) < 380
    acting = [sum("uses" in n or "wait" in n for n in drawn_nodes(d)) for d in drawings]
    assert max(acting) <= 40, "small: what fails is read by a person"


def test_runs_come_to_every_end() -> None:
    outcomes = [simulate(random_plan(seed), seed, STORM) for seed in range(400)]
    assert {outcome.status for outcome in outcomes} == {"completed", "failed", "cancelled"}
    codes = {outcome.error.code for outcome in outcomes if outcome.error}
    assert codes >= {
        "TIMEOUT", "CANCELLED", "FLAKY", "NOT_FOUND", "EXPRESSION_ERROR", "LOOP_LIMIT",
        "LIMIT_EXCEEDED",
    }  # fmt: skip
    facts = {type(fact).__name__ for outcome in outcomes for fact in outcome.facts}
    assert facts == {
        "RunRequested", "AttemptStarted", "AttemptCompleted", "AttemptFailed", "AttemptLost",
        "AttemptRepeated", "TimerFired", "SignalReceived", "ApprovalGiven", "CancelRequested",
        "Paused", "Resumed", "StepRequested", "CostSpent",
    }  # fmt: skip
    assert sum(bool(outcome.undone[0]) for outcome in outcomes) > 40
    assert sum(bool(outcome.undone[1]) for outcome in outcomes) > 5
    inner = Counter(status for outcome in outcomes for _, status in outcome.inner)
    assert set(inner) == {"completed", "failed", "skipped", "cancelled"}


def test_what_is_drawn_can_be_read_as_yaml() -> None:
    for seed in range(40):
        drawing = drawing_of(seed, weather_of(seed))
        read = [load(text).data for text in drawing.yaml().split("---\n")]
        assert read == [drawing.document, *drawing.called.values()]
        assert drawing.compiled().hash == random_plan(seed, weather_of(seed)).hash


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
    scripts = {repr(script_of(s, n, a)) for s in range(5) for n in "abcde" for a in range(1, 5)}
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
    for seed in range(0, 120, 2):
        weather = weather_of(seed)
        plan = random_plan(seed, weather)
        assert simulate(plan, seed, CALM).same_end(simulate(plan, seed, Faults()), weather)


def test_what_goes_in_single_file_fails_the_same_with_the_same_compensations() -> None:
    compared = 0
    for seed in range(0, 400, 4):
        plan = random_plan(seed, "file")
        first = simulate(plan, seed, CALM)
        again = simulate(plan, seed, replace(CALM, crashes=0.1))
        assert first.all() == again.all()
        compared += first.status == "failed" and len(first.undone[0]) > 1
    assert compared > 5


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
