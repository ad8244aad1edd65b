"""The same blueprints, drawn at random, come to the same wherever they run.

Each is run by the simulation, by the local driver in memory and on record in SQLite, and on a real
Temporal server; all are held against the simulation. Those that go in single file have the very
same facts, but for moments. Of the others those that complete have the same attempts, each with the
same end, in whatever order; which of them still begin once a node has failed is a race, in which
the simulation itself comes to either end, so that of those that fail only that is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.integration.temporal import at_home, drawn

from atomiton.blueprint.plan import Plan
from atomiton.conductor.temporal.address import parse
from atomiton.drivers.simulated_blueprints import random_plan, weather_of
from atomiton.drivers.simulated_process import lineage
from atomiton.drivers.simulation import simulate
from atomiton.drivers.temporal import workflow
from atomiton.drivers.temporal.wire import Options
from atomiton.errors import AtomitonError
from atomiton.machine import RunState, apply
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    Event,
    RunRequested,
    SignalReceived,
)

#: Every fourth seed draws what goes in single file: all of it must be the same.
FILE = range(0, 40, 4)
#: The others of the even ones are calm: a run that completes must give the same.
CALM = range(2, 26, 4)
#: What the campaign has found before: runs that were stuck once a worker replayed them.
FOUND = (1308, 1770, 1922)
#: How many blueprints a part of the campaign draws: ``-k "[1300]"`` runs those from 1300 on.
SLICE = 50
#: Seconds after which a run is taken for stuck.
LONGEST = 180


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


def in_file(facts: Sequence[Event]) -> bool:
    """Whether never two attempts are out at once: what is drawn so may not be, after a failure."""
    out = 0
    for fact in facts:
        if isinstance(fact, AttemptStarted):
            out += 1
        elif isinstance(fact, AttemptCompleted | AttemptFailed | AttemptLost):
            out -= 1
        if out > 1:
            return False
    return True


def attempts(plan: Plan, facts: Sequence[Event]) -> list[tuple[object, ...]]:
    """How every attempt began and ended, by names that do not depend on the order of events."""
    state, found = RunState(plan), []
    for fact in facts:
        is_attempt = isinstance(fact, AttemptStarted | AttemptCompleted | AttemptFailed)
        frame = state.frames.get(fact.frame) if is_attempt else None
        apply(state, fact)
        if is_attempt:
            name = lineage(frame or state.frames[fact.frame], fact.node)
            output = repr(drawn.timeless(getattr(fact, "output", None)))
            code = fact.error.code if isinstance(fact, AttemptFailed) else ""
            found.append((name, fact.attempt, type(fact).__name__, output, code))
    return sorted(found)


def difference(seed: int, real: drawn.Ending) -> str:
    """What a run came to that the simulation does not; nothing when they agree."""
    weather = weather_of(seed)
    plan = random_plan(seed, weather)
    told = simulate(plan, seed)
    if real.status != told.status:
        return f"it is {real.status}, not {told.status}"
    if weather == "file":
        failure = told.error and (told.error.code, told.error.node, told.error.attempt)
        if real.failure != failure:
            return f"it failed with {real.failure}, not {failure}"
        if told.all() != (real.output, real.nodes, real.inner, real.undone, failure):
            return "its nodes came to something else"
        ours, theirs = timeless(real.facts), timeless(list(told.facts))
        if not in_file(theirs):  # of two attempts at once either may end first
            ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
        pairs = zip_longest(ours, theirs)
        return next((f"{one}, not {other}" for one, other in pairs if one != other), "")
    if real.status != "completed":
        return ""
    if (real.output, real.nodes) != (told.output, told.nodes):
        return f"it gave {real.output} with {real.nodes}, not {told.output} with {told.nodes}"
    ours, theirs = attempts(plan, real.facts), attempts(plan, told.facts)
    return next(
        (f"{one}, not {other}" for one, other in zip_longest(ours, theirs) if one != other), ""
    )


def differences_at_home(seeds: Sequence[int], folder: Path) -> list[str]:
    """Run them all by the local driver; tells what came to something else."""
    wrong = []
    for seed in seeds:
        legs = {"memory": at_home.run_in_memory(seed)}
        legs["SQLite"] = at_home.run_on_record(seed, folder)
        found = {where: difference(seed, ending) for where, ending in legs.items()}
        wrong += [f"seed {seed} in {where}: {what}" for where, what in found.items() if what]
    return wrong


async def compare(
    address: str, seeds: Sequence[int], together: int, options: Options, cached: int, kept: Path
) -> list[str]:
    """Run them all, and replay what was run; tells what came to something else.

    Args:
        address: Where the server is.
        seeds: What is drawn.
        together: How many run at once.
        options: How they are driven.
        cached: How many the worker keeps in memory between steps.
        kept: Folder for the histories of those that came to something else.
    """
    room, wrong = asyncio.Semaphore(together), {}
    async with drawn.worker(parse(address), cached=cached) as client:
        journal = drawn.journal_of(address, client)
        runs = {f"run_{journal.place.queue}_{seed}": seed for seed in seeds}

        async def one(run: str, seed: int) -> None:
            try:
                async with room, asyncio.timeout(LONGEST):
                    found = difference(seed, await drawn.run_drawn(journal, seed, run, options))
            except (AtomitonError, TimeoutError) as error:
                found = repr(error)
            if found:
                wrong[run] = found

        await asyncio.gather(*(one(run, seed) for run, seed in runs.items()))
        wrong.update(await drawn.replay_all(client, [*runs]))
        for run in wrong:
            history = await client.get_workflow_handle(run).fetch_history()
            (kept / f"{run}.json").write_text(history.to_json())
    return sorted(f"seed {runs[run]}: {found}" for run, found in wrong.items())


@pytest.mark.slow
def test_blueprints_at_random_give_the_same_facts_on_one_machine(tmp_path):
    assert differences_at_home([*FILE, *CALM, *FOUND], tmp_path) == []


def test_what_is_not_the_same_is_found(tmp_path):
    real = at_home.run_in_memory(FILE[1])
    other = [*real.facts[:-1], replace(real.facts[-1], attempt=7)]
    assert "attempt=7" in difference(FILE[1], replace(real, facts=other))


@pytest.mark.slow
async def test_blueprints_at_random_give_the_same_facts(temporal_address, tmp_path):
    seeds = [*FILE, *CALM, *FOUND]
    assert await compare(temporal_address, seeds, 8, drawn.NEAR, 1000, tmp_path) == []


@pytest.mark.slow
async def test_they_do_when_every_step_is_a_replay(temporal_address, tmp_path):
    seeds = [*FILE, *CALM][::2]
    assert await compare(temporal_address, seeds, 8, drawn.FAR, 0, tmp_path) == []


@pytest.mark.campaign
@pytest.mark.parametrize("first", range(1000, 2000, 2 * SLICE))
async def test_five_hundred_blueprints_give_the_same_facts(
    first, temporal_address, tmp_path, tell, monkeypatch
):
    monkeypatch.setattr(drawn, "pace", drawn.PATIENT)
    seeds = [*range(first, first + 2 * SLICE, 2)]
    wrong = await compare(temporal_address, seeds, 12, drawn.PATIENT_NEAR, 1000, tmp_path)
    wrong += await compare(
        temporal_address + "-far", seeds[::5], 12, drawn.PATIENT_FAR, 0, tmp_path
    )
    wrong += await asyncio.to_thread(differences_at_home, seeds, tmp_path)
    tell(
        f"local, simulation, Temporal: {SLICE} blueprints at random from {first}: "
        f"{len(wrong)} came to something else"
    )
    for line in wrong:
        tell(f"    {line}")
    assert wrong == []
