"""Blueprints that people keep, beside the runs of a SQLite file."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from atomiton.ports.blueprints import StoredBlueprint
from atomiton.store.database import Cursor, Row
from atomiton.store.library import check_expected, etag_of, missing

Query = Callable[[str, tuple[object, ...]], list[Row]]

_COLUMNS = "SELECT l.id, e.version, e.hash, e.etag, l.created_at, e.saved_at, e.by, "
_FROM = " FROM library l JOIN editions e ON e.id = l.id "
_NEWEST = _COLUMNS + "e.source" + _FROM + "AND e.version = l.version WHERE l.id = ?"
_VERSION = _COLUMNS + "e.source" + _FROM + "WHERE l.id = ? AND e.version = ?"
_LIST = (
    _COLUMNS
    + "''"
    + _FROM
    + "AND e.version = l.version WHERE NOT l.deleted AND l.id > ? ORDER BY l.id LIMIT ?"
)
_HISTORY = (
    _COLUMNS + "''" + _FROM + "WHERE l.id = ? AND e.version < ? ORDER BY e.version DESC LIMIT ?"
)
_IS_THERE = "SELECT 1 FROM library WHERE id = ? AND NOT deleted"
_SAVE = """
INSERT INTO library (id, version, created_at) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, deleted = 0
"""
_ADD = """
INSERT INTO editions (id, version, hash, etag, saved_at, by, source) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
#: More versions than any blueprint has.
_MANY = 1 << 60

Write = Callable[[Callable[[Cursor], object], int], Awaitable[object]]
Read = Callable[[Callable[[Query], object]], Awaitable[object]]


class SqliteBlueprints:
    """A ``BlueprintStore`` beside the runs of a SQLite file.

    Args:
        write: Does some work in a synced transaction; told how many bytes it writes.
        read: Does some work on the reading side.
    """

    def __init__(self, write: Write, read: Read) -> None:
        self._write = write
        self._read = read

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
        work = partial(_save, id, source, digest, now, by, expected)
        saved = await self._write(work, len(source))
        assert isinstance(saved, StoredBlueprint)
        return saved

    async def get(self, id: str, version: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a version with its text."""

        def work(query: Query) -> builtins.list[StoredBlueprint]:
            if version is not None:
                wanted = max(-1, min(version, _MANY))
                return _rows(query(_VERSION, (id, wanted)))
            return _rows(query(_NEWEST, (id,))) if query(_IS_THERE, (id,)) else []

        found = await self._found(work)
        if not found:
            raise missing(id, version)
        return found[0]

    async def list(self, after: str = "", limit: int = 100) -> builtins.list[StoredBlueprint]:
        """Give the newest versions by id, without their text."""
        return await self._found(lambda query: _rows(query(_LIST, (after, limit))))

    async def history(
        self,
        id: str,  # noqa: A002 - the key of the format
        before: int | None = None,
        limit: int = 100,
    ) -> builtins.list[StoredBlueprint]:
        """Give the versions of one, newest first, without their text."""
        end = _MANY if before is None else max(-1, min(before, _MANY))

        def work(query: Query) -> builtins.list[StoredBlueprint]:
            if not query(_NEWEST, (id,)):
                raise missing(id)
            return _rows(query(_HISTORY, (id, end, limit)))

        return await self._found(work)

    async def delete(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list."""
        await self._write(partial(_delete, id, expected), 0)

    async def _found(
        self, work: Callable[[Query], builtins.list[StoredBlueprint]]
    ) -> builtins.list[StoredBlueprint]:
        return cast("builtins.list[StoredBlueprint]", await self._read(work))


def _rows(rows: list[Row]) -> list[StoredBlueprint]:
    return [
        StoredBlueprint(
            id=row[0],
            version=row[1],
            hash=row[2],
            etag=row[3],
            created_at=row[4],
            updated_at=row[5],
            by=row[6],
            source=row[7],
        )
        for row in rows
    ]


def _latest(cursor: Cursor, id_: str) -> tuple[StoredBlueprint | None, bool]:
    """The last version of a blueprint, and whether it is there or deleted."""
    found = _rows(list(cursor.execute(_NEWEST, (id_,))))
    there = bool(list(cursor.execute(_IS_THERE, (id_,))))
    return (found[0] if found else None), there


def _save(
    id_: str, source: str, digest: str, now: float, by: str, expected: str | None, cursor: Cursor
) -> StoredBlueprint:
    last, there = _latest(cursor, id_)
    check_expected(id_, last if there else None, expected)
    etag = etag_of(source)
    if last is not None and there and last.etag == etag:
        return last
    created = now if last is None else last.created_at
    version = 1 if last is None else last.version + 1
    cursor.execute(_SAVE, (id_, version, created))
    cursor.execute(_ADD, (id_, version, digest, etag, now, by, source))
    return StoredBlueprint(
        id=id_,
        version=version,
        hash=digest,
        etag=etag,
        created_at=created,
        updated_at=now,
        by=by,
        source=source,
    )


def _delete(id_: str, expected: str | None, cursor: Cursor) -> None:
    last, there = _latest(cursor, id_)
    if last is None or not there:
        raise missing(id_)
    check_expected(id_, last, expected)
    cursor.execute("UPDATE library SET deleted = 1 WHERE id = ?", (id_,))
