"""Prefect: asynchronous flows of asynchronous tasks; it starts a server of its own on SQLite."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence

from common import Peer, Run, Step, main

os.environ |= {
    "PREFECT_HOME": tempfile.mkdtemp(),
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
from prefect import flow, task


class Prefect(Peer):
    name = "Prefect"
    package = "prefect"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        called = [_called(step, durable=durable) for step in steps]

        @flow(persist_result=durable, log_prints=False)
        async def chain(value: object) -> object:
            for step in called:
                value = await step(value)
            return value

        return chain

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        called = _called(step, durable=durable)

        @flow(persist_result=durable)
        async def fan(value: object) -> object:
            return len(await asyncio.gather(*(called(value) for _ in range(width))))

        return fan


def _called(step: Step, *, durable: bool) -> object:
    @task(persist_result=durable)
    async def work(value: object) -> object:
        return await step(value)

    return work


if __name__ == "__main__":
    main(Prefect)
