"""The same blueprints at random, run by the local driver: in memory, and on record in SQLite.

Time is virtual, so all of it is as fast as the machine is, and goes at the pace of the simulation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path

from msgspec.structs import replace
from tests.integration.temporal.drawn import Ending, SimulatedCall, ending_of, given

from atomiton.drivers.execution import Execution
from atomiton.drivers.local import LocalDriver
from atomiton.drivers.program import Program
from atomiton.drivers.simulated_blueprints import drawing_of, random_blueprint, weather_of
from atomiton.drivers.simulated_people import People
from atomiton.drivers.simulated_process import lineage
from atomiton.drivers.simulated_world import World, script_of
from atomiton.errors import IllegalEvent, NodeError
from atomiton.machine import RunState
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.records import decode
from atomiton.ports.calls import Attempt
from atomiton.ports.journal import Journal, RunHeader
from atomiton.store.memory import MemoryJournal
from atomiton.store.records import whole
from atomiton.store.sqlite import SqliteJournal
from atomiton.testing.held import held
from atomiton.testing.virtual_time import VirtualLoop

#: Seconds between looks of the people around a run, and after which it is taken for stuck.
LOOK, LONGEST = 0.05, 30 * 24 * 3600.0
#: Seconds that a node goes on for that does not listen: longer than the driver waits for it.
DEAF = 2.0


class HomeCall(SimulatedCall):
    """A node whose attempts do what is drawn for them, and take as long as that says."""

    def __init__(self, seed: int, driver: LocalDriver) -> None:
        super().__init__(seed)
        self._driver = driver

    async def function(self, parameters: dict[str, object], attempt: Attempt) -> object:
        frame, node = attempt.place
        name = lineage(self._driver.runs[attempt.run].state.frames[frame], node)
        script = script_of(self._seed, name, attempt.attempt)
        try:
            if not script.instant:
                await asyncio.sleep(script.lasts)
        except asyncio.CancelledError:
            await asyncio.sleep(DEAF if script.obeys is None else script.obeys)
            raise
        if script.ending != "good":
            raise NodeError("as drawn", code=script.ending, retryable=script.retryable)
        return given(name, attempt, parameters)


class Neighbour:
    """A run as people see it who may ask anything of it."""

    dead = False

    def __init__(self, execution: Execution, loop: VirtualLoop) -> None:
        self._execution = execution
        self._loop = loop

    @property
    def state(self) -> RunState:
        return self._execution.state

    @property
    def facts(self) -> list[Event]:
        return self._execution.facts

    def feed(self, event: Event) -> None:
        with contextlib.suppress(IllegalEvent):  # it has gone on meanwhile
            if not self._execution.stopped:
                self._execution.feed(replace(event, time=self._loop.time()))


def run_in_memory(seed: int) -> Ending:
    """Run the blueprint of a seed and keep nothing of it."""
    return _alone(_run(seed, None))


def run_on_record(seed: int, folder: Path) -> Ending:
    """Run the blueprint of a seed on record; its facts are those that the file holds then."""
    return _alone(_run(seed, folder / f"{seed}.db"))


def _alone(work: Coroutine[object, object, Ending]) -> Ending:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


async def _run(seed: int, file: Path | None) -> Ending:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    journal: Journal = MemoryJournal() if file is None else held(SqliteJournal(file), loop)
    await journal.open()
    driver = LocalDriver(journal, {}, now=loop.time)
    try:
        async with asyncio.timeout(LONGEST):
            return await _driven(driver, seed, loop, durable=file is not None)
    finally:
        await driver.close()
        await journal.close()


async def _driven(driver: LocalDriver, seed: int, loop: VirtualLoop, *, durable: bool) -> Ending:
    weather = weather_of(seed)
    plan = drawing_of(seed, weather).compiled()
    calls = [HomeCall(seed, driver) for _ in plan.uses]
    program = Program(plan, calls, random_blueprint(seed, weather), {"seed": seed})
    request = RunRequested(loop.time(), f"run_{seed}", {}, seed)
    if not durable:
        execution = driver.begin(program, request)
        await _among_people(execution, seed, loop)
        return ending_of(plan, execution.facts)
    header = RunHeader(
        run=request.run, blueprint=plan.id, blueprint_hash=plan.hash, created_at=request.time
    )
    accepted = await driver.accept(program, request, header)
    assert accepted is not None
    await _among_people(accepted, seed, loop)
    return ending_of(plan, [decode(whole(of)) for of in await driver.journal.read(request.run)])


async def _among_people(execution: Execution, seed: int, loop: VirtualLoop) -> None:
    """Let a run end, with people around it who answer what it asks."""
    world = World(seed)
    people = People(world, seed, decline=0.0, noise=0.0, twice=0.0)
    people.meet(Neighbour(execution, loop))
    people.expect(execution.state.plan, 0, cancels=False)
    while not execution.stopped:
        people.look()
        while world.turn():
            pass
        await asyncio.sleep(LOOK)
    await execution.wait()
