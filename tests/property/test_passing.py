"""The end of a node in one go leaves a run just where the fact of it does."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from atomiton.blueprint.document import read_document
from atomiton.blueprint.plan import USES, Plan
from atomiton.drivers.simulated_blueprints import random_plan
from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState, apply
from atomiton.machine.commands import StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    RunRequested,
    TimerFired,
)
from atomiton.machine.passing import UNFIT, pass_on
from atomiton.machine.state import RUNNING, STOPPING

T0 = 1_700_000_000.0


def frozen(run: RunState) -> bytes:
    return msgspec.msgpack.encode(snapshot(run))


def plain_plan(seed: int) -> Plan:
    """Nodes without policies that need each other at random: what is passed on most."""
    from atomiton.blueprint.compile import compile_blueprint
    from atomiton.nodes.registry import Registry

    draw = Random(seed)
    nodes: dict[str, object] = {}
    for number in range(draw.randint(1, 9)):
        needs = [name for name in nodes if draw.random() < 0.4]
        nodes[f"n{number}"] = {
            "uses": "flow.log",
            "with": {"message": "x"},
            "needs": needs,
            **({"on_error": "continue"} if draw.random() < 0.2 else {}),
            **({"if": "${{ false }}"} if draw.random() < 0.1 else {}),
        }
    if draw.random() < 0.5:  # one may also need what is written below it
        nodes = dict(reversed(nodes.items()))
    return compile_blueprint(
        read_document({"atomiton": 1, "id": "plain", "nodes": nodes}), Registry.builtin()
    )


def possible(run: RunState, draw: Random, now: float) -> list[Event]:
    """Facts that can happen now, most of them ends of attempts."""
    found: list[Event] = []
    for frame in run.frames.values():
        for node, status in enumerate(frame.status):
            if status in (RUNNING, STOPPING) and frame.nodes[node].kind == USES:
                of = (now, frame.id, node, frame.attempts[node])
                failed = draw.random() < 0.1
                error = ErrorInfo("FLAKY", "again", retryable=True)
                found.append(
                    AttemptFailed(*of, error) if failed else AttemptCompleted(*of, {"value": 1})
                )
    found += [TimerFired(now, timer) for timer in run.timers]
    if draw.random() < 0.03:
        found += [Paused(now), CancelRequested(now)]
    return found or [Resumed(now)]


def replayed(plan: Plan, facts: list[Event]) -> RunState:
    run = RunState(plan)
    for fact in facts:
        apply(run, fact)
    return run


def walk(plan: Plan, way: int) -> int:
    """Go through a run; give how many ends were passed on."""
    draw, now, passed = Random(way), T0, 0
    facts: list[Event] = [RunRequested(now, "r", {}, 1)]
    run = replayed(plan, facts)
    while not run.ended and len(facts) < 60:
        now += draw.choice((0.0, 0.5, 20.0))
        event = draw.choice(possible(run, draw, now))
        if isinstance(event, AttemptCompleted) and not event.frame:
            other, before = replayed(plan, facts), frozen(run)
            number = pass_on(other.top, event.node, event.output, now)
            assert frozen(run) == before
            if number == UNFIT:
                assert frozen(other) == before
            else:
                passed += 1
                commands = apply(run, event)
                assert frozen(other) == frozen(run)
                step = plan.root.nodes[number].step
                assert commands == ([StartAttempt(0, number, 1, step)] if number >= 0 else [])
                facts.append(event)
                continue
        apply(run, event)
        facts.append(event)
    return passed


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_in_any_run_the_state_is_that_of_the_fact(seed: int, way: int) -> None:
    walk(random_plan(seed, ("storm", "calm", "file")[seed % 3]), way)


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_in_a_run_of_plain_nodes_the_state_is_that_of_the_fact(seed: int, way: int) -> None:
    walk(plain_plan(seed), way)


def test_most_ends_of_plain_nodes_are_passed_on() -> None:
    assert sum(walk(plain_plan(seed), seed) for seed in range(60)) > 60
