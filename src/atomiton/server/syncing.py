"""Schedules that another server fires: for as long as this one runs, that one knows of them."""

from __future__ import annotations

import asyncio
import logging
import time

from atomiton.conductor import Conductor
from atomiton.errors import AtomitonError
from atomiton.server.firing import pause

_log = logging.getLogger("atomiton.triggers")

#: Seconds between looks whether a blueprint has changed, and after which all is synced anyway.
LOOK = 2.0
ANYWAY = 600.0


class Syncing:
    """Syncs the schedules of the blueprints that a conductor keeps, whenever one has changed.

    Args:
        conductor: Keeps them.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._seen: dict[str, str] | None = None
        self._synced_at = 0.0
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Sync until cancelled; at once nothing, where this server fires them itself."""
        if self._conductor.fires_schedules:
            return
        while True:
            began = time.monotonic()
            try:
                await self.look()
            except AtomitonError as error:  # a server is away: there is a next time
                _log.warning("schedules were not synced: %s", error.message)
            except Exception:  # nothing that is odd about one of them stops the others for good
                _log.exception("schedules were not synced")
            await asyncio.sleep(pause(LOOK, time.monotonic() - began))

    async def look(self) -> None:
        """Sync if a blueprint has changed since the last time, or that was long ago."""
        etags = await self._etags()
        now = time.monotonic()
        if etags == self._seen and now - self._synced_at < ANYWAY:
            return
        done = await self._conductor.sync_triggers()
        self._seen, self._synced_at = etags, now
        for what in ("created", "updated", "removed"):
            for trigger in getattr(done, what):
                _log.info("schedule %s: %s", trigger, what)
        for trigger, problem in done.problems.items():
            if self._told.get(trigger) != problem:  # once
                _log.warning("trigger %s starts nothing: %s", trigger, problem)
        self._told = done.problems

    async def _etags(self) -> dict[str, str]:
        found: dict[str, str] = {}
        after: str | None = None
        while True:
            page = await self._conductor.blueprints(after=after, limit=1000)
            found.update((info.id, info.etag) for info in page.items)
            after = page.next
            if after is None:
                return found
