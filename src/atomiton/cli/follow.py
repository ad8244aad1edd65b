"""Waiting for a run while somebody may press Ctrl-C."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from atomiton.cli.elsewhere import Reached, driven, mirroring
from atomiton.cli.screen import Screen
from atomiton.cli.signals import LEAVING, Signals
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.machine.state import LOST, RETRYING, WAITING, RunState

#: Seconds between looks whether a run only waits.
_LOOK = 0.05
_SELDOM = 0.5


class Left(Exception):
    """The run was left on record without having ended.

    Attributes:
        result: The run as it was then.
        lost: Whether it waits for a decision about a lost attempt.
    """

    def __init__(self, result: RunResult, *, lost: bool) -> None:
        super().__init__(result.run)
        self.result = result
        self.lost = lost


class Follower:
    """Waits for one run.

    Args:
        durable: Whether the run is on record, so that it can be left.
    """

    def __init__(
        self, conductor: Reached, run: str, screen: Screen, signals: Signals, *, durable: bool
    ) -> None:
        self._conductor = conductor
        self._run = run
        self._screen = screen
        self._signals = signals
        self._durable = durable
        self._begun = False
        if durable:
            signals.keeps(run)

    async def follow(self, *, detach: bool = False) -> RunResult:
        """Wait for the run to end.

        Args:
            detach: Leave it once it only waits.

        Raises:
            Left: It was left, for that reason or because the process was asked to end.
        """
        ended = asyncio.ensure_future(self._ended())
        # Also a run that goes on may come to wait for a decision, which nobody can make here.
        period = _LOOK if detach else self._screen.period or _SELDOM
        heard = False
        try:
            while True:
                awaited: set[asyncio.Future[object]] = {ended}  # type: ignore[arg-type]
                if not heard:
                    awaited.add(self._signals.seen)  # type: ignore[arg-type]
                await asyncio.wait(awaited, timeout=period, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    return ended.result()
                if self._signals.seen.done() and not heard:
                    heard = True
                    await self._stop(self._signals.seen.result())
                self._screen.draw()
                if self._durable and (
                    self._stands_still(detach=detach) or (detach and await self._queued())
                ):
                    raise await self._leave()
        finally:
            ended.cancel()

    async def _ended(self) -> RunResult:
        there = mirroring(self._conductor)
        if there is not None:
            await there.follow(self._run)
            await there.told(self._run)
        return await self._conductor.result(self._run)

    async def _stop(self, number: int) -> None:
        if number in LEAVING and self._durable:
            raise await self._leave()
        self._screen.write("cancelling; Ctrl-C again stops at once", fg="yellow")
        with suppress(AtomitonError):  # it has ended in this moment
            await self._conductor.cancel(self._run, "interrupted")

    async def _leave(self) -> Left:
        execution = driven(self._conductor, self._run)
        frames = [] if execution is None else list(execution.state.frames.values())
        lost = any(LOST in frame.status for frame in frames)
        return Left(await self._conductor.show(self._run), lost=lost)

    async def _queued(self) -> bool:
        """Whether the run waits for its turn, or its time to begin."""
        if not self._begun:
            self._begun = (await self._conductor.header(self._run)).status != "queued"
        return not self._begun

    def _stands_still(self, *, detach: bool) -> bool:
        execution = driven(self._conductor, self._run)
        if execution is None or execution.saved < len(execution.facts):
            return False  # what led to it is not on record yet, nor shown
        return stands_still(execution.state, waiting=detach)


def stands_still(state: RunState, *, waiting: bool) -> bool:
    """Whether nothing will happen in a run before somebody decides about a lost attempt.

    Args:
        state: The run.
        waiting: Count runs that wait for a time as well, unless it is that of a next attempt.
    """
    if state.public_status() != "waiting":
        return False
    statuses = {status for frame in state.frames.values() for status in frame.status}
    if RETRYING in statuses:
        return False
    return (WAITING in statuses or LOST in statuses) if waiting else WAITING not in statuses
