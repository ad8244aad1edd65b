"""The few things that the store asks of a SQLite connection, typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

Row = tuple[Any, ...]


class Cursor(Protocol):
    """Rows of a statement."""

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows."""
        ...

    def execute(self, statements: str, bindings: Sequence[object] = ()) -> Cursor:
        """Run statements."""
        ...

    def executemany(
        self, statements: str, sequenceofbindings: Iterable[Sequence[object]]
    ) -> Cursor:
        """Run a statement once for each row of bindings."""
        ...

    def fetchall(self) -> list[Row]:
        """Give the rows that are left."""
        ...

    def fetchone(self) -> Row | None:
        """Give the next row."""
        ...


class Database(Protocol):
    """A connection."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def cursor(self) -> Cursor:
        """Make a cursor."""
        ...

    def execute(self, statements: str, bindings: Sequence[object] = ()) -> Cursor:
        """Run statements; all but the last one that gives rows are run to their end lazily."""
        ...

    def close(self, force: bool = False) -> None:  # noqa: FBT001 - as the library has it
        """Close the connection."""
        ...

    def config(self, op: int, *args: int) -> int:
        """Set an option."""
        ...

    def set_busy_timeout(self, milliseconds: int) -> None:
        """Set how long to wait for others."""
        ...

    def set_wal_hook(self, callable: Callable[[Any, str, int], int] | None) -> None:  # noqa: A002 - as the library has it
        """Have every commit reported with the length of the log."""
        ...

    def wal_autocheckpoint(self, n: int) -> None:
        """Set after how many pages a commit writes the log back."""
        ...

    def wal_checkpoint(self, dbname: str | None = None, mode: int = ...) -> tuple[int, int]:
        """Write the log back; gives its pages and how many were written."""
        ...


def open_database(path: Path, flags: int | None = None) -> Database:
    """Open a connection to a file."""
    if flags is None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    # The library's own types name a class that Python 3.11 does not have.
    return cast("Database", apsw.Connection(str(path), flags=flags))
