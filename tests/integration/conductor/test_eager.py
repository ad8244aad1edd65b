"""Coroutines that start at once behave as if they were tasks from the beginning."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_document

MARK: ContextVar[str] = ContextVar("MARK", default="unset")


def blueprint(*nodes: str, **more: object) -> object:
    body = {name: {"uses": f"t.{name}"} for name in nodes}
    return read_document({"atomiton": 1, "id": "eager", "nodes": body, **more})


async def run(*functions: object, **more: object):
    names = [function.type.name.removeprefix("t.") for function in functions]
    async with Conductor("memory:", nodes=functions) as conductor:
        return await conductor.run(blueprint(*names, **more))


async def test_the_current_task_stays_the_same_over_a_wait() -> None:
    @node("t.a")
    async def a() -> bool:
        before = asyncio.current_task()
        await asyncio.sleep(0.001)
        return before is asyncio.current_task()

    assert (await run(a)).output == {"a": True}


async def test_the_caller_s_task_is_its_own_again_afterwards() -> None:
    mine = asyncio.current_task()

    @node("t.a")
    async def a() -> bool:
        return asyncio.current_task() is mine

    assert (await run(a)).output == {"a": False}
    assert asyncio.current_task() is mine


async def test_a_time_limit_inside_a_node_limits_that_node_only() -> None:
    @node("t.a")
    async def a() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            return "limited"
        return "not limited"

    @node("t.b")
    async def b() -> str:
        await asyncio.sleep(0.03)
        return "untouched"

    assert (await run(a, b)).output == {"a": "limited", "b": "untouched"}


async def test_a_task_group_inside_a_node_works() -> None:
    @node("t.a")
    async def a() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0.001, number)) for number in range(3)]
        return sum(task.result() for task in tasks)

    assert (await run(a)).output == {"a": 3}


async def test_a_context_variable_set_before_a_wait_is_there_after_it() -> None:
    @node("t.a")
    async def a() -> str:
        token = MARK.set("mine")
        await asyncio.sleep(0.001)
        seen = MARK.get()
        MARK.reset(token)
        return seen

    assert (await run(a)).output == {"a": "mine"}


async def test_nodes_see_the_caller_s_context_and_do_not_change_it() -> None:
    seen: list[str] = []

    @node("t.a")
    async def a() -> None:
        seen.append(MARK.get())
        MARK.set("changed by a node")

    async with Conductor("memory:", nodes=[a]) as conductor:
        for value in ("first", "second"):
            MARK.set(value)
            await conductor.run(blueprint("a"))
            assert MARK.get() == value
    assert seen == ["first", "second"]


async def test_nodes_that_wait_wait_at_once() -> None:
    running = most = 0

    @node("t.a")
    async def a(x: int = 0) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return x

    nodes = {f"n{number}": {"uses": "t.a", "with": {"x": number}} for number in range(50)}
    document = read_document({"atomiton": 1, "id": "wide", "nodes": nodes})
    async with Conductor("memory:", nodes=[a]) as conductor:
        result = await conductor.run(document)
    assert most == 50
    assert result.output == {f"n{number}": number for number in range(50)}


async def test_bare_yields_and_nested_awaits_are_driven_to_the_end() -> None:
    @node("t.a")
    async def a() -> list[int]:
        got = []
        for number in range(5):
            await asyncio.sleep(0)
            got.append(number)
        return got

    assert (await run(a)).output == {"a": [0, 1, 2, 3, 4]}


@pytest.mark.parametrize("wait", [0.0, 0.001])
async def test_an_error_is_the_node_s_with_its_message_unchanged(wait: float) -> None:
    @node("t.a")
    async def a() -> None:
        if wait:
            await asyncio.sleep(wait)
        raise ValueError("exactly this: 100% ${{ }}")

    result = await run(a)
    assert result.status == "failed"
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("NODE_FAILED", "exactly this: 100% ${{ }}")
    assert result.error.node == "a"
    assert result.error.details is not None
    assert result.error.details["type"] == "ValueError"


async def test_sys_exit_in_a_node_fails_the_node_not_the_program() -> None:
    @node("t.a")
    async def a() -> None:
        raise SystemExit(3)

    assert (await run(a)).status == "failed"


async def test_a_node_that_cancels_itself_fails_as_cancelled() -> None:
    @node("t.a")
    async def a() -> None:
        raise asyncio.CancelledError

    result = await run(a)
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "CANCELLED"


async def test_the_caller_s_cancellation_cancels_the_run() -> None:
    ended: list[str] = []

    @node("t.a")
    async def a() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with Conductor("memory:", nodes=[a]) as conductor:
        task = asyncio.create_task(conductor.run(blueprint("a")))
        await asyncio.sleep(0.01)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended == ["cancelled"]


async def test_a_hundred_thousand_runs_without_a_wait_leave_no_tasks_behind() -> None:
    @node("t.a")
    async def a() -> int:
        return 1

    async with Conductor("memory:", nodes=[a]) as conductor:
        document = blueprint("a")
        for _ in range(2000):
            await conductor.run(document)
        assert len(asyncio.all_tasks()) <= 2


async def test_a_long_chain_that_never_waits_lets_others_have_their_turn() -> None:
    @node("t.a")
    async def a(x: int = 0) -> int:
        return x + 1

    nodes: dict[str, object] = {"n0": {"uses": "t.a"}}
    for number in range(1, 5000):
        nodes[f"n{number}"] = {"uses": "t.a", "with": {"x": f"${{{{ n{number - 1} }}}}"}}
    document = read_document({"atomiton": 1, "id": "long", "nodes": nodes})
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with Conductor("memory:", nodes=[a]) as conductor:
        conductor.library.program(document)
        task = asyncio.create_task(other())
        result = await conductor.run(document)
        task.cancel()
    assert result.output == {"n4999": 5000}
    assert turns >= 4


async def test_a_node_that_is_cancelled_as_soon_as_it_waits_cleans_up() -> None:
    seen: list[str] = []

    @node("t.wait")
    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned")

    @node("t.fail")
    async def fail() -> None:
        raise NodeError("at once")

    result = await run(wait, fail)
    assert (result.status, result.nodes["wait"].status) == ("failed", "cancelled")
    assert seen == ["cancelled", "cleaned"]
