"""Steering runs: cancelling, pausing, stepping, going on, answering what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from atomiton.conductor.decisions import decide_lost
from atomiton.conductor.inputs import own_value
from atomiton.conductor.looking import Looking
from atomiton.conductor.waits import Wait, check_fields, choose_approval, waits_of
from atomiton.errors import AtomitonError, IllegalEvent
from atomiton.machine.events import (
    ApprovalGiven,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    SignalReceived,
    StepRequested,
)
from atomiton.machine.records import encode


class Steering(Looking):
    """What a conductor lets people do to runs."""

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop: what runs is cancelled, nothing new starts."""
        await self._tell(run, CancelRequested(self._now(), reason, by))

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        await self._tell(run, Paused(self._now(), by))

    async def step(self, run: str, by: str = "") -> None:
        """Let a paused run start one more attempt."""
        await self._tell(run, StepRequested(self._now(), by))

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

    async def signal(self, run: str, name: str, payload: object = None, by: str = "") -> None:
        """Send a signal to a run: the wait that has waited longest takes it, or a later one.

        Args:
            run: Its id.
            name: Name of the signal.
            payload: What it carries: plain data.
            by: Who sends it.

        Raises:
            InputError: If the payload is not plain data.
        """
        if not name:
            raise AtomitonError("a signal needs a name", code="INVALID_INPUT")
        own = own_value(payload, "the payload")
        await self._tell(run, SignalReceived(self._now(), name, own, by))

    async def approve(
        self,
        run: str,
        node: str | None = None,
        *,
        approved: bool = True,
        by: str = "",
        comment: str = "",
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Answer an approval that a run waits for.

        Args:
            run: Its id.
            node: Path of the node that asks; may be left out when only one does.
            approved: False to deny. A denial needs no fields.
            by: Who decides.
            comment: Why.
            fields: What was filled in, by name.

        Raises:
            NotFound: If the run waits for no such approval.
            InputError: If the fields do not fit.
        """
        execution = await self._take_over(run)
        state = execution.state if execution is not None else await self._rebuild(run)
        wait = choose_approval(state, node)
        given = cast("dict[str, object]", own_value(dict(fields or {}), "the fields"))
        filled = check_fields(wait, given) if approved or given else {}
        answer = ApprovalGiven(self._now(), wait.frame, wait.number, approved, by, comment, filled)
        await self._tell(run, answer)

    async def waits(self, run: str) -> list[Wait]:
        """What a run waits for; empty when it waits for nothing."""
        execution = self._known(run)
        return waits_of(execution.state if execution is not None else await self._rebuild(run))

    async def _tell(self, run: str, event: Event) -> None:
        """Feed a wish to whoever drives the run: here, in another process, or from now on here."""
        execution = await self._take_over(run)
        if execution is None:
            await self.journal.post(run, encode(event))
            # Its owner may have let go of it meanwhile: then nobody would hear.
            execution = await self._take_over(run)
            if execution is not None and not execution.stopped:
                await self._hear(execution)
        elif execution.stopped:
            raise IllegalEvent(f"run {run} is {execution.state.status}")
        else:
            execution.feed(event)
