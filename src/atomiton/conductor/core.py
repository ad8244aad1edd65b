"""What every part of a conductor stands on: the store, the driver, and who drives which run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from atomiton.conductor.beside import Beside
from atomiton.conductor.hooks import Hooks
from atomiton.conductor.hooks_of_plan import HookTable
from atomiton.conductor.ids import new_seed
from atomiton.conductor.library import Library
from atomiton.conductor.repeats import key_of, was_told
from atomiton.conductor.run import checked_id
from atomiton.conductor.shelf import Shelf
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
from atomiton.ports.admission import Admission
from atomiton.ports.blueprints import BlueprintStore
from atomiton.ports.hooks import PlanHooks
from atomiton.ports.journal import Journal, StatusChange
from atomiton.ports.runtime import Runtime
from atomiton.store.open import open_journal

if TYPE_CHECKING:
    from atomiton.conductor.caching import Results

#: How many runs that were kept in memory only can still be looked at after they ended.
REMEMBERED = 32
#: How many keys of such runs are known.
KEYS = 10_000
#: Seconds between looks at a run that another process drives, and at messages from others.
POLL = 0.2
#: Seconds between looks for runs whose process has died, and before one is tried again that could
#: not go on here.
LOOK = 5.0
AGAIN = 60.0
#: Seconds for which a run must have rested before it leaves memory.
REST = 1.0
#: Seconds: what goes on by itself sooner than this stays in memory.
SOON = 5.0
#: How many stored runs are taken up at the same time.
TOGETHER = 100
#: The moment at which a run wakes that waits only for somebody (the year 5138).
LATE = 1e11


class Core:
    """Opens and closes a conductor, and knows the runs that it drives."""

    def __init__(
        self,
        store: str | Journal | None = None,
        *,
        blueprints: str | BlueprintStore | None = None,
        nodes: Sequence[object] = (),
        registry: Registry | None = None,
        capabilities: Capabilities | None = None,
        secrets: Mapping[str, str] | None = None,
        hooks: Hooks | None = None,
        admission: Admission | None = None,
        resume: bool = True,
        grace: float = GRACE,
        now: Callable[[], float] = time.time,
    ) -> None:
        address = os.environ.get("ATOMITON_STORE", "") if store is None else store
        self.in_memory = address == "memory:"
        self.journal = open_journal(address) if isinstance(address, str) else address
        self._shelf = Shelf(self.journal.address if blueprints is None else blueprints)
        self._beside = Beside(self.journal.address)
        self.admission = Admission() if admission is None else admission
        self._queues = admission is not None
        self._bounded = self.admission.bounds
        if self.in_memory and self._bounded:
            message = "runs in memory have no queue: give the conductor a store, or no bounds"
            raise AtomitonError(message, code="INVALID_INPUT")
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
        self._keys: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Runs that could not go on here, and when to try them again.
        self._left: dict[str, float] = {}
        self._recovering: dict[str, asyncio.Future[Execution]] = {}
        self._driver: LocalDriver | None = None
        #: Called with every run that was driven here and has ended.
        self.on_ended: list[Callable[[Execution], None]] = []
        #: Called when facts of a run that is driven here, from one place to another, are on record.
        self.on_facts: list[Callable[[Execution, int, int], None]] = []

    async def __aenter__(self) -> Self:
        """Open the store; runs that a dead process left go on."""
        await self.journal.open()
        self._driver = LocalDriver(self.journal, self._runtimes(), now=self._now, grace=self._grace)
        self._driver.announce = self._announce
        self._driver.on_end = self._remember
        self._driver.on_rest = self._rested
        self._driver.hooks = self._hooks_of
        self._driver.cache = lambda: self.results
        if not self.in_memory:
            self._spawn(self._keep_up())
            if self._resume:
                self._spawn(self._resume_abandoned())
        await self._begin_beside()
        return self

    async def _begin_beside(self) -> None:
        """Begin what else goes on while the conductor is open."""

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
        await self._shelf.close()
        await self._beside.close()
        await self.journal.close()

    @cached_property
    def results(self) -> Results:
        """Results of nodes that are kept, for those that say ``cache``."""
        from atomiton.conductor.caching import Results  # few blueprints say so

        return Results(self._beside, self._now)

    @property
    def driver(self) -> LocalDriver:
        """What drives the runs; there is one only inside ``async with``."""
        if self._driver is None:
            raise RuntimeError("a Conductor is used inside 'async with Conductor() as conductor:'")
        return self._driver

    # -- runs that are driven here, or could be -----------------------------------------------

    def _known(self, run: str) -> Execution | None:
        checked_id(run)
        return self.driver.runs.get(run) or self._remembered.get(run)

    def _keyed(self, blueprint: str, key: str) -> Execution | None:
        """The run of a blueprint under a key, of those that are in memory only."""
        run = self._keys.get((blueprint, key))
        return None if run is None else self._known(run)

    def _note_key(self, blueprint: str, key: str, run: str) -> None:
        self._keys[blueprint, key] = run
        if len(self._keys) > KEYS:
            self._keys.popitem(last=False)

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
            raise has_ended(run, header.status)
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
            self._remembered.pop(run, None)  # what was given up here goes on
            execution = self.driver.recover(run, program, facts, self._secrets_of(program))
            await self._taken_up(execution)
            return execution
        except AtomitonError as error:
            change = StatusChange("waiting", reason=f"cannot go on here: {error.message}")
            await self.journal.append(run, header.events, [], change, sync=True)
            await self.journal.release(run)
            raise

    async def _taken_up(self, execution: Execution) -> None:
        """A run that another process had, or nobody, is driven here."""

    async def _resume_abandoned(self) -> None:
        """Go on with what dead processes left, now and for as long as this one lives."""
        while True:
            # A store that is away for a while says so again to whoever needs it.
            with contextlib.suppress(StoreError):
                await self._take_over_abandoned()
            await asyncio.sleep(LOOK)

    async def _take_over_abandoned(self) -> None:
        last = ""
        while runs := await self.journal.abandoned(after=last):
            last, now = runs[-1], self.driver.loop.time()
            await self._all_go_on([run for run in runs if self._left.get(run, 0) <= now])

    async def _all_go_on(self, runs: Sequence[str]) -> None:
        """Drive runs that nobody drives; a few together, since they share commits."""
        for first in range(0, len(runs), TOGETHER):
            await asyncio.gather(*map(self._go_on, runs[first : first + TOGETHER]))

    async def drain(self, seconds: float) -> bool:
        """Wait until no node is at work; False if one still is when the time is over."""
        end = asyncio.get_running_loop().time() + seconds
        while any(execution.at_work for execution in self.driver.runs.values()):
            if asyncio.get_running_loop().time() >= end:
                return False
            await asyncio.sleep(min(0.05, seconds))
        return True

    async def _go_on(self, run: str) -> None:
        """Drive a run that nobody drives, unless another process is quicker."""
        try:
            if run not in self.driver.runs and await self.journal.claim(run):
                await self._recover(run)
        except AtomitonError as error:
            # Flagged in the store with the reason; other runs must go on all the same.
            self._left[run] = self.driver.loop.time() + AGAIN
            self._log(f"run {run} cannot go on: {error.message}")

    async def _keep_up(self) -> None:
        """Take what other processes ask of the runs driven here; wake those that were parked."""
        while True:
            await asyncio.sleep(POLL)
            await self._hear_all()
            if self._resume:
                await self._wake_due()

    async def _hear_all(self) -> None:
        """Take the messages for the runs driven here; asks once, however many they are."""
        if not self.driver.runs:
            return
        try:
            mailed = await self.journal.mailed()
        except StoreError:
            return  # the runs' own writes will say so
        for run in mailed:
            execution = self.driver.runs.get(run)
            if execution is not None and not execution.stopped:
                await self._hear(execution)

    async def _hear(self, execution: Execution) -> None:
        try:
            messages = await self.journal.take_messages(execution.state.id)
        except StoreError:
            return  # the run's own writes will say so
        for message in messages:
            try:
                wish = decode(message)
                key = key_of(wish)
                if not execution.stopped and not (
                    key and was_told(execution.facts, type(wish), key)
                ):
                    execution.feed(wish)
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
            and execution.saved == len(execution.log)
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
        with contextlib.suppress(StoreError):  # it is away: there is a next time
            await self._all_go_on(await self.journal.due(self._now()))

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
        for told in self.on_facts:
            try:
                told(execution, first, last)
            except Exception:  # a listener's failure is its own, and must not stop a run
                logging.getLogger("atomiton").exception("a listener failed on facts")
        if self.bus:
            announce(self.bus, execution.state, execution.facts, first, last)

    def _remember(self, execution: Execution) -> None:
        for told in self.on_ended:
            try:
                told(execution)
            except Exception:  # a listener's failure is its own, and must not stop a run
                logging.getLogger("atomiton").exception("a listener failed on an end")
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
        logging.getLogger("atomiton").warning(message)


def has_ended(run: str, status: str) -> AtomitonError:
    """Say that nothing can be done with a run any more."""
    return AtomitonError(f"run {run} has ended: {status}", code="NOT_ALLOWED")


def _wakes(state: RunState) -> float:
    """When a run goes on by itself."""
    return min((timer.at for timer in state.timers.values()), default=LATE)
