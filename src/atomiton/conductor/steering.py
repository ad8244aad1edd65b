"""Steering runs: cancelling, pausing, stepping, going on, answering what they wait for."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from atomiton.conductor.core import has_ended
from atomiton.conductor.decisions import decide_lost
from atomiton.conductor.inputs import own_value, refuse_unfit
from atomiton.conductor.keeping import Keeping
from atomiton.conductor.repeats import key_of, was_told
from atomiton.conductor.waits import check_fields, choose_approval
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError
from atomiton.machine import RunState, apply
from atomiton.machine.events import (
    ApprovalGiven,
    Breakpoint,
    BreakpointsSet,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    SignalReceived,
    StepRequested,
)
from atomiton.machine.records import decode, encode

if TYPE_CHECKING:
    from atomiton.conductor.stops import NodeInputs, Standing, StepMode, Watched


class Steering(Keeping):
    """What a conductor lets people do to runs."""

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop: what runs is cancelled, nothing new starts."""
        await self._tell(run, CancelRequested(self._now(), reason, by))

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        await self._tell(run, Paused(self._now(), by))

    async def set_breakpoints(
        self, run: str, breakpoints: Sequence[Breakpoint], by: str = ""
    ) -> None:
        """Let a run stop before the attempts of some nodes, instead of those it had.

        Args:
            run: Its id.
            breakpoints: All that there are to be; none lets the run go on without.
            by: Who wants it.

        Raises:
            InputError: A node that is not there, or a condition that cannot be read.
        """
        state = await self._steered(run)
        from atomiton.conductor.debugging import check_breakpoints

        checked = check_breakpoints(state.plan, breakpoints)
        await self._tell(run, BreakpointsSet(self._now(), checked, by))

    async def step(
        self,
        run: str,
        by: str = "",
        *,
        key: str = "",
        mode: StepMode = "into",
        node: str | None = None,
    ) -> None:
        """Let a paused run start one more attempt, or finish a node.

        Args:
            run: Its id.
            by: Who wants it.
            key: A second step under the same key is not made.
            mode: ``into``: one attempt. ``over``: until the next node has ended, with all that is
                in it and all its attempts. ``out``: until what is around it has ended; at the top,
                the run goes on.
            node: Path of the node that is meant, when it is not the one that is next.

        Raises:
            AtomitonError: The run is not paused.
            NotFound: There is no such node in it.
        """
        if key and await self._was_told(run, StepRequested, key):
            return
        state = await self._steered(run)
        if not state.paused:
            message = f"run {run} is not paused; only a paused run can be stepped"
            raise AtomitonError(message, code="NOT_ALLOWED")
        from atomiton.conductor.debugging import step_of

        await self._tell(run, step_of(state, mode, node, self._now(), by, key))

    async def standing(self, run: str) -> Standing:
        """Where a run stands: whether it is paused, and at what; ``NotFound``."""
        from atomiton.conductor.debugging import standing_of

        return standing_of(*await self._moment(run, None))

    async def node_inputs(self, run: str, node: str, *, at: int | None = None) -> NodeInputs:
        """What a node is to be called on, as far as that is known; secrets are blotted out.

        Args:
            run: Id of the run.
            node: Path of the node, such as ``each[3].read``.
            at: Number of the fact after which it is looked at; None for now.

        Raises:
            NotFound: There is no such node in the run, or not yet.
            AtomitonError: It calls no node type, or what it depends on is not there yet.
        """
        from atomiton.conductor.debugging import inputs_of

        return inputs_of((await self._moment(run, at))[0], node)

    async def change_inputs(
        self, run: str, node: str, parameters: Mapping[str, object], by: str = ""
    ) -> None:
        """Let a node be called on other parameters than its own, from its next attempt on.

        Args:
            run: Id of the run, which must be paused.
            node: Path of the node, such as ``each[3].read``.
            parameters: All of them, by name. What was blotted out and is given back as it was
                shown stays what it is.
            by: Who changes them.

        Raises:
            NotFound: There is no such node in the run, or not yet.
            AtomitonError: The run is not paused, the node is called already, or the parameters do
                not fit.
        """
        from atomiton.conductor.debugging import change_of

        state, program = await self._steered(run), await self._program(run)
        await self._tell(run, change_of(state, program, node, parameters, by, self._now()))

    async def watch(
        self,
        run: str,
        expressions: Sequence[str],
        *,
        at: int | None = None,
        node: str | None = None,
    ) -> builtins.list[Watched]:
        """Work out expressions over what a run has given so far, as its conditions are.

        Args:
            run: Its id.
            expressions: Without ``${{ }}``; a hundred at most, which share what they may cost.
            at: Number of the fact after which it is looked at; None for now.
            node: Path of the node where they stand, which sees ``item`` and ``parameters`` too;
                None for the top of the blueprint.

        Returns:
            What each gave, or why it gave nothing.
        """
        from atomiton.conductor.debugging import watched

        return watched((await self._moment(run, at))[0], expressions, node)

    async def _steered(self, run: str) -> RunState:
        """Where a run is that has not ended."""
        execution = await self._take_over(run)
        if execution is not None:
            return execution.state
        return (await self._moment(run, None))[0]

    async def _moment(self, run: str, at: int | None) -> tuple[RunState, int]:
        """Where a run was after a fact, and the number of that; None is now."""
        execution = self._known(run)
        if execution is not None and at is None and not execution.stopped:
            return execution.state, len(execution.log)
        if execution is not None and execution.recorder is None:
            facts = list(execution.facts)
        else:
            facts = [decode(record) for record in await self.journal.read(run)]
        program = await self._program(run)
        facts = facts if at is None else facts[:at]
        state = RunState(program.plan)
        state.secrets = self._secrets_of(program)
        for fact in facts:
            apply(state, fact)
        return state, len(facts)

    async def _program(self, run: str) -> Program:
        """What a run is pinned to."""
        execution = self._known(run)
        if execution is not None and execution.recorder is None:
            return self.library.program_of(execution.state.plan)
        return await self.library.stored(self.journal, await self.journal.header(run))

    async def resume(self, run: str, by: str = "", *, lost: str | None = None) -> None:
        """Let a run go on: one that a dead process left, one that is paused, or both.

        Args:
            run: Its id.
            by: Who wants it.
            lost: What becomes of attempts that were lost and must not be repeated unasked:
                ``repeat`` makes them again, ``fail`` fails them; None leaves them waiting.

        A run that another process drives is asked over the store.
        """
        execution = await self._take_over(run)
        state = execution.state if execution is not None else await self._rebuild(run)
        wishes: list[Event] = []
        if lost is not None:
            wishes.extend(decide_lost(state, lost, by, self._now()))
        if state.paused:
            wishes.append(Resumed(self._now(), by))
        for wish in wishes:
            if execution is None:
                await self.journal.post(run, encode(wish))
            elif not execution.stopped:
                execution.feed(wish)

    async def signal(
        self, run: str, name: str, payload: object = None, by: str = "", *, key: str = ""
    ) -> None:
        """Send a signal to a run: the wait that has waited longest takes it, or a later one.

        Args:
            run: Its id.
            name: Name of the signal.
            payload: What it carries: plain data.
            by: Who sends it.
            key: A second signal to the run under the same key does nothing.

        Raises:
            InputError: If the payload is not plain data.
        """
        if not name:
            raise AtomitonError("a signal needs a name", code="INVALID_INPUT")
        own = own_value(payload, "the payload")
        await self._tell(run, SignalReceived(self._now(), name, own, by, key))

    async def approve(
        self,
        run: str,
        node: str | None = None,
        *,
        approved: bool = True,
        by: str = "",
        comment: str = "",
        fields: Mapping[str, object] | None = None,
        key: str = "",
    ) -> None:
        """Answer an approval that a run waits for.

        Args:
            run: Its id.
            node: Path of the node that asks; may be left out when only one does.
            approved: False to deny. A denial needs no fields.
            by: Who decides.
            comment: Why.
            fields: What was filled in, by name.
            key: A second answer to the run under the same key does nothing.

        Raises:
            NotFound: If the run waits for no such approval.
            InputError: If the fields do not fit.
        """
        if key and await self._was_told(run, ApprovalGiven, key):
            return
        execution = await self._take_over(run)
        state = execution.state if execution is not None else await self._rebuild(run)
        wait = choose_approval(state, node)
        given = cast("dict[str, object]", own_value(dict(fields or {}), "the fields"))
        filled = check_fields(wait, given) if approved or given else {}
        place = (wait.frame, wait.number)
        answer = ApprovalGiven(self._now(), *place, approved, by, comment, filled, key)
        await self._tell(run, answer)

    async def _was_told(self, run: str, kind: type[Event], key: str) -> bool:
        """Whether a run has a fact of a kind that is named by a key."""
        execution = self._known(run)
        if execution is not None:
            return was_told(execution.facts, kind, key)
        return was_told(map(decode, await self.journal.read(run)), kind, key)

    async def _tell(self, run: str, event: Event) -> None:
        """Feed a wish to whoever drives the run: here, in another process, or from now on here.

        Raises:
            InputError: It holds what could not be put on record, such as text that is not Unicode.
        """
        refuse_unfit(event)
        key = key_of(event)
        if key and await self._was_told(run, type(event), key):
            return
        execution = await self._take_over(run)
        if execution is None:
            await self.journal.post(run, encode(event))
            # Its owner may have let go of it meanwhile: then nobody would hear.
            execution = await self._take_over(run)
            if execution is not None and not execution.stopped:
                await self._hear(execution)
        elif execution.stopped:
            raise has_ended(run, execution.state.status)
        else:
            execution.feed(event)
