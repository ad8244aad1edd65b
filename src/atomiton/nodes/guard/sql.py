"""Databases: SQLite files below the allowed places, and Postgres servers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atomiton.errors import NodeError
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.sql_values import check_statement
from atomiton.ports.capabilities import Files, SqlGiven, SqlRows

if TYPE_CHECKING:
    from atomiton.nodes.guard.postgres import PostgresDatabase
    from atomiton.nodes.guard.sqlite import SqliteFile

#: Most databases that are kept open, of each kind.
OPEN = 16
_SERVERS = ("postgresql", "postgres")


class SqlGuard:
    """``Sql`` of this machine; databases are opened when they are first needed, and stay open.

    Args:
        files: Says where the path of a SQLite file leads, or that nobody may go there.
        reach: Which servers may be spoken to; None for all.
    """

    def __init__(self, files: Files, reach: Reach | None = None) -> None:
        self._files = files
        self._reach = reach
        self._sqlite: OrderedDict[Path, SqliteFile] = OrderedDict()
        self._by_name: dict[str, SqliteFile] = {}
        self._postgres: OrderedDict[tuple[asyncio.AbstractEventLoop, str], PostgresDatabase]
        self._postgres = OrderedDict()

    async def query(
        self, database: str, statement: str, given: SqlGiven, *, max_rows: int
    ) -> SqlRows:
        """Ask a database without changing it."""
        check_statement(statement)
        found = await self._find(database, make=False)
        return await found.query(statement, given, max_rows=max_rows)

    async def execute(
        self, database: str, statement: str, each: Sequence[SqlGiven], *, max_rows: int
    ) -> SqlRows:
        """Change a database in one transaction."""
        check_statement(statement)
        found = await self._find(database, make=True)
        return await found.execute(statement, each, max_rows=max_rows)

    async def aclose(self) -> None:
        """Close what this event loop has opened."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._postgres if key[0] is loop]:
            await self._postgres.pop(key).aclose()
        self._by_name.clear()
        while self._sqlite:
            self._sqlite.popitem()[1].close()

    async def _find(self, database: str, *, make: bool) -> SqliteFile | PostgresDatabase:
        known = self._by_name.get(database)
        if known is not None and known.is_current():  # the very file that was allowed before
            return known
        name = database
        scheme, colon, rest = database.partition(":")
        if colon and scheme in _SERVERS:
            return await self._server(database)
        if colon and scheme == "sqlite":
            database = rest.removeprefix("//") if rest.startswith("///") else rest
        elif "://" in database:
            message = f"there is no kind of database {scheme!r}: a path, or postgresql://..."
            raise NodeError(message, code="NOT_SUPPORTED")
        if database == ":memory:":
            message = "a database in memory would be gone after each node: name a file"
            raise NodeError(message, code="INVALID_INPUT")
        found = self._file(self._files.resolve(database), database, make=make)
        if len(self._by_name) >= 4 * OPEN:
            self._by_name.clear()
        self._by_name[name] = found
        return found

    def _file(self, path: Path, shown: str, *, make: bool) -> SqliteFile:
        from atomiton.nodes.guard.sqlite import SqliteFile, identity

        which = identity(path, shown, make=make)
        found = self._sqlite.get(path)
        if found is None or found.identity != which:  # a new one: or somebody has put another there
            if found is not None:
                found.close()
            found = self._sqlite[path] = SqliteFile(path, shown, which)
        self._sqlite.move_to_end(path)
        if len(self._sqlite) > OPEN:
            self._sqlite.popitem(last=False)[1].close()
        return found

    async def _server(self, url: str) -> PostgresDatabase:
        try:
            from atomiton.nodes.guard.postgres import PostgresDatabase
        except ModuleNotFoundError:
            raise NodeError(
                "Postgres needs asyncpg: pip install 'atomiton[postgres]'", code="NOT_SUPPORTED"
            ) from None
        loop = asyncio.get_running_loop()
        for key in [key for key in self._postgres if key[0].is_closed()]:
            del self._postgres[key]
        found = self._postgres.get((loop, url))
        if found is None:
            found = self._postgres[loop, url] = PostgresDatabase(url, self._reach)
        self._postgres.move_to_end((loop, url))
        idle = [key for key, of in self._postgres.items() if of is not found and of.idle]
        for key in idle[: len(self._postgres) - OPEN]:
            await self._postgres.pop(key).aclose()
        return found
