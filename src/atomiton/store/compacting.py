"""Giving free pages back to the disk, in small steps between which others may write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from atomiton.store.database import Database
from atomiton.store.schema import connect, store_error

#: Pages that are given back in one transaction.
_STEP = 500
_INCREMENTAL = 2


def compact(path: Path, *, alone: bool, told: Callable[[int], None]) -> None:
    """Give the free pages of a store back.

    Args:
        path: The file.
        alone: Whether no other process has it open. A file of an earlier version is then written
            anew, which needs as much free disk again; otherwise its free pages stay for later runs.
        told: Called with the bytes that are still to be given back.

    Raises:
        StoreError: The store cannot be written.
    """
    try:
        connection = connect(path)
        try:
            if _value(connection, "auto_vacuum") == _INCREMENTAL:
                _step_by_step(connection, told)
            elif alone:
                told(_free(connection))
                connection.execute("VACUUM").fetchall()
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            told(_free(connection))
        finally:
            connection.close()
    except apsw.BusyError:
        return  # somebody reads an old state: the log is written back by the next who can
    except apsw.Error as error:
        raise store_error(error, path) from error


def _step_by_step(connection: Database, told: Callable[[int], None]) -> None:
    while (free := _free(connection)) > 0:
        told(free)
        connection.execute(f"PRAGMA incremental_vacuum({_STEP})").fetchall()


def _free(connection: Database) -> int:
    return _value(connection, "freelist_count") * _value(connection, "page_size")


def _value(connection: Database, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchall()[0][0])
