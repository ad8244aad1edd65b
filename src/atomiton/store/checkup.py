"""A look at a store from outside: nothing is claimed, migrated, written or swept.

``Checkup`` opens the files for reading only, whoever else has them open, and leaves them byte for
byte as they were. It gives what a journal gives to read, so that runs can be replayed from it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from atomiton.errors import StoreError
from atomiton.ports.journal import RunHeader
from atomiton.store.doctor import examine
from atomiton.store.finding import RESTORE, Finding
from atomiton.store.reader import Reader
from atomiton.store.schema import APPLICATION_ID, migrations, store_error
from atomiton.store.wal import examine_log

#: Bytes of free disk below which a store is soon in trouble.
_SCARCE = 64 * 1024 * 1024
#: Bytes of log that should have been written back long ago.
_LONG_LOG = 64 * 1024 * 1024
#: Share of free pages, and their bytes, from which on they are worth giving back.
_LOOSE, _LOOSE_BYTES = 0.25, 1024 * 1024


class Checkup:
    """Examines a store that is there.

    Args:
        path: The file.

    Raises:
        StoreError: On entering: the file cannot be opened as a store at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        self._folder = path.with_name(path.name + ".owners")
        self._had_log = self._log.exists()
        self._outside = list(_outside(path, self._log, self._folder))
        self._reader: Reader | None = None

    async def __aenter__(self) -> Self:
        """Open the file for reading."""
        try:
            self._reader = Reader(self.path, self._folder, "")
            await self._reader.do(partial(_recognise, self._reader, self.path))
        except apsw.Error as error:
            raise store_error(error, self.path) from error
        except StoreError:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; files that this look has made go again."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        if not self._had_log:
            off = partial(reader.connection.config, apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            await reader.do(off)
        await reader.stop()

    @property
    def reader(self) -> Reader:
        """Who reads; there is one only inside ``async with``."""
        assert self._reader is not None
        return self._reader

    async def findings(self) -> list[Finding]:
        """Examine the files, and what the tables hold."""
        reader = self.reader
        found = self._outside + await reader.do(lambda: list(_inside(reader, self.path)))
        return found + await reader.do(partial(examine, reader))

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document of a blueprint."""
        return await self.reader.do(partial(self.reader.load_blueprint, digest))

    async def read(self, run: str) -> list[bytes]:
        """Give the records of a run."""
        return await self.reader.do(partial(self.reader.read, run, 0, None))

    async def headers(self, before: str | None, limit: int) -> list[RunHeader]:
        """Give headers, newest first."""
        return await self.reader.do(partial(self.reader.list, None, None, before, limit))


def _recognise(reader: Reader, path: Path) -> None:
    """Refuse what is no store of ours."""
    mark = reader.rows("PRAGMA application_id", ())[0][0]
    if mark != APPLICATION_ID:
        raise StoreError(f"store {path}: the database belongs to another program, or is damaged")


def _outside(path: Path, log: Path, folder: Path) -> Iterator[Finding]:
    """What the files show before anybody opens them."""
    try:
        found = examine_log(log)
        if found.broken is not None:
            yield _broken_log(log, found.frames, found.broken, found.after)
        if log.exists() and log.stat().st_size > _LONG_LOG:
            message = f"The log {log.name} has {log.stat().st_size:,} bytes."
            fix = "end the process that keeps an old state of the store open"
            yield Finding("LONG_LOG", "attention", message, fix)
    except OSError as error:
        message = f"The log {log.name} cannot be read: {error.strerror}."
        yield Finding("UNREADABLE", "attention", message, "make it readable for you")
    if os.name == "posix":
        yield from _permissions(path, log, folder)
    free = shutil.disk_usage(path.parent).free
    if free < _SCARCE:
        message = f"Only {free:,} bytes are free on the disk of the store."
        yield Finding("DISK_FULL", "attention", message, "free some space, or prune runs")


def _broken_log(log: Path, frames: int, broken: int, after: int) -> Finding:
    message = f"The log {log.name} is damaged at page {broken}: {frames} pages of it are taken"
    if not after:
        message += "; what follows was never promised to anybody."
        return Finding("TORN_LOG", "note", message)
    message += f", and {after} commits behind it are not."
    fix = "after a loss of power this is right: they were promised to nobody; otherwise " + RESTORE
    return Finding("DAMAGED_LOG", "damage", message, fix)


def _permissions(path: Path, log: Path, folder: Path) -> Iterator[Finding]:
    shared = [
        file
        for file in (path, log, folder)
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    for file in shared:
        mode = stat.S_IMODE(file.stat().st_mode)
        message = f"{file.name} may be read by other users (mode {mode:o}); it holds what runs do."
        yield Finding("NOT_PRIVATE", "attention", message, "`atomiton doctor --fix` closes it")
    for place in (path, path.parent, folder):
        if place.exists() and not os.access(place, os.W_OK):
            message = f"{place.name} cannot be written by you: no run can be put on record."
            yield Finding("READ_ONLY", "attention", message, f"chmod u+w {place}")


def _inside(reader: Reader, path: Path) -> Iterator[Finding]:
    """What the head of the file says."""
    ((mode,),) = reader.rows("PRAGMA journal_mode", ())
    if mode != "wal":
        message = f"The store is in journal mode {mode}, not wal."
        yield Finding("JOURNAL_MODE", "note", message, "it is set when a run is next started")
    ((pages,),) = reader.rows("PRAGMA page_count", ())
    ((size,),) = reader.rows("PRAGMA page_size", ())
    ((loose,),) = reader.rows("PRAGMA freelist_count", ())
    if loose * size > _LOOSE_BYTES and loose > pages * _LOOSE:
        message = f"{loose * size:,} of {pages * size:,} bytes of the store are free."
        yield Finding("LOOSE", "note", message, "`atomiton runs prune` gives them back")
    length = path.stat().st_size
    if length % size and not path.with_name(path.name + "-wal").exists():
        message = f"The store has been cut off: {length:,} bytes are no whole number of pages."
        yield Finding("DAMAGED_FILE", "damage", message, RESTORE)
    rows = reader.rows("SELECT value FROM meta WHERE name = 'schema'", ())
    schema, newest = int(rows[0][0]) if rows else 0, migrations()[-1][0]
    if schema > newest:
        message = f"The store was written by a newer version of Atomiton (schema {schema})."
        yield Finding("NEWER", "attention", message, "upgrade Atomiton")
    elif schema < newest:
        message = f"The store is of an older version of Atomiton (schema {schema})."
        yield Finding("OLDER", "note", message, "it is brought up when a run is next started")


def mend(path: Path) -> list[str]:
    """Do what can be done without touching a fact: each thing that was done, as a sentence.

    Files are closed to other users; large contents and messages that belong to no run, and messages
    that are damaged, are removed; runs of owners nobody knows are free to be taken up.

    Raises:
        StoreError: The store cannot be written.
    """
    from atomiton.store.mending import mend_tables

    done: list[str] = []
    if os.name == "posix":
        for file in (
            path,
            *path.parent.glob(f"{path.name}-*"),
            path.with_name(f"{path.name}.owners"),
        ):
            if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
                file.chmod(0o700 if file.is_dir() else 0o600)
                done.append(f"{file.name} is closed to other users.")
    return done + mend_tables(path)
