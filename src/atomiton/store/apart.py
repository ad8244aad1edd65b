"""A SQLite file with a connection, and a thread, of its own: the event loop waits for no lock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from atomiton.errors import StoreError
from atomiton.store.database import Database
from atomiton.store.schema import connect, migrate, migrations, prepare_file, store_error

T = TypeVar("T")


def open_store(path: Path) -> Database:
    """Open the file of a store: it is made, or migrated, if need be."""
    prepare_file(path)
    connection = connect(path)
    try:
        migrate(connection, path, migrations())
    except BaseException:
        connection.close()
        raise
    return connection


class Apart:
    """A database that is worked with in a thread of its own, one thing after the other.

    Args:
        name: Of the thread.
        path: Named in errors.
        make: Opens the connection, in that thread.
    """

    def __init__(self, name: str, path: Path, make: Callable[[], Database]) -> None:
        self._name = name
        self._path = path
        self._make = make
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Database | None = None

    async def open(self) -> None:
        """Open it."""
        self._thread = ThreadPoolExecutor(1, self._name)
        try:
            self._connection = await self._work(self._make)
        except BaseException:
            self._thread.shutdown(wait=False)
            self._thread = None
            raise

    async def close(self) -> None:
        """Close it, if it is open."""
        thread, connection = self._thread, self._connection
        self._thread = self._connection = None
        if thread is not None and connection is not None:
            await asyncio.get_running_loop().run_in_executor(thread, connection.close)
            thread.shutdown()

    async def do(self, work: Callable[[Database], T]) -> T:
        """Do something with the connection; failures of SQLite are a ``StoreError``."""
        connection = self._connection
        if connection is None:
            raise StoreError(f"store {self._path}: it is not open")
        return await self._work(lambda: work(connection))

    async def _work(self, work: Callable[[], T]) -> T:
        assert self._thread is not None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except apsw.Error as error:
            raise store_error(error, self._path) from error


@contextlib.contextmanager
def transaction(connection: Database) -> Generator[None]:
    """Within it, all is written or nothing; nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some failures have rolled back already, or make this one fail too; both are fine.
        with contextlib.suppress(apsw.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
