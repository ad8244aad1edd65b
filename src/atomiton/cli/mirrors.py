"""Runs that the main process of a store drives, followed from here as if they ran here."""

from __future__ import annotations

from types import TracebackType

import msgspec

from atomiton.blueprint.plan import Plan
from atomiton.client.conductor import RemoteConductor
from atomiton.conductor.library import Library
from atomiton.conductor.mirroring import Mirroring
from atomiton.events import Bus
from atomiton.ports.journal import RunHeader


class Elsewhere(RemoteConductor, Mirroring):
    """The main process of a store, and mirrors of the runs that are followed there.

    Args:
        address: Of the main process.
        library: Enough to tell a run from its facts.
    """

    def __init__(self, address: str, library: Library) -> None:
        RemoteConductor.__init__(self, address)
        Mirroring.__init__(self)
        self.bus = Bus()
        self._library = library

    async def plan_of(self, run: str) -> tuple[Plan, RunHeader]:
        """What a run is pinned to, and how it stands."""
        header = await self.header(run)
        program = await self._library.stored(_Pinned(await self.document(run)), header)
        return program.plan, header

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Follow no more, and close the connections; runs go on."""
        await self.follow_no_more()
        await super().__aexit__(kind, error, trace)


class _Pinned:
    """The blueprint of a run, where a library looks for it."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document

    async def load_blueprint(self, digest: str) -> bytes:  # noqa: ARG002 - there is one only
        """Give it."""
        return msgspec.json.encode(self._document)
