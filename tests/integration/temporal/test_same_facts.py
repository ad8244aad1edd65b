"""The same blueprints, drawn at random, come to the same on Temporal as in the simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.integration.temporal import drawn

from atomiton.conductor.temporal.address import parse
from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulation import simulate
from atomiton.drivers.temporal import workflow
from atomiton.drivers.temporal.wire import Options
from atomiton.machine.events import AttemptFailed, Event, RunRequested, SignalReceived

#: Every fourth seed draws what goes in single file: all of it must be the same.
FILE = range(0, 40, 4)
#: The others of the even ones are calm: a run that completes must give the same.
CALM = range(2, 26, 4)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr(workflow, "Driving", drawn.Hurried)
    monkeypatch.setattr(drawn.driving, "task_of", drawn.named_task)


def timeless(facts: list[Event]) -> list[Event]:
    """Facts without their moments, and without when signals came that nobody waited for yet."""
    shown = []
    for fact in facts:
        if isinstance(fact, SignalReceived):
            continue
        if isinstance(fact, AttemptFailed):
            message = "" if fact.error.code == "CANCELLED" else fact.error.message
            fact = replace(fact, error=replace(fact.error, message=message, details=None))
        if isinstance(fact, RunRequested):
            fact = replace(fact, run="")
        shown.append(replace(fact, time=0.0))
    return [drawn.timeless(fact) for fact in shown]


async def compare(
    address: str, seeds: Sequence[int], together: int, options: Options, cached: int
) -> list[int]:
    """Run them all, and replay what was run; gives the seeds that came to something else."""
    room, wrong = asyncio.Semaphore(together), []
    async with drawn.worker(parse(address), cached=cached) as client:
        journal = drawn.journal_of(address, client)

        def name(seed: int) -> str:
            return f"run_{journal.place.queue}_{seed}"

        async def one(seed: int) -> None:
            async with room:
                real = await drawn.run_drawn(journal, seed, name(seed), options)
            weather = weather_of(seed)
            told = simulate(random_plan(seed, weather), seed)
            same = real.status == told.status
            if weather == "file":
                failure = told.error and (told.error.code, told.error.node, told.error.attempt)
                same = same and told.all() == (
                    real.output, real.nodes, real.inner, real.undone, failure
                )  # fmt: skip
                same = same and real.failure == failure
                same = same and timeless(list(told.facts)) == timeless(real.facts)
            elif same and real.status == "completed":
                same = (real.output, real.nodes) == (told.output, told.nodes)
            if not same:
                wrong.append(seed)

        await asyncio.gather(*map(one, seeds))
        await drawn.replay_all(client, list(map(name, seeds)))
    return sorted(wrong)


@pytest.mark.slow
async def test_blueprints_at_random_give_the_same_facts(temporal_address):
    assert await compare(temporal_address, [*FILE, *CALM], 8, drawn.NEAR, 1000) == []


@pytest.mark.slow
async def test_they_do_when_every_step_is_a_replay(temporal_address):
    assert await compare(temporal_address, [*FILE, *CALM][::2], 8, drawn.FAR, 0) == []


@pytest.mark.campaign
async def test_five_hundred_blueprints_give_the_same_facts(temporal_address, tell):
    seeds = [*range(1000, 2000, 2)]
    wrong = await compare(temporal_address, seeds, 12, drawn.NEAR, 1000)
    wrong += await compare(temporal_address + "-far", seeds[::5], 12, drawn.FAR, 0)
    tell(f"Temporal: {len(seeds)} blueprints at random, {len(wrong)} came to something else")
    assert wrong == []
