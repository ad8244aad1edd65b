"""The ledger in a SQLite file, beside the runs, or in memory."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from atomiton.store.apart import Apart, open_store, transaction
from atomiton.store.database import Database, open_database
from atomiton.store.ledger.base import Steps

T = TypeVar("T")
_MEMORY = Path(":memory:")
#: What makes the tables of a ledger, among the migrations of a store.
_TABLES = ("0006_ledger.sql", "0007_results.sql")


class SqliteLedger:
    """A ``Ledger`` in a SQLite file.

    Args:
        path: The file that holds the runs; None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        place = path or _MEMORY
        make = _memory if path is None else lambda: open_store(place)
        self._apart = Apart("atomiton-ledger", place, make)

    async def open(self) -> None:
        """Make it ready: create its tables, or migrate older ones."""
        await self._apart.open()

    async def close(self) -> None:
        """Free everything."""
        await self._apart.close()

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Do a transaction."""
        return await self._apart.do(lambda connection: _do(connection, steps))


def _memory() -> Database:
    made = open_database(_MEMORY)
    for name in _TABLES:
        sql = files("atomiton.store").joinpath("sql", name)
        made.execute(sql.read_text(encoding="utf-8")).fetchall()
    return made


def _do(connection: Database, steps: Callable[[], Steps[T]]) -> T:
    with transaction(connection):
        going = steps()
        sql, given = next(going)
        while True:
            rows = list(connection.execute(sql, given))
            try:
                sql, given = going.send(rows)
            except StopIteration as end:
                value: T = end.value
                return value
