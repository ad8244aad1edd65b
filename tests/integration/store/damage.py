"""A store with all kinds of things in it, to be damaged, and what can be read back from it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import apsw

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.cli.runs.opening import lenient
from atomiton.conductor.examining import examine_store
from atomiton.conductor.library import Library
from atomiton.errors import AtomitonError
from atomiton.nodes.guard import Capabilities
from atomiton.store.finding import Finding
from atomiton.store.sqlite import SqliteJournal

WELL = read_document(
    {
        "atomiton": 1,
        "id": "well",
        "inputs": {"text": "string"},
        "nodes": {
            "a": {"uses": "data.value", "with": {"value": "${{ inputs.text }}"}},
            "b": {"uses": "flow.log", "with": {"message": "${{ a }}"}},
        },
        "output": "${{ a }}",
    }
)
ILL = read_document(
    {
        "atomiton": 1,
        "id": "ill",
        "nodes": {"a": {"uses": "flow.fail", "with": {"message": "no " * 2000, "code": "NO"}}},
    }
)
WAITING = read_document(
    {
        "atomiton": 1,
        "id": "waiting",
        "nodes": {
            "a": {"uses": "data.value", "with": {"value": 1}},
            "b": {"wait": {"signal": "go"}, "needs": ["a"]},
        },
    }
)


async def fill(path: Path, runs: int = 6) -> list[str]:
    """Make a store with completed, failed and waiting runs, a large value and a message."""
    ids: list[str] = []
    async with Conductor(str(path)) as conductor:
        for number in range(runs):
            text = "x" * (300_000 if number == 2 else 100 * number)
            ids.append((await conductor.run(WELL, {"text": text}, key=f"k{number}")).run)
        ids.append((await conductor.run(ILL)).run)
        waiting = await conductor.start(WAITING)
        ids.append(waiting.id)
        while (await conductor.show(waiting.id)).status != "waiting":
            await asyncio.sleep(0.01)
        for _ in range(20):  # until all of it is on record
            await asyncio.sleep(0.01)
    journal = SqliteJournal(path)
    await journal.open()
    await journal.post(waiting.id, b"\x01a message that nobody has read yet")
    await journal.close()
    return ids


def copy(path: Path, target: Path) -> Path:
    """Copy a store as it lies on disk."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for suffix in ("", "-wal"):
        if (file := path.with_name(path.name + suffix)).exists():
            shutil.copyfile(file, target / (path.name + suffix))
            (target / (path.name + suffix)).chmod(0o600)
    return target / path.name


def change(path: Path, sql: str, bindings: tuple[object, ...] = ()) -> None:
    """Change the tables behind everybody's back."""
    connection = apsw.Connection(str(path))
    connection.execute(sql, bindings).fetchall()
    connection.close()


async def doctored(path: Path, *, every: bool = True) -> list[Finding]:
    """What the examination finds; a store that does not open is a finding too."""
    library = Library(lenient(), Capabilities())
    try:
        return await examine_store(path, library, every=every)
    except AtomitonError as error:
        return [Finding("UNREADABLE", "damage", error.message)]


_TABLES = {
    "runs": "SELECT run, blueprint, version, blueprint_hash, status, created_at, ended_at, key, "
    "error_code, error_message FROM runs ORDER BY run",
    "records": "SELECT run, seq, data, blob FROM records ORDER BY run, seq",
    "blobs": "SELECT hash, data FROM blobs ORDER BY hash",
    "blueprints": "SELECT hash, document FROM blueprints ORDER BY hash",
    "messages": "SELECT run, data FROM messages ORDER BY id",
}


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that anybody was promised, as it can be read."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        return {name: connection.execute(sql).fetchall() for name, sql in _TABLES.items()}
    finally:
        connection.close()
