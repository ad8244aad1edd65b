"""Blueprints at random, run by a real server: what nodes do is drawn as in the simulation."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from atomiton.blueprint.plan import Plan
from atomiton.conductor.temporal.address import Place, open_client, parse
from atomiton.conductor.temporal.journal import TemporalJournal
from atomiton.drivers.program import Program
from atomiton.drivers.simulated_blueprints import drawing_of, random_blueprint, weather_of
from atomiton.drivers.simulated_people import People
from atomiton.drivers.simulated_process import lineage, timeless
from atomiton.drivers.simulated_world import World, script_of
from atomiton.drivers.temporal import driving, sending
from atomiton.drivers.temporal.wire import WORKFLOW, Ended, Options, Start
from atomiton.errors import AtomitonError, NodeError
from atomiton.machine import RunState, apply
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.finishing import undone
from atomiton.machine.records import encode
from atomiton.machine.state import STATUS_NAMES, TIMER_ATTEMPT
from atomiton.ports.calls import Attempt

#: Seconds after which a time limit is looked at again that is going to be met.
AGAIN = 5.0
#: Nodes that take longer than this take longer than any time limit of theirs.
SLOW = 20.0
#: Pure nodes run where the workflow is, or as activities.
NEAR = Options(heartbeat=8.0, grace=0.5, local=0.6, shared=True)
FAR = Options(heartbeat=8.0, grace=0.5, local=0, shared=True)
#: Where the machine is so busy that signs of life are late.
PATIENT_NEAR = Options(heartbeat=60.0, grace=0.5, local=0.6, shared=True)
PATIENT_FAR = Options(heartbeat=60.0, grace=0.5, local=0, shared=True)

#: What the task queue is called in a replay.
REPLAYED = "replay-None"


class Pace(msgspec.Struct, frozen=True):
    """How fast it all goes.

    Attributes:
        timers, nodes: How much faster they go than they say.
        slow: Seconds that a node takes which is slower than its time limit.
    """

    timers: float = 0.2
    nodes: float = 0.02
    slow: float = 2.5


#: So that time limits are met by nodes that meet them in the simulation, also on a busy machine.
PATIENT = Pace(timers=0.6, slow=13.0)
pace = Pace()
_names: dict[tuple[str, int, int, int], str] = {}


class SimulatedCall:
    """A node whose attempts do what is drawn for them."""

    is_async = True
    runtime = "inline"
    needs_attempt = True
    exact: Mapping[str, type[object]] = {}

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def arguments(
        self, parameters: dict[str, object], attempt: Attempt | None
    ) -> dict[str, object]:
        return {"parameters": parameters, "attempt": attempt}

    def result(self, value: object) -> object:
        return value

    async def function(self, parameters: dict[str, object], attempt: Attempt) -> object:
        name = _names[attempt.run, *attempt.place, attempt.attempt]
        script = script_of(self._seed, name, attempt.attempt)
        try:
            await asyncio.sleep(pace.slow if script.lasts > SLOW else script.lasts * pace.nodes)
        except asyncio.CancelledError:
            if script.obeys is None:
                await asyncio.sleep(2)
            raise
        if script.ending != "good":
            raise NodeError("as drawn", code=script.ending, retryable=script.retryable)
        return given(name, attempt, parameters)


def given(name: str, attempt: Attempt, parameters: dict[str, object]) -> dict[str, object]:
    """What an attempt gives that ends well, as in the simulation."""
    of = [name, attempt.attempt, timeless(parameters)]
    return {"value": zlib.crc32(msgspec.json.encode(of)) % 1000}


def program_of(seed: int) -> Program:
    plan = drawing_of(seed, weather_of(seed)).compiled()
    calls = [SimulatedCall(seed) for _ in plan.uses]
    return Program(plan, calls, random_blueprint(seed, weather_of(seed)), {"seed": seed})


def restore(record: dict[str, object]) -> Program:
    seed = record["seed"]
    assert isinstance(seed, int)
    return program_of(seed)


class Hurried(driving.Driving):
    """Timers fire sooner than they say.

    Time limits of nodes that meet them in the simulation do not fire, however busy the machine is:
    it may stand still for a minute.
    """

    def _at(self, moment: float, act: Callable[[], None]) -> driving.Timer:
        return self._timer((moment - driving.workflow.time()) * pace.timers, act)

    def _due(self, timer: int, at: float) -> None:
        if self._is_met(timer):
            self._turns.answered()
            self._again(timer, at)
        else:
            super()._due(timer, at)

    def _limited(self, limits: Sequence[driving.Limit]) -> None:
        met = [of for of in limits if self._is_met(of.timer)]
        for of in met:
            self._again(of.timer, of.at)
        super()._limited([of for of in limits if of not in met])

    def _again(self, timer: int, at: float) -> None:
        self._timers[timer] = self._timer(AGAIN, self._due, timer, at)

    def _is_met(self, timer: int) -> bool:
        """Whether it is the time limit of an attempt that ends before."""
        limit = self.state.timers.get(timer)
        if limit is None or limit.kind != TIMER_ATTEMPT:
            return False
        frame = self.state.frames[limit.frame]
        if frame.nodes[limit.node].detail is not None:  # a body: what is in it takes its time
            return False
        name, attempt = lineage(frame, limit.node), frame.attempts[limit.node]
        return script_of(self._seed, name, attempt).lasts <= SLOW

    @property
    def _seed(self) -> int:
        seed = self.program.record["seed"]
        assert isinstance(seed, int)
        return seed


def named_task(state: RunState, start: object) -> object:
    """Note what an attempt is called in the simulation, for who makes it."""
    frame = state.frames[start.frame]
    key = (state.id, start.frame, start.node, start.attempt)
    _names[key] = lineage(frame, start.node)
    return sending.task_of(state, start)


class Mirror:
    """A run elsewhere, as people see it."""

    dead = False

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.state = RunState(plan)
        self.facts: list[Event] = []
        self.wishes: list[Event] = []

    def feed(self, event: Event) -> None:
        self.wishes.append(event)

    def learn(self, facts: Sequence[Event]) -> None:
        for fact in facts:
            apply(self.state, fact)
            self.facts.append(fact)


class Ending(msgspec.Struct):
    """How a run ended, without moments."""

    status: str
    output: object
    nodes: dict[str, str]
    inner: list[tuple[str, str]]
    undone: tuple[list[str], list[str]]
    failure: tuple[str, str | None, int | None] | None
    facts: list[Event]


def ending_of(plan: Plan, facts: Sequence[Event]) -> Ending:
    state = RunState(plan)
    for fact in facts:
        apply(state, fact)
    return Ending(
        state.status,
        timeless(state.output),
        {n.id: STATUS_NAMES[state.top.status[i]] for i, n in enumerate(plan.root.nodes)},
        sorted(
            (frame.path(node), STATUS_NAMES[status])
            for frame in state.frames.values()
            for node, status in enumerate(frame.status)
        ),
        undone(state),
        state.failure and (state.failure.code, state.failure.node, state.failure.attempt),
        list(facts),
    )


async def run_drawn(
    journal: TemporalJournal, seed: int, run: str, options: Options = NEAR
) -> Ending:
    """Run the blueprint of a seed, with people around it, to its end."""
    program = program_of(seed)
    request = RunRequested(1_767_225_600.0, run, {}, seed)
    start = Start(dict(program.record), program.plan.hash, options, request)
    handle = await journal.client.start_workflow(
        WORKFLOW, start, id=run, task_queue=journal.place.queue, result_type=Ended
    )
    mirror, world = Mirror(program.plan), World(seed)
    people = People(world, seed, decline=0.0, noise=0.0, twice=0.0)
    people.meet(mirror)
    people.expect(program.plan, 0, cancels=False)
    ended = asyncio.ensure_future(_ended(handle))
    pause = 0.1
    while not ended.done():
        await asyncio.wait([ended], timeout=pause)
        if ended.done():
            break
        mirror.learn(await journal.facts(run, len(mirror.facts)))
        if mirror.state.ended:
            await ended
            break
        people.look()
        while world.turn():
            pass
        pause = 0.1 if mirror.wishes else min(0.5, pause * 1.3)
        wishes, mirror.wishes = mirror.wishes, []
        for wish in wishes:
            with contextlib.suppress(AtomitonError):  # it has gone on meanwhile
                await journal.post(run, encode(wish))
    return ending_of(program.plan, await journal.facts(run))


async def _ended(handle) -> None:
    from temporalio.client import WorkflowFailureError

    with contextlib.suppress(WorkflowFailureError):
        await handle.result()


@asynccontextmanager
async def worker(place: Place, *, cached: int = 0):
    """A worker of the simulated node types."""
    from temporalio.worker import Worker

    from atomiton.conductor.temporal.worker import patient, runner
    from atomiton.drivers.temporal.activities import Nodes
    from atomiton.drivers.temporal.programs import Programs, serve
    from atomiton.drivers.temporal.workflow import BlueprintWorkflow

    client = await open_client(place)
    programs = Programs(restore, lambda _program: {})
    stop = serve(place.namespace, place.queue, programs)
    nodes = Nodes(programs, {}, client, grace=0.3)
    worker = Worker(
        client,
        task_queue=place.queue,
        workflows=[BlueprintWorkflow],
        activities=[nodes.perform],
        workflow_runner=runner(),
        max_cached_workflows=cached,
    )
    patient(worker)
    async with worker:
        yield client
    stop()


async def replay_all(client, runs: Sequence[str]) -> dict[str, str]:
    """Replay what was run, as another worker would; tells what came out otherwise, by run."""
    from temporalio.worker import Replayer

    from atomiton.conductor.temporal.worker import runner
    from atomiton.drivers.temporal.programs import Programs, serve
    from atomiton.drivers.temporal.workflow import BlueprintWorkflow

    async def histories():
        for run in runs:
            yield await client.get_workflow_handle(run).fetch_history()

    stop = serve(client.namespace, REPLAYED, Programs(restore, lambda _program: {}))
    replayer = Replayer(
        workflows=[BlueprintWorkflow],
        namespace=client.namespace,
        data_converter=client.data_converter,
        workflow_runner=runner(),
        debug_mode=True,  # a busy machine is no reason to fail
    )
    told = {}
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure is not None:
                told[result.history.workflow_id] = repr(result.replay_failure)
    stop()
    return told


def journal_of(address: str, client) -> TemporalJournal:
    return TemporalJournal(parse(address), client)
