"""Tables, brought up to date by numbered files of SQL."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from atomiton.errors import StoreError

if TYPE_CHECKING:
    from atomiton.store.postgres.server import Connection, Server

#: The oldest version of Postgres that the statements are made for.
OLDEST = 13

#: Advisory lock under which one process at a time creates or changes tables ("AtOm").
_LOCK = 0x41744F6D


def migrations() -> list[tuple[int, str]]:
    """Give the migrations that this version knows, in order: number and statements."""
    folder = files("atomiton.store.postgres").joinpath("sql")
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


async def migrate(connection: Connection, server: Server) -> None:
    """Bring the tables up to the newest known version, all or nothing.

    Raises:
        StoreError: The server is too old, or the store was written by a newer version of us.
    """
    version = connection.get_server_version().major
    if version < OLDEST:
        raise StoreError(
            f"store {server.name}: the server is Postgres {version}; {OLDEST} or newer is needed"
        )
    known = migrations()
    newest = known[-1][0]
    if await _version(connection) == newest:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        # The name was checked to be a plain one.
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{server.schema}"')
        at = await _version(connection)
        if at > newest:
            raise StoreError(
                f"store {server.name}: written by a newer version of Atomiton (schema {at}, this "
                f"one knows {newest}); upgrade Atomiton"
            )
        for number, sql in known:
            if number > at:
                await connection.execute(sql)
        await connection.execute(
            "INSERT INTO meta (name, value) VALUES ('schema', $1) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            newest,
        )


async def _version(connection: Connection) -> int:
    if await connection.fetchval("SELECT to_regclass('meta')") is None:
        return 0
    return int(await connection.fetchval("SELECT value FROM meta WHERE name = 'schema'") or 0)
