"""The one API: start runs, watch them, steer them.

A ``Conductor`` composes what the other rooms of the house provide: it reads blueprints, checks
inputs, picks durable or in-memory driving, and keeps what ended. It decides nothing about how a
run moves; that is the machine's.
"""

from __future__ import annotations

from collections.abc import Mapping

from atomiton.blueprint.model import Blueprint, Durability
from atomiton.conductor.ids import new_run_id
from atomiton.conductor.inputs import check_options
from atomiton.conductor.library import Source
from atomiton.conductor.result import RunResult
from atomiton.conductor.run import Run
from atomiton.conductor.steering import Steering
from atomiton.conductor.waiting import accepted, ended
from atomiton.drivers.eager import begin
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.machine.events import RunRequested
from atomiton.ports.journal import RunHeader


class Conductor(Steering):
    """Runs blueprints in this process.

    Args:
        store: ``memory:``, ``sqlite:PATH`` or a path; by default ``ATOMITON_STORE``, else the
            user's data folder. Runs in a file survive the death of the process.
        nodes: Node functions, or files of them, beside the library's.
        capabilities: What nodes reach the world with; by default the real thing.
        secrets: Values by name; by default environment variables ``ATOMITON_SECRET_<NAME>``.
        hooks: Functions to be called around nodes, runs and compensation; more can be registered
            with ``conductor.hooks``. Those in files of ``nodes`` are taken up as well.
        resume: Whether runs that a dead process left unfinished go on by themselves.
        grace: Seconds between asking an attempt to stop and giving it up.

    Example:
        >>> async def main() -> None:
        ...     async with Conductor(store="memory:") as conductor:
        ...         result = await conductor.run("hello.yaml", {"name": "Ada"})
        ...         print(result.output)
    """

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
        if durability is not None or key is not None:
            check_options(durability, key)
        ready = self.library.ready(blueprint)
        loaded, program = ready.blueprint, ready.program
        checked = ready.inputs({} if inputs is None else inputs)
        if self._in_memory(loaded, durability):
            execution = self._begin(program, checked)
            if not execution.stopped:
                await ended(execution, self._now)
            return RunResult(execution.state)
        run, started = await self._accept(loaded, program, checked, durability, key)
        if started is None:
            return await self.result(run)
        await ended(started, self._now)
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
        if durability is not None or key is not None:
            check_options(durability, key)
        ready = self.library.ready(blueprint)
        loaded, program = ready.blueprint, ready.program
        checked = ready.inputs({} if inputs is None else inputs)
        if self._in_memory(loaded, durability):
            return Run(self, self._begin(program, checked, paused=paused).state.id)
        run, _ = await self._accept(loaded, program, checked, durability, key, paused=paused)
        return Run(self, run)

    def _in_memory(self, blueprint: Blueprint, durability: Durability | None) -> bool:
        return self.in_memory or (durability or blueprint.durability) == "none"

    def _begin(
        self, program: Program, inputs: dict[str, object], *, paused: bool = False
    ) -> Execution:
        request = RunRequested(self._now(), new_run_id(), inputs, self._seed(), paused)
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
        request = RunRequested(now, header.run, inputs, self._seed(), paused)
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
