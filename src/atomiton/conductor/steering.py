"""Steering runs: cancelling, pausing, stepping, going on, answering what they wait for."""

from __future__ import annotations

from atomiton.conductor.decisions import decide_lost
from atomiton.conductor.looking import Looking
from atomiton.errors import IllegalEvent
from atomiton.machine.events import CancelRequested, Event, Paused, Resumed, StepRequested
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

    async def _tell(self, run: str, event: Event) -> None:
        """Feed a wish to whoever drives the run: here, in another process, or from now on here."""
        execution = await self._take_over(run)
        if execution is None:
            await self.journal.post(run, encode(event))
        elif execution.stopped:
            raise IllegalEvent(f"run {run} is {execution.state.status}")
        else:
            execution.feed(event)
