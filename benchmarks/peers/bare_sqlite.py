"""No engine: every result is a row in SQLite, committed and synced before the next step begins."""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
from collections.abc import Sequence

from common import Peer, Run, Step, main

TABLE = """
CREATE TABLE results (run INTEGER, step INTEGER, value TEXT, PRIMARY KEY (run, step)) WITHOUT ROWID
"""


class Sqlite(Peer):
    name = "bare SQLite"

    async def open(self) -> None:
        self.database = sqlite3.connect(self.folder / "bare.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute(TABLE)
        self.runs = itertools.count()

    async def close(self) -> None:
        self.database.close()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if not durable:
            raise NotImplementedError("is for what is kept")

        async def run(value: object) -> object:
            number = next(self.runs)
            for place, step in enumerate(steps):
                value = await step(value)
                row = (number, place, json.dumps(value))
                self.database.execute("INSERT INTO results VALUES (?, ?, ?)", row)
            return value

        return run

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if not durable:
            raise NotImplementedError("is for what is kept")

        async def run(value: object) -> object:
            number = next(self.runs)
            given = await asyncio.gather(*(step(value) for _ in range(width)))
            rows = [(number, place, json.dumps(one)) for place, one in enumerate(given)]
            self.database.execute("BEGIN")
            self.database.executemany("INSERT INTO results VALUES (?, ?, ?)", rows)
            self.database.execute("COMMIT")
            row = (number, width, json.dumps(len(given)))
            self.database.execute("INSERT INTO results VALUES (?, ?, ?)", row)
            return len(given)

        return run


if __name__ == "__main__":
    main(Sqlite)
