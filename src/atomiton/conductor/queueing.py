"""Runs that wait for their turn: on record at once, begun when they are admitted."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
from collections.abc import Sequence
from functools import partial

import msgspec

from atomiton.blueprint.model import Blueprint, Durability
from atomiton.conductor.core import LATE, REST
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.result import RunResult
from atomiton.conductor.steering import Steering
from atomiton.conductor.waits import Wait
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, StoreError
from atomiton.machine.events import Breakpoint, Event, Resumed, RunRequested
from atomiton.machine.records import pieces
from atomiton.ports.admission import ALONE, DeadLetter, Queued, QueueSizes
from atomiton.ports.journal import RunHeader
from atomiton.store.ledger import queue

#: Who lets a queued run go on.
QUEUE = "queue"
#: Seconds between looks whose turn it is, when nothing is known to have changed.
TURN = 1.0


class Queueing(Steering):
    """What a conductor does with runs that wait for their turn."""

    async def _begin_beside(self) -> None:
        await super()._begin_beside()
        self._turn = asyncio.Event()
        self._admitting = False
        if self._queues and self._resume:
            self._begin_admitting()

    def _begin_admitting(self) -> None:
        if not self._admitting and not self.in_memory:
            self._admitting = True
            self._spawn(self._admit_all())

    async def _admit_all(self) -> None:
        while True:
            self._turn.clear()
            with contextlib.suppress(StoreError):  # it is away: there is a next time
                admitted = await self._beside.do(partial(queue.admit, self.admission, self._now()))
                await self._all_go_on(admitted)
                for run in admitted:
                    if (execution := self.driver.runs.get(run)) is not None:
                        self._begin_turn(execution)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN):
                    await self._turn.wait()

    def _remember(self, execution: Execution) -> None:
        super()._remember(execution)
        # If it was queued there may be room now; to look is dear where nothing is ever queued.
        if self._admitting and _begun(execution):
            self._turn.set()

    def _must_queue(self, delay: float, lane: str, *, paused: bool, in_memory: bool) -> bool:
        """Whether a run is to wait for its turn or its time; one that begins paused is not."""
        if delay and (in_memory or paused):
            what = "paused" if paused else "kept in memory only"
            raise AtomitonError(f"a run that is {what} cannot be delayed", code="INVALID_INPUT")
        return (
            not in_memory and not paused and (delay > 0 or self._bounded or lane.startswith(ALONE))
        )

    async def _enqueue(
        self,
        blueprint: Blueprint,
        inputs: dict[str, object],
        durability: Durability | None,
        key: str | None,
        turn: tuple[int, str, float],
        stops: tuple[Breakpoint, ...] | None = None,
    ) -> str:
        """Put a run on record that begins when it is its turn; gives its id."""
        program: Program = self.library.program(blueprint, durability)
        plan, now = program.plan, self._now()
        await self.library.keep(self.journal, program)
        header = RunHeader(
            run=new_run_id(),
            blueprint=plan.id,
            blueprint_hash=plan.hash,
            created_at=now,
            version=plan.version,
            key=key,
        )
        request = RunRequested(now, header.run, inputs, self._seed(), True, breakpoints=stops)
        return await self._enter(header, [request], turn)

    async def _enter(
        self, header: RunHeader, facts: Sequence[Event], turn: tuple[int, str, float]
    ) -> str:
        """Put a run on record that is paused until it is its turn; gives its id.

        Args:
            header: Of the run.
            facts: Its first ones.
            turn: Priority, lane, and the seconds before which it does not begin.
        """
        run, (priority, lane, delay) = header.run, turn
        header.status = "queued"
        ready = header.created_at + delay
        queued = Queued(run, header.blueprint, priority, lane, ready, header.created_at)
        # In this order: a run on record that the queue does not know would never begin.
        await self._beside.do(partial(queue.enter, queued))
        stored = await self.journal.create(header, [pieces(fact) for fact in facts], sync=True)
        if stored != run:
            await self._beside.do(partial(queue.leave, run))
            return stored
        if not await self.journal.park(run, LATE):
            await self.journal.release(run)  # somebody tells it something: it is taken up for that
        self._begin_admitting()
        self._turn.set()
        return run

    async def _turn_of(self, run: str) -> tuple[int, str, float]:
        """The turn that a run takes which does again what another one did: as that one had it."""
        if self.in_memory:
            return 0, "", 0.0
        found = await self._beside.do(partial(queue.standing, run))
        return (0, "", 0.0) if found is None else (found[0].priority, found[0].lane, 0.0)

    async def _taken_up(self, execution: Execution) -> None:
        """Let a queued run begin if it was admitted; else it is put back when it has heard."""
        await super()._taken_up(execution)
        state = execution.state
        if not state.paused or _begun(execution):
            return
        found = await self._beside.do(partial(queue.standing, state.id))
        if found is not None and found[1]:
            self._begin_turn(execution)
        elif found is not None:
            self._look_again(execution)

    def _begin_turn(self, execution: Execution) -> None:
        """It is the turn of a run that is driven here."""
        if execution.state.paused and not execution.stopped and not _begun(execution):
            execution.feed(Resumed(self._now(), QUEUE))

    def _look_again(self, execution: Execution) -> None:
        def look() -> None:
            if self.driver.runs.get(execution.state.id) is execution and not execution.stopped:
                self._spawn(self._put_back(execution))

        self.driver.loop.call_later(REST, look)

    async def _put_back(self, execution: Execution) -> None:
        """Park a queued run again that was taken up to be told something."""
        run = execution.state.id
        try:
            if _begun(execution):  # somebody wanted it at once
                await self._beside.do(partial(queue.release, run, self._now()))
                return
            found = await self._beside.do(partial(queue.standing, run))
        except StoreError:
            self._look_again(execution)
            return
        if found is None or found[1]:
            self._begin_turn(execution)
        elif self._is_needed(execution):
            self._look_again(execution)
        else:
            self.driver.let_go(execution)
            if not await self.journal.park(run, LATE):
                await self._recover(run)

    def _is_needed(self, execution: Execution) -> bool:
        """Whether somebody waits for what a run does here, or it does something."""
        return (
            bool(execution.waiters)
            or self.bus.hears(execution.state.id)
            or execution.at_work
            or execution.saved < len(execution.facts)
        )

    # -- looking -------------------------------------------------------------------------------

    async def show(self, run: str) -> RunResult:
        """Sum a run up as it is now; one that is queued says what it waits for. ``NotFound``."""
        result = await super().show(run)
        why = await self._why(run) if result.status == "paused" else None
        if why is None:
            return result
        return RunResult.of(msgspec.structs.replace(result.view(), status="queued", reason=why))

    async def waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for; empty when it waits for nothing."""
        waits = await super().waits(run)
        if waits or self.in_memory or (await self.header(run)).ended_at is not None:
            return waits
        found = await self._beside.do(partial(queue.standing, run))
        why = await self._why(run) if found is not None and not found[1] else None
        if found is None or why is None:
            return waits
        ready = found[0].ready_at
        return [Wait("", QUEUE, ready if ready > self._now() else None, title=why)]

    async def _why(self, run: str) -> str | None:
        if self.in_memory:
            return None
        return await self._beside.do(partial(queue.why, self.admission, run, self._now()))

    async def queue_sizes(self) -> QueueSizes:
        """How many runs wait in the queue, and how many of it are under way."""
        if self.in_memory:
            return QueueSizes(0, 0, 0)
        return QueueSizes(*await self._beside.do(partial(queue.sizes, self._now())))

    async def dead_letters(
        self,
        *,
        blueprint: str | None = None,
        code: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[DeadLetter]:
        """Queued runs that have failed and were not replayed yet, newest first.

        Args:
            blueprint: Only runs of this one.
            code: Only those that this error ended.
            before: Id of the last one seen.
            limit: Most to give.
        """
        if self.in_memory:
            return []
        asked = partial(queue.dead, blueprint or "", code or "", before or "", limit)
        return await self._beside.do(asked)


def _begun(execution: Execution) -> bool:
    """Whether a run that began paused was let go on, by whomever."""
    return any(isinstance(fact, Resumed) for fact in execution.facts)
