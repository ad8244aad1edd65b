"""Kept results of nodes: each function is one transaction. What they mean is known elsewhere."""

from __future__ import annotations

from atomiton.store.ledger.base import Row, Steps

_FIND = """
SELECT output, run, node, kept_at FROM results WHERE key = ?1 AND kept_at > ?2 AND until > ?3
"""
_KEEP = """
INSERT INTO results (key, type, output, run, node, kept_at, until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (key) DO UPDATE SET output = excluded.output, run = excluded.run,
    node = excluded.node, kept_at = excluded.kept_at, until = excluded.until
"""
_TOLD = """
SELECT type, count(*), sum(length(output)), max(kept_at) FROM results
WHERE until > ?1 GROUP BY type ORDER BY type
"""


def find(key: bytes, since: float, now: float) -> Steps[Row | None]:
    """The result under a key that was kept after a moment and still counts."""
    rows = yield _FIND, (key, since, now)
    return rows[0] if rows else None


def keep(
    key: bytes, of: str, output: bytes, made: tuple[str, str, float], until: float
) -> Steps[None]:
    """Keep a result; those whose time is over go."""
    run, node, now = made
    yield "DELETE FROM results WHERE until <= ?1", (now,)
    yield _KEEP, (key, of, output, run, node, now, until)


def told(now: float) -> Steps[list[Row]]:
    """Of each node type: its name, how many results, their bytes, and when the latest was kept."""
    rows = yield _TOLD, (now,)
    return rows


def clear(of: str | None) -> Steps[int]:
    """Keep no more what a node type gave, or what any did; how many results that were."""
    if of is None:
        rows = yield "DELETE FROM results RETURNING 1", ()
    else:
        rows = yield "DELETE FROM results WHERE type = ?1 RETURNING 1", (of,)
    return len(rows)
