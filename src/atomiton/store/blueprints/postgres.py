"""Blueprints in a Postgres database, beside the runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from atomiton.errors import AtomitonError, StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.blueprints.base import Blueprints, Infos
from atomiton.store.blueprints.rules import Decide, Wanted, problem_of, search_text
from atomiton.store.postgres.schema import migrate
from atomiton.store.postgres.server import Server

if TYPE_CHECKING:
    import asyncpg

    from atomiton.store.postgres.server import Pool

_INFO = """
SELECT r.id, r.revision, r.etag, r.hash, r.name, r.version, r.description, r.tags,
       h.created_at, r.updated_at, h.deleted_at
FROM blueprint_heads AS h JOIN blueprint_revisions AS r ON r.id = h.id
"""
_HEAD = _INFO + "WHERE h.id = $1 AND r.revision = h.revision"
_REVISIONS = _INFO + "WHERE h.id = $1 AND r.revision < $2 ORDER BY r.revision DESC LIMIT $3"
_REVISION = _INFO + "WHERE h.id = $1 AND r.revision = $2"
_SELECT = (
    _INFO
    + "WHERE h.id > $1 AND r.revision = h.revision AND (h.deleted_at IS NOT NULL) = $2 "
    + "AND strpos(h.search, $3) > 0 AND ($4::text IS NULL OR $4 = ANY (r.tags)) "
    + "ORDER BY h.id LIMIT $5"
)
_PUT_HEAD = """
INSERT INTO blueprint_heads (id, revision, created_at, deleted_at, search)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, deleted_at = excluded.deleted_at,
    search = excluded.search
"""
_PUT_REVISION = """
INSERT INTO blueprint_revisions (id, revision, etag, hash, name, version, description, tags,
    updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_PUT_TEXT = "INSERT INTO blueprint_texts (etag, text) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_MAX = 2**31 - 1
_CONNECTIONS = 4


class PostgresBlueprints(Blueprints):
    """A ``BlueprintStore`` in a Postgres database.

    Args:
        url: Address of the database, see ``Server``; the one that holds runs as well may be named.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, url: str, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self._server = Server(url)
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Make the store ready: create its tables, or migrate older ones."""

        async def prepare() -> None:
            connection = await self._server.connect()
            try:
                await migrate(connection, self._server)
            finally:
                connection.terminate()

        await self._server.patiently(prepare)
        pool = self._server.pool(_CONNECTIONS)
        await pool
        self._pool = pool

    async def close(self) -> None:
        """Close the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        pool = self._connections()
        # Whether a change was made is not known when the connection breaks: only the rest is
        # tried again.
        await self._rows("SELECT 1")
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || $1, 0))",
                    f":{blueprint}",
                )
                rows = await connection.fetch(_HEAD, blueprint)
                head = _info(rows[0]) if rows else None
                decided = decide(head)
                if decided is None:
                    assert head is not None  # a rule makes something of nothing, or refuses
                    return head
                info, text = decided
                search = search_text(info)
                await connection.execute(
                    _PUT_HEAD, info.id, info.revision, info.created_at, info.deleted_at, search
                )
                if text is not None:
                    shown = (info.name, info.version, info.description, list(info.tags))
                    what = (info.id, info.revision, info.etag, info.hash)
                    await connection.execute(_PUT_REVISION, *what, *shown, info.updated_at)
                    await connection.execute(_PUT_TEXT, info.etag, text)
                return info
        except AtomitonError:
            raise
        except Exception as error:  # said in the words of the store
            raise self._server.explain(error) from error

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        rows = await self._rows(_HEAD, blueprint)
        return _info(rows[0]) if rows else None

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        if not 0 < revision <= _MAX:
            return None
        rows = await self._rows(_REVISION, blueprint, revision)
        if not rows:
            return None
        info = _info(rows[0])
        texts = await self._rows("SELECT text FROM blueprint_texts WHERE etag = $1", info.etag)
        if not texts:
            place = f"revision {revision} of the blueprint '{blueprint}'"
            raise StoreError(f"store {self._server.name}: the text of {place} is missing")
        return StoredBlueprint(info, texts[0][0])

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        search, tag = _text(wanted.search), wanted.tag
        if search is None or (tag is not None and _text(tag) is None):
            return []
        bindings = (wanted.after, wanted.deleted, search, tag, wanted.limit)
        return [_info(row) for row in await self._rows(_SELECT, *bindings)]

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        top = _MAX if before is None else max(min(before, _MAX), 0)
        return [_info(row) for row in await self._rows(_REVISIONS, blueprint, top, limit)]

    async def _rows(self, sql: str, *bindings: object) -> Sequence[asyncpg.Record]:
        pool = self._connections()
        return await self._server.patiently(lambda: pool.fetch(sql, *bindings))

    def _connections(self) -> Pool:
        if self._pool is None:
            raise StoreError(f"store {self._server.name}: it is not open")
        return self._pool


def _text(value: str) -> str | None:
    """What is searched for; None for what no text of the server can hold."""
    return None if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value) else value


def _info(row: asyncpg.Record) -> BlueprintInfo:
    return BlueprintInfo(
        id=row[0],
        revision=row[1],
        etag=row[2],
        hash=row[3],
        name=row[4],
        version=row[5],
        description=row[6],
        tags=tuple(row[7]),
        created_at=row[8],
        updated_at=row[9],
        deleted_at=row[10],
        problem=problem_of(row[3]),
    )
