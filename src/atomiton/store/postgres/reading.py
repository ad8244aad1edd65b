"""What is read, and in what form it comes back."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING

from atomiton.errors import NotFound
from atomiton.ports.journal import RunHeader
from atomiton.ports.retention import Retention
from atomiton.store.postgres.forgetting import PRUNABLE, bindings
from atomiton.store.postgres.identity import ALIVE
from atomiton.store.records import content_hash, damaged, verify

if TYPE_CHECKING:
    import asyncpg

    from atomiton.store.postgres.server import Pool, Server

_HEADER = """
SELECT run, blueprint, version, blueprint_hash, status, created_at, ended_at, key, reason, owner,
       error_code, error_message, (SELECT max(seq) FROM records WHERE records.run = runs.run)
FROM runs
"""
_HEADER_OF_RUN = _HEADER + "WHERE run = $1"
_NEWEST = "AND ($1::text IS NULL OR run < $1) ORDER BY run DESC LIMIT $2"
# One constant statement for each combination, so that each uses its index.
_LISTS = {
    (False, False): _HEADER + "WHERE TRUE " + _NEWEST,
    (True, False): _HEADER + "WHERE status = $3 " + _NEWEST,
    (False, True): _HEADER + "WHERE blueprint = $3 " + _NEWEST,
    (True, True): _HEADER + "WHERE status = $3 AND blueprint = $4 " + _NEWEST,
}
_RECORDS = """
SELECT seq, checksum, records.data, blob, blobs.data
FROM records LEFT JOIN blobs ON blobs.hash = records.blob
WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
_ABANDONED = """
SELECT run FROM runs
WHERE ended_at IS NULL AND wake_at IS NULL AND (owner IS NULL OR owner <> ALL($1::text[]))
AND run > $3 ORDER BY run LIMIT $2
"""
_ENDING = "SELECT run FROM runs WHERE right(run, length($1)) = $1 ORDER BY run LIMIT $2"
_DUE = """
SELECT run FROM runs WHERE wake_at <= $1 AND owner IS NULL ORDER BY wake_at, run LIMIT $2
"""
_WITH_MESSAGES = """
SELECT DISTINCT run FROM messages JOIN runs USING (run) WHERE runs.owner = $1
"""


class Reading:
    """The reading side of the store.

    Args:
        server: Where from.
        pool: Its connections.
    """

    def __init__(self, server: Server, pool: Pool) -> None:
        self._server = server
        self._pool = pool

    async def rows(self, sql: str, *bindings: object) -> Sequence[asyncpg.Record]:
        """Give all rows of a query; waits a little for a server that is away."""
        return await self._server.patiently(lambda: self._pool.fetch(sql, *bindings))

    async def load_blueprint(self, digest: str) -> bytes:
        """Give a document."""
        rows = await self.rows("SELECT document FROM blueprints WHERE hash = $1", digest)
        if not rows:
            raise NotFound(f"there is no blueprint with the hash {digest}")
        document: bytes = rows[0][0]
        return document

    async def read(self, run: str, after: int, limit: int | None) -> builtins.list[bytes]:
        """Give records, each one checked."""
        found: list[bytes] = []
        for seq, stored, data, name, large in await self.rows(_RECORDS, run, after, limit):
            if seq != after + len(found) + 1:
                raise damaged(run, after + len(found) + 1, "it is missing")
            verify(run, seq, stored, data, name)
            if name is not None and large is None:
                raise damaged(run, seq, f"its content {name.hex()} is missing")
            if name is not None and content_hash(large) != name:
                raise damaged(run, seq, f"its content {name.hex()} has changed")
            found.append(data if name is None else (data or b"") + large)
        if not found and not await self.rows("SELECT 1 FROM runs WHERE run = $1", run):
            raise NotFound(f"there is no run {run}")
        return found

    async def header(self, run: str) -> RunHeader:
        """Give one header."""
        rows = await self.rows(_HEADER_OF_RUN, run)
        if not rows:
            raise NotFound(f"there is no run {run}")
        return (await self._headers(rows))[0]

    async def list(
        self, status: str | None, blueprint: str | None, before: str | None, limit: int
    ) -> builtins.list[RunHeader]:
        """Give headers, newest first."""
        wanted = [value for value in (status, blueprint) if value is not None]
        sql = _LISTS[status is not None, blueprint is not None]
        return await self._headers(await self.rows(sql, before, limit, *wanted))

    async def abandoned(self, limit: int, after: str) -> builtins.list[str]:
        """Give unfinished runs that nobody alive owns."""
        rows = await self.rows(_ABANDONED, await self._alive(), limit, after)
        return [row[0] for row in rows]

    async def ending(self, text: str, limit: int) -> builtins.list[str]:
        """Give the ids that end with a text."""
        return [row[0] for row in await self.rows(_ENDING, text, limit)]

    async def prunable(self, retention: Retention, after: str, limit: int) -> builtins.list[str]:
        """Give runs that may be deleted, oldest first."""
        rows = await self.rows(PRUNABLE, *bindings(retention, after, limit))
        return [row[0] for row in rows]

    async def due(self, now: float, limit: int) -> builtins.list[str]:
        """Give parked runs whose moment has come."""
        return [row[0] for row in await self.rows(_DUE, now, limit)]

    async def with_messages(self, owner: str) -> set[str]:
        """Give the runs of an owner that somebody has left a message."""
        return {row[0] for row in await self.rows(_WITH_MESSAGES, owner)}

    async def _alive(self) -> builtins.list[str]:
        return [row[0] for row in await self.rows(ALIVE)]

    async def _headers(self, rows: Sequence[asyncpg.Record]) -> builtins.list[RunHeader]:
        owned = any(row[9] is not None for row in rows)
        living = await self._alive() if owned else []
        return [
            RunHeader(
                run=row[0],
                blueprint=row[1],
                version=row[2],
                blueprint_hash=row[3],
                status=row[4],
                created_at=row[5],
                ended_at=row[6],
                key=row[7],
                reason=row[8],
                owner=row[9] if row[9] in living else None,
                error_code=row[10],
                error_message=row[11],
                events=row[12] or 0,
            )
            for row in rows
        ]
