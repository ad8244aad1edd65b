"""What is written: each public method is one job of the writer, inside its transaction.

A method either raises before it has written anything, or succeeds; the writer relies on it when it
puts the jobs of many callers into one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import apsw

from atomiton.errors import NotFound, RunBusy, StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.store.database import Database, Row
from atomiton.store.owners import is_alive, lock_path, sweep
from atomiton.store.records import LARGE, checksum, content_hash

_INSERT_RUN = """
INSERT INTO runs (run, blueprint, version, blueprint_hash, status, created_at, ended_at, key,
                  reason, owner, error_code, error_message)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHANGE_RUN = """
UPDATE runs SET status = ?, ended_at = ?, reason = ?, error_code = ?, error_message = ?, owner = ?
WHERE run = ?
"""
_INSERT_RECORD = "INSERT INTO records (run, seq, checksum, data, blob) VALUES (?, ?, ?, ?, ?)"
#: So many records are added by one statement; by their number, from none.
_INSERTS = ("", *(_INSERT_RECORD + ", (?, ?, ?, ?, ?)" * more for more in range(24)))
MOST_AT_ONCE = len(_INSERTS) - 1
_INSERT_BLOB = "INSERT INTO blobs (hash, size, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FORGET_OWNER = """
DELETE FROM owners WHERE owner = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE owner = ?1)
"""

_Row = tuple[str, int, int, bytes | None, bytes | None]


class Tables:
    """The writing side of the store, used by one thread at a time.

    Args:
        connection: Writes; the caller begins and commits.
        folder: Where owners keep their lock files.
        owner: Id of this owner.
    """

    def __init__(self, connection: Database, folder: Path, owner: str) -> None:
        self._cursor = connection.cursor()
        self._folder = folder
        self._owner = owner
        #: Runs owned here, with the number of each one's last record: nobody else may append, so
        #: an append is checked without asking the database.
        self._last: dict[str, int] = {}
        self._undo: dict[str, int | None] = {}
        self._rows: list[_Row] = []

    def flush(self) -> None:
        """Write the records that jobs have added: all of a batch in one go."""
        if self._rows:
            rows, self._rows = self._rows, []
            if len(rows) == 2:  # an end and the start it led to: the most common append
                self._cursor.execute(_INSERTS[2], rows[0] + rows[1])
            elif len(rows) <= MOST_AT_ONCE:  # one statement: by itself, its own transaction
                self._cursor.execute(_INSERTS[len(rows)], tuple(chain.from_iterable(rows)))
            else:
                self._cursor.executemany(_INSERT_RECORD, rows)

    def committed(self) -> None:
        """Note that the transaction stands."""
        self._undo.clear()

    def rolled_back(self) -> None:
        """Go back to what was known before the transaction."""
        for run, last in self._undo.items():
            if last is None:
                self._last.pop(run, None)
            else:
                self._last[run] = last
        self._undo.clear()
        self._rows.clear()

    def register(self) -> None:
        """Enter this owner; forget dead ones that own nothing."""
        known = {str(row[0]) for row in self._all("SELECT owner FROM owners", ())}
        for owner in known:
            if not is_alive(self._folder, owner):
                self._forget(owner)
        self._cursor.execute("INSERT INTO owners (owner) VALUES (?)", (self._owner,))
        sweep(self._folder, known | {self._owner})

    def unregister(self) -> None:
        """Give up every run and leave."""
        self._cursor.execute("UPDATE runs SET owner = NULL WHERE owner = ?", (self._owner,))
        self._cursor.execute("DELETE FROM owners WHERE owner = ?", (self._owner,))
        for run in list(self._last):
            self._own(run, None)

    def save_blueprint(self, digest: str, document: bytes) -> None:
        """Keep a document under its hash."""
        self._cursor.execute(
            "INSERT INTO blueprints (hash, document) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (digest, document),
        )

    def create(self, header: RunHeader, records: Sequence[Record]) -> str:
        """Enter a run, or find the one that has its key."""
        owner = self._owner if header.ended_at is None else None
        run = header.run
        what = (run, header.blueprint, header.version, header.blueprint_hash, header.status)
        when = (header.created_at, header.ended_at, header.key, header.reason, owner)
        why = (header.error_code, header.error_message)
        try:
            self._cursor.execute(_INSERT_RUN, (*what, *when, *why))
        except apsw.ConstraintError as error:
            found = self._one(
                "SELECT run FROM runs WHERE blueprint = ? AND key = ?",
                (header.blueprint, header.key),
            )
            if found is None:
                raise StoreError(f"run {run} exists already") from error
            return str(found[0])
        self._add(run, 0, records)
        if owner is not None:
            self._own(run, len(records))
        return run

    def append(
        self, run: str, after: int, records: Sequence[Record], change: StatusChange | None
    ) -> None:
        """Add records to an owned run."""
        last = self._last.get(run)
        if last is None:
            raise self._not_owned(run)
        if last != after:
            raise StoreError(
                f"run {run}: records were to follow record {after}, "
                f"but the last one stored is {last}"
            )
        self._add(run, after, records)
        if run not in self._undo:
            self._undo[run] = last
        self._last[run] = after + len(records)
        if change is None:
            return
        # A run that has ended needs no owner; it would only keep this process remembering it.
        owner = self._owner if change.ended_at is None else None
        row = (change.status, change.ended_at, change.reason, change.error_code)
        self._cursor.execute(_CHANGE_RUN, (*row, change.error_message, owner, run))
        if owner is None:
            self._own(run, None)

    def claim(self, run: str) -> bool:
        """Take a run whose owner is nobody or dead."""
        row = self._one("SELECT owner FROM runs WHERE run = ?", (run,))
        if row is None:
            raise NotFound(f"there is no run {run}")
        owner = row[0]
        if owner == self._owner:
            return True
        if owner is not None and is_alive(self._folder, str(owner)):
            return False
        self.flush()
        found = self._one("SELECT max(seq) FROM records WHERE run = ?", (run,))
        last = found[0] if found else None
        self._cursor.execute(
            "UPDATE runs SET owner = ?, wake_at = NULL WHERE run = ?", (self._owner, run)
        )
        self._own(run, last if isinstance(last, int) else 0)
        if owner is not None:
            self._forget(str(owner))
        return True

    def release(self, run: str) -> None:
        """Give up one run."""
        if run in self._last:
            self._cursor.execute("UPDATE runs SET owner = NULL WHERE run = ?", (run,))
            self._own(run, None)

    def park(self, run: str, wake_at: float) -> bool:
        """Give up a run that waits, unless somebody has just left it a message."""
        if run not in self._last:
            raise self._not_owned(run)
        if self._one("SELECT 1 FROM messages WHERE run = ?", (run,)) is not None:
            return False
        self._cursor.execute(
            "UPDATE runs SET owner = NULL, wake_at = ? WHERE run = ?", (wake_at, run)
        )
        self._own(run, None)
        return True

    def post(self, run: str, message: bytes) -> None:
        """Leave a message."""
        if self._one("SELECT 1 FROM runs WHERE run = ?", (run,)) is None:
            raise NotFound(f"there is no run {run}")
        self._cursor.execute("INSERT INTO messages (run, data) VALUES (?, ?)", (run, message))

    def take_messages(self, run: str) -> list[bytes]:
        """Take the messages of an owned run."""
        if run not in self._last:
            raise self._not_owned(run)
        rows = self._all("SELECT id, data FROM messages WHERE run = ? ORDER BY id", (run,))
        if rows:
            newest = rows[-1][0]
            self._cursor.execute("DELETE FROM messages WHERE run = ? AND id <= ?", (run, newest))
        return [row[1] for row in rows if isinstance(row[1], bytes)]

    def _add(self, run: str, after: int, records: Sequence[Record]) -> None:
        rows, seq = self._rows, after
        for record in records:
            seq += 1
            if type(record) is bytes and len(record) <= LARGE:  # nearly all
                rows.append((run, seq, checksum(run, seq, record), record, None))
                continue
            head, body = (b"", record) if isinstance(record, bytes) else record
            if len(body) > LARGE:
                name = content_hash(body)
                self._cursor.execute(_INSERT_BLOB, (name, len(body), body))
                rows.append((run, seq, checksum(run, seq, head + name), head, name))
            else:
                data = head + body
                rows.append((run, seq, checksum(run, seq, data), data, None))

    def _own(self, run: str, last: int | None) -> None:
        if run not in self._undo:
            self._undo[run] = self._last.get(run)
        if last is None:
            self._last.pop(run, None)
        else:
            self._last[run] = last

    def _forget(self, owner: str) -> None:
        # A missing lock file means dead as well, so this is right even if the rows stay for now.
        lock_path(self._folder, owner).unlink(missing_ok=True)
        self._cursor.execute(_FORGET_OWNER, (owner,))

    def _not_owned(self, run: str) -> StoreError | NotFound:
        row = self._one("SELECT owner FROM runs WHERE run = ?", (run,))
        if row is None:
            return NotFound(f"there is no run {run}")
        if row[0] is not None and is_alive(self._folder, str(row[0])):
            return RunBusy(f"run {run} is driven by another process ({row[0]})")
        return RunBusy(f"run {run} is not owned by this process; claim it first")

    def _one(self, sql: str, bindings: tuple[object, ...]) -> Row | None:
        rows = self._all(sql, bindings)
        return rows[0] if rows else None

    def _all(self, sql: str, bindings: tuple[object, ...]) -> list[Row]:
        return list(self._cursor.execute(sql, bindings))
