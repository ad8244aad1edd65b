"""One statement on one connection to a SQLite file: what it may do, is given and gives.

It cannot leave its file (nothing is attached, no extension is loaded), nor change how the file is
kept, nor end the transaction it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.sql_values import as_text, check_number, numbered, too_many
from atomiton.ports.capabilities import SqlGiven, SqlRows

Row = tuple[Any, ...]

#: Milliseconds for which another program may keep a file locked.
_BUSY = 10_000
#: Most bytes of one value.
_LARGEST = 256 * 1024 * 1024
#: Settings that tell something, and change nothing.
_TELLING = frozenset(
    {
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo",
        "integrity_check", "quick_check", "table_info", "table_list", "table_xinfo",
    }
)  # fmt: skip
_STATE = frozenset({"application_id", "encoding", "foreign_keys", "journal_mode", "page_count"})


class Cursor(Protocol):
    """Rows of a statement."""

    exec_trace: Callable[[Any, str, object], bool] | None

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows."""
        ...

    def execute(self, statements: str, bindings: object = None) -> Cursor:
        """Run a statement."""
        ...

    def close(self, force: bool = False) -> None:  # noqa: FBT001 - as the library has it
        """Forget what is left."""
        ...


class Connection(Protocol):
    """A connection to a file."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def cursor(self) -> Cursor:
        """Make a cursor."""
        ...

    def execute(self, statements: str) -> Iterable[Row]:
        """Run a statement."""
        ...

    def config(self, op: int, *args: int) -> int:
        """Set an option."""
        ...

    def limit(self, id: int, newval: int) -> int:  # noqa: A002 - as the library has it
        """Set a bound."""
        ...

    def set_busy_timeout(self, milliseconds: int) -> None:
        """Set how long to wait for others."""
        ...

    def set_authorizer(self, callable: Callable[..., int] | None) -> None:  # noqa: A002 - the same
        """Set who says what statements may do."""
        ...

    def interrupt(self) -> None:
        """Make what runs fail; called from another thread."""
        ...

    def changes(self) -> int:
        """How many rows the latest change was about."""
        ...

    def total_changes(self) -> int:
        """How many rows were changed since it was opened."""
        ...

    def close(self, force: bool = False) -> None:  # noqa: FBT001 - as the library has it
        """Close the connection."""
        ...


def connect(path: Path, *, writes: bool) -> Connection:
    """Open a connection; failures are those of apsw."""
    flags = apsw.SQLITE_OPEN_READWRITE if writes else _read_flags(path)
    # The library's own types name a class that Python 3.11 does not have.
    made = cast("Connection", apsw.Connection(str(path), flags=flags))
    try:
        made.set_busy_timeout(_BUSY)
        made.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        made.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        made.config(apsw.SQLITE_DBCONFIG_ENABLE_FKEY, 1)
        made.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        made.limit(apsw.SQLITE_LIMIT_LENGTH, _LARGEST)
        if writes:
            # Before the first write: even the birth of the file then survives a power loss.
            made.execute("PRAGMA synchronous = EXTRA")
            list(made.execute("PRAGMA journal_mode = WAL"))
        else:
            made.execute("PRAGMA query_only = ON")
        made.set_authorizer(_authorize)
    except BaseException:
        made.close()
        raise
    return made


def _read_flags(path: Path) -> int:
    # A file in WAL mode is read through a file beside it, which the reader may have to make.
    import os

    return apsw.SQLITE_OPEN_READWRITE if os.access(path, os.W_OK) else apsw.SQLITE_OPEN_READONLY


def _authorize(
    operation: int, first: str | None, second: str | None, _base: str | None, _by: str | None
) -> int:
    if operation == apsw.SQLITE_PRAGMA:
        fine = first in _TELLING or (first in _STATE and second is None)
        return apsw.SQLITE_OK if fine else apsw.SQLITE_DENY
    if operation in (apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH):
        return apsw.SQLITE_DENY
    if operation == apsw.SQLITE_FUNCTION and second == "load_extension":
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK


class _Look:
    """Looks at a statement once it is understood, and before it does anything."""

    def __init__(self, given: SqlGiven) -> None:
        self.columns: list[str] = []
        self._given = given
        self._statements = 0

    def __call__(self, cursor: Any, _statement: str, _bindings: object) -> bool:  # noqa: ANN401
        """Refuse a second statement, and items that nothing stands for."""
        if not cursor.has_vdbe:
            return True  # a comment
        self._statements += 1
        if self._statements > 1:
            raise NodeError("give one statement; each node has one", code="INVALID_INPUT")
        self.columns = [str(column[0]) for column in cursor.get_description()]
        names: Sequence[str | None] = cursor.bindings_names
        if isinstance(self._given, list) and all(names) and len(self._given) > len(names):
            raise too_many(len(self._given), len(names))
        return True


def run_statement(
    connection: Connection, statement: str, given: SqlGiven, *, max_rows: int
) -> SqlRows:
    """Run a statement to its end.

    Raises:
        NodeError: It must not be run, or gives more rows than are wanted.
    """
    look, cursor, before = _Look(given), connection.cursor(), connection.total_changes()
    cursor.exec_trace = look
    rows: list[Row] = []
    try:
        _bind(cursor, statement, given)
        for row in cursor:
            if len(rows) == max_rows:
                raise check_number(max_rows)
            rows.append(row)
    finally:
        cursor.close(True)
    changed = connection.changes() if connection.total_changes() != before else 0
    return SqlRows(numbered(look.columns), rows, changed)


def _bind(cursor: Cursor, statement: str, given: SqlGiven) -> None:
    """Begin a statement; `$1`, `?1` and `:1` are found by number, `?` in their order."""
    items = (
        given.items() if isinstance(given, dict) else ((str(n), v) for n, v in enumerate(given, 1))
    )
    named = {name: as_text(value) for name, value in items}
    try:
        cursor.execute(statement, named)
    except KeyError as error:
        raise NodeError(f"parameters: nothing is given for {error}", code="INVALID_INPUT") from None
    except OverflowError:
        raise NodeError("parameters: a number has over 64 bits", code="INVALID_INPUT") from None
    except apsw.BindingsError:
        if not isinstance(given, list):
            message = "placeholders without a name are for a list; write :name for an object"
            raise NodeError(f"parameters: {message}", code="INVALID_INPUT") from None
        _bind_in_order(cursor, statement, tuple(named.values()))


def _bind_in_order(cursor: Cursor, statement: str, values: tuple[object, ...]) -> None:
    try:
        cursor.execute(statement, values)
    except apsw.BindingsError as error:
        said = str(error).partition("Current offset")[0].strip()
        raise NodeError(f"parameters: {said}", code="INVALID_INPUT") from None


def explain(error: Exception, shown: str) -> NodeError:
    """A failure of SQLite, as the error of a node.

    Args:
        error: What the library raised.
        shown: How the user calls the file.
    """
    if isinstance(error, NodeError):
        return error
    said = f"{shown!r}: {error}"
    if isinstance(error, apsw.ConstraintError):
        return NodeError(said, code="SQL_CONSTRAINT")
    if isinstance(error, apsw.AuthError):
        return NotAllowed(f"{shown!r}: this statement would leave its file, or how it is kept")
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return NodeError(f"{shown!r}: another program keeps it locked", code="CONNECTION")
    if isinstance(error, apsw.ReadOnlyError):
        return NotAllowed(f"{shown!r}: here it is only read; sql.execute changes a database")
    if isinstance(error, apsw.NotADBError):
        return NodeError(f"{shown!r} is not a SQLite database", code="INVALID_INPUT")
    if isinstance(error, apsw.InterruptError):
        return NodeError(f"{shown!r}: the statement was stopped", code="CANCELLED")
    if isinstance(error, apsw.FullError | apsw.IOError | apsw.CantOpenError):
        return NodeError(said, code="SQL_ERROR", retryable=True)
    if isinstance(error, UnicodeDecodeError):
        return NodeError(f"{shown!r}: a text is not UTF-8; read it as a BLOB", code="SQL_ERROR")
    return NodeError(said, code="SQL_ERROR")
