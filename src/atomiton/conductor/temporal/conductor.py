"""A conductor whose runs are on a Temporal server: it starts, watches and steers them there."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TypeVar

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import PayloadCodec
from temporalio.exceptions import WorkflowAlreadyStartedError

from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.plan import MapPlan, Plan
from atomiton.conductor.beside import Beside
from atomiton.conductor.core import has_ended
from atomiton.conductor.forking import fork_facts
from atomiton.conductor.hooks_of_plan import all_nodes
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.inputs import Inputs, check_options, refuse_unfit
from atomiton.conductor.library import Source
from atomiton.conductor.looking import SHORTEST
from atomiton.conductor.mirroring import Mirroring
from atomiton.conductor.repeats import key_of
from atomiton.conductor.result import RunResult
from atomiton.conductor.run import Run
from atomiton.conductor.temporal.address import Place, parse
from atomiton.conductor.temporal.journal import TemporalJournal
from atomiton.conductor.temporal.told import told
from atomiton.conductor.temporal.triggers import TemporalTriggers
from atomiton.conductor.waits import Wait, waits_of
from atomiton.conductor.watching import Narrator
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.drivers.temporal.wire import (
    MEMO_RUN,
    WORKFLOW,
    About,
    Options,
    Start,
    pack,
)
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.machine import RunState, apply
from atomiton.machine.events import Breakpoint, Event, RunRequested
from atomiton.machine.records import encode
from atomiton.ports.admission import QueueSizes
from atomiton.ports.blueprints import BlueprintStore
from atomiton.ports.journal import RunHeader
from atomiton.store.ledger.base import Steps
from atomiton.store.open import default_path

T = TypeVar("T")
#: Of how many runs that were started here the blueprint is known without asking.
_REMEMBERED = 1000
#: Seconds that a step of a run with maps may take, and so a worker to replay it, before the server
#: hands it to another one. Else it does after 10.
_WIDE = timedelta(seconds=60)
#: Seconds between looks for new facts of a run: the first, and the longest.
_FIRST, _LONGEST = 0.05, 1.0


class _Nothing(Beside):
    """What would stand beside the runs, and does not on a Temporal server."""

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Refuse it."""
        del steps
        message = (
            "queues and kept secrets are not there for runs on Temporal; "
            "docs/how-to/move-to-temporal.md says what is used instead"
        )
        raise AtomitonError(message, code="NOT_SUPPORTED")


class TemporalConductor(TemporalTriggers, Mirroring):
    """The one API for runs on a Temporal server.

    Blueprints are read and checked here, so the node types they use must be known here as well as
    to the workers. Hooks, the queue, delays and kept secrets are refused. Schedules of kept
    blueprints are the server's own, once it knows them: ``sync_triggers``.

    Args:
        address: ``temporal://HOST:PORT/NAMESPACE?queue=NAME``.
        nodes: Node functions, or files of them, beside the library's.
        blueprints: Where the blueprints are that people keep; by default beside the runs of this
            user on this machine.
        options: How runs are driven that are started here.
        client: The way to the server, instead of one that is opened here.
        codec: What else is done to payloads, by default what the environment wants; the workers
            need the same.

    Example:
        >>> async def main() -> None:
        ...     async with TemporalConductor("temporal://127.0.0.1") as conductor:
        ...         print((await conductor.run("order-report.yaml", {"month": 5})).output)
    """

    def __init__(
        self,
        address: str | Place,
        *,
        nodes: Sequence[object] = (),
        blueprints: str | BlueprintStore | None = None,
        options: Options | None = None,
        client: Client | None = None,
        codec: PayloadCodec | None = None,
    ) -> None:
        self._place = parse(address) if isinstance(address, str) else address
        self._temporal = TemporalJournal(self._place, client, codec)
        kept = f"sqlite:{default_path()}" if blueprints is None else blueprints
        # What runs in another process may not be known here: values of secrets among it.
        self._kept_at = kept
        TemporalTriggers.__init__(
            self, self._temporal, blueprints=kept, nodes=nodes, secrets={}, resume=False
        )
        Mirroring.__init__(self)
        self._beside = _Nothing(self._temporal.address)
        self._options = options or Options()
        #: Programs of the runs that were started here a while ago, to sum them up without asking.
        self._started: OrderedDict[str, Program] = OrderedDict()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Follow no runs any more, and free everything; runs go on."""
        await self.follow_no_more()
        await super().__aexit__(kind, error, trace)

    # -- starting ------------------------------------------------------------------------------

    async def run(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
    ) -> RunResult:
        """Run a blueprint to its end; arguments are those of ``Conductor.run``."""
        return await self._run_in_turn(blueprint, inputs, durability, key, priority, lane, delay)

    def _in_memory(self, blueprint: Blueprint, durability: Durability | None) -> bool:
        del blueprint, durability
        return False

    def _must_queue(self, delay: float, lane: str, *, paused: bool, in_memory: bool) -> bool:
        del paused, in_memory
        if delay or lane:
            message = "runs on Temporal have no queue: no delays and no lanes"
            raise AtomitonError(message, code="NOT_SUPPORTED")
        return False

    async def _accept(
        self,
        blueprint: Blueprint,
        program: Program,
        inputs: dict[str, object],
        durability: Durability | None,
        key: str | None,
        *,
        paused: bool = False,
        stops: tuple[Breakpoint, ...] | None = None,
    ) -> tuple[str, Execution | None]:
        del blueprint, durability  # everything is on record
        run = new_run_id() if key is None else _keyed_id(program.plan.id, key)
        now = self._now()
        request = RunRequested(now, run, inputs, self._seed(), paused, breakpoints=stops)
        refuse_unfit(request)
        start = Start(dict(program.record), program.plan.hash, self._driven, request)
        await self._begin_workflow(program, run, start, key)
        return run, None

    async def _fork(
        self,
        program: Program,
        facts: builtins.list[Event],
        points: builtins.list[int],
        inputs: Mapping[str, object] | None,
        key: str | None,
        *,
        paused: bool,
    ) -> Run:
        check_options(None, key)
        first, plan = facts[0], program.plan
        assert isinstance(first, RunRequested)
        given = Inputs(program.blueprint)({**first.inputs, **(inputs or {})})
        run = new_run_id() if key is None else _keyed_id(plan.id, key)
        request = RunRequested(self._now(), run, given, first.seed, forked_from=first.run)
        begun = pack(fork_facts(plan, facts, request, points, paused=paused))
        record = dict(program.record)
        start = Start(record, plan.hash, self._driven, carried=begun, fresh=True)
        await self._begin_workflow(program, run, start, key)
        return Run(self, run)

    async def _begin_workflow(
        self, program: Program, run: str, start: Start, key: str | None
    ) -> None:
        plan = program.plan
        about = About(plan.id, plan.hash, self._now(), plan.version, key)
        wide = any(isinstance(node.detail, MapPlan) for node in all_nodes(plan))
        async with told(run):
            with contextlib.suppress(WorkflowAlreadyStartedError):  # under this key, earlier
                await self._temporal.client.start_workflow(
                    WORKFLOW,
                    start,
                    id=run,
                    task_queue=self._place.queue,
                    memo={MEMO_RUN: about},
                    search_attributes=self._found_by(plan.id),
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=plan.id,
                    task_timeout=_WIDE if wide else None,
                )
        self._temporal.remember(run)
        if key is None:  # under a key it may have been started earlier, of another version
            self._started[run] = program
        if len(self._started) > _REMEMBERED:
            self._started.popitem(last=False)

    async def queue_sizes(self) -> QueueSizes:
        """How many runs wait for their turn: none, there is no queue."""
        return QueueSizes(0, 0, 0)

    # -- looking -------------------------------------------------------------------------------

    async def result(self, run: str) -> RunResult:
        """Wait for a run to end and sum it up; ``NotFound`` if there is none."""
        self._known(run)
        if run in self.mirrors:  # all of it is announced already
            await self.told(run)
            return await self.show(run)
        if self.bus:  # somebody listens: all of it is announced here as it happens there
            async for event in self.events(run):
                self.bus.publish(event)
            return await self.show(run)
        async with told(run):
            facts = await self._temporal.end_of(run)
        program = self._started.pop(run, None)
        if facts is None or program is None:
            return await self.show(run)
        state = RunState(program.plan)
        for fact in facts:
            apply(state, fact)
        return RunResult(state, self._now())

    async def show(self, run: str) -> RunResult:
        """Sum a run up as it is now; ``NotFound`` if there is none."""
        self._known(run)
        return RunResult(await self._rebuild(run), self._now())

    async def matching(self, text: str, limit: int = 5) -> builtins.list[str]:
        """Ids of runs that begin or end with a text; arguments are those of ``Conductor``."""
        found = set(await self._temporal.starting(text, limit))
        found.update(await self._temporal.starting(f"run_{text}", limit))
        if len(text) >= SHORTEST:
            found.update(await self._temporal.ending(text, limit))
        return sorted(found)[:limit]

    async def waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for; empty when it waits for nothing."""
        self._known(run)
        return waits_of(await self._rebuild(run))

    async def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run from number ``after + 1`` on, in order, until the run ends."""
        self._known(run)
        header = await self.journal.header(run)
        narrator = Narrator((await self.library.stored(self.journal, header)).plan, run)
        pause = _FIRST
        while True:
            ended = header.ended_at is not None
            facts = await self._temporal.facts(run, narrator.count)
            for fact in facts:
                event = narrator.tell(fact)
                if event.number > after:
                    yield event
            if ended and not facts:
                return
            if not facts:
                await asyncio.sleep(pause)
            pause = _FIRST if facts else min(2 * pause, _LONGEST)
            header = await self.journal.header(run)

    async def plan_of(self, run: str) -> tuple[Plan, RunHeader]:
        """What a run is pinned to, and how it stands."""
        header = await self.journal.header(run)
        return (await self.library.stored(self.journal, header)).plan, header

    # -- steering ------------------------------------------------------------------------------

    async def _tell(self, run: str, event: Event) -> None:
        """Let the workflow of a run take a wish."""
        self._known(run)
        refuse_unfit(event)
        key = key_of(event)
        if key and await self._was_told(run, type(event), key):
            return
        header = await self.journal.header(run)
        if header.ended_at is not None:
            raise has_ended(run, header.status)
        await self.journal.post(run, encode(event))


def _keyed_id(blueprint: str, key: str) -> str:
    """The id of the run of a blueprint under a key: there is only one."""
    return "run_k" + hashlib.sha256(f"{blueprint}\0{key}".encode()).hexdigest()[:32]
