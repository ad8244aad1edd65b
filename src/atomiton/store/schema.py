"""Opening the file: connections, refusals in clear words, migrations."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import apsw

from atomiton.errors import StoreError
from atomiton.store.database import Database, open_database

#: Marks a SQLite file as a store of ours ("AtOm").
APPLICATION_ID = 0x41744F6D

#: How long to wait for another process that writes, before it is an error.
BUSY_SECONDS = 10.0

#: A numbered migration: its number, from 1, and its statements.
Migration = tuple[int, str]

_MAGIC = b"SQLite format 3\x00"


def store_error(error: Exception, path: Path) -> StoreError:
    """Say what a failure of SQLite means to the user of a store."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, apsw.FullError):
        why = "the disk is full; free some space and try again"
    elif isinstance(error, apsw.NotADBError):
        why = "the file is not a SQLite database; name another file"
    elif isinstance(error, apsw.CorruptError):
        why = "the file is damaged; `atomiton doctor` says more"
    elif isinstance(error, apsw.BusyError):
        why = "another process keeps it locked"
    elif isinstance(error, apsw.ReadOnlyError):
        why = "the file or its folder is read-only"
    else:
        why = f"{type(error).__name__}: {error}"
    return StoreError(f"store {path}: {why}")


def migrations() -> list[Migration]:
    """Give the migrations that this version knows, in order."""
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in files("atomiton.store").joinpath("sql").iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def prepare_file(path: Path) -> None:
    """Make sure the place can hold a store; create an empty private file if there is none.

    Raises:
        StoreError: Names the path, what is wrong with it, and what to do.
    """
    try:
        if path.is_dir():
            raise StoreError(f"store {path}: this is a folder; name a file inside it")
        if path.exists() and not path.is_file():
            raise StoreError(f"store {path}: this is no ordinary file; name another")
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if not above.is_dir():
            raise StoreError(f"store {path}: '{above}' is a file, not a folder; name another place")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Created here and not by SQLite, which would use the umask; its other files follow suit.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(
            f"store {path}: cannot be opened for writing ({error.strerror}); name a writable place"
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise StoreError(f"store {path}: its folder is read-only; name a writable place")
    if head and head != _MAGIC:
        raise StoreError(f"store {path}: the file is not a SQLite database; name another file")


def connect(path: Path) -> Database:
    """Open a connection that writes; retried while another process creates the same file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        connection = open_database(path)
        try:
            connection.set_busy_timeout(int(BUSY_SECONDS * 1000))
            # Before the first write: even the birth of the file then survives a power loss.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except apsw.BusyError:
            # The switch to WAL does not always wait for locks by itself.
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        except BaseException:
            connection.close()
            raise
        else:
            return connection


def connect_reader(path: Path) -> Database:
    """Open a connection that only reads; it never checkpoints, not even when it closes."""
    connection = open_database(path, apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(int(BUSY_SECONDS * 1000))
    connection.wal_autocheckpoint(0)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(connection: Database, path: Path, known: Sequence[Migration]) -> None:
    """Bring the tables up to the newest known version, one transaction a migration.

    Raises:
        StoreError: The file belongs to another program or to a newer version of this one.
    """
    newest = known[-1][0]
    while True:
        # Under the write lock, so that two processes that start at once take turns.
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection, path)
            if version > newest:
                raise StoreError(
                    f"store {path}: written by a newer version of Atomiton (schema {version}, "
                    f"this one knows {newest}); upgrade Atomiton"
                )
            for number, sql in known:
                if number > version:
                    _apply(connection, number, sql)
                    break
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if version >= newest:
            return


def _apply(connection: Database, number: int, sql: str) -> None:
    connection.execute(sql).fetchall()
    if number == 1:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('schema', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (number,),
    )


def _version(connection: Database, path: Path) -> int:
    mark = connection.execute("PRAGMA application_id").fetchall()[0][0]
    if mark == APPLICATION_ID:
        row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        return int(row[0]) if row else 0
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark or (tables and tables[0]):
        raise StoreError(
            f"store {path}: the database belongs to another program; name another file"
        )
    return 0
