"""What all stores of blueprints share: the port, in terms of five things that a store can do."""

from __future__ import annotations

import builtins
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

from atomiton.errors import NotFound
from atomiton.ports.blueprints import BlueprintInfo, BlueprintPage, StoredBlueprint
from atomiton.store.blueprints.rules import (
    Decide,
    Wanted,
    check_id,
    check_limit,
    deleting,
    not_found,
    read_draft,
    saving,
    undeleting,
)

Infos = list[BlueprintInfo]


class Blueprints(ABC):
    """A ``BlueprintStore``, except for where things are kept.

    Args:
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    @abstractmethod
    async def open(self) -> None:
        """Make the store ready."""

    @abstractmethod
    async def close(self) -> None:
        """Free everything."""

    @abstractmethod
    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint, as one: nobody else changes it meanwhile.

        Args:
            blueprint: A checked id.
            decide: Says what the change is; may be called again if somebody was quicker.

        Returns:
            The newest state afterwards.
        """

    @abstractmethod
    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state; None if there never was one."""

    @abstractmethod
    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision; None if there is none."""

    @abstractmethod
    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted, in the order of their ids."""

    @abstractmethod
    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first; empty if there are none."""

    async def __aenter__(self) -> Self:
        """Open the store."""
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        await self.close()

    async def save(
        self, text: str, *, expected: str | None = None, draft_of: str | None = None
    ) -> BlueprintInfo:
        """Keep a text under the id that stands in it."""
        draft = read_draft(text, draft_of)
        return await self.change(draft.id, saving(draft, expected, self._now()))

    async def get(self, blueprint: str, revision: int | None = None) -> StoredBlueprint:
        """Give the newest text, or that of a revision."""
        check_id(blueprint)
        if revision is None:
            head = await self.head(blueprint)
            if head is None or head.deleted_at is not None:
                raise not_found(blueprint, deleted=head is not None)
            revision = head.revision
        found = await self.find(blueprint, revision)
        if found is None:
            raise NotFound(f"there is no revision {revision} of the blueprint '{blueprint}'")
        return found

    async def list(
        self,
        *,
        search: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> BlueprintPage:
        """List blueprints in the order of their ids."""
        limit = check_limit(limit)
        start = "" if after is None else check_id(after)
        wanted = Wanted((search or "").casefold(), tag, deleted, start, limit + 1)
        found = await self.select(wanted)
        more = len(found) > limit
        items = tuple(found[:limit])
        return BlueprintPage(items, items[-1].id if more else None)

    async def history(
        self, blueprint: str, *, before: int | None = None, limit: int = 100
    ) -> tuple[BlueprintInfo, ...]:
        """Give the revisions of a blueprint, newest first."""
        check_id(blueprint)
        found = await self.revisions(blueprint, before, check_limit(limit))
        if not found and (before is None or await self.head(blueprint) is None):
            raise not_found(blueprint)
        return tuple(found)

    async def restore(
        self, blueprint: str, revision: int, *, expected: str | None = None
    ) -> BlueprintInfo:
        """Make the text of an earlier revision the newest one."""
        draft = read_draft((await self.get(blueprint, revision)).text, blueprint)
        return await self.change(blueprint, saving(draft, expected, self._now()))

    async def delete(self, blueprint: str, *, expected: str | None = None) -> None:
        """Take a blueprint out of the list; its revisions stay."""
        check_id(blueprint)
        await self.change(blueprint, deleting(blueprint, expected, self._now()))

    async def undelete(self, blueprint: str) -> BlueprintInfo:
        """Bring back a deleted blueprint as it was."""
        check_id(blueprint)
        return await self.change(blueprint, undeleting(blueprint))


def only(infos: builtins.list[BlueprintInfo], wanted: Wanted) -> Infos:
    """Give those that are wanted of many, in the order of their ids."""
    found = sorted((info for info in infos if wanted.fits(info)), key=lambda info: info.id)
    return found[: wanted.limit]
