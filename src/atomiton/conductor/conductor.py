"""The one API: start runs, watch them, steer them.

A ``Conductor`` composes what the other rooms of the house provide: it reads blueprints, checks
inputs, picks durable or in-memory driving, and keeps what ended. It decides nothing about how a
run moves; that is the machine's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Self

from atomiton.blueprint.model import Blueprint, Durability
from atomiton.conductor.decisions import decide_lost
from atomiton.conductor.ids import new_run_id, new_seed
from atomiton.conductor.inputs import check_options, own_inputs
from atomiton.conductor.library import Library, Source
from atomiton.conductor.result import RunResult
from atomiton.conductor.run import Run
from atomiton.conductor.watching import announce, run_event
from atomiton.drivers.execution import Execution
from atomiton.drivers.local import GRACE, LocalDriver
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, IllegalEvent, StoreError
from atomiton.events import Bus, RunEvent
from atomiton.machine import RunState, apply
from atomiton.machine.events import (
    CancelRequested,
    Event,
    Paused,
    Resumed,
    RunRequested,
    StepRequested,
)
from atomiton.machine.records import decode, encode
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.ports.journal import Journal, RunHeader, StatusChange
from atomiton.ports.runtime import Runtime
from atomiton.store.open import open_journal

#: How many runs that were kept in memory only can still be looked at after they ended.
REMEMBERED = 32
#: Seconds between looks at a run that another process drives, and at messages from others.
POLL = 0.2


class Conductor:
    """Runs blueprints in this process.

    Args:
        store: ``memory:``, ``sqlite:PATH`` or a path; by default ``ATOMITON_STORE``, else the
            user's data folder. Runs in a file survive the death of the process.
        nodes: Node functions, or files of them, beside the library's.
        capabilities: What nodes reach the world with; by default the real thing.
        secrets: Values by name; by default environment variables ``ATOMITON_SECRET_<NAME>``.
        resume: Whether runs that a dead process left unfinished go on by themselves.
        grace: Seconds between asking an attempt to stop and giving it up.

    Example:
        >>> async def main() -> None:
        ...     async with Conductor(store="memory:") as conductor:
        ...         result = await conductor.run("hello.yaml", {"name": "Ada"})
        ...         print(result.output)
    """

    def __init__(
        self,
        store: str | Journal | None = None,
        *,
        nodes: Sequence[object] = (),
        registry: Registry | None = None,
        capabilities: Capabilities | None = None,
        secrets: Mapping[str, str] | None = None,
        resume: bool = True,
        grace: float = GRACE,
        now: Callable[[], float] = time.time,
    ) -> None:
        address = os.environ.get("ATOMITON_STORE", "") if store is None else store
        self.in_memory = address == "memory:"
        self.journal = open_journal(address) if isinstance(address, str) else address
        self.capabilities = capabilities or Capabilities()
        self.library = Library(registry or Registry.builtin(), self.capabilities, nodes)
        self.bus = Bus()
        self._secrets = secrets
        self._resume = resume
        self._grace = grace
        self._now = now
        self._remembered: OrderedDict[str, Execution] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._driver: LocalDriver | None = None

    async def __aenter__(self) -> Self:
        """Open the store; runs that a dead process left go on."""
        await self.journal.open()
        self._driver = LocalDriver(self.journal, self._runtimes(), now=self._now, grace=self._grace)
        self._driver.announce = self._announce
        self._driver.on_end = self._remember
        if not self.in_memory:
            self._spawn(self._hear_messages())
            if self._resume:
                self._spawn(self._resume_abandoned())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop driving. Durable runs stay on record and go on in the next conductor."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._driver is not None:
            await self._driver.close()
        await self.capabilities.aclose()
        await self.journal.close()

    @property
    def driver(self) -> LocalDriver:
        """What drives the runs; there is one only inside ``async with``."""
        if self._driver is None:
            raise RuntimeError("a Conductor is used inside 'async with Conductor() as conductor:'")
        return self._driver

    # -- starting ------------------------------------------------------------------------------

    async def run(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
    ) -> RunResult:
        """Run a blueprint to its end.

        Args:
            blueprint: A ``Blueprint``, or the path of a file.
            inputs: By name, as the blueprint declares them.
            durability: Instead of the blueprint's own.
            key: A second run of the blueprint under the same key is not made; the first one's
                result is given.

        Returns:
            How it fared; a failure is a result, not an exception.

        Raises:
            BlueprintError: If the blueprint cannot be run.
            InputError: If the inputs do not fit.
        """
        check_options(durability, key)
        loaded = self.library.load(blueprint)
        program = self.library.program(loaded)
        checked = own_inputs(loaded, inputs)
        if self._in_memory(loaded, durability):
            execution = self._begin(program, checked)
            if execution.finish is None:
                await self._ended(execution)
            return RunResult(execution.state)
        run, started = await self._accept(loaded, program, checked, durability, key)
        if started is None:
            return await self.result(run)
        await self._ended(started)
        return RunResult(started.state)

    async def start(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a run and return at once; when it is durable, it is on record by then.

        With ``paused`` it waits to be resumed or stepped. Other arguments and errors: ``run``.
        """
        check_options(durability, key)
        loaded = self.library.load(blueprint)
        program = self.library.program(loaded)
        checked = own_inputs(loaded, inputs)
        if self._in_memory(loaded, durability):
            return Run(self, self._begin(program, checked, paused=paused).state.id)
        run, _ = await self._accept(loaded, program, checked, durability, key, paused=paused)
        return Run(self, run)

    def _in_memory(self, blueprint: Blueprint, durability: Durability | None) -> bool:
        return self.in_memory or (durability or blueprint.durability) == "none"

    def _begin(
        self, program: Program, inputs: dict[str, object], *, paused: bool = False
    ) -> Execution:
        request = RunRequested(self._now(), new_run_id(), inputs, new_seed(), paused)
        return self.driver.begin(program, request, self._secrets_of(program))

    async def _accept(
        self,
        blueprint: Blueprint,
        program: Program,
        inputs: dict[str, object],
        durability: Durability | None,
        key: str | None,
        *,
        paused: bool = False,
    ) -> tuple[str, Execution | None]:
        plan = program.plan
        now = self._now()
        if durability is not None and durability != plan.durability:
            program = self.library.program(blueprint, durability)
            plan = program.plan
        await self.library.keep(self.journal, program)
        header = RunHeader(
            run=new_run_id(),
            blueprint=plan.id,
            blueprint_hash=plan.hash,
            created_at=now,
            version=plan.version,
            key=key,
        )
        request = RunRequested(now, header.run, inputs, new_seed(), paused)
        secrets = self._secrets_of(program)
        accepting = asyncio.ensure_future(self.driver.accept(program, request, header, secrets))
        try:
            started = await asyncio.shield(accepting)
        except asyncio.CancelledError:
            # Half accepted it would be on record, with nobody to drive it.
            accepted = (await asyncio.wait([accepting]))[0].pop()
            if not accepted.cancelled() and accepted.exception() is None:
                await self._withdraw(accepted.result())
            raise
        if started is None and header.run not in self.driver.runs:
            # The key's earlier run may have been left behind: then it goes on here.
            earlier = await self.journal.header(header.run)
            if earlier.ended_at is None and await self.journal.claim(header.run):
                await self._recover(header.run)
        return header.run, started

    async def _withdraw(self, started: Execution | None) -> None:
        """End a run whose caller was cancelled before it could know of it."""
        if started is not None and not started.stopped:
            started.feed(CancelRequested(self._now(), "the caller was cancelled"))
            await asyncio.shield(started.wait())

    def _secrets_of(self, program: Program) -> dict[str, str]:
        names = program.plan.secrets
        if not names:
            return {}
        if self._secrets is not None:
            return {name: self._secrets[name] for name in names if name in self._secrets}
        values = ((name, os.environ.get(f"ATOMITON_SECRET_{name}")) for name in names)
        return {name: value for name, value in values if value is not None}

    async def _ended(self, execution: Execution) -> None:
        """Wait for a run; when the waiting is cancelled, so is the run."""
        try:
            await execution.wait()
        except asyncio.CancelledError:
            await self._withdraw(execution)
            raise

    # -- looking -------------------------------------------------------------------------------

    async def result(self, run: str) -> RunResult:
        """Wait for a run to end and sum it up; ``NotFound`` if there is none."""
        execution = self._known(run)
        if execution is not None:
            await execution.wait()
            return RunResult(execution.state)
        while True:
            shown = await self.show(run)
            if shown.status in ("completed", "failed", "cancelled"):
                return shown
            await asyncio.sleep(POLL)

    async def show(self, run: str) -> RunResult:
        """Sum a run up as it is now; ``NotFound`` if there is none."""
        execution = self._known(run)
        if execution is not None:
            return RunResult(execution.state, self._now())
        state = await self._rebuild(run)
        return RunResult(state, self._now())

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[RunHeader]:
        """Headers of stored runs, newest first; ``before`` is the id of the last one seen."""
        return await self.journal.list(
            status=status, blueprint=blueprint, before=before, limit=limit
        )

    async def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run from number ``after + 1`` on, in order, until the run ends.

        Works for runs that have ended, and for those that another process drives.
        """
        while True:
            execution = self._known(run)
            if execution is not None:
                for number in range(after, execution.saved):
                    yield run_event(execution.state, number + 1, execution.facts[number])
                after = max(after, execution.saved)
                if execution.stopped:
                    return
                await self._next_fact(execution)
                continue
            header = await self.journal.header(run)
            records = await self.journal.read(run, after)
            if records:
                plan = (await self.library.stored(self.journal, header)).plan
                state = RunState(plan)
                state.id = run
                for record in records:
                    after += 1
                    yield run_event(state, after, decode(record))
            elif header.ended_at is not None:
                return
            else:
                await asyncio.sleep(POLL)

    async def _next_fact(self, execution: Execution) -> None:
        """Wait until a run that is driven here has something new on record."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake(_event: RunEvent) -> None:
            if not woken.done():
                woken.set_result(None)

        stop = self.bus.listen(wake, execution.state.id)
        ended = asyncio.ensure_future(execution.wait())
        try:
            await asyncio.wait([woken, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            stop()

    async def _rebuild(self, run: str) -> RunState:
        header = await self.journal.header(run)
        program = await self.library.stored(self.journal, header)
        state = RunState(program.plan)
        for record in await self.journal.read(run):
            apply(state, decode(record))
        return state

    def _known(self, run: str) -> Execution | None:
        return self.driver.runs.get(run) or self._remembered.get(run)

    # -- steering ------------------------------------------------------------------------------

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop: what runs is cancelled, nothing new starts."""
        await self._tell(run, CancelRequested(self._now(), reason, by))

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        await self._tell(run, Paused(self._now(), by))

    async def step(self, run: str, by: str = "") -> None:
        """Let a paused run start one more attempt."""
        await self._tell(run, StepRequested(self._now(), by))

    async def resume(self, run: str, by: str = "", *, lost: str | None = None) -> None:
        """Let a run go on: one that a dead process left, one that is paused, or both.

        Args:
            run: Its id.
            by: Who wants it.
            lost: What becomes of attempts that were lost and must not be repeated unasked:
                ``repeat`` makes them again, ``fail`` fails them; None leaves them waiting.

        A run that another process drives is asked over the store.
        """
        execution = await self._take_over(run)
        state = execution.state if execution is not None else await self._rebuild(run)
        wishes: list[Event] = []
        if lost is not None:
            wishes.extend(decide_lost(state, lost, by, self._now()))
        if state.paused:
            wishes.append(Resumed(self._now(), by))
        for wish in wishes:
            if execution is None:
                await self.journal.post(run, encode(wish))
            elif not execution.stopped:
                execution.feed(wish)

    async def _tell(self, run: str, event: Event) -> None:
        """Feed a wish to whoever drives the run: here, in another process, or from now on here."""
        execution = await self._take_over(run)
        if execution is None:
            await self.journal.post(run, encode(event))
        elif execution.stopped:
            raise IllegalEvent(f"run {run} is {execution.state.status}")
        else:
            execution.feed(event)

    async def _take_over(self, run: str) -> Execution | None:
        """The run as driven here, taken over if nobody drives it; None if another process does."""
        execution = self._known(run)
        if execution is not None:
            if execution.failure is not None:
                raise execution.failure
            return execution
        header = await self.journal.header(run)
        if header.ended_at is not None:
            raise AtomitonError(f"run {run} has ended: {header.status}", code="NOT_ALLOWED")
        if not await self.journal.claim(run):
            return None
        return await self._recover(run)

    async def _recover(self, run: str) -> Execution:
        """Drive a run that this process has just claimed."""
        header = await self.journal.header(run)
        try:
            program = await self.library.stored(self.journal, header)
            facts = [decode(record) for record in await self.journal.read(run)]
            return self.driver.recover(run, program, facts, self._secrets_of(program))
        except AtomitonError as error:
            change = StatusChange("waiting", reason=f"cannot go on here: {error.message}")
            await self.journal.append(run, header.events, [], change, sync=True)
            await self.journal.release(run)
            raise

    async def _resume_abandoned(self) -> None:
        for run in await self.journal.abandoned():
            try:
                if run not in self.driver.runs and await self.journal.claim(run):
                    await self._recover(run)
            except AtomitonError as error:
                # Flagged in the store with the reason; other runs must go on all the same.
                self._log(f"run {run} cannot go on: {error.message}")

    async def _hear_messages(self) -> None:
        """Take what other processes ask of the runs driven here."""
        while True:
            await asyncio.sleep(POLL)
            for execution in list(self.driver.runs.values()):
                if execution.durable and not execution.stopped:
                    await self._hear(execution)

    async def _hear(self, execution: Execution) -> None:
        try:
            messages = await self.journal.take_messages(execution.state.id)
        except StoreError:
            return  # the run's own writes will say so
        for message in messages:
            try:
                if not execution.stopped:
                    execution.feed(decode(message))
            except IllegalEvent as error:
                self._log(str(error))

    # -- bookkeeping -----------------------------------------------------------------------------

    def _runtimes(self) -> dict[str, Callable[[], Runtime]]:
        # Imported where first used: most runs need no thread and no process.
        def thread() -> Runtime:
            from atomiton.runtimes.thread import ThreadRuntime

            return ThreadRuntime()

        def process() -> Runtime:
            from atomiton.runtimes.process import ProcessRuntime

            return ProcessRuntime(files=self.library.files)

        return {"thread": thread, "process": process}

    def _announce(self, execution: Execution, first: int, last: int) -> None:
        if self.bus:
            announce(self.bus, execution.state, execution.facts, first, last)

    def _remember(self, execution: Execution) -> None:
        if execution.durable and execution.failure is None:
            return  # the store remembers it
        self._remembered[execution.state.id] = execution
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _log(self, message: str) -> None:
        import logging

        logging.getLogger("atomiton").warning(message)
