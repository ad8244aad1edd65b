"""Blueprints that people keep, in memory; and what stores of them have in common."""

from __future__ import annotations

import builtins
from hashlib import sha256

from msgspec.structs import replace

from atomiton.errors import Conflict, NotFound
from atomiton.ports.blueprints import StoredBlueprint


def etag_of(source: str) -> str:
    """Hash of a text.

    Example:
        >>> etag_of("id: a")[:8]
        'fef138e8'
    """
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def missing(id_: str, version: int | None = None) -> NotFound:
    """Say that there is no such blueprint."""
    which = "" if version is None else f" in version {version}"
    return NotFound(f"there is no blueprint '{id_}'{which} in the store")


def check_expected(id_: str, current: StoredBlueprint | None, expected: str | None) -> None:
    """Refuse a change of something else than was looked at.

    Raises:
        Conflict: What is there is not what was expected.
    """
    if expected is None or expected == ("" if current is None else current.etag):
        return
    if current is None:
        raise Conflict(f"the blueprint '{id_}' is not there any more")
    if not expected:
        raise Conflict(f"there is a blueprint '{id_}' already")
    raise Conflict(f"the blueprint '{id_}' has changed: it is at version {current.version} now")


class MemoryBlueprints:
    """A ``BlueprintStore`` in memory."""

    def __init__(self) -> None:
        self._versions: dict[str, builtins.list[StoredBlueprint]] = {}
        self._deleted: set[str] = set()

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
        """Save a version."""
        current = self._current(id)
        check_expected(id, current, expected)
        etag = etag_of(source)
        if current is not None and current.etag == etag:
            return current
        versions = self._versions.setdefault(id, [])
        saved = StoredBlueprint(
            id=id,
            version=len(versions) + 1,
            hash=digest,
            etag=etag,
            created_at=versions[0].created_at if versions else now,
            updated_at=now,
            by=by,
            source=source,
        )
        versions.append(saved)
        self._deleted.discard(id)
        return saved

    async def get(self, id: str, version: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a version with its text."""
        if version is None:
            found = self._current(id)
        else:
            kept = self._versions.get(id, [])
            found = kept[version - 1] if 0 < version <= len(kept) else None
        if found is None:
            raise missing(id, version)
        return found

    async def list(self, after: str = "", limit: int = 100) -> builtins.list[StoredBlueprint]:
        """Give the newest versions by id, without their text."""
        ids = sorted(id_ for id_ in self._versions if id_ > after and id_ not in self._deleted)
        return [replace(self._versions[id_][-1], source="") for id_ in ids[:limit]]

    async def history(
        self,
        id: str,  # noqa: A002 - the key of the format
        before: int | None = None,
        limit: int = 100,
    ) -> builtins.list[StoredBlueprint]:
        """Give the versions of one, newest first, without their text."""
        kept = self._versions.get(id)
        if kept is None:
            raise missing(id)
        wanted = [of for of in reversed(kept) if before is None or of.version < before]
        return [replace(of, source="") for of in wanted[:limit]]

    async def delete(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list."""
        current = self._current(id)
        if current is None:
            raise missing(id)
        check_expected(id, current, expected)
        self._deleted.add(id)

    def _current(self, id_: str) -> StoredBlueprint | None:
        kept = self._versions.get(id_)
        return None if kept is None or id_ in self._deleted else kept[-1]
