"""Blueprints in a SQLite file, beside the runs if it is the same."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw
import msgspec

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.blueprints.base import Blueprints, Infos
from atomiton.store.blueprints.rules import Decide, Wanted, problem_of, search_text
from atomiton.store.database import Database, Row
from atomiton.store.schema import connect, migrate, migrations, prepare_file, store_error

T = TypeVar("T")

_INFO = """
SELECT r.id, r.revision, r.etag, r.hash, r.name, r.version, r.description, r.tags,
       h.created_at, r.updated_at, h.deleted_at
FROM blueprint_heads AS h JOIN blueprint_revisions AS r ON r.id = h.id
"""
_HEAD = _INFO + "WHERE h.id = ? AND r.revision = h.revision"
_REVISIONS = _INFO + "WHERE h.id = ? AND r.revision < ? ORDER BY r.revision DESC LIMIT ?"
_REVISION = _INFO + "WHERE h.id = ? AND r.revision = ?"
_TEXT = "SELECT text FROM blueprint_texts WHERE etag = ?"
_TAGGED = "EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = ?4)"
_SELECT = (
    _INFO
    + "WHERE h.id > ?1 AND r.revision = h.revision AND (h.deleted_at IS NOT NULL) = ?2 "
    + f"AND instr(h.search, ?3) > 0 AND (?4 IS NULL OR {_TAGGED}) ORDER BY h.id LIMIT ?5"
)
_PUT_HEAD = """
INSERT INTO blueprint_heads (id, revision, created_at, deleted_at, search) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, deleted_at = excluded.deleted_at,
    search = excluded.search
"""
_PUT_REVISION = """
INSERT INTO blueprint_revisions (id, revision, etag, hash, name, version, description, tags,
    updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_TEXT = "INSERT INTO blueprint_texts (etag, text) VALUES (?, ?) ON CONFLICT DO NOTHING"

_MAX = 2**63 - 1


class SqliteBlueprints(Blueprints):
    """A ``BlueprintStore`` in a SQLite file.

    Args:
        path: The file; it is created, with its folder, if it does not exist.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, path: Path | str, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self.path = Path(path)
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Database | None = None

    async def open(self) -> None:
        """Make the store ready: create it, or migrate an older one."""
        self._thread = ThreadPoolExecutor(1, "atomiton-blueprints")
        try:
            self._connection = await self._apart(self._prepare)
        except BaseException:
            self._thread.shutdown(wait=False)
            self._thread = None
            raise

    def _prepare(self) -> Database:
        prepare_file(self.path)
        connection = connect(self.path)
        try:
            migrate(connection, self.path, migrations())
        except BaseException:
            connection.close()
            raise
        return connection

    async def close(self) -> None:
        """Close the file."""
        thread, connection = self._thread, self._connection
        self._thread = self._connection = None
        if thread is not None and connection is not None:
            await asyncio.get_running_loop().run_in_executor(thread, connection.close)
            thread.shutdown()

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        return await self._apart(partial(self._change, blueprint, decide))

    def _change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        with self._transaction() as execute:
            rows = self._rows(_HEAD, blueprint)
            head = _info(rows[0]) if rows else None
            decided = decide(head)
            if decided is None:
                assert head is not None  # a rule always makes something of nothing, or refuses
                return head
            info, text = decided
            created, deleted = info.created_at, info.deleted_at
            execute(_PUT_HEAD, (info.id, info.revision, created, deleted, search_text(info)))
            if text is not None:
                tags = msgspec.json.encode(info.tags).decode()
                shown = (info.name, info.version, info.description, tags, info.updated_at)
                execute(_PUT_REVISION, (info.id, info.revision, info.etag, info.hash, *shown))
                execute(_PUT_TEXT, (info.etag, text))
            return info

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        rows = await self._apart(partial(self._rows, _HEAD, blueprint))
        return _info(rows[0]) if rows else None

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        return await self._apart(partial(self._find, blueprint, revision))

    def _find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        rows = self._rows(_REVISION, blueprint, revision) if abs(revision) <= _MAX else []
        if not rows:
            return None
        info = _info(rows[0])
        texts = self._rows(_TEXT, info.etag)
        if not texts:
            place = f"revision {revision} of the blueprint '{blueprint}'"
            raise StoreError(f"store {self.path}: the text of {place} is missing")
        return StoredBlueprint(info, str(texts[0][0]))

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        bindings = (wanted.after, wanted.deleted, wanted.search, wanted.tag, wanted.limit)
        return [_info(row) for row in await self._apart(partial(self._rows, _SELECT, *bindings))]

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        top = _MAX if before is None else max(min(before, _MAX), 0)
        rows = await self._apart(partial(self._rows, _REVISIONS, blueprint, top, limit))
        return [_info(row) for row in rows]

    @contextlib.contextmanager
    def _transaction(self) -> Generator[Callable[[str, tuple[object, ...]], object]]:
        connection = self._database()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection.execute
            connection.execute("COMMIT")
        except BaseException:
            # Some failures have rolled back already, or make this one fail too; both are fine.
            with contextlib.suppress(apsw.Error):
                connection.execute("ROLLBACK")
            raise

    def _rows(self, sql: str, *bindings: object) -> list[Row]:
        return list(self._database().execute(sql, bindings))

    def _database(self) -> Database:
        if self._connection is None:
            raise self._closed()
        return self._connection

    async def _apart(self, work: Callable[[], T]) -> T:
        """Do something in the store's thread."""
        if self._thread is None:
            raise self._closed()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except apsw.Error as error:
            raise store_error(error, self.path) from error

    def _closed(self) -> StoreError:
        return StoreError(f"store {self.path}: it is not open")


def _info(row: Row) -> BlueprintInfo:
    return BlueprintInfo(
        id=row[0],
        revision=row[1],
        etag=row[2],
        hash=row[3],
        name=row[4],
        version=row[5],
        description=row[6],
        tags=tuple(msgspec.json.decode(row[7], type=list[str])),
        created_at=row[8],
        updated_at=row[9],
        deleted_at=row[10],
        problem=problem_of(row[3]),
    )
