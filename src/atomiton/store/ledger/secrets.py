"""Sealed secrets: each function is one transaction. What they mean is known elsewhere."""

from __future__ import annotations

from atomiton.store.ledger.base import Steps

_PUT = """
INSERT INTO secrets (name, sealed, updated_at) VALUES (?1, ?2, ?3)
ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at
"""


def put(name: str, sealed: bytes, now: float) -> Steps[None]:
    """Keep a sealed secret under its name."""
    yield _PUT, (name, sealed, now)


def every() -> Steps[dict[str, tuple[bytes, float]]]:
    """All of them: sealed, and when they were set."""
    rows = yield "SELECT name, sealed, updated_at FROM secrets ORDER BY name", ()
    return {row[0]: (bytes(row[1]), row[2]) for row in rows}


def delete(name: str) -> Steps[bool]:
    """Delete one; whether there was one."""
    rows = yield "DELETE FROM secrets WHERE name = ?1 RETURNING name", (name,)
    return bool(rows)
