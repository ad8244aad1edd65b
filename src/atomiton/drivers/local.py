"""Runs in this process, on one asyncio event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from atomiton.drivers.answers import without_secrets
from atomiton.drivers.eager import Starter
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.drivers.recorder import Recorder
from atomiton.errors import StoreError
from atomiton.machine import RunState
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.records import pieces
from atomiton.ports.hooks import PlanHooks
from atomiton.ports.journal import Journal, RunHeader
from atomiton.ports.runtime import Runtime

if TYPE_CHECKING:
    from atomiton.ports.cache import Cache

#: Seconds between asking an attempt to stop and giving it up.
GRACE = 0.5


Announce = Callable[[Execution, int, int], None]
"""Told that the facts of a run from one place up to another are on record."""


class LocalDriver:
    """Drives any number of runs on the running event loop.

    Args:
        journal: Where durable runs are kept.
        runtimes: Where plain functions run, by name.
        now: The clock; seconds since 1970, UTC.
        grace: Seconds between asking an attempt to stop and giving it up.

    Attributes:
        announce: Told of facts once they are on record.
        hooks: Finds the hooks that fit a program; None where there can be none.
        cache: Gives where results of nodes are kept; None where nodes are always called.
        runs: The runs being driven, by id.
    """

    def __init__(
        self,
        journal: Journal,
        runtimes: Mapping[str, Callable[[], Runtime]],
        *,
        now: Callable[[], float] = time.time,
        grace: float = GRACE,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.journal = journal
        self.now = now
        self.grace = grace
        self.starter = Starter(self.loop)
        self.announce: Announce | None = None
        self.hooks: Callable[[Program], PlanHooks | None] | None = None
        self.cache: Callable[[], Cache] | None = None
        self.on_end: Callable[[Execution], None] | None = None
        self.on_rest: Callable[[Execution], None] | None = None
        self.on_progress: Callable[[Execution, str, float, str], None] | None = None
        self.on_log: Callable[[Execution, str, str, str], None] | None = None
        self.runs: dict[str, Execution] = {}
        self._factories = runtimes
        self._runtimes: dict[str, Runtime] = {}

    def begin(self, program: Program, request: RunRequested, secrets: object = None) -> Execution:
        """Start a run that is kept in memory only."""
        hooks = None if self.hooks is None else self.hooks(program)
        execution = self._new(program, secrets, hooks, durable=False)
        self.runs[request.run] = execution
        self.starter.refresh()
        execution.feed(request if hooks is None else _gated(request, hooks))
        return execution

    async def accept(
        self, program: Program, request: RunRequested, header: RunHeader, secrets: object = None
    ) -> Execution | None:
        """Put a run on record and start it.

        Returns:
            The run; None when its idempotency key is that of an earlier run, whose id is then in
            ``header.run``.
        """
        hooks = None if self.hooks is None else self.hooks(program)
        if hooks is not None:
            request = _gated(request, hooks)
        sync = program.plan.durability == "sync"
        stored = await self.journal.create(header, [pieces(request)], sync=sync)
        if stored != header.run:
            header.run = stored
            return None
        execution = self._new(program, secrets, hooks, durable=True)
        self.runs[request.run] = execution
        self.starter.refresh()
        execution.accepted(request)
        return execution

    def recover(
        self,
        run: str,
        program: Program,
        facts: Sequence[Event],
        secrets: object = None,
        *,
        durable: bool = True,
        fresh: bool = False,
    ) -> Execution:
        """Go on with a run from its facts.

        Args:
            run: Its id.
            program: What it is pinned to.
            facts: All of them, in order.
            secrets: Values by name.
            durable: Whether it is on record; then this process owns it already.
            fresh: Whether nobody has driven it before: what has no answer was never attempted.
        """
        hooks = None if self.hooks is None else self.hooks(program)
        execution = self._new(program, secrets, hooks, durable=durable)
        self.runs[run] = execution
        self.starter.refresh()
        execution.recover(facts, fresh=fresh)
        return execution

    def _new(
        self, program: Program, secrets: object, hooks: PlanHooks | None, *, durable: bool
    ) -> Execution:
        state = RunState(program.plan)
        state.secrets = secrets
        steps = program.steps
        if program.cached and self.cache is not None:
            from atomiton.drivers.cached_call import cached_steps  # few runs need it

            steps = cached_steps(self, self.cache(), state, program)
        if hooks is None:
            execution = Execution(self, state, steps, program.firsts)
        else:
            from atomiton.drivers.hooked import hooked_execution  # few runs need it

            execution = hooked_execution(self, program, state, hooks, steps)
        if durable:
            execution.recorder = Recorder(execution, self)
        return execution

    # -- what executions ask for -----------------------------------------------------------------

    def runtime(self, name: str) -> Runtime:
        """The runtime of that name, made on first use."""
        runtime = self._runtimes.get(name)
        if runtime is None:
            runtime = self._runtimes[name] = self._factories[name]()
        return runtime

    def ended(self, execution: Execution) -> None:
        """A run has ended and that is on record."""
        self.runs.pop(execution.state.id, None)
        if self.on_end is not None:
            self.on_end(execution)

    def rested(self, execution: Execution) -> None:
        """All of a run that waits is on record."""
        if self.on_rest is not None:
            self.on_rest(execution)

    def let_go(self, execution: Execution) -> None:
        """Drive a run no more; all of it is on record, and it can be recovered."""
        self.runs.pop(execution.state.id, None)
        execution.interrupt()

    def progressed(self, execution: Execution, node: str, fraction: float, message: str) -> None:
        """An attempt says how far it is."""
        if self.on_progress is not None:
            self.on_progress(execution, node, fraction, _safe(execution, message))

    def log(self, execution: Execution, node: str, level: str, message: str) -> None:
        """An attempt has a line for the reader of the run."""
        if self.on_log is not None:
            self.on_log(execution, node, level, _safe(execution, message))

    def lost_store(self, execution: Execution, error: StoreError) -> None:
        """The journal cannot be written: stop driving the run; what is on record stays."""
        execution.failure = error
        self.runs.pop(execution.state.id, None)
        waiters, execution.waiters = execution.waiters, []
        execution.interrupt()
        execution.abandon()
        if self.on_end is not None:
            self.on_end(execution)
        execution.waiters = waiters
        execution.wake()

    async def close(self) -> None:
        """Stop driving: durable runs stay as they are on record, others are cancelled."""
        runs = list(self.runs.values())
        self.runs.clear()
        recorders = [run.recorder for run in runs if run.recorder is not None]
        flushing = [of.flushing for of in recorders if of.flushing is not None]
        if flushing:
            await asyncio.wait(flushing, timeout=self.grace)
        for execution in runs:
            execution.interrupt()
        waiting = [task for execution in runs for task in execution.tasks()]
        if waiting:
            await asyncio.wait(waiting, timeout=self.grace)
        for execution in runs:
            execution.abandon()
        self.starter.close()
        for runtime in self._runtimes.values():
            await runtime.close()


def _gated(request: RunRequested, hooks: PlanHooks) -> RunRequested:
    """The request of a run: gated, if hooks are to be asked before it begins."""
    return replace(request, gated=True) if hooks.gates else request


def _safe(execution: Execution, message: str) -> str:
    return without_secrets(message, execution.state.secrets)
