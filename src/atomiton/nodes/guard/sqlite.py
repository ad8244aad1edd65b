"""One SQLite file: a thread that writes, and connections that read.

Who writes at the same time shares a transaction, and with it the wait for the disk; a statement
that fails is undone by itself. Reading goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from stat import S_ISDIR

import apsw

from atomiton.errors import NodeError
from atomiton.nodes.guard.disk import refusal
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.sql_values import check_number
from atomiton.nodes.guard.sqlite_statement import Connection, Row, connect, explain, run_statement
from atomiton.nodes.guard.threads import in_thread
from atomiton.ports.capabilities import SqlGiven, SqlRows

#: Most that share a transaction.
TOGETHER = 64
#: Most connections that are kept for reading.
READERS = 4
Identity = tuple[int, int]


def identity(path: Path, shown: str, *, make: bool) -> Identity:
    """Tell which file is at a path now.

    Args:
        path: The place.
        shown: How the user calls it.
        make: Whether to make an empty, private file if there is none.

    Raises:
        NodeError: There is none, or it cannot be reached.
    """
    try:
        try:
            found = path.stat()
        except FileNotFoundError:
            if not make:
                raise NodeError(f"there is no database {shown!r}", code="NOT_FOUND") from None
            if not path.parent.is_dir():
                folder = f"there is no folder {str(path.parent)!r} for {shown!r}"
                raise NodeError(folder, code="NOT_FOUND") from None
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            found = path.stat()
        if S_ISDIR(found.st_mode):
            raise IsADirectoryError
    except OSError as error:
        raise refusal(error, shown) from error
    return found.st_dev, found.st_ino


class _Job:
    """Something to write, and who waits for it."""

    def __init__(self, work: Callable[[Connection], SqlRows]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[SqlRows] = self.loop.create_future()
        self.gone = False

    def end(self, result: SqlRows | None, error: Exception | None) -> None:
        """Tell how it went; called in the thread that writes."""
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: SqlRows | None, error: Exception | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            assert result is not None
            self.future.set_result(result)


Outcome = tuple[_Job, SqlRows | None, Exception | None]


class SqliteFile:
    """A SQLite file that is kept open.

    Args:
        path: Where it is.
        shown: How the user calls it.
        identity: Which file it was when it was opened.
    """

    def __init__(self, path: Path, shown: str, identity: Identity) -> None:
        self.identity = identity
        self._path = path
        self._shown = shown
        self._lock = threading.Lock()
        self._readers: list[Connection] = []
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._current: tuple[_Job, Connection] | None = None
        self._closed = False

    def is_current(self) -> bool:
        """Whether it is open, and still the file that is at its place."""
        if self._closed:
            return False
        try:
            found = os.stat(self._path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.identity

    async def query(self, statement: str, given: SqlGiven, *, max_rows: int) -> SqlRows:
        """Ask it without changing it."""
        at_work: list[Connection] = []

        def work() -> SqlRows:
            try:
                connection = self._reader()
            except Exception as error:  # of the library: told as what it means
                raise explain(error, self._shown) from error
            with self._lock:
                at_work.append(connection)
            try:
                return run_statement(connection, statement, given, max_rows=max_rows)
            except Exception as error:  # of the library: told as what it means
                raise explain(error, self._shown) from error
            finally:
                with self._lock:
                    at_work.clear()
                self._give_back(connection)

        try:
            return await in_thread(work)
        except asyncio.CancelledError:
            with self._lock:
                for connection in at_work:
                    connection.interrupt()
            raise

    async def execute(self, statement: str, each: Sequence[SqlGiven], *, max_rows: int) -> SqlRows:
        """Change it, for each of the parameters in turn, in one transaction."""

        def work(connection: Connection) -> SqlRows:
            rows: list[Row] = []
            changed, columns = 0, list[str]()
            for given in each:
                found = run_statement(connection, statement, given, max_rows=max_rows)
                rows += found.rows
                changed += found.changed
                columns = found.columns
                if len(rows) > max_rows:
                    raise check_number(max_rows)
            return SqlRows(columns, rows, changed)

        job = _Job(work)
        self._submit(job)
        try:
            with outside():
                return await job.future
        except asyncio.CancelledError:
            job.gone = True
            with self._lock:
                if self._current is not None and self._current[0] is job:
                    self._current[1].interrupt()
            raise

    def close(self) -> None:
        """Close it once what was asked for is done."""
        with self._lock:
            self._closed = True
            jobs, self._jobs = self._jobs, None
            readers, self._readers = self._readers, []
        if jobs is not None:
            jobs.put(None)
        for reader in readers:
            reader.close()

    # -- reading -------------------------------------------------------------------------------

    def _reader(self) -> Connection:
        with self._lock:
            if self._readers:
                return self._readers.pop()
        return connect(self._path, writes=False)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._readers) < READERS:
                self._readers.append(connection)
                return
        connection.close()

    # -- writing, in a thread ------------------------------------------------------------------

    def _submit(self, job: _Job) -> None:
        with self._lock:
            if self._jobs is None:
                self._jobs = SimpleQueue()
                threading.Thread(
                    target=self._write, args=(self._jobs,), name="atomiton-sqlite", daemon=True
                ).start()
            self._jobs.put(job)

    def _write(self, jobs: SimpleQueue[_Job | None]) -> None:
        connection: Connection | None = None
        while (job := jobs.get()) is not None:
            batch = [job, *_waiting(jobs)]
            try:
                connection = connection or connect(self._path, writes=True)
            except Exception as error:  # of the library: whoever waits is told
                for failed in batch:
                    failed.end(None, explain(error, self._shown))
                continue
            for ended, result, failure in self._commit(connection, batch):
                ended.end(result, None if failure is None else explain(failure, self._shown))
        if connection is not None:
            connection.close()

    def _commit(self, connection: Connection, batch: list[_Job]) -> list[Outcome]:
        """Write what can be written together; what cannot, each by itself."""
        try:
            return self._transact(connection, batch)
        except Exception as error:  # whatever it was, somebody waits to be told
            if connection.in_transaction:
                with contextlib.suppress(apsw.Error):
                    connection.execute("ROLLBACK")
            if len(batch) == 1:
                return [(batch[0], None, error)]
            return [outcome for job in batch for outcome in self._commit(connection, [job])]

    def _transact(self, connection: Connection, batch: list[_Job]) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._one(connection, job) for job in batch if not job.gone]
        connection.execute("COMMIT")
        return outcomes

    def _one(self, connection: Connection, job: _Job) -> Outcome:
        connection.execute("SAVEPOINT one")
        with self._lock:
            self._current = (job, connection)
        try:
            result = job.work(connection)
        except Exception as error:  # of the library, or of the node: its own, and nobody else's
            if not connection.in_transaction:
                raise  # some failures undo what others did: all of it is done again
            self._rest()
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return job, None, error
        finally:
            self._rest()
        connection.execute("RELEASE one")
        return job, result, None

    def _rest(self) -> None:
        with self._lock:
            self._current = None


def _waiting(jobs: SimpleQueue[_Job | None]) -> list[_Job]:
    """What else waits; the end, if it is there, is left for later."""
    found: list[_Job] = []
    with contextlib.suppress(Empty):
        while len(found) < TOGETHER - 1:
            job = jobs.get_nowait()
            if job is None:
                jobs.put(None)
                break
            found.append(job)
    return found
