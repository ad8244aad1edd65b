"""What every part of a conductor stands on: the store, the driver, and who drives which run."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Self

from atomiton.conductor.hooks import Hooks
from atomiton.conductor.hooks_of_plan import HookTable
from atomiton.conductor.ids import new_seed
from atomiton.conductor.library import Library
from atomiton.conductor.watching import announce
from atomiton.drivers.execution import Execution
from atomiton.drivers.local import GRACE, LocalDriver
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, IllegalEvent, StoreError
from atomiton.events import Bus
from atomiton.machine import RunState, apply
from atomiton.machine.records import decode
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.ports.hooks import PlanHooks
from atomiton.ports.journal import Journal, StatusChange
from atomiton.ports.runtime import Runtime
from atomiton.store.open import open_journal

#: How many runs that were kept in memory only can still be looked at after they ended.
REMEMBERED = 32
#: Seconds between looks at a run that another process drives, and at messages from others.
POLL = 0.2
#: Seconds for which a run must have rested before it leaves memory.
REST = 1.0
#: Seconds: what goes on by itself sooner than this stays in memory.
SOON = 5.0
#: The moment at which a run wakes that waits only for somebody (the year 5138).
LATE = 1e11


class Core:
    """Opens and closes a conductor, and knows the runs that it drives."""

    def __init__(
        self,
        store: str | Journal | None = None,
        *,
        nodes: Sequence[object] = (),
        registry: Registry | None = None,
        capabilities: Capabilities | None = None,
        secrets: Mapping[str, str] | None = None,
        hooks: Hooks | None = None,
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
        self.hooks = Hooks() if hooks is None else hooks
        self._hook_table = HookTable()
        self._secrets = secrets
        self._resume = resume
        self._grace = grace
        self._now = now
        self._seed: Callable[[], int] = new_seed
        self._remembered: OrderedDict[str, Execution] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._recovering: dict[str, asyncio.Future[Execution]] = {}
        self._driver: LocalDriver | None = None

    async def __aenter__(self) -> Self:
        """Open the store; runs that a dead process left go on."""
        await self.journal.open()
        self._driver = LocalDriver(self.journal, self._runtimes(), now=self._now, grace=self._grace)
        self._driver.announce = self._announce
        self._driver.on_end = self._remember
        self._driver.on_rest = self._rested
        self._driver.hooks = self._hooks_of
        if not self.in_memory:
            self._spawn(self._keep_up())
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
        if self._recovering:
            await asyncio.wait(self._recovering.values())
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

    # -- runs that are driven here, or could be -----------------------------------------------

    def _known(self, run: str) -> Execution | None:
        return self.driver.runs.get(run) or self._remembered.get(run)

    async def _rebuild(self, run: str) -> RunState:
        header = await self.journal.header(run)
        program = await self.library.stored(self.journal, header)
        state = RunState(program.plan)
        for record in await self.journal.read(run):
            apply(state, decode(record))
        return state

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
        """Drive a run that this process has claimed; once, whoever asks for it meanwhile."""
        driven = self.driver.runs.get(run)
        if driven is not None:
            return driven
        recovering = self._recovering.get(run)
        if recovering is None:
            recovering = asyncio.ensure_future(self._rebuild_and_drive(run))
            self._recovering[run] = recovering
            recovering.add_done_callback(lambda ended: self._recovered(run, ended))
        return await asyncio.shield(recovering)

    def _recovered(self, run: str, ended: asyncio.Future[Execution]) -> None:
        del self._recovering[run]
        if not ended.cancelled():
            ended.exception()  # those who wait have it; after a cancel nobody does

    async def _rebuild_and_drive(self, run: str) -> Execution:
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
            await self._go_on(run)

    async def _go_on(self, run: str) -> None:
        """Drive a run that nobody drives, unless another process is quicker."""
        try:
            if run not in self.driver.runs and await self.journal.claim(run):
                await self._recover(run)
        except AtomitonError as error:
            # Flagged in the store with the reason; other runs must go on all the same.
            self._log(f"run {run} cannot go on: {error.message}")

    async def _keep_up(self) -> None:
        """Take what other processes ask of the runs driven here; wake those that were parked."""
        while True:
            await asyncio.sleep(POLL)
            for execution in list(self.driver.runs.values()):
                if execution.recorder is not None and not execution.stopped:
                    await self._hear(execution)
            if self._resume:
                await self._wake_due()

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

    # -- runs that only wait leave memory, and come back when their moment or a message comes ----

    def _rested(self, execution: Execution) -> None:
        """All of a run that waits is on record: look again in a while."""
        self.driver.loop.call_later(REST, self._park_soon, execution)

    def _park_soon(self, execution: Execution) -> None:
        state = execution.state
        if (
            self.driver.runs.get(state.id) is execution
            and not execution.waiters
            and not self.bus.hears(state.id)
            and not execution.at_work
            and execution.saved == len(execution.facts)
            and state.public_status() == "waiting"
            and _wakes(state) > self._now() + SOON
        ):
            self._spawn(self._park(execution))

    async def _park(self, execution: Execution) -> None:
        run = execution.state.id
        self.driver.let_go(execution)
        if not await self.journal.park(run, _wakes(execution.state)):
            await self._recover(run)  # a message came in: it is read soon

    async def _wake_due(self) -> None:
        """Go on with the parked runs whose moment has come."""
        for run in await self.journal.due(self._now()):
            await self._go_on(run)

    def _secrets_of(self, program: Program) -> dict[str, str]:
        names = program.plan.secrets
        if not names:
            return {}
        if self._secrets is not None:
            return {name: self._secrets[name] for name in names if name in self._secrets}
        values = ((name, os.environ.get(f"ATOMITON_SECRET_{name}")) for name in names)
        return {name: value for name, value in values if value is not None}

    def _hooks_of(self, program: Program) -> PlanHooks | None:
        ours, found = self.hooks, self.library.hooks
        if not ours.registered and not found:  # looked at for every run
            return None
        return self._hook_table.of(program.plan, [ours, *found])

    # -- bookkeeping ---------------------------------------------------------------------------

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
        if execution.recorder is not None and execution.failure is None:
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


def _wakes(state: RunState) -> float:
    """When a run goes on by itself."""
    return min((timer.at for timer in state.timers.values()), default=LATE)
