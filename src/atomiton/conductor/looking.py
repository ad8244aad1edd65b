"""Looking at runs: how they fare, what happened in them, which there are."""

from __future__ import annotations

import asyncio
import builtins
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.plan import Plan
from atomiton.conductor.api import Asked
from atomiton.conductor.core import POLL, Core
from atomiton.conductor.result import RunResult
from atomiton.conductor.waits import Wait, waits_of
from atomiton.conductor.watching import Narrator, header_of
from atomiton.drivers.execution import Execution
from atomiton.errors import AtomitonError
from atomiton.events import RunEvent
from atomiton.machine.events import Event
from atomiton.machine.records import decode
from atomiton.machine.state import RunState
from atomiton.ports.journal import RunHeader

if TYPE_CHECKING:
    from atomiton.conductor.previewing import Previewed

#: How many stored facts a reader asks for at a time: few, because all of them may be large, and who
#: reads slowly keeps them in memory.
PAGE = 16
#: Ended runs of which all data are kept in memory, while somebody writes expressions over them.
LOOKED_AT = 2
#: Shortest end of an id that names a run.
SHORTEST = 4


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

    async def header(self, run: str) -> RunHeader:
        """What a list of runs shows of one; ``NotFound`` if there is none."""
        execution = self._known(run)
        if execution is not None and execution.recorder is None:
            return header_of(execution)
        return await self.journal.header(run)

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Headers of stored runs, newest first; ``before`` is the id of the last one seen."""
        if self.in_memory:
            return self._list_known(status, blueprint, before, limit)
        return await self.journal.list(
            status=status, blueprint=blueprint, before=before, limit=limit
        )

    def _list_known(
        self, status: str | None, blueprint: str | None, before: str | None, limit: int
    ) -> builtins.list[RunHeader]:
        """Headers of the runs that are in memory only, newest first."""
        known = {**self._remembered, **self.driver.runs}
        headers = [
            header_of(known[run])
            for run in sorted(known, reverse=True)
            if before is None or run < before
        ]
        found = [
            header
            for header in headers
            if status in (None, header.status) and blueprint in (None, header.blueprint)
        ]
        return found[:limit]

    async def matching(self, text: str, limit: int = 5) -> builtins.list[str]:
        """Ids of runs that begin or end with a text, sorted; the ``run_`` may be left out.

        Args:
            text: At least one character; ends are looked for from four on.
            limit: Most that are wanted.
        """
        found: set[str] = set()
        for beginning in (text, f"run_{text}"):
            # Those that begin alike stand together in the list.
            for header in await self.list(before=f"{beginning}\U0010ffff", limit=limit):
                if header.run.startswith(beginning):
                    found.add(header.run)
        if len(text) >= SHORTEST:
            if self.in_memory:
                known = {**self._remembered, **self.driver.runs}
                found.update([run for run in known if run.endswith(text)][:limit])
            else:
                found.update(await self.journal.ending(text, limit))
        return sorted(found)[:limit]

    async def document(self, run: str) -> dict[str, object]:
        """The blueprint that a run is pinned to, as it is on record; ``NotFound`` if there is none.

        One that calls others is there together with them.
        """
        execution = self._known(run)
        if execution is not None and execution.recorder is None:
            return dict(self.library.program_of(execution.state.plan).record)
        header = await self.journal.header(run)
        return dict((await self.library.stored(self.journal, header)).record)

    async def preview(
        self,
        run: str,
        text: str,
        *,
        node: str = "",
        bare: bool = False,
        over: str | None = None,
        item: int = 0,
    ) -> Previewed:
        """What an expression would give over the data of a run; nothing is run.

        Args:
            run: Id of the run.
            text: The expression, or a text with ``${{ }}`` in it.
            node: Path of the node that it is to stand in; empty for the blueprint's output.
            bare: Whether all of the text is an expression.
            over: A text that gives a list: ``item`` is its first one.
            item: Which item or turn of the repeats around the node is looked at.

        Raises:
            NotFound: There is no such run.
        """
        from atomiton.conductor.previewing import preview, seen_in  # few look

        state, blueprint = await self._seen(run)
        seen = seen_in(state, blueprint, node, item)
        return await asyncio.to_thread(preview, text, seen, bare=bare, over=over)

    async def _seen(self, run: str) -> tuple[RunState, Blueprint]:
        """Where a run is, and what it runs; ended ones that were looked at lately are known."""
        execution = self._known(run)
        if execution is not None:
            program = self.library.program_of(execution.state.plan)
            return execution.state, program.blueprint
        known = self._looked_at.get(run)
        if known is None:
            header = await self.journal.header(run)
            program = await self.library.stored(self.journal, header)
            known = (await self._rebuild(run), program.blueprint)
            if header.ended_at is None:
                return known
            self._looked_at[run] = known
            if len(self._looked_at) > LOOKED_AT:
                self._looked_at.popitem(last=False)
        self._looked_at.move_to_end(run)
        return known

    @cached_property
    def _looked_at(self) -> OrderedDict[str, tuple[RunState, Blueprint]]:
        """Ended runs whose data somebody has looked at lately."""
        return OrderedDict()

    async def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run from number ``after + 1`` on, in order, until the run ends.

        Works for runs that have ended, and for those that another process drives.
        """
        narrator: Narrator | None = None
        while True:
            execution = self._known(run)
            header = None
            if execution is None:
                header = await self.journal.header(run)
            if narrator is None:  # bodies have names only for those who know how they came to be
                narrator = Narrator(await self._plan_of(run, execution, header), run)
            new = await self._new_facts(run, narrator.count, execution)
            for fact in new:
                event = narrator.tell(fact)
                if event.number > after:
                    yield event
            if new:
                continue
            if execution is None or header is not None:
                if header is not None and header.ended_at is not None:
                    return
                await asyncio.sleep(POLL)
            elif execution.stopped:
                return
            else:
                await self._next_fact(execution, narrator.count)

    async def _plan_of(
        self, run: str, execution: Execution | None, header: RunHeader | None
    ) -> Plan:
        if execution is not None:
            return execution.state.plan
        known = await self.journal.header(run) if header is None else header
        return (await self.library.stored(self.journal, known)).plan

    async def _new_facts(
        self, run: str, after: int, execution: Execution | None
    ) -> Sequence[Event]:
        """Facts on record that follow a number; none if there are none yet."""
        if execution is not None:
            return execution.facts[after : execution.saved]
        return [decode(record) for record in await self.journal.read(run, after, PAGE)]

    async def approvals(self, limit: int = 100) -> builtins.list[Asked]:
        """The approvals that runs wait for, those of the newest run first."""
        asked: builtins.list[Asked] = []
        before: str | None = None
        while len(asked) < limit:
            headers = await self.list(status="waiting", before=before)
            if not headers:
                break
            before = headers[-1].run
            for header in headers:
                waits = await self._waits(header.run)
                approvals = [wait for wait in waits if wait.kind == "approval"]
                asked += [Asked(header.run, header.blueprint, wait) for wait in approvals]
        return asked[:limit]

    async def waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for; empty when it waits for nothing."""
        execution = self._known(run)
        return waits_of(execution.state if execution is not None else await self._rebuild(run))

    async def _waits(self, run: str) -> builtins.list[Wait]:
        """What a run waits for; nothing if it cannot be read here."""
        try:
            return await self.waits(run)
        except AtomitonError:
            return []

    async def _next_fact(self, execution: Execution, after: int) -> None:
        """Wait until a run that is driven here has something new on record."""
        if execution.saved > after or execution.stopped:
            return
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
