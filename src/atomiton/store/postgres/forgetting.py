"""Forgetting runs that have ended, with what only they needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from atomiton.ports.retention import ENDINGS, Retention
from atomiton.store.postgres.identity import alive

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection

#: The newest that are kept end where a run before them is.
PRUNABLE = """
SELECT run FROM runs
WHERE ended_at IS NOT NULL AND status = ANY($1::text[])
AND ($2::float8 IS NULL OR ended_at < $2) AND run > $3
AND ($4::bigint = 0 OR run < (
    SELECT run FROM runs WHERE ended_at IS NOT NULL AND status = ANY($1::text[])
    ORDER BY run DESC LIMIT 1 OFFSET greatest($4::bigint - 1, 0)
))
ORDER BY run LIMIT $5
"""
# Whoever claims a run holds its row: it is claimed before, or no longer there.
_ENDED = """
SELECT run FROM runs
WHERE run = ANY($1::text[]) AND ended_at IS NOT NULL AND (owner IS NULL OR owner <> ALL($2::text[]))
FOR UPDATE SKIP LOCKED
"""
_OF_RUNS = (
    "DELETE FROM records WHERE run = ANY($1::text[])",
    "DELETE FROM messages WHERE run = ANY($1::text[])",
    "DELETE FROM runs WHERE run = ANY($1::text[])",
)
_STRAY_BLOBS = """
DELETE FROM blobs WHERE NOT EXISTS (SELECT FROM records WHERE records.blob = blobs.hash)
"""
_STRAY_BLUEPRINTS = """
DELETE FROM blueprints
WHERE hash <> ALL($1::text[])
AND NOT EXISTS (SELECT FROM runs WHERE runs.blueprint_hash = blueprints.hash)
"""


def bindings(retention: Retention, after: str, limit: int) -> tuple[object, ...]:
    """Give what ``PRUNABLE`` asks for."""
    statuses = list(retention.statuses or ENDINGS)
    return statuses, retention.ended_before, after, retention.keep, limit


async def delete(connection: Connection, runs: Sequence[str]) -> int:
    """Delete those of these runs that have ended and that nobody goes on with; gives how many.

    To be called inside a transaction, as all that a writer does. Contents that were kept once for
    many runs stay until ``compact``.
    """
    found = await connection.fetch(_ENDED, list(runs), await alive(connection))
    gone = [row[0] for row in found]
    for sql in _OF_RUNS:
        await connection.execute(sql, gone)
    return len(gone)


async def delete_strays(connection: Connection, owner: str, kept: Collection[str]) -> None:
    """Delete contents and blueprints of no run, unless another process may be about to need them.

    Args:
        connection: Writes for this owner, who must be between two commits.
        owner: This owner.
        kept: Hashes of blueprints that this process may be about to need.
    """
    if any(other != owner for other in await alive(connection)):
        return
    await connection.execute(_STRAY_BLOBS)
    await connection.execute(_STRAY_BLUEPRINTS, list(kept))
