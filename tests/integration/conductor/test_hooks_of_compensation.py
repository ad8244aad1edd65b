"""Hooks of compensation: each step is told once, also when it is tried again or a process dies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.integration.conductor.hook_nodes import DID, NODES, add, document

from atomiton import CompensationEvent, Conductor, Hooks

MOMENTS = ("compensation_start", "compensation_step", "compensation_end")


def hearing() -> tuple[Hooks, list[tuple[str, str | None, str | None]]]:
    """Hooks that note which moment they are told of, of which node, and with which error."""
    hooks, heard = Hooks(), list[tuple[str, str | None, str | None]]()

    def note(event: CompensationEvent) -> None:
        heard.append((event.moment, event.node, event.error and event.error.code))

    for moment in MOMENTS:
        getattr(hooks, moment)(note)
    return hooks, heard


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DID.clear()


async def test_a_compensation_that_is_tried_again_is_one_step_and_has_not_failed() -> None:
    hooks, heard = hearing()
    undo = {"uses": "h.fail", "with": {"times": 1}, "retry": {"attempts": 3, "delay": 0.01}}
    nodes = {"a": add(compensate=undo), "bad": {"uses": "flow.fail", "needs": ["a"]}}
    nodes["bad"]["with"] = {"message": "no"}
    async with Conductor("memory:", nodes=NODES, hooks=hooks) as conductor:
        result = await asyncio.wait_for(conductor.run(document(nodes)), 10)
    assert (result.status, DID.count("fail")) == ("failed", 2)
    assert heard == [
        ("compensation_start", None, None),
        ("compensation_step", "a", None),
        ("compensation_end", None, None),
    ]


@pytest.mark.parametrize(
    ("slow", "before", "after"),
    [
        (
            "compensation",
            [("compensation_start", None, None), ("compensation_step", "b", None)],
            [("compensation_step", "a", None), ("compensation_end", None, None)],
        ),
        (
            "on",
            [
                ("compensation_start", None, None),
                ("compensation_step", "b", None),
                ("compensation_step", "a", None),
                ("compensation_end", None, None),
            ],
            [],
        ),
    ],
)
async def test_after_a_crash_only_what_had_not_been_told_is(
    tmp_path: Path, slow: str, before: list[object], after: list[object]
) -> None:
    hooks, heard = hearing()
    sleeps = {"uses": "h.slow", "with": {"seconds": 0.3}}
    nodes = {
        "a": add(compensate=sleeps if slow == "compensation" else {"uses": "h.add"}),
        "b": add(needs=["a"], compensate={"uses": "h.add"}),
        "bad": {"uses": "flow.fail", "with": {"message": "no"}, "needs": ["b"]},
    }
    more = {"on": {"failure": sleeps}} if slow == "on" else {}
    store = str(tmp_path / "runs.db")
    async with Conductor(store, nodes=NODES, hooks=hooks, grace=0.1) as first:
        run = (await first.start(document(nodes, **more))).id
        await asyncio.sleep(0.1)
    assert heard == before
    heard.clear()
    async with Conductor(store, nodes=NODES, hooks=hooks) as second:
        result = await asyncio.wait_for(second.result(run), 10)
    assert heard == after
    assert result.compensation == {"completed": ["b", "a"], "failed": []}
