"""Starting runs: blueprints are read, inputs checked, durable or in-memory driving chosen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.plan import Plan
from atomiton.conductor.forks import Forks
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.inputs import check_options, check_turn
from atomiton.conductor.library import Ready, Source
from atomiton.conductor.result import RunResult
from atomiton.conductor.run import Run
from atomiton.conductor.waiting import accepted, ended
from atomiton.drivers.eager import begin
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError
from atomiton.machine.events import Breakpoint, RunRequested
from atomiton.ports.journal import RunHeader


class Starting(Forks):
    """How runs begin: at once, or in their turn; on record, or in memory."""

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
        """Run a blueprint to its end.

        Args:
            blueprint: A ``Blueprint``, the path of a file, or the id of one that is kept.
            inputs: By name, as the blueprint declares them.
            durability: Instead of the blueprint's own.
            key: A second run of the blueprint under the same key is not made; the first one's
                result is given.
            priority: Of those that wait for their turn, higher ones begin earlier.
            lane: Runs of a blueprint in the same lane share a bound, such as one per customer.
            delay: Seconds before which it does not begin.

        Returns:
            How it fared; a failure is a result, not an exception.

        Raises:
            BlueprintError: If the blueprint cannot be run.
            InputError: If the inputs do not fit.
        """
        if durability is not None or key is not None:
            check_options(durability, key)
        if self._bounded or delay or priority or lane:
            options = (durability, key, priority, lane, delay)
            return await self._run_in_turn(blueprint, inputs, *options)
        ready = await self._ready(blueprint)
        loaded, program = ready.blueprint, ready.program
        checked = ready.inputs({} if inputs is None else inputs)
        if self._in_memory(loaded, durability):
            execution = self._begin(program, checked, key=key)
            if not execution.stopped:
                await ended(execution, self._now)
            return RunResult(execution.state)
        run, started = await self._accept(loaded, program, checked, durability, key)
        if started is None:
            return await self.result(run)
        await ended(started, self._now)
        return RunResult(started.state)

    async def _run_in_turn(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None,
        durability: Durability | None,
        key: str | None,
        priority: int,
        lane: str,
        delay: float,
    ) -> RunResult:
        run = await self.start(
            blueprint,
            inputs,
            durability=durability,
            key=key,
            priority=priority,
            lane=lane,
            delay=delay,
        )
        try:
            return await run.result()
        except asyncio.CancelledError:
            with contextlib.suppress(AtomitonError):  # it has ended in this moment
                await asyncio.shield(run.cancel("the caller was cancelled"))
            raise

    async def start(
        self,
        blueprint: Source,
        inputs: Mapping[str, object] | None = None,
        *,
        durability: Durability | None = None,
        key: str | None = None,
        paused: bool = False,
        priority: int = 0,
        lane: str = "",
        delay: float = 0.0,
        breakpoints: Sequence[Breakpoint] | None = None,
    ) -> Run:
        """Start a run and return at once; when it is durable, it is on record by then.

        With ``paused`` it waits to be resumed or stepped; with ``breakpoints`` it stops before the
        attempts of some nodes. Other arguments and errors: ``run``.
        """
        if durability is not None or key is not None:
            check_options(durability, key)
        ready = await self._ready(blueprint)
        turn = (priority, lane, delay)
        run, _ = await self._start(
            ready, inputs, durability, key, turn, paused=paused, breakpoints=breakpoints
        )
        return Run(self, run)

    async def _start(
        self,
        ready: Ready,
        inputs: Mapping[str, object] | None,
        durability: Durability | None,
        key: str | None,
        turn: tuple[int, str, float],
        *,
        paused: bool = False,
        breakpoints: Sequence[Breakpoint] | None = None,
    ) -> tuple[str, Execution | None]:
        """Start a run; gives its id, and what drives it if it was begun here and now."""
        loaded, program = ready.blueprint, ready.program
        checked = ready.inputs({} if inputs is None else inputs)
        stops = None if breakpoints is None else _checked(program.plan, breakpoints)
        in_memory = self._in_memory(loaded, durability)
        priority, lane, delay = turn
        if priority or lane or delay:
            check_turn(priority, lane, delay)
        if self._must_queue(delay, lane, paused=paused, in_memory=in_memory):
            return await self._enqueue(loaded, checked, durability, key, turn, stops), None
        if in_memory:
            execution = self._begin(program, checked, paused=paused, key=key, stops=stops)
            return execution.state.id, execution
        return await self._accept(
            loaded, program, checked, durability, key, paused=paused, stops=stops
        )

    def _in_memory(self, blueprint: Blueprint, durability: Durability | None) -> bool:
        return self.in_memory or (durability or blueprint.durability) == "none"

    def _begin(
        self,
        program: Program,
        inputs: dict[str, object],
        *,
        paused: bool = False,
        key: str | None = None,
        stops: tuple[Breakpoint, ...] | None = None,
    ) -> Execution:
        if key is not None:
            earlier = self._keyed(program.plan.id, key)
            if earlier is not None:
                return earlier
        request = RunRequested(
            self._now(), new_run_id(), inputs, self._seed(), paused, breakpoints=stops
        )
        if key is not None:
            self._note_key(program.plan.id, key, request.run)
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
        stops: tuple[Breakpoint, ...] | None = None,
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
        request = RunRequested(now, header.run, inputs, self._seed(), paused, breakpoints=stops)
        secrets = self._secrets_of(program)
        accepting = begin(self.driver.accept(program, request, header, secrets))
        if isinstance(accepting, tuple):
            (started,) = accepting
        else:
            started = await accepted(accepting, self._now)
        if started is None and header.run not in self.driver.runs:
            # The key's earlier run may have been left behind: then it goes on here.
            earlier = await self.journal.header(header.run)
            if earlier.ended_at is None and await self.journal.claim(header.run):
                await self._recover(header.run)
        return header.run, started


def _checked(plan: Plan, breakpoints: Sequence[Breakpoint]) -> tuple[Breakpoint, ...]:
    from atomiton.conductor.debugging import check_breakpoints  # few runs are debugged

    return check_breakpoints(plan, breakpoints)
