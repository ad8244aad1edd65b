"""The ledger in a Postgres database, beside the runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from atomiton.errors import StoreError
from atomiton.store.ledger.base import Steps
from atomiton.store.postgres.schema import migrate
from atomiton.store.postgres.server import Server

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Pool

T = TypeVar("T")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':ledger', 0))"


@cache
def _dollars(sql: str) -> str:
    return re.sub(r"\?(\d+)", r"$\1", sql)


class PostgresLedger:
    """A ``Ledger`` in a Postgres database.

    Args:
        url: Address of the database that holds the runs.
    """

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Make it ready: create its tables, or migrate older ones."""

        async def prepare() -> None:
            connection = await self._server.connect()
            try:
                await migrate(connection, self._server)
            finally:
                connection.terminate()

        await self._server.patiently(prepare)
        pool = self._server.pool(2)
        await pool
        self._pool = pool

    async def close(self) -> None:
        """Free everything."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Do a transaction; not tried again, since nobody knows whether one that broke was made."""
        pool = self._pool
        if pool is None:
            raise StoreError("the ledger is not open")
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(_LOCK)
                going = steps()
                sql, given = next(going)
                while True:
                    rows = [tuple(row) for row in await connection.fetch(_dollars(sql), *given)]
                    try:
                        sql, given = going.send(list(rows))
                    except StopIteration as end:
                        value: T = end.value
                        return value
        except Exception as error:  # sorted out by what it means
            raise self._server.explain(error) from error
