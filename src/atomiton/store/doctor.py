"""Is the store well? Everything that can be checked, said in sentences."""

from __future__ import annotations

import apsw

from atomiton.errors import StoreError
from atomiton.store.reader import Reader
from atomiton.store.records import verify

#: SQLite from 3.7.0 to before this one may damage a database that two connections write at once.
_SAFE_SQLITE = (3, 51, 3)

_GAPS = """
SELECT run, count(*), min(seq), max(seq) FROM records GROUP BY run
HAVING min(seq) <> 1 OR max(seq) <> count(*) ORDER BY run
"""
_HOMELESS = """
SELECT DISTINCT run FROM records WHERE run NOT IN (SELECT run FROM runs) ORDER BY run
"""
_FLAGGED = """
SELECT run, reason FROM runs WHERE ended_at IS NULL AND status = 'paused' AND reason IS NOT NULL
ORDER BY run
"""
_NO_BLUEPRINT = """
SELECT run, blueprint_hash FROM runs
WHERE ended_at IS NULL AND blueprint_hash NOT IN (SELECT hash FROM blueprints) ORDER BY run
"""


def examine(reader: Reader) -> list[str]:
    """Examine the store.

    Returns:
        What is wrong, one sentence each; empty if the store is well.
    """
    found = _sqlite(apsw.sqlite_lib_version())
    try:
        rows = reader.rows("PRAGMA integrity_check", ())
        found += [f"SQLite finds the file damaged: {row[0]}." for row in rows if row[0] != "ok"]
        found += _records(reader)
        for run, count, first, last in reader.rows(_GAPS, ()):
            found.append(
                f"Run {run} has gaps: {count} records stored, numbered from {first} to {last}."
            )
        for (run,) in reader.rows(_HOMELESS, ()):
            found.append(f"Run {run} has records but is not in the list of runs.")
        for run, digest in reader.rows(_NO_BLUEPRINT, ()):
            found.append(f"Run {run} is unfinished but its blueprint {digest} is not stored.")
        for owner in reader.dead_owners():
            found.append(f"Owner {owner} died; its unfinished runs wait to be claimed.")
        for run, reason in reader.rows(_FLAGGED, ()):
            found.append(f"Run {run} is flagged: {reason}.")
    except apsw.Error as error:
        found.append(f"The examination stopped: {error}.")
    return found


def _sqlite(version: str) -> list[str]:
    number = tuple(int(part) for part in version.split("."))
    if (3, 7, 0) <= number < _SAFE_SQLITE:
        why = "may damage the store when two processes write at once"
        return [f"SQLite {version} {why}; upgrade apsw to 3.51.3 or later."]
    return []


def _records(reader: Reader) -> list[str]:
    found: list[str] = []
    sound: set[bytes] = set()
    rows = reader.connection.execute("SELECT run, seq, checksum, data, blob FROM records")
    for run, seq, stored, data, name in rows:
        try:
            verify(run, seq, stored, data, name)
            if name is not None and name not in sound:
                reader.blob(run, seq, name)
                sound.add(name)
        except StoreError as error:
            found.append(f"{error.message[0].upper()}{error.message[1:]}.")
    return found
