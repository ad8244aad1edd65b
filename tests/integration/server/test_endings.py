"""Runs that are started by how other runs have ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.integration.server.asking import asked

from atomiton import Conductor
from atomiton.errors import AtomitonError
from atomiton.server.endings import Endings

FAILS = """
atomiton: 1
id: {id}
inputs: {{event: {{default: null}}}}
triggers: [{triggers}]
nodes:
  a: {{uses: flow.fail, with: {{message: "no luck", code: BAD}}}}
"""
TELLS = """
atomiton: 1
id: {id}
inputs: {{event: object}}
triggers: [{triggers}]
nodes:
  a: {{uses: data.value, with: {{value: "${{{{ inputs.event }}}}"}}}}
output: ${{{{ a }}}}
"""
WAITS = """
atomiton: 1
id: waits
nodes: {w: {wait: {signal: go}}}
"""


def on(kind: str, **more: str) -> str:
    settings = {"type": f"run.{kind}", **more}
    return f"{{event: {{{', '.join(f'{key}: {of}' for key, of in settings.items())}}}}}"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return "memory:" if request.param == "memory" else str(tmp_path / "runs.db")


@asynccontextmanager
async def watched(store: str) -> AsyncIterator[tuple[Conductor, Endings]]:
    async with Conductor(store) as conductor:
        endings = Endings(conductor)
        task = asyncio.create_task(endings.run())
        try:
            yield conductor, endings
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def known(endings: Endings, number: int) -> None:
    """Until the triggers that were saved just now are known."""
    async with asyncio.timeout(40):
        while len(endings._triggers) != number:
            await asyncio.sleep(0.05)


async def count(conductor: Conductor, *, still: float = 0.5) -> Counter[str]:
    """How many runs of each blueprint there are, once nothing begins any more."""
    before: Counter[str] = Counter()
    while True:
        for header in await conductor.list(limit=1000):
            if header.blueprint != "waits":
                await conductor.result(header.run)
        await asyncio.sleep(still)
        now = Counter(header.blueprint for header in await conductor.list(limit=1000))
        if now == before:
            return now
        before = now


async def test_a_failure_starts_the_alarm_once(store: str) -> None:
    async with watched(store) as (conductor, endings):
        await conductor.save_blueprint(FAILS.format(id="breaks", triggers=""))
        await conductor.save_blueprint(TELLS.format(id="alarm", triggers=on("failed")))
        await known(endings, 1)
        failed = await conductor.run("breaks")
        await conductor.run("alarm", {"event": {}})  # it completes: nothing comes of it
        assert await count(conductor) == {"breaks": 1, "alarm": 2}
        await endings.look()
        assert await count(conductor) == {"breaks": 1, "alarm": 2}
        # Whichever of the two alarms began first: the one that was told of the failure.
        alarms = [await conductor.result(of.run) for of in await conductor.list(blueprint="alarm")]
        (told,) = [alarm for alarm in alarms if "data" in alarm.output]
        event = told.output
        assert event["data"].pop("ended_at") >= event["data"].pop("started_at")
        assert event == {
            "type": "run.failed",
            "key": failed.run,
            "data": {
                "run": failed.run,
                "blueprint": "breaks",
                "status": "failed",
                "error": {"code": "BAD", "message": "no luck"},
            },
        }
        (trigger,) = await conductor.triggers()
        assert (trigger.fired.run, trigger.fired.count) == (told.run, 1)


async def test_only_the_ends_that_are_meant(store: str) -> None:
    async with watched(store) as (conductor, endings):
        await conductor.save_blueprint(FAILS.format(id="breaks", triggers=""))
        await conductor.save_blueprint(FAILS.format(id="other", triggers=""))
        await conductor.save_blueprint(WAITS)
        for id_, trigger in (
            ("on-breaks", on("failed", blueprint="breaks")),
            ("on-cancel", on("cancelled")),
            ("on-done", on("completed", blueprint="on-cancel")),
        ):
            await conductor.save_blueprint(TELLS.format(id=id_, triggers=trigger))
        await known(endings, 3)
        await conductor.run("breaks")
        await conductor.run("other")
        await (await conductor.start("waits")).cancel()
        counted = await count(conductor)
        assert [counted[of] for of in ("on-breaks", "on-cancel", "on-done")] == [1, 1, 1]
        await conductor.pause_trigger("on-breaks.event")
        await known(endings, 2)
        await conductor.run("breaks")
        assert (await count(conductor))["on-breaks"] == 1


async def test_no_chain_goes_around(store: str) -> None:
    """An alarm that fails, two that alarm each other, one that follows on everything."""
    async with watched(store) as (conductor, endings):
        for id_ in ("first", "second"):
            await conductor.save_blueprint(FAILS.format(id=id_, triggers=on("failed")))
        follows = TELLS.format(id="follows", triggers=on("completed"))
        await conductor.save_blueprint(follows)
        await known(endings, 3)
        await conductor.run("first")
        # It starts the second, whose failure starts nothing that was in the chain before.
        assert await count(conductor) == {"first": 1, "second": 1}
        await conductor.run("follows", {"event": {}})
        assert await count(conductor) == {"first": 1, "second": 1, "follows": 1}


async def test_what_ended_without_a_server_is_told_later_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = str(tmp_path / "runs.db")
    monkeypatch.setattr("atomiton.server.endings.LOOK", 0.1)
    async with watched(store) as (conductor, endings):
        await conductor.save_blueprint(FAILS.format(id="breaks", triggers=""))
        await conductor.run("breaks")  # before there was a trigger: it does not count
        await conductor.save_blueprint(TELLS.format(id="alarm", triggers=on("failed")))
        await known(endings, 1)
        await conductor.run("breaks")
        assert await count(conductor) == {"breaks": 2, "alarm": 1}
    async with Conductor(store) as conductor:
        await conductor.run("breaks")
    for _ in range(2):
        async with watched(store) as (conductor, endings), watched(store) as (_, second):
            await known(endings, 1)
            await known(second, 1)
            assert await count(conductor, still=1.0) == {"breaks": 3, "alarm": 2}


async def test_nobody_else_tells_of_ends(tmp_path: Path) -> None:
    async with asked(tmp_path) as server:
        sent = {"type": "run.failed", "key": "k", "data": {}}
        got = await server.ask("POST", "/api/v1/events", sent)
        assert (got.status, got.data["code"]) == (422, "INVALID_INPUT")
        with pytest.raises(AtomitonError, match="told by the end of a run"):
            await server.around.conductor.publish("run.completed", key="k")
