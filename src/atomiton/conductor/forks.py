"""Runs that begin where others were: forks, and trying again what failed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from atomiton.conductor.forking import fork_facts, fork_points, unfinished
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.inputs import Inputs, check_options
from atomiton.conductor.queueing import Queueing
from atomiton.conductor.run import Run
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, NotFound
from atomiton.machine import RunState, apply
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.records import decode, pieces
from atomiton.ports.journal import RunHeader
from atomiton.store.ledger import queue


class Forks(Queueing):
    """What a conductor makes of runs that were: new ones."""

    async def fork(
        self,
        run: str,
        node: str,
        inputs: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a new run that begins where another one came to a node.

        What had completed before, and does not wait for that node, is not run again: its results
        are those of the other run. The new one is pinned to the same blueprint.

        Args:
            run: Id of the run to fork; it is left as it is, and may still be running.
            node: Name of a node at the top of the blueprint: it, and what waits for it, runs.
            inputs: Those that are to be other than they were, by name.
            key: A second fork under the same key is not made; the first one is given.
            paused: Whether nothing starts before the new run is resumed or stepped.

        Raises:
            NotFound: There is no such run, or no such node.
            InputError: The inputs do not fit.
        """
        program, facts = await self._story(run)
        points = fork_points(program.plan, node)
        return await self._fork(program, facts, points, inputs, key, paused=paused)

    async def retry(self, run: str, *, key: str | None = None, paused: bool = False) -> Run:
        """Start a new run that does what a failed or cancelled one did not.

        Nodes that completed are not run again, unless they were compensated.

        Raises:
            NotFound: There is no such run.
            AtomitonError: It has not ended, or has completed.
        """
        program, facts = await self._story(run)
        state = RunState(program.plan)
        for fact in facts:
            apply(state, fact)
        if not state.ended:
            raise AtomitonError(f"run {run} has not ended: cancel it first", code="NOT_ALLOWED")
        if state.status == "completed":
            message = f"run {run} has completed; to run a part of it again, fork it from a node"
            raise AtomitonError(message, code="NOT_ALLOWED")
        return await self._fork(program, facts, unfinished(state), None, key, paused=paused)

    async def replay(self, run: str) -> Run:
        """Do again what a dead letter did not, as a new run; once, however often it is asked.

        Raises:
            NotFound: There is no such run, or it was never queued.
            AtomitonError: It has not failed.
        """
        if self.in_memory or await self._beside.do(partial(queue.standing, run)) is None:
            await self.header(run)
            raise NotFound(f"run {run} was not queued: retry does it again")
        again = await self.retry(run, key=f"replay:{run}")
        await self._beside.do(partial(queue.replayed, run, again.id))
        return again

    async def _story(self, run: str) -> tuple[Program, list[Event]]:
        """What a run is pinned to, and its facts so far."""
        execution = self._known(run)
        if execution is not None and execution.recorder is None:
            return self.library.program_of(execution.state.plan), list(execution.facts)
        header = await self.journal.header(run)
        program = await self.library.stored(self.journal, header)
        return program, [decode(record) for record in await self.journal.read(run)]

    async def _fork(
        self,
        program: Program,
        facts: list[Event],
        points: list[int],
        inputs: Mapping[str, object] | None,
        key: str | None,
        *,
        paused: bool,
    ) -> Run:
        check_options(None, key)
        first, plan, now = facts[0], program.plan, self._now()
        assert isinstance(first, RunRequested)
        given = Inputs(program.blueprint)({**first.inputs, **(inputs or {})})
        request = RunRequested(now, new_run_id(), given, first.seed, forked_from=first.run)
        in_memory = self.in_memory or plan.durability == "none"
        turn = (0, "", 0.0) if in_memory or paused else await self._turn_of(first.run)
        queued = self._must_queue(0.0, turn[1], paused=paused, in_memory=in_memory)
        begun = fork_facts(plan, facts, request, points, paused=paused or queued)
        secrets = self._secrets_of(program)
        if in_memory:
            earlier = None if key is None else self._keyed(plan.id, key)
            if earlier is not None:
                return Run(self, earlier.state.id)
            if key is not None:
                self._note_key(plan.id, key, request.run)
            self.driver.recover(request.run, program, begun, secrets, durable=False, fresh=True)
            return Run(self, request.run)
        header = RunHeader(
            run=request.run,
            blueprint=plan.id,
            blueprint_hash=plan.hash,
            created_at=now,
            version=plan.version,
            status="paused" if paused else "running",
            key=key,
        )
        await self.library.keep(self.journal, program)
        if queued:
            return Run(self, await self._enter(header, begun, turn))
        stored = await self.journal.create(header, [pieces(fact) for fact in begun], sync=True)
        if stored == request.run:
            self.driver.recover(request.run, program, begun, secrets, fresh=True)
        return Run(self, stored)
