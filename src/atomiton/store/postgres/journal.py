"""Runs in a Postgres database: durable, and shared by processes on many machines."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from atomiton.errors import StoreError
from atomiton.ports.journal import Record, RunHeader, StatusChange
from atomiton.ports.retention import Retention
from atomiton.store.postgres.forgetting import delete, delete_strays
from atomiton.store.postgres.identity import Identity
from atomiton.store.postgres.reading import Reading
from atomiton.store.postgres.schema import migrate
from atomiton.store.postgres.server import PATIENCE, Server
from atomiton.store.postgres.tables import Adding, Creating
from atomiton.store.postgres.writer import Job, Query, Writer

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection, Pool

#: How long the progress of a run that is driven here waits for a server that is away.
APPEND_PATIENCE = 120.0

#: For how long it is known which runs have messages, and how many saved blueprints.
_INBOX_SECONDS = 0.05
_REMEMBERED = 1024

_READERS = 4


class PostgresJournal:
    """A ``Journal`` in a Postgres database.

    Args:
        url: Address of the database, see ``Server``.
        patience: Seconds for which what a run has done waits for a server that is away. Starting a
            run, reading and steering wait for 5 seconds at most.

    Attributes:
        name: The address without its password.
    """

    def __init__(self, url: str, *, patience: float = APPEND_PATIENCE) -> None:
        self._server = Server(url)
        self.name = self._server.name
        self._patience = patience
        self._identity = Identity()
        self._writing: Writer | None = None
        self._reading: Reading | None = None
        self._pool: Pool | None = None
        self._saved: dict[str, None] = {}
        self._inbox_at = 0.0
        self._asking: asyncio.Task[set[str]] | None = None

    @property
    def owner(self) -> str:
        """Id of this journal as an owner of runs."""
        return self._identity.owner

    async def open(self) -> None:
        """Make the store ready: create its tables, or migrate older ones."""
        connection = await self._server.patiently(self._enter)
        self._pool = self._server.pool(_READERS)
        await self._pool
        self._reading = Reading(self._server, self._pool)
        self._writing = Writer(self._server, self._identity)
        await self._writing.start(connection)

    async def _enter(self) -> Connection:
        connection = await self._server.connect()
        try:
            await migrate(connection, self._server)
            await self._identity.register(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def close(self) -> None:
        """Finish what was asked for, give up ownership of every run, free everything.

        A server that is away is waited for a few seconds only; the others take the runs for
        abandoned then, since this process's connection is gone.
        """
        writing, pool = self._writing, self._pool
        if writing is None or pool is None:
            return
        self._writing = self._reading = self._pool = None
        try:
            await writing.do(writing.tables.leave, "", sync=True, patience=PATIENCE)
        finally:
            await writing.stop()
            pool.terminate()
        if writing.lost:
            raise next(iter(writing.lost.values()))

    async def save_blueprint(self, digest: str, document: bytes) -> None:
        """Keep a blueprint's canonical JSON under its content hash; a known hash is left alone."""
        writer = self._writer()
        if digest in self._saved:
            return

        async def save(connection: Connection) -> None:
            await writer.tables.save_blueprint(connection, digest, document)

        # Not synced: whatever needs it is committed later, and syncs it too.
        await writer.do(save, "", sync=False, patience=PATIENCE)
        self._saved[digest] = None
        if len(self._saved) > _REMEMBERED:
            del self._saved[next(iter(self._saved))]

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document back."""
        return await (await self._reader()).load_blueprint(digest)

    async def create(self, header: RunHeader, records: Sequence[Record], *, sync: bool) -> str:
        """Store a new run with its first records, owned by this process.

        When the server is away as it commits, the run may exist although this raises; start runs
        with a key to be able to repeat it safely.
        """
        what = Creating(header, list(records))
        return cast("str", await self._writer().do(what, header.run, sync=sync, patience=PATIENCE))

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
        what = Adding(run, after, list(records), change)
        if sync:
            await writer.do(what, run, sync=True, patience=self._patience)
            return
        writer.put(Job(what, run, patience=self._patience))
        if writer.crowded():
            # More than the server can take: whoever produces has to wait for it.
            await writer.drain(self._patience)

    def append_now(
        self,
        run: str,  # noqa: ARG002 - the port's
        after: int,  # noqa: ARG002 - the port's
        records: Sequence[Record],  # noqa: ARG002 - the port's
        change: StatusChange | None = None,  # noqa: ARG002 - the port's
    ) -> bool:
        """Say no: a server is never there at once."""
        return False

    async def read(
        self, run: str, after: int = 0, limit: int | None = None
    ) -> builtins.list[bytes]:
        """Give the records ``after + 1 ...`` in order; damage is a ``StoreError`` naming it."""
        return await (await self._reader(run)).read(run, after, limit)

    async def header(self, run: str) -> RunHeader:
        """Give one run's header."""
        return await (await self._reader(run)).header(run)

    async def list(
        self,
        *,
        status: str | None = None,
        blueprint: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> builtins.list[RunHeader]:
        """Give headers, newest first."""
        return await (await self._reader()).list(status, blueprint, before, limit)

    async def claim(self, run: str) -> bool:
        """Become the owner of a run; False if another living process owns it."""
        tables = self._writer(run).tables
        return cast("bool", await self._do(run, lambda connection: tables.claim(connection, run)))

    async def release(self, run: str) -> None:
        """Give up ownership, so that another process may claim the run."""
        tables = self._writer(run).tables
        await self._do(run, lambda connection: tables.release(connection, [run]))

    async def park(self, run: str, wake_at: float) -> bool:
        """Let a run that waits rest with nobody driving it, until a moment."""
        tables = self._writer(run).tables
        return cast(
            "bool", await self._do(run, lambda connection: tables.park(connection, run, wake_at))
        )

    async def due(self, now: float, limit: int = 1000) -> builtins.list[str]:
        """Ids of parked runs whose moment has come, the longest due first."""
        return await (await self._reader()).due(now, limit)

    async def abandoned(self, limit: int = 1000, after: str = "") -> builtins.list[str]:
        """Ids of unfinished runs that no living process owns, oldest first, after one seen."""
        return await (await self._reader()).abandoned(limit, after)

    async def ending(self, text: str, limit: int = 10) -> builtins.list[str]:
        """Ids that end with a text, oldest first."""
        return await (await self._reader()).ending(text, limit)

    async def post(self, run: str, message: bytes) -> None:
        """Leave a message for a run's owner, whichever process that is."""
        tables = self._writer().tables
        await self._do("", lambda connection: tables.post(connection, run, message))

    async def prunable(
        self, retention: Retention, after: str = "", limit: int = 1000
    ) -> builtins.list[str]:
        """Ids of runs that may be deleted, oldest first."""
        return await (await self._reader()).prunable(retention, after, limit)

    async def delete(self, runs: Sequence[str]) -> int:
        """Delete runs that have ended; gives how many."""
        return cast("int", await self._do("", lambda connection: delete(connection, runs)))

    async def compact(self, told: Callable[[int], None]) -> None:
        """Delete what no run needs; the server gives the space to what comes next by itself."""
        kept, owner = list(self._saved), self.owner
        await self._do("", lambda connection: delete_strays(connection, owner, kept))
        told(0)

    async def mailed(self) -> builtins.list[str]:
        """Ids of the runs this process owns for which a message is there."""
        return sorted(await (await self._reader()).with_messages(self.owner))

    async def take_messages(self, run: str) -> builtins.list[bytes]:
        """Take the messages left for a run this process owns, oldest first, each once."""
        tables = self._writer(run).tables
        if run in tables.last and run not in tables.inbox:
            await self._look_for_messages()
            if run in tables.last and run not in tables.inbox:
                return []
        taken = await self._do(run, lambda connection: tables.take_messages(connection, run))
        return cast("builtins.list[bytes]", taken)

    async def _look_for_messages(self) -> None:
        """Find out which runs have messages: one question for all runs, now and then."""
        if time.monotonic() - self._inbox_at < _INBOX_SECONDS:
            return
        if self._asking is None:
            reader = self._reading
            if reader is None:
                raise self._closed()
            self._asking = asyncio.ensure_future(reader.with_messages(self.owner))
        asking = self._asking
        try:
            found = await asyncio.shield(asking)
        finally:
            if self._asking is asking and asking.done():
                self._asking = None
        self._inbox_at = time.monotonic()
        tables = self._writer().tables
        tables.inbox.update(run for run in found if run in tables.last)

    async def _do(self, run: str, what: Query) -> object:
        return await self._writer(run).do(what, run, sync=True, patience=PATIENCE)

    def _writer(self, run: str = "") -> Writer:
        writer = self._writing
        if writer is None:
            raise self._closed()
        if run in writer.lost:
            raise writer.lost.pop(run)
        return writer

    async def _reader(self, run: str = "") -> Reading:
        # What was accepted is read: wait until it is where the reader looks.
        await self._writer(run).drain(PATIENCE)
        self._writer(run)
        if self._reading is None:
            raise self._closed()
        return self._reading

    def _closed(self) -> StoreError:
        return StoreError(f"store {self.name}: it is not open")
