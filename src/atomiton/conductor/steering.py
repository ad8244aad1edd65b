"""Steering runs: cancelling, pausing, going on, answering what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from atomiton.conductor.core import has_ended
from atomiton.conductor.decisions import decide_lost
from atomiton.conductor.inputs import own_value
from atomiton.conductor.keeping import Keeping
from atomiton.conductor.repeats import key_of, was_told
from atomiton.conductor.waits import check_fields, choose_approval
from atomiton.errors import AtomitonError
from atomiton.machine.events import (
    ApprovalGiven,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    SignalReceived,
)
from atomiton.machine.records import decode, encode


class Steering(Keeping):
    """What a conductor lets people do to runs."""

    async def cancel(self, run: str, reason: str = "", by: str = "") -> None:
        """Ask a run to stop: what runs is cancelled, nothing new starts."""
        await self._tell(run, CancelRequested(self._now(), reason, by))

    async def pause(self, run: str, by: str = "") -> None:
        """Start nothing new until the run is resumed or stepped."""
        await self._tell(run, Paused(self._now(), by))

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
        """Feed a wish to whoever drives the run: here, in another process, or from now on here."""
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
