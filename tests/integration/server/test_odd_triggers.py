"""What is wrong with one trigger is its own problem, and told; what is on record stays with it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.integration.server.test_triggers import Clock, blueprint, fired, firing

from atomiton import Conductor
from atomiton.errors import AtomitonError


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "runs.db")


async def test_one_that_cannot_be_looked_at_keeps_no_other_from_firing(tmp_path: Path) -> None:
    clock = Clock()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    Path(os.fsdecode(bytes(inbox) + b"/x\xff.csv")).write_text("x")
    async with firing(str(tmp_path / "r.db"), clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(blueprint("watch: {path: loop}", "around"))
        await conductor.save_blueprint(blueprint('watch: {path: "in\\0box"}', "nul"))
        await conductor.save_blueprint(blueprint("watch: {path: inbox}", "odd", "path: string"))
        await conductor.save_blueprint(blueprint('schedule: {cron: "* * * * *"}', "zz"))
        await loop.look()
        clock.now += 60
        await loop.look()
        await loop.look()
        started = {of.blueprint for of in await conductor.list()}
        assert "zz" in started
        problems = {of.blueprint: of.fired.problem or "" for of in await conductor.triggers()}
        assert problems["around"]
        assert problems["nul"]


async def test_one_file_that_cannot_start_a_run_holds_up_no_other(tmp_path: Path) -> None:
    clock = Clock()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    text = blueprint(
        "watch: {path: inbox}", inputs='path: {type: string, pattern: "inbox/[h-z].*"}'
    )
    (inbox / "a-bad.csv").write_text("x")
    (inbox / "h-good.csv").write_text("x")
    async with firing(str(tmp_path / "r.db"), clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(text)
        for _ in range(3):
            await loop.look()
        assert len(await fired(conductor)) == 1
        (inbox / "b-bad.csv").write_text("x")
        for _ in range(3):
            await loop.look()
        (found,) = await conductor.triggers()
        assert "b-bad.csv" in (found.fired.problem or "")
        (inbox / "k-good.csv").write_text("x")
        for _ in range(3):
            await loop.look()
        assert len(await fired(conductor)) == 2


async def test_a_folder_that_comes_later_has_no_problem_any_more(tmp_path: Path) -> None:
    async with firing(str(tmp_path / "r.db"), Clock(), tmp_path) as (conductor, loop):
        await conductor.save_blueprint(blueprint("watch: {path: later}"))
        await loop.look()
        (found,) = await conductor.triggers()
        assert "later" in (found.fired.problem or "")
        (tmp_path / "later").mkdir()
        await loop.look()
        (found,) = await conductor.triggers()
        assert found.fired.problem is None


async def test_an_event_starts_the_others_when_one_cannot_be_started(store: str) -> None:
    async with Conductor(store, resume=False) as conductor:
        await conductor.save_blueprint(blueprint("event: {type: order.new}", "aa", "n: string"))
        await conductor.save_blueprint(blueprint("event: {type: order.new}", "bb"))
        (run,) = await conductor.publish("order.new", {}, key="o-1")
        assert (await run.result()).ok
        problems = {of.blueprint: of.fired.problem for of in await conductor.triggers()}
        assert "'n' is missing" in (problems["aa"] or "")
        assert problems["bb"] is None


async def test_triggers_of_a_blueprint_that_is_invalid_are_listed_with_the_reason(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with firing(str(tmp_path / "r.db"), clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(blueprint('schedule: {cron: "61 * * * *"}', "bad"))
        await conductor.save_blueprint(blueprint('schedule: {cron: "* * * * *"}', "good"))
        await loop.look()
        clock.now += 60
        await loop.look()
        bad, good = await conductor.triggers()
        assert (bad.id, bad.kind) == ("bad.schedule", "schedule")
        assert "cron" in (bad.invalid or "")
        assert good.invalid is None
        assert [of.blueprint for of in await conductor.list()] == ["good"]
        with pytest.raises(AtomitonError, match="cron"):
            await conductor.fire_trigger("bad.schedule")
        await conductor.pause_trigger("bad.schedule")
        assert (await conductor.triggers())[0].fired.paused


async def test_moments_that_are_caught_up_run_one_after_another(tmp_path: Path) -> None:
    clock = Clock()
    text = blueprint('schedule: {cron: "* * * * *", catch_up: 3}')
    async with firing(str(tmp_path / "r.db"), clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(text)
        await loop.look()
        clock.now += 600
        await loop.look()
        async with asyncio.timeout(30):
            while len(await conductor.list(status="completed")) < 3:
                await asyncio.sleep(0.05)
        missed = ["2026-06-01T12:07:00Z", "2026-06-01T12:08:00Z", "2026-06-01T12:09:00Z"]
        assert (await fired(conductor))[:3] == missed


async def test_a_pause_stays_with_its_trigger(store: str) -> None:
    def text(*paths: str) -> str:
        hooks = "".join(f"  - webhook: {{path: {path}, secret: none}}\n" for path in paths)
        return f"atomiton: 1\nid: hk\ntriggers:\n{hooks}nodes:\n  a: {{wait: {{for: 0}}}}\n"

    async def paused() -> dict[object, bool]:
        return {of.settings["path"]: of.fired.paused for of in await conductor.triggers()}

    async with Conductor(store, resume=False) as conductor:
        await conductor.save_blueprint(text("one", "two"))
        await conductor.pause_trigger("hk.webhook.2")
        assert await paused() == {"one": False, "two": True}
        await conductor.save_blueprint(text("two"))
        assert await paused() == {"two": True}
        await conductor.save_blueprint(text("two", "three"))
        assert await paused() == {"two": True, "three": False}
        await conductor.save_blueprint(text("changed", "three"))  # what stands there was edited
        assert await paused() == {"changed": True, "three": False}
        await conductor.pause_trigger("hk.webhook", paused=False)
        assert await paused() == {"changed": False, "three": False}


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ("webhook: {path: a/b}", "'path' must be letters"),
        ('webhook: {path: "sp ace"}', "'path' must be letters"),
        ("event: {type: run.failled}", "there is no event 'run.failled'"),
        ("event: {type: order.new, blueprint: x}", "'blueprint' goes with the ends of runs"),
        ("watch: {path: inbox, pattern: a/*}", "'pattern' is for the names of files"),
    ],
)
async def test_settings_that_could_never_hold_are_refused(trigger: str, said: str) -> None:
    async with Conductor("memory:") as conductor:
        (problem,) = await conductor.validate(blueprint(trigger))
    assert said in problem.message
