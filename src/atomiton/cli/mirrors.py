"""Runs that the main process of a store drives, followed from here as if they ran here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

import msgspec

from atomiton.client.conductor import RemoteConductor
from atomiton.conductor.library import Library
from atomiton.errors import AtomitonError
from atomiton.events import Bus, RunEvent
from atomiton.machine import RunState, apply
from atomiton.machine.events import Event, RunRequested
from atomiton.machine.progress import ProgressMeter

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


class Elsewhere(RemoteConductor):
    """The main process of a store, and mirrors of the runs that are followed there.

    Args:
        address: Of the main process.
        library: Enough to tell a run from its facts.

    Attributes:
        bus: Announces the facts of the runs that are followed.
        mirrors: Those runs, by id.
    """

    def __init__(self, address: str, library: Library) -> None:
        super().__init__(address)
        self.bus = Bus()
        self.mirrors: dict[str, Mirror] = {}
        self._library = library
        self._following: dict[str, asyncio.Task[None]] = {}

    async def follow(self, run: str, *, told: int = 0) -> None:
        """Mirror a run from now on; returns when all that is on record has been told.

        Args:
            run: Its id.
            told: Facts up to this number are not announced.
        """
        if run in self._following:
            return
        header = await self.header(run)
        program = await self._library.stored(_Pinned(await self.document(run)), header)
        mirror = self.mirrors[run] = Mirror(RunState(program.plan))
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

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Follow no more, and close the connections; runs go on."""
        for task in self._following.values():
            task.cancel()
        if self._following:
            await asyncio.wait(self._following.values())
        await super().__aexit__(kind, error, trace)


class _Pinned:
    """The blueprint of a run, where a library looks for it."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document

    async def load_blueprint(self, digest: str) -> bytes:  # noqa: ARG002 - there is one only
        """Give it."""
        return msgspec.json.encode(self._document)
