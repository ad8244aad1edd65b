"""What holds for a conductor wherever it is: in this process, over IPC, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.contract.places import Place

from atomiton.blueprint.document import read_document
from atomiton.blueprint.model import Blueprint
from atomiton.conductor.api import ConductorApi
from atomiton.errors import AtomitonError, BlueprintError, Conflict, InputError, NotFound
from atomiton.machine.events import AttemptCompleted, RunRequested

ADD = """
atomiton: 1
id: add
inputs: {x: {type: integer, default: 1}}
nodes:
  one: {uses: c.add, with: {x: "${{ inputs.x }}"}}
  two: {uses: c.add, with: {x: "${{ one }}"}}
output: ${{ two }}
"""


def document(nodes: dict[str, object], **more: object) -> Blueprint:
    return read_document({"atomiton": 1, "id": "test", "nodes": nodes, **more})


CHAIN = document(
    {
        "one": {"uses": "c.add", "with": {"x": "${{ inputs.x }}"}},
        "two": {"uses": "c.add", "with": {"x": "${{ one }}"}},
    },
    inputs={"x": {"type": "integer", "default": 1}},
    output="${{ two }}",
)
SIGNAL = document({"w": {"wait": {"signal": "go"}}}, output="${{ w }}")
SLOW = document({"a": {"uses": "c.sleep", "with": {"seconds": 60}}})


async def kinds(conductor: ConductorApi, run: str, after: int = 0) -> list[str]:
    return [event.kind async for event in conductor.events(run, after)]


async def test_a_run_gives_its_output_and_how_its_nodes_fared(conductor: ConductorApi) -> None:
    result = await conductor.run(CHAIN, {"x": 5})
    assert (result.status, result.output, result.ok, result.error) == ("completed", 7, True, None)
    assert {path: node.status for path, node in result.nodes.items()} == {
        "one": "completed",
        "two": "completed",
    }
    assert result.nodes["one"].attempts == 1
    assert result.duration_ms >= 0
    shown = await conductor.show(result.run)
    assert (shown.output, shown.blueprint, shown.nodes) == (7, "test", result.nodes)


async def test_values_arrive_as_what_they_were(conductor: ConductorApi) -> None:
    nodes = {"v": {"uses": "c.values"}}
    result = await conductor.run(document(nodes, output="${{ v }}"))
    output = result.output
    assert isinstance(output, dict)
    assert output["bytes"] == b"\x00\xff\xfe"
    assert output["when"] == datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC)
    assert (output["big"], output["low"], output["float"]) == (2**53 + 1, -(2**63), 0.1)
    assert (output["text"], output["none"]) == ("ü\u2028\U0001f600\x00", None)
    assert output["list"] == [1, [True, [b"x"]], {}]
    events = [event async for event in conductor.events(result.run)]
    facts = [event.fact for event in events if isinstance(event.fact, AttemptCompleted)]
    assert facts[-1].output == output


async def test_inputs_and_payloads_arrive_as_what_they_were(conductor: ConductorApi) -> None:
    given = {"b": b"\x00\x01", "t": datetime(2026, 1, 1, tzinfo=UTC), "n": [None, 1.5, "ü"]}
    echo = document(
        {"e": {"uses": "data.value", "with": {"value": "${{ inputs.any }}"}}},
        inputs={"any": {"default": None}},
        output="${{ e }}",
    )
    assert (await conductor.run(echo, {"any": given})).output == given
    run = await conductor.start(SIGNAL)
    await run.signal("go", given)
    assert (await run.result()).output == given


async def test_an_error_arrives_whole(conductor: ConductorApi) -> None:
    result = await conductor.run(document({"f": {"uses": "c.fail"}}))
    assert result.status == "failed"
    error = result.error
    assert error is not None
    assert (error.code, error.message, error.node) == ("CARD_REFUSED", "the card was refused", "f")
    assert (error.attempt, error.retryable) == (1, False)
    assert error.details == {"limit": 100, "at": [1, 2]}


async def test_what_is_refused_is_refused_with_every_problem(conductor: ConductorApi) -> None:
    with pytest.raises(InputError) as wrong:
        await conductor.run(CHAIN, {"x": "text", "y": 1})
    assert len(wrong.value.problems) == 2
    assert {of.path for of in wrong.value.problems} == {"inputs.x", "inputs.y"}
    broken = document({"a": {"uses": "c.ad"}, "b": {"uses": "c.add", "with": {"x": "${{ z }}"}}})
    with pytest.raises(BlueprintError) as bad:
        await conductor.start(broken)
    codes = [of.code for of in bad.value.problems]
    assert codes == ["UNKNOWN_NODE_TYPE", "UNKNOWN_REFERENCE"]
    assert bad.value.problems[0].hint is not None


async def test_what_is_not_there_is_not_found(conductor: ConductorApi) -> None:
    for asked in (
        conductor.show("run_none"),
        conductor.result("run_none"),
        conductor.header("run_none"),
        conductor.cancel("run_none"),
        conductor.signal("run_none", "x"),
        conductor.waits("run_none"),
        conductor.retry("run_none"),
        conductor.fork("run_none", "a"),
        conductor.blueprint("none"),
        conductor.run("none"),
        conductor.show("../../etc"),
        conductor.show("ü"),
    ):
        with pytest.raises(NotFound):
            await asked
    with pytest.raises(NotFound):
        await kinds(conductor, "run_none")


async def test_events_come_in_order_each_once(conductor: ConductorApi) -> None:
    run = await conductor.start(CHAIN)
    live = [event async for event in run.events()]
    assert [event.number for event in live] == list(range(1, len(live) + 1))
    assert [event.kind for event in live] == [
        "run_requested",
        "attempt_started",
        "attempt_completed",
        "attempt_started",
        "attempt_completed",
    ]
    assert [event.node for event in live] == [None, "one", "one", "two", "two"]
    assert isinstance(live[0].fact, RunRequested)
    assert live[0].fact.inputs == {"x": 1}
    again = [event async for event in run.events()]
    assert again == live
    assert [event async for event in run.events(3)] == live[3:]
    assert [event async for event in run.events(99)] == []


async def test_events_of_nested_bodies_name_their_nodes(conductor: ConductorApi) -> None:
    mapped = {
        "m": {
            "map": "${{ [1, 2] }}",
            "nodes": {"n": {"uses": "c.add", "with": {"x": "${{ item }}"}}},
        }
    }
    result = await conductor.run(document(mapped))
    events = [event async for event in conductor.events(result.run)]
    paths = {event.node for event in events if event.kind == "attempt_completed"}
    assert paths == {"m[0].n", "m[1].n"}


async def test_a_cancelled_run_says_why(conductor: ConductorApi) -> None:
    run = await conductor.start(SLOW)
    await conductor.cancel(run.id, "enough")
    result = await run.result()
    assert result.status == "cancelled"
    assert result.error is not None
    assert result.error.message == "enough"
    with pytest.raises(AtomitonError, match="has ended") as ended:
        await conductor.cancel(run.id)
    assert ended.value.code == "NOT_ALLOWED"


async def test_whose_waiting_is_cancelled_cancels_the_run(conductor: ConductorApi) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await conductor.run(SLOW)
    async with asyncio.timeout(10):
        while (header := (await conductor.list(limit=1))[0]).ended_at is None:
            await asyncio.sleep(0.05)
    assert header.status == "cancelled"


async def test_a_signal_is_taken(conductor: ConductorApi) -> None:
    run = await conductor.start(SIGNAL)
    waits = await conductor.waits(run.id)
    assert [(of.node, of.kind, of.signal) for of in waits] == [("w", "signal", "go")]
    await conductor.signal(run.id, "other", 1)
    await conductor.signal(run.id, "go", {"n": 1})
    assert (await run.result()).output == {"n": 1}
    assert await conductor.waits(run.id) == []


async def test_an_approval_is_answered(conductor: ConductorApi) -> None:
    fields = {"amount": {"type": "integer"}, "note": {"type": "string", "default": "-"}}
    ask = {"wait": {"approval": {"title": "Pay?", "fields": fields}}}
    run = await conductor.start(document({"ask": ask}, output="${{ ask }}"))
    asked = [of for of in await conductor.approvals() if of.run == run.id]
    assert [(of.wait.title, of.wait.node, of.blueprint) for of in asked] == [
        ("Pay?", "ask", "test")
    ]
    with pytest.raises(InputError):
        await run.approve(fields={"amount": "much"})
    with pytest.raises(NotFound):
        await run.approve("other")
    await run.approve(by="ada", comment="fine", fields={"amount": 5})
    output = (await run.result()).output
    assert isinstance(output, dict)
    assert (output["approved"], output["by"], output["comment"]) == (True, "ada", "fine")
    assert output["fields"] == {"amount": 5, "note": "-"}


async def test_an_expression_is_previewed(conductor: ConductorApi) -> None:
    result = await conductor.run(CHAIN, {"x": 5})
    told = await conductor.preview(result.run, "${{ two - one }} of ${{ inputs.x }}", node="two")
    assert (told.ok, told.text, told.kind) == (True, '"1 of 5"', "a string")
    wrong = await conductor.preview(result.run, "three", bare=True)
    assert (wrong.ok, wrong.offset) == (False, 0)
    with pytest.raises(NotFound):
        await conductor.preview("run_none", "1", bare=True)


async def test_a_paused_run_takes_steps(conductor: ConductorApi) -> None:
    run = await conductor.start(CHAIN, paused=True)
    assert (await conductor.show(run.id)).status == "paused"
    await run.step()
    async with asyncio.timeout(10):
        while (shown := await conductor.show(run.id)).nodes["one"].status != "completed":
            await asyncio.sleep(0.02)
    assert shown.nodes["two"].status == "pending"
    await run.resume()
    assert (await run.result()).output == 3


async def test_a_pause_holds_what_is_next(conductor: ConductorApi) -> None:
    nodes = {
        "w": {"wait": {"signal": "go"}},
        "n": {"uses": "c.add", "with": {"x": 1}, "needs": ["w"]},
    }
    run = await conductor.start(document(nodes))
    await run.pause()
    await run.signal("go")
    async with asyncio.timeout(10):
        while (shown := await conductor.show(run.id)).status != "paused":
            await asyncio.sleep(0.02)
    assert shown.nodes["n"].status == "pending"
    await run.resume()
    assert (await run.result()).status == "completed"


async def test_two_clients_see_and_steer_the_same_run(where: Place) -> None:
    async with where.again() as one, where.again() as two:
        run = await one.start(SIGNAL)
        watching = asyncio.create_task(kinds(one, run.id))
        other = asyncio.create_task(kinds(two, run.id))
        await two.signal(run.id, "go", "from two")
        assert (await one.result(run.id)).output == "from two"
        assert await watching == await other
        assert [of.run for of in await two.list()] == [of.run for of in await one.list()]


async def test_answers_come_to_whom_they_are_for(conductor: ConductorApi) -> None:
    """Many at once, and the first ones end last."""

    async def one(number: int) -> object:
        nap = {"uses": "c.sleep", "with": {"seconds": (19 - number) * 0.02}}
        add = {"uses": "c.add", "with": {"x": number}, "needs": ["nap"]}
        run = await conductor.start(document({"nap": nap, "add": add}, output="${{ add }}"))
        return (await run.result()).output

    assert await asyncio.gather(*map(one, range(20))) == list(range(1, 21))


async def test_a_key_makes_one_run(conductor: ConductorApi) -> None:
    first = await conductor.start(CHAIN, {"x": 1}, key="order-17")
    again = await conductor.start(CHAIN, {"x": 1}, key="order-17")
    assert first.id == again.id
    assert (await conductor.run(CHAIN, {"x": 1}, key="order-17")).run == first.id
    other = await conductor.start(CHAIN, {"x": 1}, key="order-18")
    assert other.id != first.id
    at_once = [conductor.start(CHAIN, {"x": 2}, key="order-19") for _ in range(10)]
    assert len({run.id for run in await asyncio.gather(*at_once)}) == 1


async def test_a_wish_under_a_key_counts_once(conductor: ConductorApi) -> None:
    nodes = {"one": {"wait": {"signal": "go"}}, "two": {"wait": {"signal": "go"}, "needs": ["one"]}}
    run = await conductor.start(document(nodes))
    for _ in range(3):
        await conductor.signal(run.id, "go", 1, key="k1")
    assert (await conductor.show(run.id)).nodes["two"].status == "waiting"
    await conductor.signal(run.id, "go", 2, key="k2")
    assert (await run.result()).answers == {"one": 1, "two": 2}


async def test_runs_are_listed_in_pages(conductor: ConductorApi) -> None:
    runs = [await conductor.run(CHAIN) for _ in range(5)]
    waiting = await conductor.start(SIGNAL)
    newest = [waiting.id, *(run.run for run in reversed(runs))]
    assert [of.run for of in await conductor.list()] == newest
    assert [of.run for of in await conductor.list(limit=2)] == newest[:2]
    assert [of.run for of in await conductor.list(before=newest[1], limit=2)] == newest[2:4]
    assert [of.run for of in await conductor.list(status="waiting")] == [waiting.id]
    assert await conductor.list(blueprint="other") == []
    header = await conductor.header(runs[0].run)
    assert (header.blueprint, header.status, header.events) == ("test", "completed", 5)
    assert header == (await conductor.list(before=newest[-2]))[0]
    await waiting.cancel()


async def test_runs_are_found_by_a_part_of_their_id(where: Place, conductor: ConductorApi) -> None:
    run = (await conductor.run(CHAIN)).run
    for part in (run, run[:20], run.removeprefix("run_"), run[-8:]):
        assert await conductor.matching(part) == [run]
    assert await conductor.matching("xyz") == []
    other = (await conductor.run(CHAIN)).run
    both = [run, other]
    if where.store == "temporal":  # a client names its calls, and ids are made of such names there
        both.sort()
    assert await conductor.matching("run_") == both


async def test_the_blueprint_of_a_run_is_told(conductor: ConductorApi) -> None:
    run = (await conductor.run(CHAIN)).run
    assert read_document(await conductor.document(run)).nodes == CHAIN.nodes
    with pytest.raises(NotFound):
        await conductor.document("run_none")


async def test_a_run_is_forked_and_tried_again(conductor: ConductorApi, tmp_path: Path) -> None:
    log = tmp_path / "acts.txt"
    nodes = {
        "first": {"uses": "c.act", "with": {"log": str(log)}},
        "add": {"uses": "c.add", "with": {"x": "${{ inputs.x }}"}, "needs": ["first"]},
    }
    both = document(nodes, inputs={"x": {"type": "integer", "default": 1}}, output="${{ add }}")
    first = await conductor.run(both)
    fork = await conductor.fork(first.run, "add", {"x": 10})
    result = await fork.result()
    assert (result.output, result.forked_from) == (11, first.run)
    assert len(log.read_text().splitlines()) == 1
    failing = document({**nodes, "f": {"uses": "c.fail", "needs": ["first"]}}, inputs=both.inputs)
    failed = await conductor.run(failing)
    again = await (await conductor.retry(failed.run)).result()
    assert (again.status, again.forked_from) == ("failed", failed.run)
    assert len(log.read_text().splitlines()) == 2
    with pytest.raises(AtomitonError) as done:
        await conductor.retry(first.run)
    assert done.value.code == "NOT_ALLOWED"


async def test_a_delayed_run_waits_in_the_queue(where: Place, conductor: ConductorApi) -> None:
    if where.store == "memory":
        with pytest.raises(AtomitonError, match="cannot be delayed"):
            await conductor.start(CHAIN, delay=60)
        return
    if "temporal" in (where.way.lower(), where.store):
        with pytest.raises(AtomitonError, match="no queue"):
            await conductor.start(CHAIN, delay=60)
        return
    run = await conductor.start(CHAIN, delay=60, priority=3, lane="ada")
    shown = await conductor.show(run.id)
    assert (shown.status, shown.reason) == ("queued", "waits in the queue for its time")
    assert (await conductor.queue_sizes()).delayed == 1
    await run.resume()
    assert (await run.result()).output == 3
    failing = document({"f": {"uses": "c.fail"}})
    failed = await conductor.run(failing, delay=0.1)
    assert [of.run for of in await conductor.dead_letters()] == [failed.run]
    again = await conductor.replay(failed.run)
    assert (await again.result()).forked_from == failed.run
    assert await conductor.dead_letters() == []


async def test_blueprints_are_kept(conductor: ConductorApi) -> None:
    assert await conductor.validate(ADD) == [] or await conductor.validate(ADD) == ()
    problems = await conductor.validate(ADD.replace("c.add", "c.ad"))
    assert [(of.code, of.line) for of in problems] == [
        ("UNKNOWN_NODE_TYPE", 6),
        ("UNKNOWN_NODE_TYPE", 7),
    ]
    saved = await conductor.save_blueprint(ADD, expected="")
    assert (saved.id, saved.revision) == ("add", 1)
    assert (await conductor.run("add", {"x": 1})).output == 3
    with pytest.raises(Conflict):
        await conductor.save_blueprint(ADD, expected="")
    newer = await conductor.save_blueprint(ADD + "# more\n", expected=saved.etag)
    with pytest.raises(Conflict):
        await conductor.save_blueprint(ADD, expected=saved.etag)
    assert (await conductor.blueprint("add")).text == ADD + "# more\n"
    assert (await conductor.blueprint("add", 1)).text == ADD
    assert [of.revision for of in await conductor.blueprint_history("add")] == [2, 1]
    assert [of.id for of in (await conductor.blueprints(search="ad")).items] == ["add"]
    await conductor.delete_blueprint("add", expected=newer.etag)
    assert (await conductor.blueprints()).items == ()
    assert [of.id for of in (await conductor.blueprints(deleted=True)).items] == ["add"]
    assert (await conductor.undelete_blueprint("add")).deleted_at is None
    restored = await conductor.restore_blueprint("add", 1, expected=newer.etag)
    assert (restored.revision, restored.etag) == (3, saved.etag)
    with pytest.raises(Conflict):
        await conductor.restore_blueprint("add", 2, expected=newer.etag)
    with pytest.raises(NotFound):
        await conductor.restore_blueprint("add", 9)
    with pytest.raises(BlueprintError):
        await conductor.save_blueprint("id: [")


async def test_node_types_are_told(conductor: ConductorApi) -> None:
    found = {of.name: of for of in await conductor.nodes()}
    add = found["c.add"]
    assert [(of.name, of.required, of.default) for of in add.parameters] == [
        ("x", True, None),
        ("y", False, 1),
    ]
    assert add.effect == "pure"
    assert "http.request" in found


async def test_odd_options_are_refused(conductor: ConductorApi) -> None:
    for wrong in (
        conductor.start(CHAIN, key=""),
        conductor.start(CHAIN, durability="often"),  # type: ignore[arg-type]
        conductor.signal((await conductor.start(SIGNAL)).id, ""),
    ):
        with pytest.raises(AtomitonError) as refused:
            await wrong
        assert refused.value.code == "INVALID_INPUT"
