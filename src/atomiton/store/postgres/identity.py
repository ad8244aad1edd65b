"""Who is alive, told by the server; see docs/decisions/0050.

An owner holds an advisory lock for as long as its connection lives; when its process dies in
whatever way, the server drops the lock. No lease to renew. Whoever takes a dead owner's run removes
the owner's row first: from then on nothing that owner writes is accepted, should it live after all.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import TYPE_CHECKING

from atomiton.errors import StoreError

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection

# After the server itself was started anew nobody holds a lock: wait for those who come back.
ALIVE = """
SELECT o.owner FROM owners AS o
WHERE EXISTS (
    SELECT 1 FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32) | l.objid::bigint = o.lock
) OR (
    o.locked_at < pg_postmaster_start_time()
    AND clock_timestamp() < pg_postmaster_start_time() + interval '15 seconds'
)
"""
_END_HOLDER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = $1
"""


class Identity:
    """This journal as an owner of runs.

    Attributes:
        owner: Its id, never used twice.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Become somebody else, whom nobody has declared dead."""
        host = "".join(c for c in socket.gethostname() if c.isalnum() or c in "-.")[:40]
        self.owner = f"{host}-{os.getpid()}-{secrets.token_hex(8)}"
        self._lock = secrets.randbits(62)

    async def register(self, connection: Connection) -> None:
        """Enter this owner, and hold its lock on the connection."""
        await self._take_lock(connection)
        await connection.execute(
            "INSERT INTO owners (owner, lock, locked_at) VALUES ($1, $2, clock_timestamp())",
            self.owner,
            self._lock,
        )

    async def come_back(self, connection: Connection) -> int | None:
        """Hold the lock again on another connection.

        Returns:
            The number of the last batch committed; None if this owner was declared dead.
        """
        await self._take_lock(connection)
        batch: int | None = await connection.fetchval(
            "UPDATE owners SET locked_at = clock_timestamp() WHERE owner = $1 RETURNING batch",
            self.owner,
        )
        return batch

    async def _take_lock(self, connection: Connection) -> None:
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
            return
        # The server still holds on to the connection that we have lost: once that has ended, so has
        # whatever it was about to commit.
        await connection.execute(_END_HOLDER, self._lock)
        await connection.execute("SET lock_timeout = '10s'")
        await connection.execute("SELECT pg_advisory_lock($1)", self._lock)
        await connection.execute("RESET lock_timeout")


async def alive(connection: Connection) -> list[str]:
    """Give the ids of the owners that live."""
    return [str(row[0]) for row in await connection.fetch(ALIVE)]


class Fenced(StoreError):
    """This owner was declared dead, or the server has forgotten what it had committed."""
