"""A run with hooks: what the machine notices, told to the hooks that want to know.

Runs without a hook that fits them are driven by ``Execution`` itself and know nothing of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from msgspec import field

from atomiton.blueprint.plan import USES
from atomiton.drivers.answers import blotted, error_info
from atomiton.drivers.driven import Key
from atomiton.drivers.execution import Execution
from atomiton.drivers.hooked_call import HookedCall
from atomiton.drivers.masks import masked
from atomiton.drivers.program import Program, Step
from atomiton.drivers.relay import Relay, ask, hook_failure, of_the_hook, report, within
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState, apply
from atomiton.machine.commands import Command, FinishRun
from atomiton.machine.events import (
    CancelRequested,
    Event,
    FailRequested,
    InputChanged,
    RunAdmitted,
    RunRequested,
)
from atomiton.machine.finishing import undone
from atomiton.machine.state import (
    COMPLETED,
    FAILED,
    RETRYING,
    RUN_ACTIVE,
    RUNNING,
    SKIPPED,
    Frame,
)
from atomiton.ports.calls import Attempt
from atomiton.ports.hooks import CompensationEvent, Moment, NodeEvent, PlanHooks, RunHookEvent

if TYPE_CHECKING:
    from atomiton.drivers.local import LocalDriver

_MOMENTS: dict[int, Moment] = {
    RUNNING: "before",
    COMPLETED: "after",
    FAILED: "error",
    RETRYING: "retry",
    SKIPPED: "skip",
}
_ENDS: dict[str, Moment] = {
    "completed": "run_success",
    "failed": "run_failure",
    "cancelled": "run_cancel",
}


class HookedExecution(Execution, eq=False):
    """A run that this process drives, with hooks that fit it.

    Attributes:
        hooks: Those that fit its plan; always there once it was made by ``hooked_execution``.
    """

    hooks: PlanHooks | None = None
    _relay: Relay | None = None
    _gate: asyncio.Task[None] | None = None
    _gate_open: bool = False
    _undoing: tuple[str, ...] | None = None
    _on_disk: dict[Key, asyncio.Future[None]] = field(
        default_factory=dict[Key, asyncio.Future[None]]
    )

    @property
    def fitting(self) -> PlanHooks:
        """The hooks."""
        assert self.hooks is not None
        return self.hooks

    @property
    def relay(self) -> Relay:
        """Calls those that no attempt waits for."""
        if self._relay is None:
            driver = self.driver
            self._relay = Relay(
                driver.loop, driver.grace, lambda: self.state.secrets, self._end_at_last
            )
        return self._relay

    # -- what the machine notices ----------------------------------------------------------------

    def _apply(self, state: RunState, event: Event) -> list[Command]:
        """Feed a fact to the machine, and tell hooks what came of it."""
        commands = apply(state, event)
        if isinstance(event, RunRequested):
            if state.gated:
                self._open_gate()
            else:
                self._tell_run("run_start")
        elif self._gate is not None and not self._gate_open and state.status != RUN_ACTIVE:
            self._gate.cancel()
        notices = state.notices
        if notices is not None:
            if notices:
                for status, frame, node in notices:
                    self._notice(status, frame, node)
                notices.clear()
            if state.undone is not None:
                self._compensating(state.undone)
        if commands and isinstance(commands[-1], FinishRun):
            self._tell_run(_ENDS[commands[-1].status], "run_always")
        return commands

    def _notice(self, status: int, frame: Frame, node: int) -> None:
        """Tell hooks what became of a node."""
        if frame is self.state.undone:
            self._step(status, frame, node)
        plan_node = frame.nodes[node]
        moment = _MOMENTS.get(status)
        if moment is None or (plan_node.kind == USES and moment in ("before", "after")):
            return  # those are called by who makes the attempt
        path = frame.path(node)
        for hook in self.fitting.of_node(moment, plan_node, path):
            event = NodeEvent(
                moment,
                self.state.id,
                self.state.plan.id,
                path,
                plan_node,
                frame.attempts[node],
                output=frame.outputs[node] if moment == "after" else None,
                error=frame.errors.get(node) if moment in ("error", "retry") else None,
            )
            self.relay.add(hook, event)

    def _tell_run(self, *moments: Moment) -> None:
        for hook in self.fitting.of_run(*moments):
            self.relay.add(hook, self._run_event(hook.moment))

    def _run_event(self, moment: Moment) -> RunHookEvent:
        state = self.state
        return RunHookEvent(
            moment,
            state.id,
            state.plan.id,
            state.plan.version,
            "running" if moment == "run_start" else state.status,
            state.inputs,
            output=None if moment == "run_start" else state.output,
            error=None if moment == "run_start" else state.failure,
        )

    def _step(self, status: int, frame: Frame, node: int) -> None:
        """The compensation of a node has ended."""
        self._begin_undoing()
        if status >= COMPLETED:
            of = self.state.undo[-1 - node]
            error = frame.errors.get(node) if status == FAILED else None
            self._tell_undo("compensation_step", of[0].path(of[1]), error)

    def _compensating(self, frame: Frame) -> None:
        self._begin_undoing()
        if not frame.remaining and self.state.notices is not None and self._undoing is not None:
            self._tell_undo("compensation_end")
            self._undoing = ()

    def _begin_undoing(self) -> None:
        if self._undoing is None:
            self._undoing = tuple(frame.path(node) for frame, node in reversed(self.state.undo))
            self._tell_undo("compensation_start")

    def _tell_undo(
        self, moment: Moment, node: str | None = None, error: ErrorInfo | None = None
    ) -> None:
        nodes = self._undoing
        if not nodes:  # its end was told
            return
        completed, failed = undone(self.state)
        for hook in self.fitting.of_run(moment):
            event = CompensationEvent(
                moment=moment,
                run=self.state.id,
                blueprint=self.state.plan.id,
                nodes=nodes,
                node=node,
                error=error,
                completed=tuple(completed),
                failed=tuple(failed),
            )
            self.relay.add(hook, event)

    # -- before anything begins ------------------------------------------------------------------

    def _open_gate(self) -> None:
        """Ask the hooks of ``run_start`` whether the run may begin."""
        self._gate = self.driver.loop.create_task(self._ask_gate())
        self._gate.add_done_callback(self._gate_ended)

    async def _ask_gate(self) -> None:
        now = self.driver.now
        for hook in self.fitting.of_run("run_start"):
            event = self._run_event("run_start")
            try:
                await within(hook, ask(hook, event), self.driver.grace)
            except BaseException as error:  # whatever a hook raises is its own
                if not of_the_hook(error):
                    raise
                if hook.strict:
                    self._gate_open = True
                    info = error_info(hook_failure(hook, event, error))
                    self.feed(FailRequested(now(), blotted(info, self.state.secrets)))
                    return
                report(hook, event, error, self.state.secrets)
        self._gate_open = True
        self.feed(RunAdmitted(now()))

    def _gate_ended(self, _task: asyncio.Task[None]) -> None:
        self._gate = None
        self._end_at_last()

    def _rebuilt(self) -> None:
        """The state is that of the facts: what has happened before is not told again."""
        if self.state.gated:
            self._open_gate()
        undone_frame = self.state.undone
        if undone_frame is not None:
            nodes = tuple(frame.path(node) for frame, node in reversed(self.state.undo))
            self._undoing = nodes if undone_frame.remaining else ()

    # -- on record, and the end ------------------------------------------------------------------

    async def change_input(
        self, attempt: Attempt, parameters: dict[str, object], by: str, *, acts: bool
    ) -> None:
        """Put it on record that an attempt is called on other parameters than the node's own.

        Args:
            attempt: The attempt.
            parameters: All of them.
            by: Who changed them.
            acts: Whether the node acts on the world: then it may do so only once this is on disk.
        """
        if self.stopped:
            raise asyncio.CancelledError
        place = attempt.place
        hidden = cast("dict[str, object]", masked(parameters, self.state.secrets))
        event = InputChanged(self.driver.now(), *place, hidden, by, attempt.attempt)
        if self.recorder is None or self.state.plan.durability != "sync" or not acts:
            self.feed(event)
            return
        on_disk = self._on_disk[place] = self.driver.loop.create_future()
        self.recorder.urgent = True
        self.feed(event)
        try:
            await on_disk
        finally:
            del self._on_disk[place]

    def settle(self, last: int) -> None:
        """Facts up to number ``last`` are on record."""
        waiting = self._on_disk
        for fact in self.facts[self.saved : last] if waiting else ():
            if isinstance(fact, InputChanged) and fact.attempt:
                future = waiting.get((fact.frame, fact.node))
                if future is not None and not future.done():
                    future.set_result(None)
        super().settle(last)

    def feed(self, event: Event) -> None:
        """Add a fact and do what follows from it."""
        if self.state.ended and isinstance(event, CancelRequested):
            self.relay.cancel()  # nothing else is left to be stopped
            return
        super().feed(event)

    def _end(self) -> None:
        """The run has ended and that is on record: it is over once its hooks have ended."""
        self.ending = self.relay.busy or self._gate is not None
        if not self.ending:
            super()._end()
            self.steps = ()  # they know the run: without this its memory would be kept for long

    def _end_at_last(self) -> None:
        if self.ending and not self.stopped:
            self._end()

    def interrupt(self) -> None:
        """Stop driving without ending the run."""
        super().interrupt()
        self.relay.cancel()
        if self._gate is not None:
            self._gate.cancel()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The tasks of nodes that wait, and of hooks."""
        ours = [task for task in (self.relay.task, self._gate) if task is not None]
        return [*super().tasks(), *ours]


def hooked_execution(
    driver: LocalDriver,
    program: Program,
    state: RunState,
    hooks: PlanHooks,
    steps: Sequence[Step],
) -> HookedExecution:
    """A new run with hooks; nodes that no hook is around are called as without them."""
    if hooks.notices:
        state.notices = []
        state.top.quick = False
    execution = HookedExecution(driver, state, steps, program.firsts, hooks=hooks)
    if hooks.steps:
        steps = list(steps)
        for number in hooks.steps:
            node = program.plan.uses[number]
            own = steps[number]
            steps[number] = Step(node, HookedCall(execution, node, own.call, hooks))
            steps[number].waits = own.waits
        execution.steps = steps
    return execution
