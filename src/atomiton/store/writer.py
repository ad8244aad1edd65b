"""One thread that writes, committing in one transaction everything that waits.

Who awaits a commit shares it with everybody else who waits at that moment. When commits have lately
been so quick that handing one to the thread and back would cost as much as the commit itself, and
only a few wait, it is made in place; one slow commit sends the work back to the thread. When nobody
else has anything to do in this turn of the loop, it is made at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sized
from pathlib import Path
from typing import TypeVar

import apsw

from atomiton.errors import AtomitonError
from atomiton.store.database import Database
from atomiton.store.schema import BUSY_SECONDS, store_error
from atomiton.store.tables import Tables

#: Longest time for which work that nobody waits for is left in memory.
FLUSH_SECONDS = 0.03

#: Most jobs in one transaction, and most in one that is made in place.
_BATCH = 4096
_FEW = 16

#: Most commits that are made in place without giving others on the event loop a turn.
_IN_A_ROW = 32

#: Commits quicker than this may be made in place.
INLINE_SECONDS = 0.0005

#: Pages in the log after which it is written back to the database.
_CHECKPOINT_PAGES = 1000

#: How fast the memory of a slow commit fades: 50 ms are forgotten after about ninety commits.
_FADE = 0.95

_BUSY_MS = int(BUSY_SECONDS * 1000)

T = TypeVar("T")
_Outcome = tuple["asyncio.Future[object]", object, Exception | None]


class Job:
    """Something to write.

    Args:
        work: Writes it; runs inside a transaction, perhaps more than once if one is rolled back.
        run: The run it concerns; empty for none.
        sync: It must be on disk before the future is done.
        small: It is quick enough to be done in place.
        future: Whoever waits; None if nobody does.
    """

    __slots__ = ("future", "run", "small", "sync", "work")

    def __init__(
        self,
        work: Callable[[], object],
        run: str = "",
        *,
        sync: bool = False,
        small: bool = True,
        future: asyncio.Future[object] | None = None,
    ) -> None:
        self.work = work
        self.run = run
        self.sync = sync
        self.small = small
        self.future = future


_Result = tuple[Job, object, Exception | None]


class Writer:
    """The only one who writes to the file in this journal.

    Args:
        connection: Used by this object alone.
        tables: What jobs write to, on the same connection.
        path: Named in errors.
        inline: Commits quicker than this many seconds may be made in place; 0 for never.
    """

    def __init__(self, connection: Database, tables: Tables, path: Path, *, inline: float) -> None:
        self.connection = connection
        #: Errors of work that nobody waited for, by run, until somebody asks.
        self.lost: dict[str, AtomitonError] = {}
        self._tables = tables
        self._path = path
        self._inline = inline
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[object] = self._loop.create_future()
        self._queue: deque[Job] = deque()
        self._turn = threading.Lock()  # held by whoever takes from the queue and commits
        self._bell = threading.Lock()  # a semaphore of one: locked while there is nothing to do
        self._bell.acquire()
        self._rung = self._urgent = self._napping = self._stopping = False
        self._sync: bool = True  # how the connection was opened
        self._slowest = 4 * INLINE_SECONDS  # a slowly fading memory; begin in the thread
        self._in_a_row = 0
        #: What the loop has still to do in this turn; an event loop of another make hides it.
        self._ready: Sized | None = getattr(self._loop, "_ready", None)
        self._pages = 0
        self._checkpoint_at = _CHECKPOINT_PAGES
        connection.wal_autocheckpoint(0)
        connection.set_busy_timeout(0)  # waiting is for the thread, see _transact
        self._hooked = False
        self._hook(self._note_pages)
        self._thread = threading.Thread(target=self._main, name="atomiton-store", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Accept work that nobody waits for; it is written soon, in order."""
        self._queue.append(job)
        if not self._napping and not self._rung:
            self._rung = True
            self._bell.release()

    async def do(
        self,
        work: Callable[[], object],
        run: str,
        *,
        sync: bool,
        small: bool,
    ) -> object:
        """Have work written and wait for it.

        Raises:
            StoreError: It could not be written; nothing of it was.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        self._queue.append(Job(work, run, sync=sync, small=small, future=future))
        if small and self._slowest < self._inline:
            # One turn of the loop, so that everybody who is ready joins this commit.
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self._ring()
                raise
            if not future.done() and not self._commit_in_place():
                self._ring()
        else:
            self._ring()
        return await future

    def at_once(self, work: Callable[[], T], *, single: bool) -> tuple[T] | None:
        """Have small work written and synced now, if nobody is there to share the commit.

        Args:
            work: Writes it.
            single: All it does is add few records: that statement is its own transaction.

        Returns:
            What the work gave, in a tuple; None if nothing was written: then ``do`` is the way,
            which also tells what was wrong.
        """
        if (
            self._queue
            or self._ready is None
            or self._ready  # whoever is ready may want to join: give them a turn, in ``do``
            or self._in_a_row >= _IN_A_ROW
            or self._slowest >= self._inline
            or not self._sync
            or not self._turn.acquire(blocking=False)
        ):
            self._in_a_row = 0
            return None
        tables = self._tables
        try:
            if self._in_a_row and self._hooked:  # one in a row is enough to know the log's length
                self._hook(None)
            if not single:
                self.connection.execute("BEGIN IMMEDIATE")
            value = work()
            if not single:
                tables.flush()
            started = time.perf_counter()
            if single:
                tables.flush()
            else:
                self.connection.execute("COMMIT")
            taken = time.perf_counter() - started
        except Exception:  # the long way runs into it again and tells
            self._roll_back()
            return None
        except BaseException:  # the program is being ended: nothing half done stays behind
            self._roll_back()
            raise
        finally:
            self._turn.release()
            if self._pages >= self._checkpoint_at:
                self._ring()
        self._slowest = max(taken, self._slowest * _FADE)
        self._in_a_row += 1
        tables.committed()
        return (value,)

    async def drain(self) -> None:
        """Wait until everything accepted so far is written."""
        if self._queue or self._turn.locked():
            await self.do(_nothing, "", sync=False, small=True)

    def crowded(self) -> bool:
        """Tell whether more is waiting than one transaction takes."""
        return len(self._queue) > _BATCH

    async def stop(self) -> None:
        """Write what is left, write the log back, close the connection, end the thread."""
        await self.drain()
        self._stopping = True
        self._ring()
        await self._ended
        self._thread.join()

    def _ring(self) -> None:
        self._urgent = True
        if not self._rung:
            self._rung = True
            self._bell.release()

    def _main(self) -> None:
        while not self._stopping:
            self._bell.acquire()
            self._rung = False
            if not self._urgent:
                # Nobody waits for what is there: let more of it come together.
                self._napping = True
                if self._bell.acquire(timeout=FLUSH_SECONDS):
                    self._rung = False
                self._napping = False
            # Cleared before the queue is looked at: whoever adds afterwards rings again.
            self._urgent = False
            more = True
            while more:
                with self._turn:
                    batch = self._take()
                    outcomes = self._commit(batch, patient=True)
                self._announce(outcomes or [])
                more = len(batch) == _BATCH
            if self._pages >= self._checkpoint_at:  # else those who commit in place have the turn
                with self._turn:
                    self._checkpoint()
        self._finish()
        self._announce([(self._ended, None, None)])

    def _announce(self, outcomes: list[_Outcome]) -> None:
        if outcomes:
            # A loop that was closed has nobody left who could listen.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_deliver, outcomes)

    def _take(self) -> list[Job]:
        queue = self._queue
        return [queue.popleft() for _ in range(min(len(queue), _BATCH))]

    def _commit_in_place(self) -> bool:
        if len(self._queue) > _FEW or not self._turn.acquire(blocking=False):
            return False
        try:
            if not all(job.small for job in self._queue):
                return False
            batch = self._take()
            outcomes = self._commit(batch, patient=False)
            if outcomes is None:
                self._queue.extendleft(reversed(batch))
                return False
        finally:
            self._turn.release()
            if self._pages >= self._checkpoint_at:
                self._ring()
        _deliver(outcomes)
        return True

    def _commit(self, batch: list[Job], *, patient: bool) -> list[_Outcome] | None:
        """Write a batch; None if it failed in place, where nothing is tried twice."""
        if not batch:
            return []
        sync = any(job.sync for job in batch)
        outcomes: list[_Result]
        try:
            outcomes = self._transact(batch, sync=sync, patient=patient)
        except apsw.BusyError as error:
            self._roll_back()
            if not patient:
                return None
            # Somebody has kept the lock for long: to try each job alone would only take longer.
            outcomes = [(job, None, error) for job in batch]
        except Exception as error:  # whatever it was, somebody waits to be told
            self._roll_back()
            if not patient:
                return None
            if len(batch) == 1:
                outcomes = [(batch[0], None, error)]
            else:
                # One bad job must not take the others with it.
                outcomes = [one for job in batch for one in self._alone(job)]
        return self._settle(outcomes)

    def _alone(self, job: Job) -> list[_Result]:
        try:
            return self._transact([job], sync=job.sync, patient=True)
        except Exception as error:  # whatever it was, somebody waits to be told
            self._roll_back()
            return [(job, None, error)]

    def _transact(self, batch: list[Job], *, sync: bool, patient: bool) -> list[_Result]:
        execute = self.connection.execute
        if not self._hooked:
            self._hook(self._note_pages)
        if sync is not self._sync:
            # Cannot change inside a transaction. A later synced commit syncs earlier ones too.
            execute("PRAGMA synchronous = EXTRA" if sync else "PRAGMA synchronous = NORMAL")
            self._sync = sync
        if patient:
            self.connection.set_busy_timeout(_BUSY_MS)
            try:
                execute("BEGIN IMMEDIATE")
            finally:
                self.connection.set_busy_timeout(0)
        else:
            execute("BEGIN IMMEDIATE")
        outcomes: list[_Result] = []
        for job in batch:
            try:
                outcomes.append((job, job.work(), None))
            except AtomitonError as error:
                # A job refused has written nothing; the others go on.
                outcomes.append((job, None, error))
        self._tables.flush()
        started = time.perf_counter()
        execute("COMMIT")
        if sync:
            self._note_time(started)
        self._tables.committed()
        return outcomes

    def _note_time(self, started: float) -> None:
        self._slowest = max(time.perf_counter() - started, self._slowest * _FADE)

    def _roll_back(self) -> None:
        self._tables.rolled_back()
        if self.connection.in_transaction:
            # Some failures have rolled back already, or make this one fail too; both are fine.
            with contextlib.suppress(apsw.Error):
                self.connection.execute("ROLLBACK")

    def _settle(self, outcomes: list[_Result]) -> list[_Outcome]:
        settled: list[_Outcome] = []
        for job, value, error in outcomes:
            shown = error
            if error is not None and not isinstance(error, AtomitonError):
                shown = store_error(error, self._path)
                shown.__cause__ = error
            if job.future is None:
                if isinstance(shown, AtomitonError):
                    self.lost.setdefault(job.run, shown)
                continue
            if shown is not None:
                # What an unawaited append failed of explains why this one does not fit.
                shown = self.lost.pop(job.run, shown)
            settled.append((job.future, value, shown))
        return settled

    def _hook(self, told: Callable[[object, str, int], int] | None) -> None:
        self.connection.set_wal_hook(told)
        self._hooked = told is not None

    def _note_pages(self, _connection: object, _name: str, pages: int) -> int:
        if pages < self._pages:
            self._checkpoint_at = _CHECKPOINT_PAGES
        self._pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        """Write the log back: after the commit was announced, never inside it."""
        try:
            pages, done = self.connection.wal_checkpoint()
        except apsw.Error:
            # A disk that is full, or busy: the log still holds everything; try when it has grown.
            pages, done = self._pages, 0
        # A reader in an old state keeps the log from being written back whole.
        self._checkpoint_at = _CHECKPOINT_PAGES if pages == done else pages + _CHECKPOINT_PAGES

    def _finish(self) -> None:
        # What cannot be written back now stays in the log, and the next opening finds it there.
        with contextlib.suppress(apsw.Error):
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        with contextlib.suppress(apsw.Error):
            self.connection.close(True)


def _deliver(outcomes: list[_Outcome]) -> None:
    for future, value, error in outcomes:
        if future.done():
            continue  # cancelled while it waited
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)


def _nothing() -> None:
    """Be a job that is there to be waited for."""
