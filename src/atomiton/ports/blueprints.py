"""What a store of blueprints must do: those that people keep under an id and change over time."""

from __future__ import annotations

from typing import Protocol

import msgspec


class StoredBlueprint(msgspec.Struct, kw_only=True, frozen=True):
    """A blueprint that is kept, in one of its versions.

    Attributes:
        id: Id of the blueprint.
        version: Number of this version, from 1: each change that is saved makes the next.
        hash: Content hash of what it means; layout and comments do not count.
        etag: Hash of the text: the same for the same bytes only.
        created_at: When the first version was saved, seconds since 1970, UTC.
        updated_at: When this version was saved.
        by: Who saved it.
        source: The text, YAML or JSON, as it was saved; empty in lists.
    """

    id: str
    version: int
    hash: str
    etag: str
    created_at: float
    updated_at: float
    by: str = ""
    source: str = ""


# Named here because the protocol has a method of the name ``list``.
StoredBlueprints = list[StoredBlueprint]


class BlueprintStore(Protocol):
    """Blueprints by id, with every version that was saved.

    Every method may raise ``StoreError``.
    """

    async def save(
        self,
        id: str,  # noqa: A002 - the key of the format
        source: str,
        digest: str,
        now: float,
        *,
        by: str = "",
        expected: str | None = None,
    ) -> StoredBlueprint:
        """Save a version; the text of the newest one again makes no other.

        Args:
            id: Id of the blueprint.
            source: Its text.
            digest: Content hash of what it means.
            now: Seconds since 1970, UTC.
            by: Who saves it.
            expected: The etag that the newest version must have; ``""`` when there must be no
                blueprint of the id; None for whatever there is.

        Raises:
            Conflict: What is there is not what was expected; nothing was saved.
        """
        ...

    async def get(self, id: str, version: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a version with its text, by default the newest; ``NotFound`` if there is none."""
        ...

    async def list(self, after: str = "", limit: int = 100) -> StoredBlueprints:
        """Give the newest versions by id, without their text; ``after`` is the last id seen."""
        ...

    async def history(
        self,
        id: str,  # noqa: A002 - the key of the format
        before: int | None = None,
        limit: int = 100,
    ) -> StoredBlueprints:
        """Give the versions of one, newest first, without their text; also of a deleted one."""
        ...

    async def delete(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list; its versions stay in its history.

        Raises:
            NotFound: There is none.
            Conflict: Its newest version has not the expected etag.
        """
        ...
