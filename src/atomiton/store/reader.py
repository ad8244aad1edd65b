"""One thread that reads, on a connection of its own, so that no read holds up a commit."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import apsw

from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.ports.journal import RunHeader
from atomiton.store.database import Row
from atomiton.store.owners import is_alive
from atomiton.store.records import content_hash, damaged, verify
from atomiton.store.schema import connect_reader, store_error

T = TypeVar("T")

_HEADER = """
SELECT run, blueprint, version, blueprint_hash, status, created_at, ended_at, key, reason, owner,
       error_code, error_message, (SELECT max(seq) FROM records WHERE records.run = runs.run)
FROM runs
"""
_HEADER_OF_RUN = _HEADER + "WHERE run = ?"
_NEWEST = "AND run < coalesce(?, x'') ORDER BY run DESC LIMIT ?"
# One constant statement for each combination, so that each uses its index. A blob sorts after
# every text, so an empty one stands for "from the newest".
_LISTS = {
    (False, False): _HEADER + "WHERE TRUE " + _NEWEST,
    (True, False): _HEADER + "WHERE status = ? " + _NEWEST,
    (False, True): _HEADER + "WHERE blueprint = ? " + _NEWEST,
    (True, True): _HEADER + "WHERE status = ? AND blueprint = ? " + _NEWEST,
}
_RECORDS = """
SELECT seq, checksum, data, blob FROM records WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?
"""
_UNOWNED = """
SELECT run FROM runs WHERE owner IS NULL AND ended_at IS NULL AND wake_at IS NULL
ORDER BY run LIMIT ?
"""
_DUE = """
SELECT run FROM runs WHERE wake_at IS NOT NULL AND wake_at <= ? AND owner IS NULL
ORDER BY wake_at LIMIT ?
"""
_OWNED_BY = """
SELECT run FROM runs WHERE owner = ? AND owner IS NOT NULL AND ended_at IS NULL
ORDER BY run LIMIT ?
"""

_Task = tuple[Callable[[], object], "asyncio.Future[object]"]


async def run_apart(work: Callable[[], T]) -> T:
    """Run something once in a thread of its own, without the pool that a loop would keep."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def main() -> None:
        value: object = None
        failure: Exception | None = None
        try:
            value = work()
        except Exception as error:  # somebody waits to be told
            failure = error
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver, future, value, failure)

    threading.Thread(target=main, name="atomiton-open", daemon=True).start()
    return await future  # type: ignore[return-value]  # what work gave, through the future


class Reader:
    """The reading side of the store.

    Args:
        path: The database.
        folder: Where owners keep their lock files.
        owner: Id of this owner.
    """

    def __init__(self, path: Path, folder: Path, owner: str) -> None:
        self._path = path
        self._folder = folder
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[object] = self._loop.create_future()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self.connection = connect_reader(path)
        self._thread = threading.Thread(target=self._main, name="atomiton-read", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], T]) -> T:
        """Run a query in the reader's thread and wait for what it gives."""
        future: asyncio.Future[object] = self._loop.create_future()
        self._tasks.put((work, future))
        return await future  # type: ignore[return-value]  # what work gave, through the queue

    async def stop(self) -> None:
        """End the thread when it has done what it was asked for, and close its connection."""
        self._tasks.put(None)
        await self._ended
        self._thread.join()

    def _main(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, future = task
            value: object = None
            failure: Exception | None = None
            try:
                value = work()
            except AtomitonError as error:
                failure = error
            except Exception as error:  # somebody waits to be told
                failure = store_error(error, self._path)
                failure.__cause__ = error
            # A loop that was closed has nobody left who could listen.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_deliver, future, value, failure)
        with contextlib.suppress(apsw.Error):
            self.connection.close(True)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_deliver, self._ended, None, None)

    def load_blueprint(self, digest: str) -> bytes:
        """Give a document."""
        rows = self.rows("SELECT document FROM blueprints WHERE hash = ?", (digest,))
        if not rows:
            raise NotFound(f"there is no blueprint with the hash {digest}")
        return _bytes(rows[0][0])

    def read(self, run: str, after: int, limit: int | None) -> builtins.list[bytes]:
        """Give records, each one checked."""
        found: list[bytes] = []
        bindings = (run, after, -1 if limit is None else limit)
        for seq, stored, data, name in self.connection.execute(_RECORDS, bindings):
            if seq != after + len(found) + 1:
                raise damaged(run, after + len(found) + 1, "it is missing")
            verify(run, seq, stored, data, name)
            found.append(data if name is None else (data or b"") + self.blob(run, seq, name))
        if not found and not self.rows("SELECT 1 FROM runs WHERE run = ?", (run,)):
            raise NotFound(f"there is no run {run}")
        return found

    def blob(self, run: str, seq: int, name: bytes) -> bytes:
        """Give a large content, checked against the hash it is stored by."""
        rows = self.rows("SELECT data FROM blobs WHERE hash = ?", (name,))
        if not rows:
            raise damaged(run, seq, f"its content {name.hex()} is missing")
        data = _bytes(rows[0][0])
        if content_hash(data) != name:
            raise damaged(run, seq, f"its content {name.hex()} has changed")
        return data

    def header(self, run: str) -> RunHeader:
        """Give one header."""
        rows = self.rows(_HEADER_OF_RUN, (run,))
        if not rows:
            raise NotFound(f"there is no run {run}")
        return self._headers(rows)[0]

    def list(
        self, status: str | None, blueprint: str | None, before: str | None, limit: int
    ) -> builtins.list[RunHeader]:
        """Give headers, newest first."""
        wanted = tuple(value for value in (status, blueprint) if value is not None)
        sql = _LISTS[status is not None, blueprint is not None]
        return self._headers(self.rows(sql, (*wanted, before, limit)))

    def abandoned(self, limit: int) -> builtins.list[str]:
        """Give unfinished runs that nobody alive owns."""
        found = [str(row[0]) for row in self.rows(_UNOWNED, (limit,))]
        for owner in self.dead_owners():
            found += [str(row[0]) for row in self.rows(_OWNED_BY, (owner, limit))]
        return sorted(found)[:limit]

    def due(self, now: float, limit: int) -> builtins.list[str]:
        """Give parked runs whose moment has come."""
        return [str(row[0]) for row in self.rows(_DUE, (now, limit))]

    def dead_owners(self) -> builtins.list[str]:
        """Give owners that the tables know and the system does not."""
        owners = [str(row[0]) for row in self.rows("SELECT owner FROM owners", ())]
        return [owner for owner in owners if not self._alive(owner)]

    def rows(self, sql: str, bindings: tuple[object, ...]) -> builtins.list[Row]:
        """Give all rows of a query."""
        return builtins.list(self.connection.execute(sql, bindings))

    def _alive(self, owner: str) -> bool:
        return owner == self._owner or is_alive(self._folder, owner)

    def _headers(self, rows: builtins.list[Row]) -> builtins.list[RunHeader]:
        alive = {row[9]: self._alive(row[9]) for row in rows if row[9] is not None}
        return [
            RunHeader(
                run=row[0],
                blueprint=row[1],
                version=row[2],
                blueprint_hash=row[3],
                status=row[4],
                created_at=row[5],
                ended_at=row[6],
                key=row[7],
                reason=row[8],
                owner=row[9] if alive.get(row[9]) else None,
                error_code=row[10],
                error_message=row[11],
                events=row[12] or 0,
            )
            for row in rows
        ]


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise StoreError("the store holds something else where bytes belong; it is damaged")
    return value


def _deliver(future: asyncio.Future[object], value: object, error: Exception | None) -> None:
    if future.done():
        return  # cancelled while it waited
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
