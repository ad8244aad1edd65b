"""A run that is kept in memory has the facts of one on record, though it notes them in short."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from atomiton import Blueprint, Conductor, NodeError, node
from atomiton.blueprint.document import read_document
from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.machine import RunState, apply
from atomiton.machine.events import AttemptStarted, Event, RunRequested


@node("t.add")
async def add(x: int) -> int:
    return x + 1


@node("t.label", effect="pure")
async def label(x: int, name: str = "n") -> dict[str, object]:
    return {"name": name, "x": x}


@node("t.later")
async def later(x: int) -> int:
    await asyncio.sleep(0)
    return x * 2


@node("t.plain", runtime="inline", effect="pure")
def plain(x: int) -> list[int]:
    return [x, x]


@node("t.fail")
async def fail(x: int) -> int:
    raise NodeError(f"no {x}", code="REFUSED")


NODES = (add, label, later, plain, fail)


def made(id_: str, nodes: dict[str, object], **more: object) -> Blueprint:
    return read_document(
        {"atomiton": 1, "id": id_, "inputs": {"x": "integer"}, "nodes": nodes, **more}
    )


def uses(name: str, x: str, **more: object) -> dict[str, object]:
    return {"uses": f"t.{name}", "with": {"x": f"${{{{ {x} }}}}"}, **more}


CHAIN = {"a": uses("add", "inputs.x"), "b": uses("add", "a"), "c": uses("label", "b")}
BLUEPRINTS = [
    made("chain", CHAIN),
    made("fan", {"a": uses("add", "inputs.x"), "b": uses("add", "a"), "c": uses("add", "a"),
                 "d": uses("add", "b + c"), "e": uses("plain", "c")}),
    made("waits", {"a": uses("later", "inputs.x"), "b": uses("add", "a"), "c": uses("later", "b"),
                   "d": uses("add", "inputs.x"), "e": uses("later", "inputs.x")}),
    made("fails", {"a": uses("add", "inputs.x"), "b": uses("fail", "a"), "c": uses("add", "b")}),
    made("goes-on", {"a": uses("fail", "inputs.x", on_error={"value": 3}), "b": uses("add", "a"),
                     "c": uses("add", "b")}),
    made("unfit", {"a": uses("label", "inputs.x"), "b": uses("add", "a.name"),
                   "c": uses("add", "b")}),
    made("bounded", CHAIN, limits={"concurrency": 1, "timeout": "1m"}),
    made("in-bodies", {"a": uses("add", "inputs.x"),
                       "g": {"nodes": {"i": uses("add", "a"), "j": uses("add", "i")}},
                       "b": uses("add", "g.j"), "c": uses("add", "b")}),
]  # fmt: skip


async def facts_of(store: str, blueprint: Blueprint) -> tuple[list[Event], RunState | None]:
    async with Conductor(store, nodes=NODES) as conductor:
        result = await conductor.run(blueprint, {"x": 1})
        facts = [event.fact async for event in conductor.events(result.run)]
        execution = conductor._known(result.run)
        return facts, None if execution is None else execution.state


def timeless(facts: list[Event]) -> list[Event]:
    same = [msgspec.structs.replace(fact, time=0.0) for fact in facts]
    return [
        msgspec.structs.replace(fact, run="", seed=0) if isinstance(fact, RunRequested) else fact
        for fact in same
    ]


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.id)
async def test_the_facts_are_those_of_a_run_on_record(tmp_path: Path, blueprint: Blueprint) -> None:
    in_memory, _state = await facts_of("memory:", blueprint)
    on_record, _none = await facts_of(str(tmp_path / "runs.db"), blueprint)
    ours, theirs = timeless(in_memory), timeless(on_record)
    assert ours[0] == theirs[0]
    if blueprint.id in ("waits", "fan"):  # what runs at once may be told in another order
        assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
    else:
        assert ours == theirs


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.id)
async def test_the_facts_lead_to_where_the_run_is(blueprint: Blueprint) -> None:
    facts, state = await facts_of("memory:", blueprint)
    assert state is not None
    replay = RunState(state.plan)
    for fact in facts:
        apply(replay, fact)
    replay.secrets = state.secrets
    replay.release()
    assert snapshot(replay) == snapshot(state)


@pytest.mark.parametrize("blueprint", BLUEPRINTS[:3], ids=lambda blueprint: blueprint.id)
async def test_every_start_has_the_moment_of_the_end_before_it(blueprint: Blueprint) -> None:
    facts, _state = await facts_of("memory:", blueprint)
    moment = 0.0
    for fact in facts:
        assert fact.time >= moment > 0 or isinstance(fact, RunRequested)
        if isinstance(fact, AttemptStarted):
            assert fact.time == moment
        moment = fact.time


async def test_moments_go_on_and_a_start_has_that_of_what_led_to_it() -> None:
    facts, _state = await facts_of("memory:", BLUEPRINTS[0])
    times = [fact.time for fact in facts]
    assert times == sorted(times)
    assert [type(fact).__name__ for fact in facts] == [
        "RunRequested", *["AttemptStarted", "AttemptCompleted"] * 3,
    ]  # fmt: skip
    assert facts[1].time == facts[0].time
    assert facts[3].time == facts[2].time


async def test_a_listener_hears_every_fact_once_and_in_order() -> None:
    async with Conductor("memory:", nodes=NODES) as conductor:
        heard: list[tuple[int, str]] = []
        stop = conductor.bus.listen(lambda event: heard.append((event.number, event.kind)))
        result = await conductor.run(BLUEPRINTS[2], {"x": 1})
        stop()
        told = [(event.number, event.kind) async for event in conductor.events(result.run)]
    assert heard == told
    assert [number for number, _kind in heard] == list(range(1, len(heard) + 1))
