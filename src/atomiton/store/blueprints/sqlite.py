"""Blueprints in a SQLite file, beside the runs if it is the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.apart import Apart, open_store, transaction
from atomiton.store.blueprints.base import Blueprints, Infos
from atomiton.store.blueprints.rules import Decide, Wanted, problem_of, search_text
from atomiton.store.database import Database, Row

_INFO = """
SELECT r.id, r.revision, r.etag, r.hash, r.name, r.version, r.description, r.tags,
       h.created_at, r.updated_at, h.deleted_at
FROM blueprint_heads AS h JOIN blueprint_revisions AS r ON r.id = h.id
"""
_HEAD = _INFO + "WHERE h.id = ? AND r.revision = h.revision"
_REVISIONS = _INFO + "WHERE h.id = ? AND r.revision < ? ORDER BY r.revision DESC LIMIT ?"
_REVISION = _INFO + "WHERE h.id = ? AND r.revision = ?"
_TEXT = "SELECT text FROM blueprint_texts WHERE etag = ?"
_TAGGED = "EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ?4)"
_SELECT = (
    _INFO
    + "WHERE h.id > ?1 AND r.revision = h.revision AND (h.deleted_at IS NOT NULL) = ?2 "
    + f"AND instr(h.search, ?3) > 0 AND (?4 IS NULL OR {_TAGGED}) ORDER BY h.id LIMIT ?5"
)
_PUT_HEAD = """
INSERT INTO blueprint_heads (id, revision, created_at, deleted_at, search) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, deleted_at = excluded.deleted_at,
    search = excluded.search
"""
_PUT_REVISION = """
INSERT INTO blueprint_revisions (id, revision, etag, hash, name, version, description, tags,
    updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_TEXT = "INSERT INTO blueprint_texts (etag, text) VALUES (?, ?) ON CONFLICT DO NOTHING"

_MAX = 2**63 - 1


class SqliteBlueprints(Blueprints):
    """A ``BlueprintStore`` in a SQLite file.

    Args:
        path: The file; it is created, with its folder, if it does not exist.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, path: Path | str, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self.path = Path(path)
        self._apart = Apart("atomiton-blueprints", self.path, lambda: open_store(self.path))

    async def open(self) -> None:
        """Make the store ready: create it, or migrate an older one."""
        await self._apart.open()

    async def close(self) -> None:
        """Close the file."""
        await self._apart.close()

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        return await self._apart.do(lambda connection: _change(connection, blueprint, decide))

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        rows = await self._rows(_HEAD, blueprint)
        return _info(rows[0]) if rows else None

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        if abs(revision) > _MAX:
            return None
        return await self._apart.do(lambda connection: self._find(connection, blueprint, revision))

    def _find(self, connection: Database, blueprint: str, revision: int) -> StoredBlueprint | None:
        rows = list(connection.execute(_REVISION, (blueprint, revision)))
        if not rows:
            return None
        info = _info(rows[0])
        texts = list(connection.execute(_TEXT, (info.etag,)))
        if not texts:
            place = f"revision {revision} of the blueprint '{blueprint}'"
            raise StoreError(f"store {self.path}: the text of {place} is missing")
        return StoredBlueprint(info, str(texts[0][0]))

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        bindings = (wanted.after, wanted.deleted, wanted.search, wanted.tag, wanted.limit)
        return [_info(row) for row in await self._rows(_SELECT, *bindings)]

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        top = _MAX if before is None else max(min(before, _MAX), 0)
        return [_info(row) for row in await self._rows(_REVISIONS, blueprint, top, limit)]

    async def _rows(self, sql: str, *bindings: object) -> list[Row]:
        return await self._apart.do(lambda connection: list(connection.execute(sql, bindings)))


def _change(connection: Database, blueprint: str, decide: Decide) -> BlueprintInfo:
    with transaction(connection):
        rows = list(connection.execute(_HEAD, (blueprint,)))
        head = _info(rows[0]) if rows else None
        decided = decide(head)
        if decided is None:
            assert head is not None  # a rule always makes something of nothing, or refuses
            return head
        info, text = decided
        created, deleted = info.created_at, info.deleted_at
        put_head = (info.id, info.revision, created, deleted, search_text(info))
        connection.execute(_PUT_HEAD, put_head)
        if text is not None:
            tags = msgspec.json.encode(info.tags).decode()
            shown = (info.name, info.version, info.description, tags, info.updated_at)
            put_revision = (info.id, info.revision, info.etag, info.hash, *shown)
            connection.execute(_PUT_REVISION, put_revision)
            connection.execute(_PUT_TEXT, (info.etag, text))
        return info


def _info(row: Row) -> BlueprintInfo:
    return BlueprintInfo(
        id=row[0],
        revision=row[1],
        etag=row[2],
        hash=row[3],
        name=row[4],
        version=row[5],
        description=row[6],
        tags=tuple(msgspec.json.decode(row[7], type=list[str])),
        created_at=row[8],
        updated_at=row[9],
        deleted_at=row[10],
        problem=problem_of(row[3]),
    )
