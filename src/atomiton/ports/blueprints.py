"""What a store of blueprints must do.

A store keeps the *text* of each blueprint as its author wrote it, comments and order included,
under the id that the text itself gives. Every change is a new revision, and none is ever
overwritten: what was deleted can be brought back, and every earlier text be read.

Two people may edit the same blueprint. Whoever saves says which text the edit began with (its
``etag``), and is told with ``Conflict`` if that is no longer the newest.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import msgspec

NEW = ""
"""Given as ``expected``: there must be no blueprint of this id."""


class BlueprintInfo(msgspec.Struct, kw_only=True, frozen=True):
    """What a list shows of a blueprint.

    Attributes:
        id: Id of the blueprint.
        revision: Number of this text among all of this id, from 1; restoring makes a new one.
        etag: Names the exact text: SHA-256 of its UTF-8 bytes, in hexadecimal.
        hash: Content hash, as in the headers of runs: comments, quoting and layout are left out.
        name: The author's name for it; the id if it has none.
        version: The author's version of it; empty if it has none.
        description: The author's description; empty if it has none.
        tags: Words that it can be found by, from ``metadata.tags``.
        created_at: When the id was first saved, seconds since 1970, UTC.
        updated_at: When this revision was saved, seconds since 1970, UTC.
        deleted_at: When it was deleted, seconds since 1970, UTC; None if it was not.
        problem: Why the text cannot be read as a blueprint of this id; None if it can. Such a text
            is a draft (``save(draft_of=...)``), or a file that others edit too.
    """

    id: str
    revision: int
    etag: str
    hash: str
    created_at: float
    updated_at: float
    name: str = ""
    version: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deleted_at: float | None = None
    problem: str | None = None


class StoredBlueprint(msgspec.Struct, frozen=True):
    """A blueprint as it is kept.

    Attributes:
        info: What is known of it.
        text: Its YAML or JSON, exactly as it was saved.
    """

    info: BlueprintInfo
    text: str


class BlueprintPage(msgspec.Struct, frozen=True):
    """Some of a list.

    Attributes:
        items: In the order of their ids.
        next: What to give as ``after`` for the following page; None if this is the last.
    """

    items: tuple[BlueprintInfo, ...]
    next: str | None = None


class BlueprintStore(Protocol):
    """A store of blueprints.

    Every method may raise ``StoreError``, and those that are given an id ``AtomitonError`` with the
    code ``INVALID_INPUT`` if it cannot be one. A store is opened and closed by ``async with``.
    """

    async def open(self) -> None:
        """Make the store ready: create it, or migrate an older one. Called once, first."""
        ...

    async def close(self) -> None:
        """Free everything."""
        ...

    async def __aenter__(self) -> Self:
        """Open the store."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        ...

    async def save(
        self, text: str, *, expected: str | None = None, draft_of: str | None = None
    ) -> BlueprintInfo:
        """Keep a text under the id that stands in it.

        Saving the newest text again changes nothing. Saving under the id of a deleted blueprint
        brings that back with this text. Nodes and references are not checked: what is being
        written may be saved.

        Args:
            text: YAML or JSON, at most 1 MiB.
            expected: The ``etag`` that the change is based on; ``NEW`` if there must be none;
                None to save in any case.
            draft_of: The id to keep it under if the text cannot be read so far that it tells its
                own: nobody loses what is half written. It cannot be run then.

        Raises:
            BlueprintError: The text is not YAML, or holds no valid id, and ``draft_of`` is not
                given; or it is too large.
            Conflict: The newest text is another one; ``details`` hold its etag and revision.
        """
        ...

    async def get(self, blueprint: str, revision: int | None = None) -> StoredBlueprint:
        """Give the newest text of the blueprint of an id, or that of a revision.

        Raises:
            NotFound: There is none, or it was deleted and no revision is named.
        """
        ...

    async def list(
        self,
        *,
        search: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> BlueprintPage:
        """List blueprints in the order of their ids.

        Args:
            search: Only those whose id, name or description holds this, whatever the case.
            tag: Only those with this tag.
            deleted: Those that were deleted, instead of those that were not.
            after: ``next`` of the page before.
            limit: Most on a page, 1 to 1000.
        """
        ...

    async def history(
        self,
        blueprint: str,
        *,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[BlueprintInfo, ...]:
        """Give the revisions of a blueprint, also of a deleted one, newest first.

        Args:
            blueprint: Its id.
            before: Only revisions with smaller numbers.
            limit: Most to give, 1 to 1000.

        Raises:
            NotFound: Nothing was ever saved under this id.
        """
        ...

    async def restore(
        self,
        blueprint: str,
        revision: int,
        *,
        expected: str | None = None,
    ) -> BlueprintInfo:
        """Make the text of an earlier revision the newest one; brings back what was deleted.

        Raises:
            NotFound: There is no such revision.
            Conflict: As for ``save``.
        """
        ...

    async def delete(self, blueprint: str, *, expected: str | None = None) -> None:
        """Take a blueprint out of the list; its revisions stay. Runs keep what they began with.

        Raises:
            NotFound: There is none, or it was deleted already.
            Conflict: As for ``save``.
        """
        ...

    async def undelete(self, blueprint: str) -> BlueprintInfo:
        """Bring back a deleted blueprint as it was; one that was not deleted is left alone.

        Raises:
            NotFound: Nothing was ever saved under this id.
        """
        ...
