"""DBOS on SQLite: asynchronous workflows of asynchronous steps; everything is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from common import Peer, Run, Step, main
from dbos import DBOS


class Dbos(Peer):
    name = "DBOS"
    package = "dbos"

    def database(self) -> str:
        """Where it keeps what it keeps."""
        return f"sqlite:///{self.folder}/dbos.sqlite"

    async def open(self) -> None:
        DBOS(
            config={
                "name": "bench",
                "system_database_url": self.database(),
                "log_level": "ERROR",
                "console_log_level": "ERROR",
            }
        )

    async def ready(self) -> None:
        DBOS.launch()

    async def close(self) -> None:
        DBOS.destroy()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        called = [_called(step, f"n{place}") for place, step in enumerate(steps)]

        async def chain(value: object) -> object:
            for step in called:
                value = await step(value)
            return value

        return DBOS.workflow(name="chain")(chain)

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        called = _called(step, "work")

        async def fan(value: object) -> object:
            return len(await asyncio.gather(*(called(value) for _ in range(width))))

        return DBOS.workflow(name="fan")(fan)


def _called(step: Step, name: str) -> object:
    async def work(value: object) -> object:
        return await step(value)

    return DBOS.step(name=name)(work)


if __name__ == "__main__":
    main(Dbos)
