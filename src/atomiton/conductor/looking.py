"""Looking at runs: how they fare, what happened in them, which there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from atomiton.conductor.core import POLL, Core
from atomiton.conductor.result import RunResult
from atomiton.conductor.watching import Narrator, run_event
from atomiton.drivers.execution import Execution
from atomiton.events import RunEvent
from atomiton.machine.records import decode
from atomiton.ports.journal import RunHeader


class Looking(Core):
    """What a conductor tells of runs."""

    async def result(self, run: str) -> RunResult:
        """Wait for a run to end and sum it up; ``NotFound`` if there is none."""
        execution = self._known(run)
        if execution is not None:
            await execution.wait()
            return RunResult(execution.state)
        while True:
            header = await self.journal.header(run)
            if header.ended_at is not None:
                return await self.show(run)
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
        narrator: Narrator | None = None
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
            if narrator is None:  # bodies have names only for those who know how they came to be
                narrator = Narrator((await self.library.stored(self.journal, header)).plan, run)
            records = await self.journal.read(run, narrator.count)
            if records:
                for record in records:
                    event = narrator.tell(decode(record))
                    if event.number > after:
                        yield event
                after = max(after, narrator.count)
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
