"""Whichever way a run goes, its books are right and every law holds, after every single fact.

Here the machine is alone: no process, no journal, no crash, and so thousands of facts in a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.simulation.walks import Walk

from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.machine import RunState, apply, bodies
from atomiton.machine.events import Event
from atomiton.machine.records import decode, encode

WALKS = 1000
CHUNK = 50


def walk(seed: int) -> Walk:
    """A walk that has come to its end."""
    gone = Walk(random_plan(seed, weather_of(seed)), seed, told=seed % 3 == 0)
    try:
        gone.go()
    except AssertionError as violation:
        violation.add_note(f"seed {seed}, after {gone.facts}")
        raise
    return gone


@pytest.mark.parametrize("first", range(0, WALKS, CHUNK))
def test_every_law_holds_after_every_fact(first: int) -> None:
    for seed in range(first, first + CHUNK):
        walk(seed)


def test_the_same_facts_lead_to_the_same_wishes_and_the_same_state() -> None:
    for seed in range(60):
        gone = walk(seed)
        run = RunState(random_plan(seed, weather_of(seed)))
        if gone.run.notices is not None:
            run.notices, run.top.quick = [], False
        facts = [decode(encode(fact)) for fact in gone.facts]
        assert [apply(run, fact) for fact in facts] == gone.commands
        assert snapshot(run) == snapshot(gone.run)


def test_who_wants_to_know_what_becomes_of_nodes_changes_nothing() -> None:
    for seed in range(0, 150, 3):
        gone = walk(seed)
        run = RunState(random_plan(seed, weather_of(seed)))
        assert [apply(run, fact) for fact in gone.facts] == gone.commands


def test_letting_go_of_bodies_that_have_ended_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = [walk(seed) for seed in range(100)]
    monkeypatch.setattr(bodies, "KEPT", 0)
    fewer = 0
    for seed, walked in enumerate(gone):
        run = RunState(random_plan(seed, weather_of(seed)))
        assert [apply(run, fact) for fact in walked.facts] == walked.commands
        fewer += len(walked.run.frames) - len(run.frames)
    assert fewer > 10


def kinds(events: Iterator[Event]) -> Counter[str]:
    return Counter(type(event).__name__ for event in events)


def test_walks_go_everywhere() -> None:
    """A law that nothing comes near to holds nothing."""
    gone = [walk(seed) for seed in range(150)]
    facts = kinds(fact for walked in gone for fact in walked.facts)
    assert len(facts) == 15, f"all but InputChanged, which is for the driver: {facts}"
    assert min(facts.values()) > 2, facts
    ends = Counter(walked.run.status for walked in gone)
    assert min(ends["completed"], ends["failed"], ends["cancelled"]) > 10, ends
    frames = Counter(frame.kind for walked in gone for frame in walked.run.frames.values())
    assert min(frames[kind] for kind in range(5)) > 10, frames
