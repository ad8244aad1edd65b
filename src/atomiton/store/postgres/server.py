"""Addresses, connections, and what their failures mean."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from atomiton.errors import StoreError

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

T = TypeVar("T")

#: Seconds for which reading, and accepting a run, wait for a server that is away.
PATIENCE = 5.0

#: Seconds to wait between two tries to reach the server: doubled each time, up to the second.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

_CONNECT_SECONDS = 5.0
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")

#: What a server sends when it goes away, comes up, or has no room.
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
)
_MISUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)


class Server:
    """A Postgres server, and the schema in one of its databases that holds the store.

    Args:
        url: ``postgresql://user:password@host:port/database``, with parameters as libpq has them,
            and ``schema`` for the schema to use (``atomiton`` by default).

    Attributes:
        name: The address without its password, for messages.
        schema: The schema.

    Raises:
        StoreError: The address is none.

    Example:
        >>> Server("postgresql://ada:pw@db.example.org/flows").name
        'postgresql://ada@db.example.org/flows'
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise StoreError(f"the address of the Postgres store is malformed: {error}") from error
        host = (parts.hostname or "") + port
        user = f"{parts.username}@" if parts.username else ""
        self.name = f"postgresql://{user}{host}{parts.path}"
        if "\0" in url or not parts.path.strip("/"):
            raise StoreError(
                f"store {self.name!r}: name a database, as in postgresql://user@host/database"
            )
        query = parse_qsl(parts.query, keep_blank_values=True)
        self.schema = dict(query).get("schema", "atomiton")
        if not _SCHEMA.fullmatch(self.schema):
            raise StoreError(
                f"store {self.name}: {self.schema!r} cannot be the schema: small letters, digits "
                "and _, at most 63"
            )
        rest = urlencode([pair for pair in query if pair[0] != "schema"])
        self._dsn = urlunsplit(("postgresql", parts.netloc, parts.path, rest, ""))
        self._settings = {"search_path": f'"{self.schema}"', "application_name": "atomiton"}

    async def connect(self) -> Connection:
        """Open a connection once; failures are those of asyncpg and ``OSError``."""
        return await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_SECONDS,
            server_settings={
                **self._settings,
                # A machine that lost its power says no good-bye: notice within half a minute.
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
            },
        )

    def pool(self, size: int) -> Pool:
        """Make a pool of connections that read; it connects when it is used."""
        return asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=size,
            timeout=_CONNECT_SECONDS,
            server_settings=self._settings,
        )

    async def patiently(self, work: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
        """Do something that may be repeated, again while the server is away.

        Args:
            work: What to do.
            patience: For how many seconds to try.

        Raises:
            StoreError: It failed, or the server did not come back.
        """
        deadline = time.monotonic() + patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return await work()
            except Exception as error:  # sorted out by what it means
                if not is_away(error) or time.monotonic() + pause > deadline:
                    raise self.explain(error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def explain(self, error: BaseException) -> Exception:
        """Say what a failure means to the user of the store."""
        if isinstance(error, StoreError) or not isinstance(error, _KNOWN):
            return error if isinstance(error, Exception) else StoreError(str(error))
        said = _first_line(error)
        if isinstance(error, _MISUSED):
            why = f"the server refuses it: {said}"
        elif isinstance(error, asyncpg.DiskFullError):
            why = "the server's disk is full; free some space and try again"
        elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            why = "the server is read-only, such as a standby; name the one that takes writes"
        elif is_away(error):
            why = f"the server cannot be reached ({said}); runs go on when it is back"
        else:
            why = f"{type(error).__name__}: {said}"
        return StoreError(f"store {self.name}: {why}")


_KNOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def is_away(error: BaseException) -> bool:
    """Tell whether a failure means that the server cannot be reached now, but may be later."""
    if isinstance(error, _AWAY):
        return True
    # What was asked of a connection as it broke.
    text = str(error)
    return isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError) and (
        "closed" in text or "clos" in text or "unexpected" in text
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
