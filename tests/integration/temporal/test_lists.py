"""Lists of runs on Temporal: the newest first, whatever order the server has."""

from __future__ import annotations

import asyncio

from tests.integration.temporal.test_driver import document, place


async def test_the_newest_run_is_the_first(temporal_address):
    quick = document({"a": {"uses": "t.add", "with": {"x": 1}}})
    waits = document({"a": {"wait": {"signal": "go"}}})
    async with place(temporal_address) as conductor:
        order = (quick, waits, quick, waits, quick, quick)
        started = [await conductor.start(blueprint) for blueprint in order]
        for number in (5, 4, 2, 0):  # the newest of them end first
            await started[number].result()
        await started[1].signal("go")
        await started[1].result()
        conductor.journal._recent.clear()  # as another process, which knows only what is listed
        wanted = [run.id for run in reversed(started)]

        async def ids(**more):
            return [header.run for header in await conductor.list(**more)]

        async with asyncio.timeout(20):  # the list may be behind by a moment
            while await ids() != wanted:
                await asyncio.sleep(0.1)
        for limit in (1, 2, 3, 6, 7):
            assert await ids(limit=limit) == wanted[:limit]
        assert await ids(limit=2, before=wanted[1]) == wanted[2:4]
        assert await ids(limit=3, status="completed") == [wanted[0], wanted[1], wanted[3]]
        assert await ids(limit=1, status="waiting") == [wanted[2]]
        await started[3].signal("go")
        await started[3].result()
