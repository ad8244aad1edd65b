"""Blueprints kept in this process."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.blueprints.base import Blueprints, Infos, only
from atomiton.store.blueprints.rules import Decide, Wanted


class MemoryBlueprints(Blueprints):
    """A ``BlueprintStore`` in memory."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self._heads: dict[str, BlueprintInfo] = {}
        self._revisions: dict[str, list[StoredBlueprint]] = {}
        self._open = False

    async def open(self) -> None:
        """Make the store ready."""
        self._open = True

    async def close(self) -> None:
        """Close the store; what is in it stays until the store is gone."""
        self._open = False

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        self._check_open()
        head = self._heads.get(blueprint)
        decided = decide(head)
        if decided is None:
            assert head is not None  # a rule always makes something of nothing, or refuses
            return head
        info, text = decided
        self._heads[blueprint] = info
        if text is not None:
            self._revisions.setdefault(blueprint, []).append(StoredBlueprint(info, text))
        return info

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        self._check_open()
        return self._heads.get(blueprint)

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        self._check_open()
        known = self._revisions.get(blueprint, [])
        if not 1 <= revision <= len(known):
            return None
        found = known[revision - 1]
        return StoredBlueprint(self._as_of_now(found.info), found.text)

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        self._check_open()
        return only(list(self._heads.values()), wanted)

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        self._check_open()
        known = reversed(self._revisions.get(blueprint, []))
        found = [one.info for one in known if before is None or one.info.revision < before]
        return [self._as_of_now(info) for info in found[:limit]]

    def _as_of_now(self, info: BlueprintInfo) -> BlueprintInfo:
        return msgspec.structs.replace(info, deleted_at=self._heads[info.id].deleted_at)

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("the store is not open")
