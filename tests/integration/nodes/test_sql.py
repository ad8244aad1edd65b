"""The ``sql`` family on real databases: a SQLite file, and a Postgres server."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import sql as family
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.sql import SqlGuard

ORDERS = "CREATE TABLE {} (id TEXT PRIMARY KEY, total {} CHECK (total >= 0), at TEXT)"


class Base:
    """A database with a table of its own, and the two nodes."""

    def __init__(self, guard: SqlGuard, address: str, table: str) -> None:
        self.guard = guard
        self.address = address
        self.table = table

    def _text(self, statement: str) -> str:
        return statement.replace("orders", self.table)

    async def query(self, statement: str, parameters: Any = None, **more: Any) -> Any:
        return await family.query.function(
            self.address, self._text(statement), parameters, sql=self.guard, **more
        )

    async def execute(self, statement: str, parameters: Any = None, **more: Any) -> Any:
        return await family.execute.function(
            self.address, self._text(statement), parameters, sql=self.guard, **more
        )


@pytest.fixture
async def guard(tmp_path: Path) -> AsyncIterator[SqlGuard]:
    made = SqlGuard(FilesGuard([tmp_path], tmp_path))
    yield made
    await made.aclose()


@pytest.fixture(params=["sqlite", "postgres"])
async def base(request: pytest.FixtureRequest, guard: SqlGuard) -> AsyncIterator[Base]:
    if request.param == "sqlite":
        made = Base(guard, "shop.db", "orders")
        await made.execute(ORDERS.format("orders", "REAL"))
        yield made
        return
    made = Base(guard, request.getfixturevalue("postgres").url, f"orders_{time.time_ns()}")
    await made.execute(ORDERS.format("orders", "double precision"))
    yield made
    await made.execute("DROP TABLE orders")


async def test_rows_go_in_and_come_out(base: Base) -> None:
    done = await base.execute("INSERT INTO orders (total, id) VALUES ($2, $1)", ["a", 2.5])
    assert done == {"changed": 1, "rows": []}
    named = {"id": "b'; DROP TABLE orders; --", "total": 3, "unused": [1]}
    await base.execute("INSERT INTO orders (id, total) VALUES (:id, :total)", named)
    found = await base.query("SELECT id, total, id FROM orders ORDER BY total")
    assert found["columns"] == ["id", "total", "id_2"]
    assert found["rows"] == [
        {"id": "a", "total": 2.5, "id_2": "a"},
        {"id": named["id"], "total": 3.0, "id_2": named["id"]},
    ]
    assert found["count"] == 2
    empty = await base.query("SELECT id FROM orders WHERE id = $1", ["none"])
    assert empty == {"rows": [], "count": 0, "columns": ["id"]}
    gone = await base.execute("DELETE FROM orders WHERE total > $1 RETURNING id", [2.75])
    assert gone == {"changed": 1, "rows": [{"id": named["id"]}]}


async def test_many_are_one_transaction(base: Base) -> None:
    insert = "INSERT INTO orders (id, total) VALUES (:id, :total)"
    rows = [{"id": f"r{n}", "total": n} for n in range(100)]
    assert (await base.execute(insert, each=rows))["changed"] == 100
    with pytest.raises(NodeError) as failed:
        await base.execute(insert, each=[{"id": "new", "total": 1}, {"id": "r7", "total": 1}])
    assert (failed.value.code, failed.value.retryable) == ("SQL_CONSTRAINT", False)
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 100}]
    assert await base.execute(insert, each=[]) == {"changed": 0, "rows": []}
    changed = await base.execute("UPDATE orders SET total = total + 1 WHERE total < $1", [10])
    assert changed["changed"] == 10
    with pytest.raises(NodeError, match=r"each\[1\] must be a list or an object"):
        await base.execute(insert, each=[["a", 1], "b"])


async def test_who_writes_at_once_is_undone_alone(base: Base) -> None:
    insert = "INSERT INTO orders (id, total) VALUES ($1, $2)"
    ids = [f"i{n % 50}" for n in range(60)]  # ten of them twice
    done = await asyncio.gather(
        *(base.execute(insert, [id_, 1]) for id_ in ids), return_exceptions=True
    )
    failed = [of for of in done if isinstance(of, NodeError)]
    assert [of.code for of in failed] == ["SQL_CONSTRAINT"] * 10
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 50}]


@pytest.mark.parametrize(
    ("statement", "parameters", "code", "says"),
    [
        ("SELEC 1", None, "SQL_ERROR", "syntax error"),
        ("SELECT * FROM nowhere", None, "SQL_ERROR", "nowhere"),
        ("SELECT 1; SELECT 2", None, "", ""),
        ("SELECT $1", [], "INVALID_INPUT", "nothing is given"),
        ("SELECT :name", {"nam": 1}, "INVALID_INPUT", "nothing is given for 'name'"),
        ("SELECT CAST($1 AS TEXT)", ["a", "b"], "INVALID_INPUT", "2 are given"),
        ("SELECT CAST($1 AS INTEGER)", [2**70], "INVALID_INPUT", ""),
        ("INSERT INTO orders (id, total) VALUES ('x', 1)", None, "NOT_ALLOWED", "sql.execute"),
        ("CREATE TABLE more (id TEXT)", None, "NOT_ALLOWED", "sql.execute"),
    ],
)
async def test_what_a_query_must_not_be(
    base: Base, statement: str, parameters: Any, code: str, says: str
) -> None:
    with pytest.raises(NodeError, match=says or None) as failed:
        await base.query(statement, parameters)
    assert code in ("", failed.value.code)
    assert not failed.value.retryable
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 0}]


@pytest.mark.parametrize(
    "statement",
    ["COMMIT", "  -- x\n/* y */ commit", "\ufeffROLLBACK", "BEGIN", "SAVEPOINT a", "; END"],
)
async def test_no_statement_ends_the_transaction_of_others(base: Base, statement: str) -> None:
    with pytest.raises(NodeError):
        await base.execute(statement)
    await base.execute("INSERT INTO orders (id, total) VALUES ('a', 1)")
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 1}]


async def test_more_rows_than_are_wanted_are_an_error(base: Base) -> None:
    rows = [[f"r{n}", n] for n in range(20)]
    insert = "INSERT INTO orders (id, total) VALUES ($1, $2)"
    await base.execute(insert, each=rows)
    assert (await base.query("SELECT id FROM orders", max_rows=20))["count"] == 20
    with pytest.raises(NodeError, match="more than 19 rows") as failed:
        await base.query("SELECT id FROM orders", max_rows=19)
    assert failed.value.code == "LIMIT_EXCEEDED"
    with pytest.raises(NodeError, match="more than 19 rows"):
        await base.execute("DELETE FROM orders RETURNING id", max_rows=19)
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 20}]


ENDLESS = """
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c
"""


@pytest.mark.parametrize("node", ["query", "execute"])
async def test_a_statement_that_is_cancelled_stops(base: Base, node: str) -> None:
    going = asyncio.create_task(getattr(base, node)(ENDLESS))
    await asyncio.sleep(0.3)
    going.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await going
    # It holds up nobody: neither does it run on, nor is the database left in a transaction.
    await base.execute("INSERT INTO orders (id, total) VALUES ('a', 1)")
    assert (await base.query("SELECT count(*) AS n FROM orders"))["rows"] == [{"n": 1}]
    assert time.monotonic() - began < 5


async def test_in_a_blueprint(tmp_path: Path) -> None:
    database = {"database": "new.db"}
    nodes = {
        "table": {
            "uses": "sql.execute",
            "with": {**database, "statement": "CREATE TABLE t (id TEXT, at TEXT, data TEXT)"},
        },
        "save": {
            "uses": "sql.execute",
            "needs": ["table"],
            "with": {
                **database,
                "statement": "INSERT INTO t VALUES (:id, :at, :data) RETURNING id",
                "parameters": {"id": "${{ inputs.id }}", "at": None, "data": {"a": [1]}},
            },
        },
        "load": {
            "uses": "sql.query",
            "needs": ["save"],
            "with": {**database, "statement": "SELECT * FROM t"},
        },
    }
    given = {"atomiton": 1, "id": "t", "inputs": {"id": "string"}, "nodes": nodes}
    blueprint = read_document({**given, "output": "${{ [save.rows, load.rows] }}"})
    async with Conductor("memory:", capabilities=Capabilities(base=tmp_path)) as conductor:
        result = await conductor.run(blueprint, {"id": "ü"})
    assert result.error is None
    assert result.output == [[{"id": "ü"}], [{"id": "ü", "at": None, "data": '{"a":[1]}'}]]
    with sqlite3.connect(tmp_path / "new.db") as seen:
        assert seen.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert seen.execute("SELECT id FROM t").fetchall() == [("ü",)]
    seen.close()
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600


# -- SQLite -----------------------------------------------------------------------------------


@pytest.fixture
def lite(guard: SqlGuard) -> Base:
    return Base(guard, "shop.db", "orders")


async def test_placeholders_in_order(lite: Base) -> None:
    found = await lite.execute("SELECT ? AS a, ? AS b", [1, True])
    assert found["rows"] == [{"a": 1, "b": 1}]
    for wrong in ([1], [1, 2, 3]):
        with pytest.raises(NodeError, match="bindings"):
            await lite.execute("SELECT ?, ?", wrong)
    with pytest.raises(NodeError, match="write :name"):
        await lite.execute("SELECT ?", {"a": 1})


async def test_values_of_sqlite(lite: Base) -> None:
    moment = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    given = [None, 2**63 - 1, 0.5, "ü\0", b"\xff\x00", moment, {"a": [b"x"] and [1]}]
    found = await lite.execute(
        "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 AS f, $7 AS g", given
    )
    assert found["rows"] == [
        {
            "a": None, "b": 2**63 - 1, "c": 0.5, "d": "ü\0", "e": b"\xff\x00",
            "f": "2026-02-28T23:59:00Z", "g": '{"a":[1]}',
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'other.db' AS o",
        "EXPLAIN ATTACH 'other.db' AS o",
        "VACUUM INTO 'other.db'",
        "VACUUM",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "SELECT load_extension('x')",
        "SELECT 1; ATTACH 'other.db' AS o",
    ],
)
async def test_a_statement_stays_in_its_file(lite: Base, tmp_path: Path, statement: str) -> None:
    await lite.execute(ORDERS.format("orders", "REAL"))
    for ask in (lite.query, lite.execute):
        with pytest.raises(NodeError) as failed:
            await ask(statement)
        assert failed.value.code in ("NOT_ALLOWED", "INVALID_INPUT", "SQL_ERROR")
    assert not (tmp_path / "other.db").exists()
    assert min(place.name for place in tmp_path.iterdir()) == "shop.db"
    assert (await lite.query("PRAGMA journal_mode"))["rows"] == [{"journal_mode": "wal"}]
    assert (await lite.query("PRAGMA table_info(orders)"))["count"] == 3


@pytest.mark.parametrize("path", ["../out.db", "/etc/out.db", "link.db"])
async def test_a_file_elsewhere_is_refused(guard: SqlGuard, tmp_path: Path, path: str) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path.parent / "out.db")
    for ask in (Base(guard, path, "t").query, Base(guard, f"sqlite:{path}", "t").execute):
        with pytest.raises(NotAllowed, match="outside the folders"):
            await ask("SELECT 1")
    assert not (tmp_path.parent / "out.db").exists()


async def test_what_is_no_database(guard: SqlGuard, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 200)
    (tmp_path / "folder").mkdir()
    for address, ask, code in (
        ("none.db", "query", "NOT_FOUND"),
        ("no/none.db", "execute", "NOT_FOUND"),
        ("text.db", "query", "INVALID_INPUT"),
        ("text.db", "execute", "INVALID_INPUT"),
        ("folder", "query", "INVALID_INPUT"),
        (":memory:", "execute", "INVALID_INPUT"),
        ("mysql://x/y", "query", "NOT_SUPPORTED"),
        ("", "query", "INVALID_INPUT"),
    ):
        with pytest.raises(NodeError) as failed:
            await getattr(Base(guard, address, "t"), ask)("SELECT * FROM sqlite_schema")
        assert failed.value.code == code, (address, failed.value)


async def test_a_file_that_was_replaced_is_opened_anew(lite: Base, tmp_path: Path) -> None:
    await lite.execute(ORDERS.format("orders", "REAL"))
    await lite.execute("INSERT INTO orders (id, total) VALUES ('old', 1)")
    assert (await lite.query("SELECT id FROM orders"))["rows"] == [{"id": "old"}]
    for name in ("shop.db", "shop.db-wal", "shop.db-shm"):
        (tmp_path / name).unlink()
    await lite.execute(ORDERS.format("orders", "REAL"))
    assert (await lite.query("SELECT id FROM orders"))["rows"] == []


async def test_another_program_that_keeps_it_locked(
    lite: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomiton.nodes.guard.sqlite_statement._BUSY", 100)
    await lite.execute(ORDERS.format("orders", "REAL"))
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    program += "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "shop.db"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == b"locked\n"
    insert = "INSERT INTO orders (id, total) VALUES ('a', 1)"
    assert (await lite.query("SELECT id FROM orders"))["rows"] == []
    again = Base(SqlGuard(lite.guard._files), "shop.db", "orders")
    with pytest.raises(NodeError, match="locked") as failed:
        await again.execute(insert)
    assert (failed.value.code, failed.value.retryable) == ("CONNECTION", True)
    await again.guard.aclose()
    other.communicate(b"\n")
    assert (await lite.execute(insert))["changed"] == 1


async def test_a_number_that_is_none_is_refused(base: Base) -> None:
    for number in ("9e999", "-9e999") if base.address == "shop.db" else ("'NaN'::float8",):
        with pytest.raises(NodeError, match="not finite") as failed:
            await base.query(f"SELECT {number} AS n")
        assert failed.value.code == "TYPE_MISMATCH"


async def test_declared_keys_hold(lite: Base) -> None:
    await lite.execute(ORDERS.format("orders", "REAL"))
    await lite.execute(
        "CREATE TABLE lines (of TEXT REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(NodeError) as failed:
        await lite.execute("INSERT INTO lines VALUES ('none')")
    assert failed.value.code == "SQL_CONSTRAINT"
    insert = "INSERT INTO orders (id, total) VALUES ('a', 1)"
    late = lite.execute("INSERT INTO lines VALUES ('none')")
    done = await asyncio.gather(late, lite.execute(insert), return_exceptions=True)
    assert [isinstance(of, NodeError) for of in done] == [True, False]  # only whose fault it is


# -- Postgres ----------------------------------------------------------------------------------


@pytest.fixture
def pg(guard: SqlGuard, postgres: Any) -> Base:
    return Base(guard, postgres.url, "orders")


async def test_values_of_postgres(pg: Base) -> None:
    names = {
        "timestamptz": ("2026-02-28T23:59:00Z", datetime(2026, 2, 28, 23, 59, tzinfo=UTC)),
        "timestamp": ("2026-02-28T23:59:00", "2026-02-28T23:59:00"),
        "date": ("2026-02-28", "2026-02-28"),
        "time": ("23:59", "23:59:00"),
        "numeric": ("12345678901234567890.10", "12345678901234567890.10"),
        "uuid": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        "jsonb": ({"a": [1, None]}, {"a": [1, None]}),
        "json": ("text", "text"),
        "int[]": ([1, 2], [1, 2]),
        "text[]": (["a", "b"], ["a", "b"]),
        "bytea": (b"\xff", b"\xff"),
        "bigint": (2**63 - 1, 2**63 - 1),
        "boolean": (True, True),
        "double precision": (1, 1.0),
        "inet": ("10.0.0.1", "10.0.0.1"),
        "text": ({"a": 1}, '{"a":1}'),
    }
    for type_, (given, wanted) in names.items():
        got = await pg.query(f"SELECT $1::{type_} AS v", [given])
        assert got["rows"] == [{"v": wanted}], type_
        assert (await pg.query(f"SELECT :x::{type_} AS v", {"x": None}))["rows"] == [{"v": None}]
    odd = "SELECT 'a:b' AS a, \"c:d\" AS b, $$:e$$ AS c, E'\\':f' AS d, :x::int AS e -- :no\n"
    odd += 'FROM (SELECT 1 AS "c:d") AS t'
    found = await pg.query(odd, {"x": 1})
    assert found["rows"] == [{"a": "a:b", "b": 1, "c": ":e", "d": "':f", "e": 1}]


async def test_a_server_out_of_reach_is_not_spoken_to(tmp_path: Path, postgres: Any) -> None:
    port = postgres.url.rpartition(":")[2].partition("/")[0]
    bounded = SqlGuard(FilesGuard((tmp_path,), tmp_path), Reach(public_only=True))
    metadata = SqlGuard(FilesGuard((tmp_path,), tmp_path), Reach())
    for guard, url in (
        (bounded, postgres.url),
        (bounded, postgres.url.replace("127.0.0.1", "localhost")),
        (bounded, f"postgresql://ada@[::1]:{port}/x"),
        (bounded, "postgresql:///x"),
        (bounded, "postgresql:///x?host=/tmp"),
        (bounded, f"postgresql://ada@93.184.216.34,127.0.0.1:{port}/x"),
        (metadata, "postgresql://169.254.169.254/x"),
    ):
        with pytest.raises(NotAllowed) as refused:
            await guard.query(url, "SELECT 1", [], max_rows=1)
        assert refused.value.code == "NOT_ALLOWED", url
    # What the address says besides leads nowhere else.
    sneaky = f"postgresql://93.184.216.34:1/x?host=127.0.0.1&port={port}"
    with pytest.raises(NodeError) as away:
        async with asyncio.timeout(3):
            await bounded.query(sneaky, "SELECT 1", [], max_rows=1)
    assert away.value.code == "CONNECTION"
    await bounded.aclose()


async def test_what_cannot_be_reached(guard: SqlGuard, postgres: Any) -> None:
    for address, code in (
        ("postgresql://ada:pass-word@127.0.0.1:1/none", "CONNECTION"),
        (postgres.url.replace("/postgres", "/nothing"), "SQL_ERROR"),
        ("postgresql://127.0.0.1:port/x", "INVALID_INPUT"),
    ):
        with pytest.raises(NodeError) as failed:
            await Base(guard, address, "t").query("SELECT 1")
        assert failed.value.code == code
        assert "pass-word" not in str(failed.value)


async def test_values_that_do_not_fit(pg: Base) -> None:
    for statement, value in (
        ("SELECT $1::int", "x"),
        ("SELECT $1::date", "x"),
        ("SELECT $1::uuid", "x"),
    ):
        with pytest.raises(NodeError) as failed:
            await pg.query(statement, [value])
        assert (failed.value.code, failed.value.retryable) == ("INVALID_INPUT", False)
