"""Runs that are debugged: conditions, inputs that are changed, what is watched, recovery."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.integration.conductor.hook_nodes import DID, NODES, add, document

from atomiton import Conductor, Run
from atomiton.conductor.debugging import restored
from atomiton.conductor.stops import Standing
from atomiton.errors import AtomitonError, InputError, NotFound
from atomiton.machine.events import Breakpoint, BreakpointChecked, InputChanged
from atomiton.machine.records import decode

SECRET = "s3cr3t-value"


@pytest.fixture(params=["memory:", "file"])
async def conductor(request: pytest.FixtureRequest, tmp_path: Path):
    DID.clear()
    store = "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")
    secrets = {"TOKEN": SECRET}
    async with Conductor(store, nodes=NODES, grace=0.1, secrets=secrets) as conductor:
        yield conductor


async def stopped(conductor: Conductor, run: Run) -> Standing:
    """Where a run stands, once it does."""
    async with asyncio.timeout(10):
        while True:
            standing = await conductor.standing(run.id)
            if standing.paused and standing.status != "running":
                return standing
            await asyncio.sleep(0.01)


EACH = document(
    {
        "first": {"uses": "h.add", "with": {"x": 1}},
        "each": {
            "map": "${{ [10, 20, 30, 40] }}",
            "as": "row",
            "uses": "h.add",
            "with": {"x": "${{ row }}", "y": "${{ first }}"},
        },
    },
    inputs={"limit": {"type": "integer", "default": 25}},
)


async def test_a_condition_sees_the_item_the_inputs_and_what_others_gave(
    conductor: Conductor,
) -> None:
    condition = (
        "row > inputs.limit && item == row && index >= 2 && first == 2"
        " && parameters.y == 2 && nodes.first.status == 'completed'"
    )
    run = await conductor.start(EACH, breakpoints=[Breakpoint("each", condition)])
    standing = await stopped(conductor, run)
    assert standing.stopped == "each[2]"
    assert [of.node for of in standing.next] == ["each[2]", "each[3]"]
    assert standing.breakpoints == (Breakpoint("each", condition),)
    await run.resume()
    assert (await stopped(conductor, run)).stopped == "each[3]"
    await run.resume()
    result = await run.result()
    assert result.output == {"each": [12, 22, 32, 42]}
    told = [event.fact async for event in run.events() if event.kind == "breakpoint_checked"]
    assert [fact.stops for fact in told if isinstance(fact, BreakpointChecked)] == [
        False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "error"),
    [("first.nothing", "no field"), ("first", "neither true nor false"), ("1/0 == 1", "zero")],
)
async def test_a_condition_that_cannot_be_worked_out_stops_and_says_why(
    conductor: Conductor, condition: str, error: str
) -> None:
    run = await conductor.start(EACH, breakpoints=[Breakpoint("each[0]", condition)])
    assert (await stopped(conductor, run)).stopped == "each[0]"
    events = [fact async for fact in _facts(conductor, run)]
    (checked,) = [fact for fact in events if isinstance(fact, BreakpointChecked)]
    assert error in checked.error
    await run.cancel()


async def _facts(conductor: Conductor, run: Run):
    shown = (await conductor.standing(run.id)).events
    async for event in conductor.events(run.id):
        yield event.fact
        if event.number >= shown:
            return


async def test_what_cannot_be_a_breakpoint_is_refused_with_its_place(conductor: Conductor) -> None:
    stops = [
        Breakpoint("frist"),
        Breakpoint("first", "1 +"),
        Breakpoint("first", "secrets.TOKEN == 'x'"),
        Breakpoint("first", "x" * 3000),
    ]
    with pytest.raises(InputError) as wrong:
        await conductor.start(EACH, breakpoints=stops)
    problems = wrong.value.problems
    assert [of.path for of in problems] == [
        "breakpoints.0",
        "breakpoints.1.condition",
        "breakpoints.2.condition",
        "breakpoints.3.condition",
    ]
    assert "first" in (problems[0].hint or "")
    with pytest.raises(AtomitonError, match="at most 100"):
        await conductor.start(EACH, breakpoints=[Breakpoint("first")] * 101)


async def test_a_condition_is_told_no_secret(conductor: Conductor) -> None:
    node = {"uses": "data.value", "with": {"value": "${{ secrets.TOKEN }}"}}
    condition = f"parameters.value == '{SECRET}' || parameters.value.contains('s3')"
    run = await conductor.start(
        document({"a": node}, secrets=["TOKEN"]), breakpoints=[Breakpoint("a", condition)]
    )
    assert (await run.result()).status == "completed"


async def test_inputs_are_looked_at_and_changed_before_a_node_goes_on(
    conductor: Conductor,
) -> None:
    run = await conductor.start(EACH, breakpoints=[Breakpoint("each", "index == 1")])
    await stopped(conductor, run)
    shown = await conductor.node_inputs(run.id, "each[1]")
    assert (shown.parameters, shown.type, shown.attempt) == ({"x": 20, "y": 2}, "h.add", 1)
    assert (shown.changed, shown.open) == (False, True)
    await conductor.change_inputs(run.id, "each[1]", {"x": 7, "y": 8}, by="me")
    assert (await conductor.node_inputs(run.id, "each[1]")).parameters == {"x": 7, "y": 8}
    assert (await conductor.standing(run.id)).next[0].changed
    await run.resume()
    result = await run.result()
    assert result.output == {"each": [12, 15, 32, 42]}
    assert ("add", 7, 8) in DID
    facts = [event.fact async for event in run.events()]
    (change,) = [fact for fact in facts if isinstance(fact, InputChanged)]
    assert (change.parameters, change.by, change.attempt) == ({"x": 7, "y": 8}, "me", 0)


async def test_a_secret_in_what_is_changed_stays_and_is_never_shown(conductor: Conductor) -> None:
    given = {"url": "https://a.example", "key": ["Bearer ${{ secrets.TOKEN }}", 1]}
    nodes = {
        "a": {"uses": "data.value", "with": {"value": given}},
        "b": {"uses": "h.once", "with": {"x": "${{ size(a.key[0]) }}"}},
    }
    run = await conductor.start(document(nodes, secrets=["TOKEN"]), breakpoints=[Breakpoint("a")])
    await stopped(conductor, run)
    shown = (await conductor.node_inputs(run.id, "a")).parameters
    assert shown == {"value": {"url": "https://a.example", "key": ["Bearer ***", 1]}}
    with pytest.raises(InputError, match="holds a secret"):
        await conductor.change_inputs(run.id, "a", {"value": {"key": ["Basic ***", 1]}})
    changed = {"value": {"url": "https://b.example", "key": ["Bearer ***", 2]}}
    await conductor.change_inputs(run.id, "a", changed)
    assert (await conductor.node_inputs(run.id, "a")).parameters == changed
    await run.resume()
    output = (await run.result()).nodes
    assert output["b"].status == "completed"
    facts = [event.fact async for event in run.events()]
    assert SECRET not in repr(facts)
    assert "TOKEN" in repr([fact for fact in facts if isinstance(fact, InputChanged)])


def test_lists_and_maps_of_another_shape_keep_what_was_not_touched() -> None:
    shown, own = {"a": ["***", "***"], "b": 1}, {"a": [SECRET, SECRET], "b": 1}
    assert restored({"a": ["***"]}, shown, own, "x") == {"a": [SECRET]}
    assert restored({"a": ["***", "***", "new"]}, shown, own, "x") == {"a": [SECRET, SECRET, "new"]}
    assert restored({"a": "other", "c": 2}, shown, own, "x") == {"a": "other", "c": 2}


@pytest.mark.parametrize(
    ("parameters", "error"),
    [({"x": 1, "z": 2}, "no parameter 'z'"), ({"x": "text"}, "x"), ({}, "needs the parameter")],
)
async def test_inputs_that_do_not_fit_are_refused(
    conductor: Conductor, parameters: dict[str, object], error: str
) -> None:
    run = await conductor.start(document({"a": {"uses": "h.pure", "with": {"x": 1}}}), paused=True)
    with pytest.raises(InputError, match=error):
        await conductor.change_inputs(run.id, "a", parameters)
    await run.cancel()


async def test_inputs_can_be_changed_only_before_an_attempt_of_a_paused_run(
    conductor: Conductor,
) -> None:
    nodes = {"a": {"uses": "h.slow"}, "g": {"nodes": {"b": {"uses": "h.add"}}, "needs": ["a"]}}
    run = await conductor.start(document(nodes))
    with pytest.raises(AtomitonError, match="is not paused"):
        await conductor.change_inputs(run.id, "a", {"seconds": 0})
    await run.pause()
    with pytest.raises(AtomitonError, match="has begun"):
        await conductor.change_inputs(run.id, "a", {"seconds": 0})
    with pytest.raises(NotFound, match="calls a node type"):
        await conductor.change_inputs(run.id, "g", {})
    with pytest.raises(NotFound, match="has not come to it"):
        await conductor.change_inputs(run.id, "g.b", {})
    await run.cancel()
    await run.result()


async def test_parameters_that_are_expressions_are_named_and_stay(conductor: Conductor) -> None:
    keep = {"uses": "h.keep", "with": {"items": [1, 2, 3], "where": "item > 1"}}
    run = await conductor.start(document({"a": keep}), breakpoints=[Breakpoint("a")])
    await stopped(conductor, run)
    shown = await conductor.node_inputs(run.id, "a")
    assert (shown.parameters, shown.expressions) == ({"items": [1, 2, 3]}, ("where",))
    with pytest.raises(InputError, match="cannot be changed"):
        await conductor.change_inputs(run.id, "a", {"items": [1], "where": "true"})
    await conductor.change_inputs(run.id, "a", {"items": [5, 1]})
    await run.resume()
    assert (await run.result()).output == {"a": [5]}


GROUP = document(
    {
        "g": {"nodes": {"a": {"uses": "h.add"}, "b": {"uses": "h.add", "with": {"x": "${{ a }}"}}}},
        "z": {"uses": "h.add", "needs": ["g"]},
    }
)


async def comes_to(conductor: Conductor, run: Run, node: str) -> None:
    """Wait until a node is what is next."""
    async with asyncio.timeout(10):
        while [of.node for of in (await conductor.standing(run.id)).next] != [node]:
            await asyncio.sleep(0.01)


async def test_steps_go_into_over_and_out(conductor: Conductor) -> None:
    run = await conductor.start(GROUP, paused=True, breakpoints=[])
    assert [of.node for of in (await stopped(conductor, run)).next] == ["g"]
    await run.step()
    assert [of.node for of in (await stopped(conductor, run)).next] == ["g.a"]
    await run.step("over")
    await comes_to(conductor, run, "g.b")
    await run.step("out")
    await comes_to(conductor, run, "z")
    with pytest.raises(AtomitonError, match="has ended"):
        await run.step("over", "g")
    await run.step("out")
    assert (await run.result()).ok
    with pytest.raises(AtomitonError):
        await run.step()


async def test_only_a_paused_run_takes_steps(conductor: Conductor) -> None:
    run = await conductor.start(document({"a": {"uses": "h.slow"}}))
    with pytest.raises(AtomitonError, match="only a paused run") as wrong:
        await run.step()
    assert wrong.value.code == "NOT_ALLOWED"
    await run.cancel()
    await run.result()


async def test_expressions_are_worked_out_over_a_run_now_and_as_it_was(
    conductor: Conductor,
) -> None:
    run = await conductor.start(EACH)
    await run.result()
    texts = [
        "first + 1",
        "each.map(x, x * 2)",
        "inputs.limit",
        "nodes.first.status",
        "frist",
        "1 +",
    ]
    now = await conductor.watch(run.id, texts)
    assert [of.value for of in now] == [3, [24, 44, 64, 84], 25, "completed", None, None]
    assert "first" in now[4].error
    assert now[5].error
    before = await conductor.watch(run.id, ["first", "nodes.first.status"], at=1)
    assert [of.value for of in before] == [None, "running"]
    item = await conductor.watch(run.id, ["row", "item", "index", "first"], node="each[2]")
    assert [of.value for of in item] == [30, 30, 2, 2]
    assert (await conductor.node_inputs(run.id, "each[3]")).parameters == {"x": 40, "y": 2}
    with pytest.raises(NotFound):
        await conductor.watch(run.id, ["1"], node="each[9]")
    with pytest.raises(AtomitonError, match="at most"):
        await conductor.watch(run.id, ["1"] * 101)


async def test_what_is_watched_is_bounded_and_holds_no_secrets(conductor: Conductor) -> None:
    nodes = {
        "a": {"uses": "data.value", "with": {"value": ["${{ secrets.TOKEN }}", "x" * 200_000]}}
    }
    run = await conductor.start(document(nodes, secrets=["TOKEN"]))
    await run.result()
    loop = "[1,2,3,4,5,6,7,8,9,10]"
    work = f"{loop}.map(a, {loop}.map(b, {loop}.map(c, {loop}.map(d, {loop}.map(e, a)))))"
    found = await conductor.watch(
        run.id, ["secrets.TOKEN", "parameters.value", "a", work], node="a"
    )
    assert [of.error for of in found[:3]] == ["secrets cannot be looked at", "", ""]
    assert SECRET not in repr(found)
    assert found[2].cut
    assert len(repr(found[2].value)) < 70_000
    assert "steps" in found[3].error or "work" in found[3].error


async def test_a_call_is_stepped_into_and_watched(conductor: Conductor) -> None:
    node = "p: {uses: h.pure, with: {x: '${{ inputs.n }}'}}"
    await conductor.save_blueprint(
        f"atomiton: 1\nid: inner\ninputs: {{n: integer}}\nnodes: {{{node}}}\noutput: ${{{{ p }}}}\n"
    )
    call = "c: {call: inner, with: {n: 4}}"
    await conductor.save_blueprint(f"atomiton: 1\nid: outer\nnodes: {{{call}}}\n")
    run = await conductor.start("outer", breakpoints=[Breakpoint("c.p", "inputs.n == 4")])
    assert (await stopped(conductor, run)).stopped == "c.p"
    (found, hidden) = await conductor.watch(run.id, ["inputs.n", "c"], node="c.p")
    assert found.value == 4
    assert "unknown name" in hidden.error
    await run.resume()
    assert (await run.result()).output == {"c": 5}


async def test_turns_of_a_loop_and_nodes_without_numbers(conductor: Conductor) -> None:
    turn = {"loop": {"start": 1, "times": 4}, "uses": "h.pure", "with": {"x": "${{ acc * 2 }}"}}
    stops = [Breakpoint("l", "index == 2 && acc > 1")]
    run = await conductor.start(document({"l": turn}), breakpoints=stops)
    standing = await stopped(conductor, run)
    assert standing.stopped == "l[2]"
    shown = await conductor.node_inputs(run.id, "l")  # the turn that has not ended
    assert (shown.node, shown.parameters) == ("l[2]", {"x": 14})
    (acc, item) = await conductor.watch(run.id, ["acc", "item"], node="l[2]")
    assert acc.value == 7
    assert "unknown name 'item'" in item.error
    await run.step("over")
    async with asyncio.timeout(10):
        while (await conductor.show(run.id)).nodes["l[2]"].status != "completed":
            await asyncio.sleep(0.01)
    await run.resume()
    assert (await run.result()).output == {"l": 31}


async def test_a_step_over_starts_what_becomes_ready_first(conductor: Conductor) -> None:
    nodes = {"w": {"wait": {"signal": "go"}}, "a": {"uses": "h.add", "needs": ["w"]}}
    run = await conductor.start(document(nodes), paused=True)
    await run.step("over")
    await run.signal("go")
    assert (await run.result()).ok


async def test_a_run_that_has_stopped_goes_on_in_another_process_as_it_stood(
    tmp_path: Path,
) -> None:
    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=NODES) as one:
        run = await one.start(EACH, breakpoints=[Breakpoint("each", "index == 1")])
        await stopped(one, run)
        await one.change_inputs(run.id, "each[1]", {"x": 5, "y": 5})
    async with Conductor(store, nodes=NODES) as two:
        standing = await two.standing(run.id)
        assert (standing.stopped, standing.paused) == ("each[1]", True)
        await two.resume(run.id)
        result = await two.result(run.id)
        assert result.output == {"each": [12, 10, 32, 42]}
        again = await two.fork(run.id, "each")
        assert (await again.result()).output == {"each": [12, 22, 32, 42]}


async def test_a_question_that_a_dead_process_left_open_is_asked_again(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    chain = document({"a": {"uses": "h.add"}, "b": {"uses": "h.add", "needs": ["a"]}})
    async with Conductor(store, nodes=NODES) as one:
        run = await one.start(chain, breakpoints=[Breakpoint("b")])
        await stopped(one, run)
        records = await one.journal.read(run.id)
        facts = [decode(record) for record in records]
        assert isinstance(facts[-1], BreakpointChecked)
        async with Conductor("memory:", nodes=NODES) as two:
            program = await one.library.stored(one.journal, await one.header(run.id))
            two.driver.recover(run.id, program, facts[:-1], durable=False)
            assert (await two.standing(run.id)).stopped == "b"


async def test_many_items_with_a_condition_are_not_slow(conductor: Conductor) -> None:
    nodes = {
        "each": {
            "map": "${{ inputs.rows }}",
            "uses": "h.pure",
            "with": {"x": "${{ item }}"},
        }
    }
    many = document(nodes, inputs={"rows": {"type": "array"}}, output="${{ each.size() }}")
    stops = [Breakpoint("each", "parameters.x == 1999")]
    run = await conductor.start(many, {"rows": list(range(2000))}, breakpoints=stops)
    async with asyncio.timeout(30):
        assert (await stopped(conductor, run)).stopped == "each[1999]"
    await run.resume()
    assert (await run.result()).output == 2000


async def test_kinds_of_facts(conductor: Conductor) -> None:
    run = await conductor.start(document({"a": add()}), breakpoints=[Breakpoint("a")])
    await stopped(conductor, run)
    await conductor.set_breakpoints(run.id, [])
    await run.resume()
    await run.result()
    assert [event.kind async for event in run.events()] == [
        "run_requested", "breakpoint_checked", "breakpoints_set", "resumed",
        "attempt_started", "attempt_completed",
    ]  # fmt: skip
