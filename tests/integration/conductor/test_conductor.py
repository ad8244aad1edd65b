"""The conductor over a memory store and a file: the same results, and what only a file can do."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from atomiton import BlueprintError, Conductor, InputError, NodeError, node
from atomiton.blueprint.document import read_document
from atomiton.errors import AtomitonError, NotFound


@node("t.add")
async def add(x: int, y: int = 1) -> int:
    return x + y


@node("t.slow")
async def slow(seconds: float = 30.0) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@node("t.stubborn")
async def stubborn() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(30)


@node("t.blocking", effect="idempotent")
def blocking(seconds: float) -> str:
    time.sleep(seconds)
    return threading.current_thread().name


@node("t.pure", effect="pure")
async def pure(x: int) -> int:
    return x + 1


@node("t.act", effect="once")
async def act(x: int = 0) -> int:
    return x


NODES = [add, slow, stubborn, blocking, pure, act]


def document(nodes: dict[str, object], **more: object):
    return read_document({"atomiton": 1, "id": "test", "nodes": nodes, **more})


CHAIN = {
    "a": {"uses": "t.add", "with": {"x": "${{ inputs.x }}"}},
    "b": {"uses": "t.add", "with": {"x": "${{ a }}", "y": 10}},
}


@pytest.fixture(params=["memory:", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")


@pytest.fixture
async def conductor(store: str):
    async with Conductor(store, nodes=NODES, grace=0.1) as conductor:
        yield conductor


async def test_a_chain_gives_its_output(conductor: Conductor) -> None:
    result = await conductor.run(document(CHAIN, inputs={"x": "integer"}), {"x": 1})
    assert (result.status, result.output) == ("completed", {"b": 12})
    assert {path: node.status for path, node in result.nodes.items()} == {
        "a": "completed",
        "b": "completed",
    }
    assert result.value() == {"b": 12}
    assert result.ok
    assert result.reason is None
    assert result.duration_ms >= 0


@pytest.mark.parametrize("durability", ["sync", "async", "none"])
async def test_every_durability_gives_the_same(conductor: Conductor, durability: str) -> None:
    blueprint = document(CHAIN, inputs={"x": {"type": "integer", "default": 5}})
    result = await conductor.run(blueprint, durability=durability)  # type: ignore[arg-type]
    assert result.output == {"b": 16}
    shown = await conductor.show(result.run)
    assert (shown.status, shown.output) == ("completed", {"b": 16})


async def test_every_fact_is_announced_once_and_in_order(conductor: Conductor) -> None:
    heard: list[tuple[int, str, str | None]] = []
    stop = conductor.bus.listen(lambda e: heard.append((e.number, e.kind, e.node)))
    result = await conductor.run(document(CHAIN, inputs={"x": "integer"}), {"x": 1})
    stop()
    kinds = [
        (1, "run_requested", None),
        (2, "attempt_started", "a"),
        (3, "attempt_completed", "a"),
        (4, "attempt_started", "b"),
        (5, "attempt_completed", "b"),
    ]
    assert heard == kinds
    read = [(e.number, e.kind, e.node) async for e in conductor.events(result.run)]
    assert read == kinds
    assert [e.number async for e in conductor.events(result.run, after=3)] == [4, 5]


async def test_the_facts_of_nodes_in_bodies_have_their_path(conductor: Conductor) -> None:
    inner = {"a": {"uses": "t.add", "with": {"x": "${{ item }}"}}}
    blueprint = document({"items": {"map": [1, 2], "nodes": inner}})
    result = await conductor.run(blueprint)
    told = [e.node async for e in conductor.events(result.run) if e.kind == "attempt_completed"]
    assert sorted(map(str, told)) == ["items[0].a", "items[1].a"]
    later = [(e.number, e.node) async for e in conductor.events(result.run, after=2)]
    assert later[0][0] == 3
    assert later[-1][1] in told


async def test_events_can_be_followed_while_a_run_goes_on(conductor: Conductor) -> None:
    run = await conductor.start(document({"a": {"uses": "t.slow", "with": {"seconds": 0.05}}}))
    kinds = [event.kind async for event in run.events()]
    assert kinds == ["run_requested", "attempt_started", "attempt_completed"]
    assert (await run.result()).output == {"a": "slept"}


async def test_a_failing_listener_disturbs_nobody(
    conductor: Conductor, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_event: object) -> None:
        raise RuntimeError("listener")

    conductor.bus.listen(broken)
    heard: list[object] = []
    conductor.bus.listen(heard.append)
    result = await conductor.run(document(CHAIN, inputs={"x": "integer"}), {"x": 1})
    assert result.ok
    assert len(heard) == 5
    assert "a listener failed" in caplog.text


async def test_a_run_can_be_cancelled(conductor: Conductor) -> None:
    run = await conductor.start(document({"a": {"uses": "t.slow"}}))
    await asyncio.sleep(0.02)
    await run.cancel("not needed any more")
    result = await run.result()
    assert result.status == "cancelled"
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("CANCELLED", "not needed any more")
    assert result.nodes["a"].status == "cancelled"
    with pytest.raises(AtomitonError):
        await run.cancel("again")


@pytest.mark.parametrize("uses", ["t.stubborn", "t.blocking"])
async def test_a_node_that_does_not_stop_is_given_up(conductor: Conductor, uses: str) -> None:
    with_ = {"seconds": 5} if uses == "t.blocking" else {}
    run = await conductor.start(document({"a": {"uses": uses, "with": with_}}))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await run.cancel()
    assert (await run.result()).status == "cancelled"
    assert time.monotonic() - began < 2


async def test_a_timeout_stops_the_attempt(conductor: Conductor) -> None:
    result = await conductor.run(document({"a": {"uses": "t.slow", "timeout": "50ms"}}))
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert result.nodes["a"].status == "failed"


async def test_a_wait_takes_its_time(conductor: Conductor) -> None:
    began = time.monotonic()
    result = await conductor.run(document({"w": {"wait": {"for": "60ms"}}}))
    assert result.ok
    assert time.monotonic() - began >= 0.055


async def test_retries_wait_and_try_again(conductor: Conductor) -> None:
    tried: list[int] = []

    @node("t.flaky")
    async def flaky() -> int:
        tried.append(1)
        if len(tried) < 3:
            raise NodeError("not yet")
        return len(tried)

    conductor.library.registry.add(flaky)
    policy = {"attempts": 3, "delay": "10ms", "jitter": 0}
    result = await conductor.run(document({"a": {"uses": "t.flaky", "retry": policy}}))
    assert result.output == {"a": 3}
    assert result.nodes["a"].attempts == 3


async def test_pause_step_and_resume(conductor: Conductor) -> None:
    nodes: dict[str, object] = {"w": {"wait": {"for": "20ms"}}}
    for name, before in (("a", "w"), ("b", "a"), ("c", "b")):
        nodes[name] = {"uses": "t.add", "with": {"x": 1}, "needs": [before]}
    run = await conductor.start(document(nodes))
    await run.pause()
    await asyncio.sleep(0.1)
    assert (await conductor.show(run.id)).status == "paused"
    await run.step()
    await asyncio.sleep(0.05)
    shown = await conductor.show(run.id)
    assert [node.status for node in shown.nodes.values()][1:] == ["completed", "pending", "pending"]
    await run.resume()
    assert (await run.result()).status == "completed"
    with pytest.raises(AtomitonError):
        await run.step()


async def test_bad_inputs_and_blueprints_start_nothing(conductor: Conductor) -> None:
    blueprint = document(CHAIN, inputs={"x": "integer"})
    with pytest.raises(InputError) as caught:
        await conductor.run(blueprint, {"x": "text", "z": 1})
    assert [problem.path for problem in caught.value.problems] == ["inputs.z", "inputs.x"]
    with pytest.raises(InputError):
        await conductor.start(blueprint)
    with pytest.raises(BlueprintError) as refused:
        await conductor.run(document({"a": {"uses": "t.nothing"}}))
    assert refused.value.code == "UNKNOWN_NODE_TYPE"
    with pytest.raises(NotFound):
        await conductor.run("no-such-file.yaml")
    assert await conductor.list() == []


async def test_unknown_runs_are_named(conductor: Conductor) -> None:
    with pytest.raises(NotFound):
        await conductor.show("run_missing")
    with pytest.raises(NotFound):
        await conductor.cancel("run_missing")


async def test_a_value_is_never_changed_by_another_node(conductor: Conductor) -> None:
    kept: list[list[int]] = []

    @node("t.give")
    async def give() -> list[int]:
        kept.append([1, 2])
        return kept[0]

    @node("t.spoil")
    async def spoil(items: list[int]) -> int:
        kept[0].append(99)
        items.append(3)
        return len(items)

    for function in (give, spoil):
        conductor.library.registry.add(function)
    nodes = {
        "a": {"uses": "t.give"},
        "b": {"uses": "t.spoil", "with": {"items": "${{ a }}"}},
        "c": {"uses": "t.spoil", "with": {"items": "${{ a }}"}, "needs": ["b"]},
    }
    result = await conductor.run(document(nodes, output="${{ [a, b, c] }}"))
    assert result.output == [[1, 2], 3, 3]


async def test_a_result_that_is_no_plain_value_fails_the_node(conductor: Conductor) -> None:
    @node("t.odd")
    async def odd() -> object:
        return object()

    conductor.library.registry.add(odd)
    result = await conductor.run(document({"a": {"uses": "t.odd"}}))
    assert result.error is not None
    assert result.error.code == "TYPE_MISMATCH"


async def test_secrets_are_seen_by_parameters_only(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = {"a": {"uses": "data.value", "with": {"value": "${{ size(secrets.TOKEN) }}"}}}
    blueprint = document(nodes, secrets=["TOKEN"])
    async with Conductor(store, secrets={"TOKEN": "four"}) as conductor:
        assert (await conductor.run(blueprint)).output == {"a": 4}
    monkeypatch.setenv("ATOMITON_SECRET_TOKEN", "seven!!")
    async with Conductor(store) as conductor:
        assert (await conductor.run(blueprint)).output == {"a": 7}
    monkeypatch.delenv("ATOMITON_SECRET_TOKEN")
    async with Conductor(store) as conductor:
        result = await conductor.run(blueprint)
        assert result.error is not None
        assert result.error.code == "EXPRESSION_ERROR"


async def test_only_inside_async_with() -> None:
    with pytest.raises(RuntimeError):
        await Conductor("memory:", nodes=NODES).run(
            document(CHAIN, inputs={"x": "integer"}), {"x": 1}
        )


# -- what only a file can do ----------------------------------------------------------------------


async def test_a_key_starts_one_run(tmp_path: Path) -> None:
    blueprint = document(CHAIN, inputs={"x": "integer"})
    async with Conductor(str(tmp_path / "runs.db"), nodes=NODES) as conductor:
        first = await conductor.run(blueprint, {"x": 1}, key="order-17")
        second = await conductor.run(blueprint, {"x": 1}, key="order-17")
        other = await conductor.run(blueprint, {"x": 1}, key="order-18")
        assert first.run == second.run != other.run
        assert second.output == {"b": 12}
        assert len(await conductor.list()) == 2


async def test_a_run_left_behind_goes_on_by_itself(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    nodes = {
        "a": {"uses": "t.add", "with": {"x": 1}},
        "b": {"uses": "t.slow", "with": {"seconds": 0.2}, "needs": ["a"]},
    }
    async with Conductor(path, nodes=NODES) as conductor:
        run = (await conductor.start(document(nodes))).id
        await asyncio.sleep(0.05)
    async with Conductor(path, nodes=NODES) as conductor:
        result = await conductor.result(run)
        assert (result.status, result.output) == ("completed", {"b": "slept"})
        kinds = [(e.kind, e.node) async for e in conductor.events(run)]
    assert kinds.count(("attempt_completed", "a")) == 1
    assert ("attempt_lost", "b") in kinds


@pytest.mark.parametrize(("lost", "status"), [("repeat", "completed"), ("fail", "failed")])
async def test_a_lost_once_attempt_waits_for_a_decision(
    tmp_path: Path, lost: str, status: str
) -> None:
    path = str(tmp_path / "runs.db")
    gate = {"shut": True}

    @node("t.charge", effect="once")
    async def charge() -> str:
        if gate["shut"]:
            await asyncio.sleep(30)
        return "charged"

    blueprint = document({"a": {"uses": "t.charge"}})
    async with Conductor(path, nodes=[charge]) as conductor:
        run = (await conductor.start(blueprint)).id
        await asyncio.sleep(0.05)
    gate["shut"] = False
    async with Conductor(path, nodes=[charge]) as conductor:
        await asyncio.sleep(0.05)
        shown = await conductor.show(run)
        assert shown.status == "waiting"
        assert shown.reason is not None
        assert "lost" in shown.reason
        assert (await conductor.list())[0].reason == shown.reason
        with pytest.raises(AtomitonError):
            await conductor.resume(run, lost="guess")
        await conductor.resume(run, lost=lost)
        result = await conductor.result(run)
        assert result.status == status
        if result.error is not None:
            assert result.error.code == "ATTEMPT_LOST"


async def test_a_run_whose_node_types_are_unknown_is_flagged(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    async with Conductor(path, nodes=NODES) as conductor:
        run = (await conductor.start(document({"a": {"uses": "t.slow"}}))).id
        await asyncio.sleep(0.02)
    async with Conductor(path) as conductor:
        await asyncio.sleep(0.1)
        header = (await conductor.list())[0]
        assert (header.run, header.status) == (run, "waiting")
        assert header.reason is not None
        assert "t.slow" in header.reason
        with pytest.raises(BlueprintError):
            await conductor.resume(run)


async def test_another_process_is_asked_over_the_store(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    async with Conductor(path, nodes=NODES, grace=0.1) as owner:
        run = await owner.start(document({"a": {"uses": "t.slow"}}))
        async with Conductor(path, nodes=NODES, resume=False) as other:
            await other.resume(run.id)  # nothing to resume: it is driven, and not paused
            follower = asyncio.create_task(collect(other, run.id))
            await asyncio.sleep(0.05)
            await other.cancel(run.id, "from outside", by="other")
            assert (await other.result(run.id)).status == "cancelled"
            kinds = await asyncio.wait_for(follower, 5)
        assert kinds[-2:] == ["cancel_requested", "attempt_failed"]


async def collect(conductor: Conductor, run: str) -> list[str]:
    return [event.kind async for event in conductor.events(run)]


async def test_a_chain_of_pure_nodes_needs_two_commits(tmp_path: Path) -> None:
    nodes: dict[str, object] = {"n0": {"uses": "t.pure", "with": {"x": 0}}}
    for number in range(1, 10):
        nodes[f"n{number}"] = {"uses": "t.pure", "with": {"x": f"${{{{ n{number - 1} }}}}"}}
    async with Conductor(str(tmp_path / "runs.db"), nodes=NODES) as conductor:
        appends: list[bool] = []
        append, append_now = conductor.journal.append, conductor.journal.append_now

        def counted_now(*args: object) -> bool:
            done = append_now(*args)  # type: ignore[arg-type]
            appends.extend([True] * done)
            return done

        async def counted(*args: object, sync: bool, **more: object) -> None:
            appends.append(sync)
            await append(*args, sync=sync, **more)  # type: ignore[arg-type]

        conductor.journal.append = counted  # type: ignore[method-assign]
        conductor.journal.append_now = counted_now  # type: ignore[method-assign,assignment]
        result = await conductor.run(document(nodes))
    assert result.output == {"n9": 10}
    assert appends == [True]  # the other commit is the acceptance


async def test_a_sibling_of_what_fails_at_once_never_acts(conductor: Conductor) -> None:
    acted: list[str] = []

    @node("t.note")
    async def note() -> None:
        acted.append("acted")

    conductor.library.registry.add(note)
    nodes = {
        "first": {"uses": "flow.fail", "with": {"message": "no"}},
        "second": {"uses": "t.note"},
    }
    result = await conductor.run(document(nodes))
    assert result.status == "failed"
    assert result.nodes["second"].status == "cancelled"
    assert acted == []


async def test_a_run_that_ends_as_it_begins_is_on_record(conductor: Conductor) -> None:
    skipped = {"a": {"uses": "t.add", "with": {"x": 1}, "enabled": False}}
    result = await asyncio.wait_for(conductor.run(document(skipped)), 5)
    assert result.status == "completed"
    broken = {"a": {"uses": "t.add", "with": {"x": 1}, "if": "1 / 0 == 1"}}
    result = await asyncio.wait_for(conductor.run(document(broken)), 5)
    assert (result.status, result.nodes["a"].status) == ("failed", "failed")
    if not conductor.in_memory:
        assert [header.status for header in await conductor.list()] == ["failed", "completed"]


async def test_ends_in_one_turn_of_the_loop_are_all_heard(conductor: Conductor) -> None:
    gate = asyncio.Event()

    @node("t.gate")
    async def wait_at_gate(fails: bool = False) -> str:
        await gate.wait()
        if fails:
            raise NodeError("refused", retryable=False)
        return "through"

    conductor.library.registry.add(wait_at_gate)
    nodes = {
        f"n{number}": {"uses": "t.gate", "with": {"fails": number == 3}} for number in range(8)
    }
    run = await conductor.start(document(nodes))
    await asyncio.sleep(0.02)
    gate.set()
    result = await asyncio.wait_for(run.result(), 5)
    assert result.status == "failed"
    assert {node.status for node in result.nodes.values()} <= {"completed", "failed", "cancelled"}


async def test_a_handle_is_no_id() -> None:
    async with Conductor(nodes=NODES) as conductor:
        run = await conductor.start(document({"a": {"wait": {"signal": "go"}}}))
        for call in (
            conductor.signal(run, "go"),  # type: ignore[arg-type]
            conductor.result(run),  # type: ignore[arg-type]
            conductor.cancel(run),  # type: ignore[arg-type]
            conductor.pause(run),  # type: ignore[arg-type]
            conductor.resume(run),  # type: ignore[arg-type]
            conductor.waits(run),  # type: ignore[arg-type]
            conductor.approve(run, "a", approved=True),  # type: ignore[arg-type]
            conductor.retry(run),  # type: ignore[arg-type]
            conductor.fork(run, "a"),  # type: ignore[arg-type]
        ):
            with pytest.raises(AtomitonError, match=r"Run\('run_.*'\) is no id.*pass run\.id"):
                await call
        with pytest.raises(AtomitonError, match="as text"):
            await conductor.show(5)  # type: ignore[arg-type]
        await conductor.signal(run.id, "go")
        assert (await run.result()).ok
