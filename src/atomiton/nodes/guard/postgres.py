"""One Postgres database, through a few connections."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import asyncpg

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import json
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.reach import REFUSED, Reach
from atomiton.nodes.guard.sql_values import as_text, check_number, numbered, too_many
from atomiton.ports.capabilities import SqlGiven, SqlRows

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

#: Most connections to one database, and seconds to make one.
CONNECTIONS = 10
_CONNECT_SECONDS = 30.0
#: Where a server listens whose address says no port.
PORT = 5432
#: Parts of a statement in which a colon means nothing, and names of parameters.
_PARTS = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/"""
    r"""|\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?P=tag)?\$|::|:(?P<name>[A-Za-z_]\w*)""",
    re.DOTALL,
)
_MOMENTS: Mapping[str, Callable[[str], object]] = {
    "timestamptz": datetime.datetime.fromisoformat,
    "timestamp": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timetz": datetime.time.fromisoformat,
}
_PLAIN = frozenset({str, int, float, bool, bytes, dict, type(None)})
_TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.DiskFullError)
_MISFITS = (
    asyncpg.DataError,
    asyncpg.ClientConfigurationError,
    asyncpg.CannotCoerceError,
    ValueError,
    TypeError,
    decimal.InvalidOperation,
)
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


class PostgresDatabase:
    """A Postgres database that is kept open; connections are made as they are needed.

    Args:
        url: ``postgresql://user:password@host:port/database``.
        reach: Which servers may be spoken to; None for all.

    Raises:
        NodeError: The address is none.
    """

    def __init__(self, url: str, reach: Reach | None = None) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            message = f"the address of the database is malformed: {error}"
            raise NodeError(message, code="INVALID_INPUT") from None
        # Without the password, and whatever else the address says.
        self._name = f"postgresql://{parts.hostname or ''}{port}{parts.path}"
        self._url = url
        self._host, self._port = parts.hostname or "", parts.port or PORT
        #: Whether the server must prove that it has this name.
        self._proven = "verify-full" in parse_qs(parts.query).get("sslmode", ())
        self._reach = reach
        self._opened: Pool | None = None
        self._opening = asyncio.Lock()

    @property
    def idle(self) -> bool:
        """Whether nobody uses it now."""
        opened = self._opened
        return opened is None or opened.get_idle_size() == opened.get_size()

    async def query(self, statement: str, given: SqlGiven, *, max_rows: int) -> SqlRows:
        """Ask it without changing it."""
        return await self._within(statement, [given], max_rows, readonly=True)

    async def execute(self, statement: str, each: Sequence[SqlGiven], *, max_rows: int) -> SqlRows:
        """Change it, for each of the parameters in turn, in one transaction."""
        return await self._within(statement, each, max_rows, readonly=False)

    async def aclose(self) -> None:
        """Close the connections."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.terminate()

    async def _within(
        self, statement: str, each: Sequence[SqlGiven], max_rows: int, *, readonly: bool
    ) -> SqlRows:
        try:
            with outside():
                pool = await self._pool()
                async with (
                    pool.acquire(timeout=_CONNECT_SECONDS) as connection,
                    connection.transaction(readonly=readonly),
                ):
                    return await _run(
                        cast("Connection", connection), statement, each, max_rows, reads=readonly
                    )
        except asyncio.CancelledError:
            raise
        except Exception as error:  # of the library: told as what it means
            raise self._explain(error) from error

    async def _pool(self) -> Pool:
        async with self._opening:
            if self._opened is None:
                place = await self._place()
                made = asyncpg.create_pool(
                    self._url,
                    **place,
                    min_size=0,
                    max_size=CONNECTIONS,
                    timeout=_CONNECT_SECONDS,
                    init=_set_up,
                    server_settings={"application_name": "atomiton"},
                )
                await made  # which connects to nothing yet
                self._opened = made
        return self._opened

    async def _place(self) -> dict[str, Any]:
        """The addresses to connect to, where not all may be; then nothing else says others."""
        reach, host = self._reach, self._host
        if reach is None:
            return {}
        if not host or "," in host:  # a socket of this machine, several hosts, or the environment's
            if reach.public_only:
                raise NotAllowed(f"{self._name}: name one host; {REFUSED}")
            return {}
        found = await reach.find(host, self._port)
        if self._proven or not reach.public_only:
            return {}  # connected to by its name, which a certificate is held against
        return {"host": found, "port": self._port}

    def _explain(self, error: Exception) -> NodeError:
        if isinstance(error, NodeError):
            return error
        lines = str(error).strip().splitlines()
        said = f"{self._name}: {lines[0] if lines else type(error).__name__}"
        if isinstance(error, asyncpg.IntegrityConstraintViolationError):
            return NodeError(said, code="SQL_CONSTRAINT")
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
            return NodeError(said, code="AUTHENTICATION")
        if isinstance(error, asyncpg.InsufficientPrivilegeError):
            return NotAllowed(said)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            return NotAllowed(f"{said}; sql.execute changes a database")
        if isinstance(error, _TRANSIENT):
            return NodeError(said, code="SQL_ERROR", retryable=True)
        if isinstance(error, _AWAY) or "clos" in said:
            return NodeError(said, code="CONNECTION")
        if isinstance(error, _MISFITS):
            return NodeError(said, code="INVALID_INPUT")
        return NodeError(said, code="SQL_ERROR")


async def _set_up(connection: Connection) -> None:
    """JSON is data, not text."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=str, decoder=_decoded, format="text"
        )


def _decoded(text: str) -> object:
    return json.decode(text, unique=False)


async def _run(
    connection: Connection,
    statement: str,
    each: Sequence[SqlGiven],
    max_rows: int,
    *,
    reads: bool,
) -> SqlRows:
    named = all(isinstance(given, dict) for given in each)
    text, names = in_order(statement) if named else (statement, ())
    prepared = await connection.prepare(text)
    types = [(of.name, of.kind) for of in prepared.get_parameters()]
    columns = numbered([of.name for of in prepared.get_attributes()])
    rows: list[tuple[object, ...]] = []
    changed = 0
    for given in each:
        values = _values(given, names, types)
        if reads and columns:  # a portion of what may be very much
            cursor = await prepared.cursor(*values)
            records = await cursor.fetch(max_rows + 1)
        else:
            records = await prepared.fetch(*values)
            changed += _changed(prepared.get_statusmsg() or "")
        rows += [tuple(map(_plain, record.values())) for record in records]
        if len(rows) > max_rows:
            raise check_number(max_rows)
    return SqlRows(columns, rows, changed)


def _changed(told: str) -> int:
    """How many rows were changed, as the server says: ``INSERT 0 3``."""
    words = told.split()
    counts = words[:1] in (["INSERT"], ["UPDATE"], ["DELETE"], ["MERGE"])
    return int(words[-1]) if counts and words[-1].isdecimal() else 0


def in_order(statement: str) -> tuple[str, tuple[str, ...]]:
    """Number the named parameters of a statement.

    Example:
        >>> in_order("SELECT :a::text, ':b', :a, :c")
        ("SELECT $1::text, ':b', $1, $2", ('a', 'c'))
    """
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PARTS.sub(number, statement), tuple(names)


def _values(
    given: SqlGiven, names: Sequence[str], types: Sequence[tuple[str, str]]
) -> list[object]:
    if isinstance(given, dict):
        missing = [name for name in names if name not in given]
        if missing:
            message = f"parameters: nothing is given for {missing[0]!r}"
            raise NodeError(message, code="INVALID_INPUT")
        given = [given[name] for name in names]
    if len(given) > len(types):
        raise too_many(len(given), len(types))
    if len(given) < len(types):
        message = f"parameters: nothing is given for ${len(given) + 1}"
        raise NodeError(message, code="INVALID_INPUT")
    return [_adapted(value, *type_) for value, type_ in zip(given, types, strict=True)]


def _adapted(value: object, type_: str, kind: str) -> object:
    """A value as the driver takes it for a type of the server."""
    if type_ in ("json", "jsonb"):
        return None if value is None else json.encode(value).decode()
    if isinstance(value, str) and type_ in _MOMENTS:
        return _MOMENTS[type_](value)
    if isinstance(value, datetime.datetime) and type_ == "date":
        return value.date()
    if kind != "array":
        value = as_text(value) if type(value) in (list, dict) else value
    if type_ == "numeric" and isinstance(value, float | str):
        return decimal.Decimal(str(value))
    return value


def _plain(value: object) -> object:
    """A value of the driver as one that a run can hold."""
    if isinstance(value, list):
        return list(map(_plain, cast("list[object]", value)))
    if type(value) in _PLAIN:
        return value
    if isinstance(value, datetime.datetime):
        # Without a zone it is no moment, but what a clock shows.
        return value if value.tzinfo is not None else value.isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, asyncpg.Record):
        return [_plain(part) for part in value.values()]
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    return str(value)
