"""Pages of the facts of a run, also where reading them takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.server.asking import Asked, asked

from atomiton.events import RunEvent

TEXT = """atomiton: 1
id: short
nodes:
  a: {uses: data.value, with: {value: 1}}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as made:
        yield made


async def page(server: Asked, run: str, query: str = "") -> Any:
    got = await server.ask("GET", f"/api/v1/runs/{run}/events?after=0{query}")
    assert got.status == 200, got.body
    return got.data


async def test_of_a_run_that_has_ended_all_facts_come_however_long_they_take(
    server: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = server.around.conductor
    run = await conductor.start(await conductor.read(TEXT))
    await run.result()
    quick = await page(server, run.id)
    assert len(quick["events"]) > 2
    assert quick["ended"] is True
    told = type(conductor).events

    async def slowly(self: Any, run: str, after: int = 0) -> AsyncIterator[RunEvent]:
        async for event in told(self, run, after):
            await asyncio.sleep(0.1)
            yield event

    monkeypatch.setattr(type(conductor), "events", slowly)
    assert await page(server, run.id) == quick
    cut = await page(server, run.id, "&limit=1")
    assert (len(cut["events"]), cut["ended"]) == (1, False)
