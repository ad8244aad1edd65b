"""Runs that others drive, followed from here as if they ran here."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import suppress

from atomiton.blueprint.plan import Plan
from atomiton.errors import AtomitonError
from atomiton.events import Bus, RunEvent
from atomiton.machine import RunState, apply
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.progress import ProgressMeter
from atomiton.ports.journal import RunHeader

#: Seconds in which a run takes note of what it was told.
_MOMENT = 2.0


class Mirror:
    """A run as its facts tell it."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.facts: list[Event] = []
        self.meter = ProgressMeter(state)
        self.moved = asyncio.Event()
        self._follows = True

    @property
    def saved(self) -> int:
        """How many facts are on record: only such are told."""
        return len(self.facts)

    def hear(self, event: RunEvent) -> None:
        """Take in the next fact."""
        self.facts.append(event.fact)
        self.moved.set()
        if self._follows:
            try:
                apply(self.state, event.fact)
            except AtomitonError:  # its node types would have to be known
                self._follows = False


class Mirroring(ABC):
    """A conductor whose runs others drive, and mirrors of those that are followed here.

    Attributes:
        bus: Announces the facts of the runs that are followed.
        mirrors: Those runs, by id.
    """

    bus: Bus

    def __init__(self) -> None:
        self.mirrors: dict[str, Mirror] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    @abstractmethod
    def events(self, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        """Every fact of a run, in order, until the run ends."""

    @abstractmethod
    async def plan_of(self, run: str) -> tuple[Plan, RunHeader]:
        """What a run is pinned to, and how it stands."""

    async def follow(self, run: str, *, told: int = 0) -> None:
        """Mirror a run from now on; returns when all that is on record has been told.

        Args:
            run: Its id.
            told: Facts up to this number are not announced.
        """
        if run in self._following:
            return
        plan, header = await self.plan_of(run)
        mirror = self.mirrors[run] = Mirror(RunState(plan))
        caught_up = asyncio.Event()
        work = self._mirror(run, mirror, told, header.events, caught_up)
        self._following[run] = asyncio.create_task(work)
        if header.events:
            await caught_up.wait()

    async def _mirror(
        self, run: str, mirror: Mirror, told: int, events: int, caught_up: asyncio.Event
    ) -> None:
        forked: float | None = None
        try:
            async for event in self.events(run):
                mirror.hear(event)
                if isinstance(event.fact, RunRequested) and event.fact.forked_from:
                    forked = event.fact.time
                if event.number > told and event.fact.time != forked:  # not what was done before
                    self.bus.publish(event)
                if event.number >= events:
                    caught_up.set()
        finally:
            caught_up.set()

    async def reacted(self, run: str, after: int) -> None:
        """Wait until a run has a fact after a number, for a moment at most."""
        mirror = self.mirrors[run]
        with suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT):
                while mirror.saved <= after:
                    mirror.moved.clear()
                    await mirror.moved.wait()

    async def told(self, run: str) -> None:
        """Wait until all facts of a run that has ended were announced."""
        following = self._following.get(run)
        if following is not None:
            with suppress(AtomitonError):
                await following

    async def follow_no_more(self) -> None:
        """Let runs go on without anybody who follows them."""
        following, self._following = self._following, {}
        for task in following.values():
            task.cancel()
        if following:
            await asyncio.wait(following.values())
