"""What can be put right in a store without touching a fact."""

from __future__ import annotations

from pathlib import Path

import apsw

from atomiton.store.database import Database
from atomiton.store.records import checksum
from atomiton.store.schema import connect, migrate, migrations, store_error

_STRAY_BLOBS = """
DELETE FROM blobs WHERE NOT EXISTS (SELECT 1 FROM records WHERE blob = blobs.hash)
"""
_STRAY_MESSAGES = "DELETE FROM messages WHERE run NOT IN (SELECT run FROM runs)"
_FREE = """
UPDATE runs SET owner = NULL WHERE owner IS NOT NULL AND ended_at IS NULL
AND owner NOT IN (SELECT owner FROM owners)
"""


def mend_tables(path: Path) -> list[str]:
    """Remove what belongs to nobody; gives what was done, as sentences.

    Raises:
        StoreError: The store cannot be written.
    """
    try:
        connection = connect(path)
        try:
            migrate(connection, path, migrations())
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = list(_mend(connection))
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()
    except apsw.Error as error:
        raise store_error(error, path) from error
    return done


def _mend(connection: Database) -> list[str]:
    done: list[str] = []
    for sql, what in (
        (_STRAY_BLOBS, "large contents that belonged to no run are removed"),
        (_STRAY_MESSAGES, "messages to runs that are not there are removed"),
        (_FREE, "runs of owners nobody knows can be taken up"),
    ):
        count = _changed(connection, sql)
        if count:
            done.append(f"{count} {what}.")
    rows = connection.execute("SELECT id, run, data, checksum FROM messages").fetchall()
    bad = [
        number
        for number, run, data, stored in rows
        if stored is not None and not (isinstance(data, bytes) and checksum(run, 0, data) == stored)
    ]
    for number in bad:
        connection.execute("DELETE FROM messages WHERE id = ?", (number,))
    if bad:
        done.append(f"{len(bad)} damaged messages are removed.")
    return done


def _changed(connection: Database, sql: str) -> int:
    before = connection.execute("SELECT total_changes()").fetchall()[0][0]
    connection.execute(sql).fetchall()
    return int(connection.execute("SELECT total_changes()").fetchall()[0][0] - before)
