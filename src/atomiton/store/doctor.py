"""Is the store well? What its tables hold, checked row by row, said in sentences."""

from __future__ import annotations

import time
from collections.abc import Iterator

import apsw

from atomiton.errors import StoreError
from atomiton.store.finding import RESTORE, Finding
from atomiton.store.reader import Reader
from atomiton.store.records import checksum, damaged_message, head_checksum, verify
from atomiton.store.schema import sqlite_is_safe

#: Seconds after its moment at which nobody has woken a run that should have gone on.
_OVERDUE = 60.0

_GAPS = """
SELECT run, count(*), min(seq), max(seq) FROM records GROUP BY run
HAVING min(seq) <> 1 OR max(seq) <> count(*) ORDER BY run
"""
_HOMELESS = """
SELECT DISTINCT run FROM records WHERE run NOT IN (SELECT run FROM runs) ORDER BY run
"""
_UNSEEN = """
SELECT run, owner FROM runs WHERE owner IS NOT NULL AND ended_at IS NULL
AND owner NOT IN (SELECT owner FROM owners) ORDER BY run
"""
_FLAGGED = """
SELECT run, reason FROM runs WHERE ended_at IS NULL AND status = 'paused' AND reason IS NOT NULL
ORDER BY run
"""
_NO_BLUEPRINT = """
SELECT run, blueprint_hash, ended_at FROM runs
WHERE blueprint_hash NOT IN (SELECT hash FROM blueprints) ORDER BY run
"""
_OWNED = "SELECT count(*) FROM runs WHERE owner = ? AND ended_at IS NULL"
_INTERRUPTED = """
SELECT run, status, reason FROM runs
WHERE owner IS NULL AND ended_at IS NULL AND wake_at IS NULL ORDER BY run
"""
_LATE = """
SELECT run, wake_at FROM runs
WHERE owner IS NULL AND ended_at IS NULL AND wake_at < ? ORDER BY run
"""
_ORPHANS = """
SELECT count(*), coalesce(sum(size), 0) FROM blobs
WHERE hash NOT IN (SELECT blob FROM records WHERE blob IS NOT NULL)
"""
_HEADS = """
SELECT run, blueprint, version, blueprint_hash, created_at, key, checksum FROM runs
WHERE checksum IS NOT NULL
"""
_ENDED_EMPTY = """
SELECT run FROM runs WHERE ended_at IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM records WHERE records.run = runs.run) ORDER BY run
"""
_RESUME = "`atomiton runs resume` lets it go on"


def examine(reader: Reader) -> list[Finding]:
    """Examine what the store holds.

    Returns:
        What there is to say; empty, or notes only, if the store is well.
    """
    found = check_sqlite(apsw.sqlite_lib_version())
    try:
        for part in (_file, _records, _heads, _messages, _places, _orphans, _drivers):
            found += part(reader)
    except apsw.Error as error:
        message = f"The examination stopped: {error}."
        found.append(Finding("UNREADABLE", "damage", message, RESTORE))
    return found


def check_sqlite(version: str) -> list[Finding]:
    """Say what is known of a version of SQLite, as in ``3.51.3``."""
    if sqlite_is_safe(version):
        return []
    fix = "upgrade apsw to 3.51.3 or later, or install one that was built with such a SQLite"
    message = f"SQLite {version} may damage the store when two processes write at once."
    return [Finding("OLD_SQLITE", "attention", message, fix)]


def _file(reader: Reader) -> Iterator[Finding]:
    for (row,) in reader.rows("PRAGMA integrity_check", ()):
        if row != "ok":
            message = f"SQLite finds the file damaged: {row}."
            yield Finding("DAMAGED_FILE", "damage", message, RESTORE)


def _records(reader: Reader) -> Iterator[Finding]:
    sound: set[bytes] = set()
    rows = reader.connection.execute("SELECT run, seq, checksum, data, blob FROM records")
    for run, seq, stored, data, name in rows:
        try:
            verify(run, seq, stored, data, name)
            if name is not None and name not in sound:
                reader.blob(run, seq, name)
                sound.add(name)
        except StoreError as error:
            yield Finding("DAMAGED_RECORD", "damage", _sentence(error), RESTORE, run)
    for run, count, first, last in reader.rows(_GAPS, ()):
        message = f"Run {run} has gaps: {count} records stored, numbered from {first} to {last}."
        yield Finding("MISSING_RECORD", "damage", message, RESTORE, run)
    for (run,) in reader.rows(_HOMELESS, ()):
        message = f"Run {run} has records but is not in the list of runs."
        yield Finding("UNLISTED_RUN", "damage", message, RESTORE, run)
    for (run,) in reader.rows(_ENDED_EMPTY, ()):
        message = f"Run {run} has ended but none of its records is there."
        yield Finding("MISSING_RECORD", "damage", message, RESTORE, run)


def _heads(reader: Reader) -> Iterator[Finding]:
    if not _has(reader, "runs", "checksum"):
        return
    for run, *fixed, stored in reader.connection.execute(_HEADS):
        if head_checksum(run, *fixed) != stored:
            message = f"Run {run} is damaged in the list of runs: its checksum does not match."
            yield Finding("DAMAGED_RUN", "damage", message, RESTORE, run)


def _messages(reader: Reader) -> Iterator[Finding]:
    if not _has(reader, "messages", "checksum"):
        return
    rows = reader.connection.execute("SELECT id, run, data, checksum FROM messages")
    for number, run, data, stored in rows:
        sound = isinstance(data, bytes) and checksum(run, 0, data) == stored
        if stored is not None and not sound:
            error = damaged_message(run, number)
            fix = "ask for it again; `atomiton doctor --fix` removes the damaged one"
            yield Finding("DAMAGED_MESSAGE", "damage", _sentence(error), fix, run)


def _places(reader: Reader) -> Iterator[Finding]:
    for digest, document in reader.connection.execute("SELECT hash, document FROM blueprints"):
        if not isinstance(document, bytes) or not document:
            message = f"Blueprint {digest} is damaged: it is empty."
            yield Finding("DAMAGED_BLUEPRINT", "damage", message, RESTORE)
    for run, digest, ended_at in reader.rows(_NO_BLUEPRINT, ()):
        state = "is unfinished but" if ended_at is None else "has ended, and"
        message = f"Run {run} {state} its blueprint {digest} is not stored."
        yield Finding("MISSING_BLUEPRINT", "damage", message, RESTORE, run)


def _orphans(reader: Reader) -> Iterator[Finding]:
    count, size = reader.rows(_ORPHANS, ())[0]
    if count:
        message = f"{count} large contents ({size:,} bytes) belong to no run."
        yield Finding("ORPHANED", "note", message, "`atomiton doctor --fix` removes them")


def _drivers(reader: Reader) -> Iterator[Finding]:
    for owner in reader.dead_owners():
        (count,) = reader.rows(_OWNED, (owner,))[0]
        message = f"Owner {owner} died; its unfinished runs wait to be claimed."
        fix = "`atomiton runs resume` takes them up"
        yield Finding("DEAD_OWNER", "attention" if count else "note", message, fix)
    for run, owner in reader.rows(_UNSEEN, ()):
        message = f"Run {run} belongs to owner {owner}, whom nobody knows: it is never taken up."
        yield Finding("UNKNOWN_OWNER", "damage", message, "`atomiton doctor --fix` frees it", run)
    for run, reason in reader.rows(_FLAGGED, ()):
        yield Finding("FLAGGED", "attention", f"Run {run} is flagged: {reason}.", _RESUME, run)
    for run, status, reason in reader.rows(_INTERRUPTED, ()):
        if status != "paused":
            why = f": {reason}" if reason else ""
            message = f"Run {run} is {status}, and nobody drives it{why}."
            yield Finding("INTERRUPTED", "note", message, _RESUME, run)
    if _has(reader, "runs", "wake_at"):
        for run, wake_at in reader.rows(_LATE, (time.time() - _OVERDUE,)):
            late = time.time() - wake_at
            message = f"Run {run} should have gone on {late:,.0f} s ago; no process is up to do it."
            yield Finding("OVERDUE", "attention", message, _RESUME, run)


def _has(reader: Reader, table: str, column: str) -> bool:
    """Whether a table has a column: files of an earlier version lack some."""
    columns = reader.rows("SELECT name FROM pragma_table_info(?)", (table,))
    return (column,) in columns


def _sentence(error: StoreError) -> str:
    return f"{error.message[0].upper()}{error.message[1:]}."
