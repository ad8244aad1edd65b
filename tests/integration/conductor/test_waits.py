"""Signals, approvals, and runs that wait: in memory, on disk, over restarts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from atomiton import AtomitonError, Conductor, InputError, Run
from atomiton.blueprint.document import read_blueprint
from atomiton.conductor import core

PAID = """
atomiton: 1
id: order
nodes:
  paid: {wait: {signal: paid, match: payload.amount >= 10, timeout: 1h}}
  note: {uses: data.value, with: {value: "${{ paid.amount }}"}}
output: ${{ note }}
"""
ASK = """
atomiton: 1
id: ask
nodes:
  ask:
    wait:
      approval:
        title: May it go out?
        fields: {limit: {type: integer, minimum: 1}, why: {type: string, default: none}}
output: ${{ ask }}
"""


@pytest.fixture(params=["memory:", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")


async def waiting(conductor: Conductor, run: Run) -> None:
    while (await conductor.show(run.id)).status != "waiting":
        await asyncio.sleep(0.01)


async def test_a_signal_goes_on_with_the_wait_whose_match_holds(store: str) -> None:
    async with Conductor(store=store) as conductor:
        run = await conductor.start(read_blueprint(PAID)[0])
        await waiting(conductor, run)
        (wait,) = await conductor.waits(run.id)
        assert (wait.node, wait.kind, wait.signal) == ("paid", "signal", "paid")
        assert wait.until is not None
        await run.signal("paid", {"amount": 5})
        await run.signal("paid", "no such field")
        await waiting(conductor, run)
        await run.signal("paid", {"amount": 12})
        assert (await run.result()).output == 12


async def test_a_signal_that_comes_early_is_kept(store: str) -> None:
    early = PAID.replace("paid: {wait", "first: {wait: {for: 50ms}}\n  paid: {needs: first, wait")
    async with Conductor(store=store) as conductor:
        run = await conductor.start(read_blueprint(early)[0])
        await run.signal("paid", {"amount": 30})
        assert (await run.result()).output == 30


async def test_an_approval_is_answered_with_its_fields(store: str) -> None:
    async with Conductor(store=store) as conductor:
        run = await conductor.start(read_blueprint(ASK)[0])
        await waiting(conductor, run)
        (wait,) = await conductor.waits(run.id)
        assert (wait.kind, wait.title) == ("approval", "May it go out?")
        with pytest.raises(InputError) as refused:
            await run.approve(by="ada", fields={"limit": 0, "wy": 1})
        assert [problem.path for problem in refused.value.problems] == ["fields.wy", "fields.limit"]
        await run.approve(by="ada", comment="fine", fields={"limit": 3})
        output = (await run.result()).output
        given = cast("dict[str, object]", output)
        assert str(given.pop("at")).startswith("20")
        assert given == {
            "approved": True,
            "by": "ada",
            "comment": "fine",
            "fields": {"limit": 3, "why": "none"},
        }


async def test_a_denial_is_an_output(store: str) -> None:
    async with Conductor(store=store) as conductor:
        run = await conductor.start(read_blueprint(ASK)[0])
        await waiting(conductor, run)
        with pytest.raises(AtomitonError, match="does not wait for an approval at 'nope'"):
            await run.approve("nope")
        await run.approve("ask", approved=False, by="bob")
        result = await run.result()
        assert result.status == "completed"
        assert cast("dict[str, object]", result.output)["approved"] is False


async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    async with Conductor(store=path) as conductor:
        run = await conductor.start(read_blueprint(PAID)[0])
        await waiting(conductor, run)
    async with Conductor(store=path) as conductor:
        await conductor.signal(run.id, "paid", {"amount": 40})
        assert (await conductor.result(run.id)).output == 40


async def test_what_only_waits_leaves_memory_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "REST", 0.05)
    async with Conductor(store=str(tmp_path / "runs.db")) as conductor:
        run = await conductor.start(read_blueprint(PAID)[0])
        while conductor.driver.runs:
            await asyncio.sleep(0.01)
        assert (await conductor.show(run.id)).status == "waiting"
        await run.signal("paid", {"amount": 1})
        while conductor.driver.runs:  # and leaves again
            await asyncio.sleep(0.01)
        await run.signal("paid", {"amount": 50})
        assert (await run.result()).output == 50


async def test_a_parked_run_wakes_at_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "REST", 0.05)
    monkeypatch.setattr(core, "SOON", 0.1)
    text = "atomiton: 1\nid: nap\nnodes:\n  a: {wait: {for: 600ms}}\noutput: done\n"
    path = str(tmp_path / "runs.db")
    async with Conductor(store=path) as conductor:
        run = await conductor.start(read_blueprint(text)[0])
        while conductor.driver.runs:
            await asyncio.sleep(0.01)
        assert await conductor.journal.abandoned() == []
        assert (await run.result()).output == "done"


async def test_a_run_that_somebody_waits_for_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "REST", 0.02)
    async with Conductor(store=str(tmp_path / "runs.db")) as conductor:
        run = await conductor.start(read_blueprint(PAID)[0])
        result = asyncio.create_task(run.result())
        await asyncio.sleep(0.2)
        assert run.id in conductor.driver.runs
        await run.signal("paid", {"amount": 60})
        assert (await result).output == 60


@pytest.mark.parametrize("moment", ['"2020-01-01T00:00:00Z"', "timestamp('2020-01-01T00:00:00Z')"])
async def test_a_moment_is_written_out_or_an_expression(moment: str) -> None:
    text = f"atomiton: 1\nid: then\nnodes:\n  a: {{wait: {{until: {moment}}}}}\noutput: done\n"
    async with Conductor(store="memory:") as conductor:
        assert (await conductor.run(read_blueprint(text)[0])).output == "done"


async def test_a_fallback_may_be_an_expression() -> None:
    text = """
atomiton: 1
id: fall
nodes:
  c: {uses: data.value, with: {value: 7}}
  x:
    uses: flow.fail
    with: {message: oops}
    on_error: {value: "${{ nodes.x.error.message + string(c) }}"}
"""
    async with Conductor(store="memory:") as conductor:
        assert (await conductor.run(read_blueprint(text)[0])).output == {"x": "oops7"}


async def test_one_who_answers_while_reading_events_misses_none(store: str) -> None:
    text = """
        atomiton: 1
        id: twice
        nodes:
          one: {wait: {signal: paid}}
          two: {wait: {signal: paid}, needs: [one]}
        output: ["${{ one }}", "${{ two }}"]
    """
    async with Conductor(store=store) as conductor:
        run = await conductor.start(read_blueprint(text)[0])
        told: list[tuple[int, str]] = []
        async with asyncio.timeout(10):
            async for event in run.events():
                told.append((event.number, event.kind))
                if len(told) <= 2:
                    await run.signal("paid", len(told))
        kinds = ["run_requested", "signal_received", "signal_received"]
        assert told == list(enumerate(kinds, 1))
        assert (await run.result()).output == [1, 2]
