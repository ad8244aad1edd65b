"""What holds for runs that are debugged, wherever the conductor is."""

from __future__ import annotations

import asyncio

import pytest
from tests.contract.test_contract import CHAIN, document

from atomiton.conductor.api import ConductorApi
from atomiton.conductor.stops import Standing, StepMode
from atomiton.errors import AtomitonError, InputError
from atomiton.machine.events import Breakpoint


async def stopped(conductor: ConductorApi, run: str) -> Standing:
    """Where a run stands, once it does."""
    async with asyncio.timeout(10):
        while True:
            standing = await conductor.standing(run)
            if standing.paused and standing.status == "paused":
                return standing
            await asyncio.sleep(0.02)


async def test_a_run_stops_at_its_breakpoints(conductor: ConductorApi) -> None:
    stops = [Breakpoint("two", "one == 6 && inputs.x == 5 && parameters.x == one")]
    run = await conductor.start(CHAIN, {"x": 5}, breakpoints=stops)
    standing = await stopped(conductor, run.id)
    assert (standing.stopped, standing.breakpoints) == ("two", tuple(stops))
    assert [(of.node, of.type, of.attempt) for of in standing.next] == [("two", "c.add", 1)]
    assert (await conductor.show(run.id)).nodes["one"].status == "completed"
    await run.resume()
    assert (await run.result()).output == 7
    untouched = await conductor.start(CHAIN, {"x": 1}, breakpoints=stops)
    assert (await untouched.result()).output == 3


async def test_breakpoints_are_set_while_a_run_waits_and_refused_if_wrong(
    conductor: ConductorApi,
) -> None:
    nodes = {
        "w": {"wait": {"signal": "go"}},
        "n": {"uses": "c.add", "with": {"x": 1}, "needs": ["w"]},
    }
    run = await conductor.start(document(nodes))
    with pytest.raises(InputError) as wrong:
        await conductor.set_breakpoints(run.id, [Breakpoint("m"), Breakpoint("n", "1 +")])
    assert [of.path for of in wrong.value.problems] == ["breakpoints.0", "breakpoints.1.condition"]
    await conductor.set_breakpoints(run.id, [Breakpoint("n")])
    await run.signal("go")
    assert (await stopped(conductor, run.id)).stopped == "n"
    await conductor.set_breakpoints(run.id, [])
    await run.resume()
    assert (await run.result()).ok


async def test_steps_go_over_and_out_of_groups(conductor: ConductorApi) -> None:
    after = {"uses": "c.add", "with": {"x": "${{ a }}"}}
    body = {"a": {"uses": "c.add", "with": {"x": 1}}, "b": after}
    nodes = {"g": {"nodes": body}, "z": {"uses": "c.add", "with": {"x": 1}, "needs": ["g"]}}
    run = await conductor.start(document(nodes), paused=True, breakpoints=[])
    steps: list[tuple[StepMode | None, str]] = [
        (None, "g"), ("into", "g.a"), ("over", "g.b"), ("out", "z"),
    ]  # fmt: skip
    for step, then in steps:
        if step is not None:
            await conductor.step(run.id, mode=step)
        async with asyncio.timeout(10):
            while [of.node for of in (await conductor.standing(run.id)).next] != [then]:
                await asyncio.sleep(0.02)
    await run.step("out")
    assert (await run.result()).ok
    with pytest.raises(AtomitonError) as ended:
        await run.step()
    assert ended.value.code == "NOT_ALLOWED"


async def test_inputs_of_a_node_are_shown_and_changed(conductor: ConductorApi) -> None:
    run = await conductor.start(CHAIN, {"x": 1}, breakpoints=[Breakpoint("two")])
    await stopped(conductor, run.id)
    shown = await conductor.node_inputs(run.id, "two")
    assert (shown.parameters, shown.open, shown.changed) == ({"x": 2}, True, False)
    with pytest.raises(InputError):
        await conductor.change_inputs(run.id, "two", {"x": "text"})
    await conductor.change_inputs(run.id, "two", {"x": 41, "y": 1})
    async with asyncio.timeout(10):
        while not (await conductor.node_inputs(run.id, "two")).changed:
            await asyncio.sleep(0.02)
    await run.resume()
    assert (await run.result()).output == 42


async def test_expressions_are_watched_now_and_then(conductor: ConductorApi) -> None:
    run = await conductor.start(CHAIN, {"x": 1})
    await run.result()
    (one, two, none) = await conductor.watch(run.id, ["one * 10", "[one, two]", "three"])
    assert (one.value, two.value, none.value) == (20, [2, 3], None)
    assert "three" in none.error
    (before,) = await conductor.watch(run.id, ["one"], at=1)
    assert (before.value, before.error) == (None, "")
