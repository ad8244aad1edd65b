"""Runs in one SQLite file: durable on one machine, shared by its processes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import apsw

from atomiton.errors import StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.store.database import Database
from atomiton.store.doctor import examine
from atomiton.store.owners import OwnerLock
from atomiton.store.reader import Reader, run_apart
from atomiton.store.records import is_small
from atomiton.store.schema import connect, migrate, migrations, prepare_file, store_error
from atomiton.store.tables import MOST_AT_ONCE, Tables
from atomiton.store.writer import INLINE_SECONDS, Job, Writer

#: Most bytes of records that may be committed in place.
_SMALL = 64 * 1024

#: How many saved blueprints to remember, to spare the commit of saving them again.
_REMEMBERED = 1024


class SqliteJournal:
    """A ``Journal`` in a SQLite file.

    Args:
        path: The file; it is created, with its folder, if it does not exist.
        inline: When commits have lately been quicker than this many seconds, and few wait, they
            are made in place instead of in the writer's thread; 0 for never.
    """

    def __init__(self, path: Path | str, *, inline: float = INLINE_SECONDS) -> None:
        self.path = Path(path)
        self._inline = inline
        self._folder = self.path.with_name(self.path.name + ".owners")
        self._lock = OwnerLock(self._folder)
        self._writing: Writer | None = None
        self._reading: Reader | None = None
        self._tables: Tables | None = None
        self._saved: dict[str, None] = {}

    @property
    def owner(self) -> str:
        """Id of this journal as an owner of runs; empty before it is opened."""
        return self._lock.owner

    async def open(self) -> None:
        """Make the store ready: create it, or migrate an older one."""
        connection = await run_apart(self._prepare)
        self._tables = Tables(connection, self._folder, self.owner)
        self._writing = Writer(connection, self._tables, self.path, inline=self._inline)
        try:
            await self._writing.do(self._tables.register, "", sync=True, small=False)
            self._reading = Reader(self.path, self._folder, self.owner)
        except BaseException as error:
            writing, self._writing = self._writing, None
            await writing.stop()
            self._lock.drop()
            if isinstance(error, apsw.Error):
                raise store_error(error, self.path) from error
            raise

    def _prepare(self) -> Database:
        prepare_file(self.path)
        self._lock.take()
        try:
            connection = connect(self.path)
            try:
                migrate(connection, self.path, migrations())
            except BaseException:
                connection.close()
                raise
        except apsw.Error as error:
            self._lock.drop()
            raise store_error(error, self.path) from error
        except BaseException:
            self._lock.drop()
            raise
        return connection

    async def close(self) -> None:
        """Finish what was asked for, give up ownership of every run, free everything."""
        writing, reading, tables = self._writing, self._reading, self._tables
        if writing is None or tables is None:
            return
        self._writing = self._reading = None
        try:
            await writing.do(tables.unregister, "", sync=True, small=False)
        finally:
            if reading is not None:
                await reading.stop()
            await writing.stop()
            self._lock.drop()
        if writing.lost:
            raise next(iter(writing.lost.values()))

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """Keep a blueprint's canonical JSON under its content hash; a known hash is left alone."""
        writer = self._writer()
        if digest in self._saved:
            return
        # Not synced: whatever needs it is committed later, and syncs it too.
        await writer.do(
            partial(self._table().save_blueprint, digest, document),
            "",
            sync=False,
            small=len(document) <= _SMALL,
        )
        self._saved[digest] = None
        if len(self._saved) > _REMEMBERED:
            del self._saved[next(iter(self._saved))]

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document back."""
        reader = await self._reader()
        return await reader.do(partial(reader.load_blueprint, digest))

    async def create(self, header: RunHeader, records: Sequence[Record], *, sync: bool) -> str:
        """Store a new run with its first records, owned by this process."""
        writer = self._writer()
        small = is_small(records, _SMALL)
        work = partial(self._table().create, header, records)
        if sync and small:
            done = writer.at_once(work, single=False)
            if done is not None:
                return done[0]
        return cast("str", await writer.do(work, header.run, sync=sync, small=small))

    async def append(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
        *,
        sync: bool,
    ) -> None:
        """Add records ``after + 1 ...``, all or none, with the status they lead to.

        With ``sync=False`` a failure is raised by the next call for the run, or by ``close``.
        """
        writer = self._writer(run)
        work = partial(self._table().append, run, after, records, change)
        small = is_small(records, _SMALL)
        if sync:
            single = change is None and len(records) <= MOST_AT_ONCE
            if not small or writer.at_once(work, single=single) is None:
                await writer.do(work, run, sync=True, small=small)
            return
        writer.put(Job(work, run, small=small))
        if writer.crowded():
            # More than the disk can take: whoever produces has to wait for it.
            await writer.drain()

    def append_now(
        self,
        run: str,
        after: int,
        records: Sequence[Record],
        change: StatusChange | None = None,
    ) -> bool:
        """Do what ``append`` with ``sync`` does at once, if nobody is there to share the commit."""
        writer, tables = self._writing, self._tables
        if writer is None or tables is None or writer.lost or not is_small(records, _SMALL):
            return False
        work = partial(tables.append, run, after, records, change)
        single = change is None and len(records) <= MOST_AT_ONCE
        return writer.at_once(work, single=single) is not None

    async def read(
        self, run: str, after: int = 0, limit: int | None = None
    ) -> builtins.list[bytes]:
        """Give the records ``after + 1 ...`` in order; damage is a ``StoreError`` naming it."""
        reader = await self._reader(run)
        return await reader.do(partial(reader.read, run, after, limit))

    async def header(self, run: str) -> RunHeader:
        """Give one run's header."""
        reader = await self._reader(run)
        return await reader.do(partial(reader.header, run))

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Give headers, newest first."""
        reader = await self._reader()
        return await reader.do(partial(reader.list, status, blueprint, before, limit))

    async def claim(self, run: str) -> bool:
        """Become the owner of a run; False if another living process owns it."""
        work = partial(self._table().claim, run)
        return cast("bool", await self._writer(run).do(work, run, sync=False, small=True))

    async def release(self, run: str) -> None:
        """Give up ownership, so that another process may claim the run."""
        await self._writer(run).do(partial(self._table().release, run), run, sync=False, small=True)

    async def park(self, run: str, wake_at: float) -> bool:
        """Let a run that waits rest with nobody driving it, until a moment."""
        work = partial(self._table().park, run, wake_at)
        return cast("bool", await self._writer(run).do(work, run, sync=False, small=True))

    async def due(self, now: float, limit: int = 1000) -> builtins.list[str]:
        """Ids of parked runs whose moment has come, the longest due first."""
        reader = await self._reader()
        return await reader.do(partial(reader.due, now, limit))

    async def abandoned(self, limit: int = 1000) -> builtins.list[str]:
        """Ids of unfinished runs that no living process owns, oldest first."""
        reader = await self._reader()
        return await reader.do(partial(reader.abandoned, limit))

    async def post(self, run: str, message: bytes) -> None:
        """Leave a message for a run's owner, whichever process that is."""
        work = partial(self._table().post, run, message)
        await self._writer().do(work, run, sync=True, small=len(message) <= _SMALL)

    async def take_messages(self, run: str) -> builtins.list[bytes]:
        """Take the messages left for a run this process owns, oldest first, each once."""
        work = partial(self._table().take_messages, run)
        taken = await self._writer(run).do(work, run, sync=False, small=True)
        return cast("builtins.list[bytes]", taken)

    async def check(self) -> builtins.list[str]:
        """Examine the whole store and say in sentences what is wrong; empty if nothing is."""
        reader = await self._reader()
        return await reader.do(partial(examine, reader))

    def _writer(self, run: str = "") -> Writer:
        writer = self._writing
        if writer is None:
            raise StoreError(f"store {self.path}: it is not open")
        if run in writer.lost:
            raise writer.lost.pop(run)
        return writer

    def _table(self) -> Tables:
        if self._tables is None:
            raise StoreError(f"store {self.path}: it is not open")
        return self._tables

    async def _reader(self, run: str = "") -> Reader:
        # What was accepted is read: wait until it is where the reader looks.
        await self._writer(run).drain()
        self._writer(run)
        if self._reading is None:
            raise StoreError(f"store {self.path}: it is not open")
        return self._reading
