"""Hooks that fail, are slow or are cancelled: whose failure it is, and that nothing gets stuck."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.integration.conductor.hook_nodes import DID, NODES, add, document, kinds

from atomiton import Conductor, Hooks, NodeError, NodeEvent, RunHookEvent
from atomiton.errors import NotAllowed


@pytest.fixture(params=["memory:", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    DID.clear()
    return "memory:" if request.param == "memory:" else str(tmp_path / "runs.db")


@pytest.fixture
async def conductor(store: str):
    secrets = {"TOKEN": "s3cr3t-value"}
    async with Conductor(store, nodes=NODES, grace=0.1, secrets=secrets) as conductor:
        yield conductor


EVERY = (
    *("before", "input", "output", "after", "error", "retry", "skip"),
    *("run_start", "run_success", "run_failure", "run_always"),
    *("compensation_start", "compensation_step", "compensation_end"),
)
ALL_OF_IT = {
    "off": add(enabled=False),
    "a": add(compensate={"uses": "h.add"}),
    "bad": {"uses": "h.fail", "needs": ["a"], "retry": {"attempts": 2, "delay": 0.01}},
}


def broken(_event: object) -> None:
    raise RuntimeError("my hook is broken")


async def broken_later(_event: object) -> None:
    await asyncio.sleep(0)
    raise RuntimeError("my hook is broken")


async def cancelled_by_itself(_event: object) -> None:
    raise asyncio.CancelledError


def exits(_event: object) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("hook", [broken, broken_later, cancelled_by_itself, exits])
async def test_a_failing_hook_is_reported_and_changes_nothing(
    conductor: Conductor, caplog: pytest.LogCaptureFixture, hook: object
) -> None:
    heard: list[str] = []
    for moment in EVERY:
        point = getattr(conductor.hooks, moment)
        point(hook)
        point(lambda event, moment=moment: heard.append(moment))
    nodes = {**ALL_OF_IT}
    failed = await asyncio.wait_for(conductor.run(document(nodes)), 10)
    good = await asyncio.wait_for(conductor.run(document({"a": add()})), 10)
    assert (failed.status, good.status) == ("failed", "completed")
    assert failed.error is not None
    assert failed.error.code == "FLAKY"
    assert failed.nodes["bad"].attempts == 2
    assert set(heard) == set(EVERY)
    records = [record for record in caplog.records if record.name == "atomiton.hooks"]
    assert len(records) == len(heard)
    name = hook.__name__  # type: ignore[attr-defined]
    assert all(f"{__name__}.{name} failed at" in record.getMessage() for record in records)


async def test_a_report_says_where_and_keeps_secrets(
    conductor: Conductor, caplog: pytest.LogCaptureFixture
) -> None:
    @conductor.hooks.before
    def tell(event: NodeEvent) -> None:
        raise ValueError(f"no such token: {event.parameters['value']}")

    nodes = {"a": {"uses": "data.value", "with": {"value": "${{ secrets.TOKEN }}"}}}
    result = await conductor.run(document(nodes, secrets=["TOKEN"]))
    assert result.ok
    (record,) = caplog.records
    text = record.getMessage()
    assert f"tell failed at 'before' of 'a' of {result.run}: ValueError: no such token: ***" in text
    assert "test_hook_failures.py" in text
    assert "s3cr3t-value" not in text


@pytest.mark.parametrize("moment", ["before", "input", "output", "after"])
@pytest.mark.parametrize("hook", [broken, broken_later, exits])
async def test_a_strict_hook_fails_the_attempt(
    conductor: Conductor, moment: str, hook: object
) -> None:
    getattr(conductor.hooks, moment)(hook, strict=True, node="a")
    result = await conductor.run(document({"a": add(), "b": add(needs=["a"])}))
    assert result.status == "failed"
    error = result.error
    assert error is not None
    assert (error.code, error.node, error.attempt, error.retryable) == ("HOOK_FAILED", "a", 1, True)
    name = f"{__name__}.{hook.__name__}"  # type: ignore[attr-defined]
    assert error.message.startswith(f"hook {name} failed at '{moment}' of 'a': ")
    assert error.details is not None
    assert error.details["hook"] == name
    assert (("add", 1, 2) in DID) == (moment in ("output", "after"))


async def test_a_failed_attempt_of_a_strict_hook_may_be_tried_again(conductor: Conductor) -> None:
    tries: list[int] = []

    @conductor.hooks.before(strict=True)
    async def flaky(event: NodeEvent) -> None:
        tries.append(event.attempt)
        if event.attempt == 1:
            raise ConnectionError("no answer")

    retry = {"retry": {"attempts": 3, "delay": 0.01}}
    assert (await conductor.run(document({"a": add(**retry)}))).ok
    assert tries == [1, 2]


async def test_a_hook_says_whether_trying_again_may_help(conductor: Conductor) -> None:
    @conductor.hooks.before(strict=True)
    def forbid(_event: NodeEvent) -> None:
        raise NotAllowed("not on Sundays")

    result = await conductor.run(document({"a": add(retry={"attempts": 3, "delay": 0.01})}))
    assert result.error is not None
    assert result.error.message.endswith("NotAllowed: not on Sundays")
    assert result.error.details == {
        "hook": f"{forbid.__module__}.{forbid.__qualname__}",
        "code": "NOT_ALLOWED",
        "type": "NotAllowed",
    }
    assert result.nodes["a"].attempts == 1


async def test_the_failure_of_a_strict_hook_keeps_secrets(conductor: Conductor) -> None:
    @conductor.hooks.before(strict=True)
    def tell(event: NodeEvent) -> None:
        raise NodeError(f"bad {event.parameters['value']}")

    nodes = {"a": {"uses": "data.value", "with": {"value": "${{ secrets.TOKEN }}"}}}
    result = await conductor.run(document(nodes, secrets=["TOKEN"]))
    assert "bad ***" in str(result.error)
    assert "s3cr3t" not in repr([event async for event in conductor.events(result.run)])


# -- time and cancellation -------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before", "input", "output", "after"])
async def test_a_hook_counts_into_the_time_of_its_node(conductor: Conductor, moment: str) -> None:
    ended: list[str] = []

    async def long(_event: NodeEvent) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("stopped")

    getattr(conductor.hooks, moment)(long)
    began = time.monotonic()
    result = await conductor.run(document({"a": add(timeout=0.05)}))
    assert time.monotonic() - began < 5
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert ended == ["stopped"]


@pytest.mark.parametrize(
    ("moment", "strict", "status", "undone"),
    [
        ("before", False, "cancelled", []),
        ("before", True, "cancelled", []),
        # The node has acted: that must be seen, and undone.
        ("after", False, "completed", ["a"]),
        ("output", False, "completed", ["a"]),
        # Without what a strict interceptor makes of it, the output must not get out.
        ("output", True, "cancelled", []),
    ],
)
async def test_cancellation_reaches_a_hook(
    conductor: Conductor, moment: str, strict: bool, status: str, undone: list[str]
) -> None:
    begun, stopped = asyncio.Event(), list[bool]()

    async def long(_event: NodeEvent) -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    getattr(conductor.hooks, moment)(long, strict=strict, node="a")
    run = await conductor.start(document({"a": add(compensate={"uses": "h.add"})}))
    await asyncio.wait_for(begun.wait(), 5)
    await run.cancel()
    result = await asyncio.wait_for(run.result(), 5)
    assert stopped == [True]
    assert (result.status, result.nodes["a"].status) == ("cancelled", status)
    assert result.compensation["completed"] == undone


async def test_a_hook_that_refuses_to_stop_is_given_up_with_its_attempt(
    conductor: Conductor,
) -> None:
    begun = asyncio.Event()

    @conductor.hooks.before
    async def stubborn(_event: NodeEvent) -> None:
        begun.set()
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(30)

    run = await conductor.start(document({"a": add()}))
    await asyncio.wait_for(begun.wait(), 5)
    await run.cancel()
    result = await asyncio.wait_for(run.result(), 5)
    assert (result.status, result.nodes["a"].status) == ("cancelled", "cancelled")


async def test_a_thread_node_with_hooks_is_stopped_when_its_run_is(conductor: Conductor) -> None:
    conductor.hooks.before(lambda _event: None)
    nodes = {"a": {"uses": "h.thread", "with": {"x": 1, "seconds": 30}}}
    run = await conductor.start(document(nodes))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await run.cancel()
    result = await asyncio.wait_for(run.result(), 5)
    assert result.nodes["a"].status == "cancelled"
    assert time.monotonic() - began < 2


async def test_a_thread_node_with_hooks_has_the_time_of_its_node(conductor: Conductor) -> None:
    conductor.hooks.after(lambda _event: None)
    nodes = {"a": {"uses": "h.thread", "with": {"x": 1, "seconds": 30}, "timeout": 0.1}}
    result = await asyncio.wait_for(conductor.run(document(nodes)), 5)
    assert result.error is not None
    assert result.error.code == "TIMEOUT"


async def test_a_process_node_has_hooks(conductor: Conductor) -> None:
    told: list[object] = []
    conductor.hooks.input(lambda event: {**event.parameters, "x": 5})
    conductor.hooks.after(lambda event: told.append(event.output))
    nodes = {"a": {"uses": "h.thread", "with": {"x": 1}, "runtime": "process"}}
    result = await asyncio.wait_for(conductor.run(document(nodes)), 60)
    assert result.output == {"a": {"x": 5, "main": True}}
    assert told == [{"x": 5, "main": True}]


@pytest.mark.parametrize("moment", ["skip", "run_always", "run_start"])
@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_hook_that_no_attempt_waits_for_has_a_time_of_its_own(
    store: str, caplog: pytest.LogCaptureFixture, moment: str, stubborn: bool
) -> None:
    hooks = Hooks(timeout=0.05)
    over = asyncio.Event()

    async def long(_event: object) -> None:
        while not over.is_set():
            try:
                await asyncio.wait_for(over.wait(), 30)
            except asyncio.CancelledError:
                if not stubborn:
                    raise

    getattr(hooks, moment)(long)
    async with Conductor(store, nodes=NODES, hooks=hooks, grace=0.05) as conductor:
        nodes = {"a": add(), "off": add(enabled=False)}
        result = await asyncio.wait_for(conductor.run(document(nodes)), 5)
        over.set()
    assert result.ok
    assert "TimeoutError: it took longer than 0.05 s" in caplog.text


async def test_who_is_cancelled_while_hooks_end_a_run_does_not_wait_for_them(
    conductor: Conductor,
) -> None:
    begun, stopped = asyncio.Event(), list[bool]()

    @conductor.hooks.run_always
    async def long(_event: RunHookEvent) -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        finally:
            stopped.append(True)

    caller = asyncio.create_task(conductor.run(document({"a": add()})))
    await asyncio.wait_for(begun.wait(), 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(caller, 5)
    assert stopped == [True]


async def test_a_conductor_that_closes_stops_the_hooks_at_work(store: str) -> None:
    hooks, begun, stopped = Hooks(), asyncio.Event(), list[str]()
    for moment in ("skip", "before"):

        async def long(event: NodeEvent) -> None:
            begun.set()
            try:
                await asyncio.sleep(30)
            finally:
                stopped.append(event.moment)

        getattr(hooks, moment)(long)
    async with Conductor(store, nodes=NODES, hooks=hooks, grace=0.1) as conductor:
        await conductor.start(document({"off": add(enabled=False), "a": add()}))
        await asyncio.wait_for(begun.wait(), 5)
        await asyncio.sleep(0.01)
    assert sorted(stopped) == ["before", "skip"]


# -- the start of a run ----------------------------------------------------------------------------


@pytest.mark.parametrize("hook", [broken, broken_later, exits])
async def test_a_strict_hook_keeps_a_run_from_beginning(conductor: Conductor, hook: object) -> None:
    heard: list[str] = []
    conductor.hooks.run_start(hook, strict=True)  # type: ignore[call-overload]
    conductor.hooks.run_start(lambda _event: heard.append("after the strict one"))
    conductor.hooks.run_failure(lambda _event: heard.append("failure"))
    way = {"branch": {"up": "true"}}
    result = await asyncio.wait_for(conductor.run(document({"a": add(), "way": way})), 5)
    assert result.status == "failed"
    assert result.error is not None
    assert (result.error.code, result.error.node) == ("HOOK_FAILED", None)
    assert {node.status for node in result.nodes.values()} == {"cancelled"}
    assert DID == []
    assert heard == ["failure"]
    assert await kinds(conductor, result) == ["run_requested", "fail_requested"]
    assert (await conductor.show(result.run)).status == "failed"


async def test_nothing_begins_before_a_strict_hook_has_agreed(conductor: Conductor) -> None:
    may = asyncio.Event()
    asked: list[str] = []

    @conductor.hooks.run_start(strict=True)
    async def wait(event: RunHookEvent) -> None:
        asked.append(event.run)
        await may.wait()

    run = await conductor.start(document({"a": add()}))
    await asyncio.sleep(0.02)
    shown = await conductor.show(run.id)
    assert (shown.status, shown.nodes["a"].status, DID) == ("running", "pending", [])
    may.set()
    result = await run.result()
    assert result.output == {"a": 3}
    assert asked == [run.id]
    assert (await kinds(conductor, result))[:2] == ["run_requested", "run_admitted"]


async def test_a_run_can_be_cancelled_while_a_strict_hook_is_asked(conductor: Conductor) -> None:
    stopped: list[bool] = []

    @conductor.hooks.run_start(strict=True)
    async def wait(_event: RunHookEvent) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            stopped.append(True)

    run = await conductor.start(document({"a": add()}))
    await asyncio.sleep(0.02)
    await run.cancel()
    result = await asyncio.wait_for(run.result(), 5)
    assert (result.status, stopped, DID) == ("cancelled", [True], [])


async def test_a_crash_does_not_open_the_gate(tmp_path: Path) -> None:
    DID.clear()
    asked: list[int] = []
    hooks = Hooks()

    @hooks.run_start(strict=True)
    async def agree(_event: RunHookEvent) -> None:
        asked.append(len(DID))
        await asyncio.sleep(30 if len(asked) == 1 else 0)

    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=NODES, hooks=hooks, grace=0.1) as first:
        run = (await first.start(document({"a": add()}))).id
        await asyncio.sleep(0.02)
    async with Conductor(store, nodes=NODES, hooks=hooks) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert (result.output, asked) == ({"a": 3}, [0, 0])


async def test_a_gated_run_goes_on_where_there_are_no_hooks(tmp_path: Path) -> None:
    hooks = Hooks()

    @hooks.run_start(strict=True)
    async def wait(_event: RunHookEvent) -> None:
        await asyncio.sleep(30)

    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=NODES, hooks=hooks, grace=0.1) as first:
        run = (await first.start(document({"a": add()}))).id
    async with Conductor(store, nodes=NODES) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert result.output == {"a": 3}
