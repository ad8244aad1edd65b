"""One task that writes, committing in one transaction everything that waits.

While the server is away, what runs have done waits here and is written when it is back. A
connection may be lost in the middle of a commit, when nobody knows whether it was made: the number
of the last batch, kept in the owner's row and changed by every batch, tells on the next connection.
So nothing is written twice, and nothing is taken for written that was not.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from atomiton.errors import AtomitonError, StoreError
from atomiton.store.postgres.identity import Fenced, Identity
from atomiton.store.postgres.server import Server, is_away
from atomiton.store.postgres.tables import Adding, Creating, Tables

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection

#: Longest time for which work that nobody waits for is left in memory.
FLUSH_SECONDS = 0.03

#: Most jobs, and about the most bytes of records, in one transaction.
_BATCH = 4096
_BATCH_BYTES = 8 * 1024 * 1024

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

Query = Callable[["Connection"], Awaitable[object]]


class Job:
    """Something to write.

    Args:
        what: Additions, a new run, or anything else to do in the transaction; the last may be done
            more than once if the transaction is rolled back. None for nothing.
        run: The run it concerns; empty for none.
        sync: It must be on disk before the future is done.
        patience: Seconds for which it waits for a server that is away.
        future: Whoever waits; None if nobody does.
    """

    __slots__ = ("deadline", "done", "future", "run", "size", "sync", "what")

    def __init__(
        self,
        what: Adding | Creating | Query | None,
        run: str = "",
        *,
        sync: bool = False,
        patience: float = float("inf"),
        future: asyncio.Future[object] | None = None,
    ) -> None:
        self.what = what
        self.run = run
        self.sync = sync
        self.deadline = time.monotonic() + patience
        self.future = future
        self.done = False
        records = what.records if isinstance(what, Adding | Creating) else ()
        self.size = sum(
            len(record) if isinstance(record, bytes) else len(record[0]) + len(record[1])
            for record in records
        )


_Outcome = tuple[Job, object, Exception | None]


class Writer:
    """The only one who writes in this journal.

    Args:
        server: Where to.
        identity: Who writes.

    Attributes:
        tables: What is known of the runs that are owned here.
        lost: Errors of work that nobody waited for, by run, until somebody asks.
    """

    def __init__(self, server: Server, identity: Identity) -> None:
        self.tables = Tables(identity)
        self.lost: dict[str, AtomitonError] = {}
        self._server = server
        self._identity = identity
        self._queue: deque[Job] = deque()
        self._waiting_bytes = 0
        self._batch: list[Job] = []
        self._pending: list[_Outcome] | None = None
        self._bell = asyncio.Event()
        self._urgent = asyncio.Event()
        self._connection: Connection | None = None
        self._away: Exception | None = None
        self._sync = True
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, connection: Connection) -> None:
        """Begin to write on a connection on which this owner was registered."""
        self._connection = connection
        self._task = asyncio.get_running_loop().create_task(self._main())

    def put(self, job: Job) -> None:
        """Accept work that nobody waits for; it is written soon, in order."""
        self._queue.append(job)
        self._waiting_bytes += job.size
        self._bell.set()

    async def do(
        self, what: Adding | Creating | Query | None, run: str, *, sync: bool, patience: float
    ) -> object:
        """Have work written and wait for it.

        Raises:
            StoreError: It could not be written, or the server is away.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.put(Job(what, run, sync=sync, patience=patience, future=future))
        self._urgent.set()
        return await future

    async def drain(self, patience: float) -> None:
        """Wait until everything accepted so far is written."""
        if self._queue or self._batch:
            await self.do(None, "", sync=False, patience=patience)

    def crowded(self) -> bool:
        """Tell whether more is waiting than one transaction takes."""
        return len(self._queue) > _BATCH or self._waiting_bytes > _BATCH_BYTES

    async def stop(self) -> None:
        """Write what is left, if the server is there, and close the connection."""
        self._stopping = True
        self._bell.set()
        self._urgent.set()
        if self._task is not None:
            await self._task
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):  # it may be broken, and nobody needs it any more
                await connection.close(timeout=2)

    async def _main(self) -> None:
        while self._queue or not self._stopping:
            await self._bell.wait()
            if not self._urgent.is_set():
                # Nobody waits for what is there: let more of it come together.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), FLUSH_SECONDS)
            self._urgent.clear()
            while self._queue:
                self._batch = self._take()
                await self._write(self._batch)
                self._batch = []
            if not self._stopping:
                self._bell.clear()

    def _take(self) -> list[Job]:
        batch: list[Job] = []
        size = 0
        while self._queue and len(batch) < _BATCH and size <= _BATCH_BYTES:
            job = self._queue.popleft()
            size += job.size
            batch.append(job)
        self._waiting_bytes -= size
        return batch

    async def _write(self, batch: list[Job]) -> None:
        while batch := [job for job in batch if not job.done]:
            connection = await self._connected(batch)
            if connection is None:
                continue  # everybody has run out of patience
            batch = [job for job in batch if not job.done]
            try:
                outcomes = await self._transact(connection, batch)
            except Exception as error:  # whatever it was, somebody waits to be told
                if is_away(error) or connection.is_closed():
                    self._lose(error)
                    continue
                self._pending = None
                self.tables.rolled_back()
                if isinstance(error, Fenced):
                    self._start_anew()
                elif len(batch) > 1:
                    # One bad job must not take the others with it.
                    for job in batch:
                        await self._write([job])
                else:
                    self._settle([(batch[0], None, error)])
                continue
            self._settle(outcomes)

    # -- one transaction -----------------------------------------------------------------------

    async def _transact(self, connection: Connection, batch: list[Job]) -> list[_Outcome]:
        tables = self.tables
        sync = any(job.sync for job in batch)
        if sync is not self._sync:
            # A later synced commit syncs earlier ones too. The default is the server's.
            await connection.execute(
                "SET synchronous_commit TO DEFAULT" if sync else "SET synchronous_commit TO off"
            )
            self._sync = sync
        tables.begin()
        outcomes = self._pending = []
        refused: list[Job] = []
        if all(isinstance(job.what, Adding) for job in batch):
            for job in batch:
                self._stage(job, outcomes, refused)
            if tables.staged and not tables.needs_transaction:
                await tables.flush(connection)
                tables.committed()
            elif tables.staged:
                async with connection.transaction():
                    await tables.flush(connection)
                tables.committed()
        elif any(job.what is not None for job in batch):
            async with connection.transaction():
                await self._perform(connection, batch, outcomes, refused)
            tables.committed()
        else:
            outcomes.extend((job, None, None) for job in batch)
        self._pending = None
        told = [(job, None, await tables.not_owned(connection, job.run)) for job in refused]
        return [*outcomes, *told]

    async def _perform(
        self,
        connection: Connection,
        batch: list[Job],
        outcomes: list[_Outcome],
        refused: list[Job],
    ) -> None:
        await self.tables.fence(connection)
        creating: list[Job] = []
        for job in batch:
            what = job.what
            if isinstance(what, Creating):
                creating.append(job)
                continue
            if creating:
                await self._create(connection, creating, outcomes)
                creating = []
            if isinstance(what, Adding):
                self._stage(job, outcomes, refused)
                continue
            await self.tables.flush(connection)
            try:
                outcomes.append((job, None if what is None else await what(connection), None))
            except AtomitonError as error:
                # A job refused has written nothing; the others go on.
                outcomes.append((job, None, error))
        await self._create(connection, creating, outcomes)
        await self.tables.flush(connection)

    async def _create(
        self, connection: Connection, jobs: list[Job], outcomes: list[_Outcome]
    ) -> None:
        created = [job.what for job in jobs if isinstance(job.what, Creating)]
        if created:
            found = await self.tables.create(connection, created)
            for job, one in zip(jobs, found, strict=True):
                error = one if isinstance(one, StoreError) else None
                outcomes.append((job, one, error))

    def _stage(self, job: Job, outcomes: list[_Outcome], refused: list[Job]) -> None:
        assert isinstance(job.what, Adding)
        try:
            self.tables.stage(job.what)
        except KeyError:
            refused.append(job)  # why is found out afterwards
        except StoreError as error:
            outcomes.append((job, None, error))
        else:
            outcomes.append((job, None, None))

    def _settle(self, outcomes: list[_Outcome]) -> None:
        for job, value, error in outcomes:
            if job.done:
                # Its caller was told that the server is away: nobody here drives the run.
                self._let_go(job.run)
                continue
            job.done = True
            shown = None if error is None else self._server.explain(error)
            if job.future is None:
                if isinstance(shown, AtomitonError):
                    self.lost.setdefault(job.run, shown)
            elif not job.future.done():
                if shown is None:
                    job.future.set_result(value)
                else:
                    # What an unawaited append failed of explains why this one does not fit.
                    shown = self.lost.pop(job.run, shown)
                    job.future.set_exception(shown)

    # -- a server that is away -----------------------------------------------------------------

    def _lose(self, error: Exception) -> None:
        connection, self._connection = self._connection, None
        self._away = error
        if connection is not None:
            connection.terminate()

    async def _connected(self, batch: list[Job]) -> Connection | None:
        """The connection, once there is one; None when nobody of the batch waits any more."""
        pause = _FIRST_PAUSE
        while self._connection is None or self._connection.is_closed():
            self._expire(batch)
            if all(job.done for job in batch):
                return None
            try:
                await self._reconnect()
            except Exception as error:  # tried again until nobody waits any more
                self._lose(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return self._connection

    async def _reconnect(self) -> None:
        connection = await self._server.connect()
        try:
            found = await self._identity.come_back(connection)
            pending, self._pending = self._pending, None
            if pending is not None and found == self.tables.batch + 1:
                self.tables.committed()
                self._settle(pending)
            else:
                self.tables.rolled_back()
            if found != self.tables.batch:
                self._start_anew()
                await self._identity.register(connection)
        except BaseException:
            connection.terminate()
            raise
        self._connection, self._away, self._sync = connection, None, True

    def _start_anew(self) -> None:
        """Become another owner: what was owned is in other hands, or is claimed again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        self.tables.forget()
        self._identity.renew()

    def _expire(self, batch: list[Job]) -> None:
        now = time.monotonic()
        for job in (*batch, *self._queue):
            if job.done or (now < job.deadline and not self._stopping):
                continue
            job.done = True
            away = self._server.explain(self._away or ConnectionError("the connection broke"))
            error = away if isinstance(away, StoreError) else StoreError(str(away))
            if job.future is None:
                self.lost.setdefault(job.run, error)
            elif not job.future.done():
                job.future.set_exception(error)
            if isinstance(job.what, Adding):
                self._let_go(job.run)
        # Jobs behind the batch that are done are skipped when their turn comes.

    def _let_go(self, run: str) -> None:
        """Give up a run that is not driven here any more, when the server is back."""
        if run and not self._stopping:

            async def release(connection: Connection) -> None:
                await self.tables.release(connection, [run])

            self.put(Job(release, run))
