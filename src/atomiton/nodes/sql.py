"""The ``sql`` family: statements for databases."""

from __future__ import annotations

from math import isfinite
from typing import TypedDict, cast

from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Sql, SqlGiven, SqlRows, injected


class Found(TypedDict):
    """What a query found: each row an object with a field for each of the columns.

    Attributes:
        rows: Each an object, with a field for each column.
        count: How many.
        columns: Names of the columns, in order.
    """

    rows: list[dict[str, object]]
    count: int
    columns: list[str]


class Executed(TypedDict):
    """How many rows were changed, and those that `RETURNING` gave.

    Attributes:
        changed: How many rows were changed.
        rows: Those that `RETURNING` gave.
    """

    changed: int
    rows: list[dict[str, object]]


@node(
    "sql.query",
    title="Query database",
    icon="database",
    plain=True,
    example="""
    atomiton: 1
    id: sql-query-example
    nodes:
      table:
        uses: sql.execute
        with:
          database: shop.db
          statement: CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total REAL)
      big:
        uses: sql.query
        needs: [table]
        with:
          database: shop.db
          statement: SELECT id, total FROM orders WHERE total > $1
          parameters: [100]
    output: ${{ big.rows }}
    """,
)
async def query(
    database: str,
    statement: str,
    parameters: list[object] | dict[str, object] | None = None,
    *,
    max_rows: int = 10_000,
    sql: Sql = injected,
) -> Found:
    """Ask a database, which it does not change: a statement that would is refused.

    Values never stand in the text of a statement, where they could be taken for a part of it: `$1`,
    `$2`, ... stand for the items of a list, `:name` for the fields of an object, in SQLite and in
    Postgres.

    Numbers, texts, booleans, bytes and date-times come as such; exact decimals, dates, times and
    UUIDs as text; JSON and arrays of Postgres as data. The second column of a name is `name_2`.

    Args:
        database: Path of a SQLite file, or postgresql://USER@HOST/DATABASE; keep an address with
            a password as a secret.
        statement: One statement of SQL.
        parameters: What its placeholders stand for.
        max_rows: With more rows than this the node fails: none are left out silently.
        sql: The door to databases.
    """
    found = await sql.query(database, statement, parameters or [], max_rows=max_rows)
    rows = _objects(found)
    return {"rows": rows, "count": len(rows), "columns": found.columns}


@node(
    "sql.execute",
    effect="once",
    title="Change database",
    icon="database",
    plain=True,
    example="""
    atomiton: 1
    id: sql-execute-example
    nodes:
      table:
        uses: sql.execute
        with:
          database: shop.db
          statement: CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total REAL)
      save:
        uses: sql.execute
        needs: [table]
        with:
          database: shop.db
          statement: INSERT INTO orders VALUES (:id, :total) ON CONFLICT DO NOTHING
          each: [{id: "007", total: 120.5}, {id: "008", total: 80}]
    output: ${{ save.changed }}
    """,
)
async def execute(
    database: str,
    statement: str,
    parameters: list[object] | dict[str, object] | None = None,
    *,
    each: list[object] | None = None,
    max_rows: int = 10_000,
    sql: Sql = injected,
) -> Executed:
    """Change a database: all of what the node does is on its disk, or nothing is.

    A SQLite file is made if there is none, in a folder that exists; its journal is a write-ahead
    log, and every change is synced. Placeholders and values are those of `sql.query`.

    The node counts as not repeatable (`once`): an attempt that was lost is not made again unasked.
    A key of your own and `ON CONFLICT DO NOTHING` make it safe to answer that with a repetition.

    Args:
        database: Path of a SQLite file, or postgresql://USER@HOST/DATABASE; keep an address with
            a password as a secret.
        statement: One statement of SQL.
        parameters: What its placeholders stand for.
        each: Parameters for each of many executions, made one after the other in one transaction.
        max_rows: With more returned rows than this the node fails, and nothing is changed.
        sql: The door to databases.
    """
    if each is not None and parameters is not None:
        raise NodeError("give only one of parameters and each", code="INVALID_INPUT")
    given: list[SqlGiven] = [parameters or []]
    if each is not None:
        for index, item in enumerate(each):
            if not isinstance(item, list | dict):
                message = f"each[{index}] must be a list or an object, not {type(item).__name__}"
                raise NodeError(message, code="TYPE_MISMATCH", details={"parameter": "each"})
        given = cast("list[SqlGiven]", each)
    done = await sql.execute(database, statement, given, max_rows=max_rows)
    return {"changed": done.changed, "rows": _objects(done)}


def _objects(found: SqlRows) -> list[dict[str, object]]:
    columns = found.columns
    for row in found.rows:
        if any(type(value) is float and not isfinite(value) for value in row):
            message = "a number of the rows is not finite, which no run can hold"
            raise NodeError(message, code="TYPE_MISMATCH")
    return [dict(zip(columns, row, strict=True)) for row in found.rows]
