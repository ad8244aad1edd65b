"""The ledger in a SQLite file, beside the runs, or in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import apsw

from atomiton.errors import StoreError
from atomiton.store.database import Database, open_database
from atomiton.store.ledger.base import Steps
from atomiton.store.schema import connect, migrate, migrations, prepare_file, store_error

T = TypeVar("T")


class SqliteLedger:
    """A ``Ledger`` in a SQLite file.

    Args:
        path: The file that holds the runs; None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Database | None = None

    async def open(self) -> None:
        """Make it ready: create its tables, or migrate older ones."""
        self._thread = ThreadPoolExecutor(1, "atomiton-ledger")
        try:
            self._connection = await self._apart(self._prepare)
        except BaseException:
            self._thread.shutdown(wait=False)
            self._thread = None
            raise

    def _prepare(self) -> Database:
        if self._path is None:
            memory = open_database(Path(":memory:"))
            sql = files("atomiton.store").joinpath("sql", "0006_ledger.sql")
            memory.execute(sql.read_text(encoding="utf-8")).fetchall()
            return memory
        prepare_file(self._path)
        connection = connect(self._path)
        try:
            migrate(connection, self._path, migrations())
        except BaseException:
            connection.close()
            raise
        return connection

    async def close(self) -> None:
        """Free everything."""
        thread, connection = self._thread, self._connection
        self._thread = self._connection = None
        if thread is not None and connection is not None:
            await asyncio.get_running_loop().run_in_executor(thread, connection.close)
            thread.shutdown()

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Do a transaction."""
        return await self._apart(partial(self._do, steps))

    def _do(self, steps: Callable[[], Steps[T]]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreError("the ledger is not open")
        connection.execute("BEGIN IMMEDIATE")
        try:
            going = steps()
            sql, given = next(going)
            while True:
                rows = list(connection.execute(sql, given))
                try:
                    sql, given = going.send(rows)
                except StopIteration as end:
                    connection.execute("COMMIT")
                    value: T = end.value
                    return value
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    async def _apart(self, work: Callable[[], T]) -> T:
        thread = self._thread
        if thread is None:
            raise StoreError("the ledger is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except apsw.Error as error:
            raise store_error(error, self._path or Path(":memory:")) from error
