"""Time limits of attempts on Temporal: they end what is too slow, and keep the history short."""

from __future__ import annotations

import asyncio

from tests.integration.temporal.test_driver import document, history, place

from atomiton.drivers.temporal.wire import Options


def named(events, name):
    return sum(event.WhichOneof("attributes").startswith(name) for event in events)


def wide(items, timeout, seconds, **more):
    """A map whose items take so long."""
    given = {"log": "/dev/null", "value": "${{ i }}", "seconds": seconds}
    node = {"uses": "t.touch", "with": given, "timeout": timeout, **more}
    mapped = {"map": items, "as": "i", "nodes": {"t": node}}
    return document({"m": mapped}, output="${{ size(m) }}")


async def test_items_with_a_time_limit_share_a_timer(temporal_address):
    blueprint = wide(list(range(400)), "10m", 0.0)
    async with place(temporal_address, cached=100, options=Options()) as conductor:
        result = await conductor.run(blueprint)
        events = await history(conductor, result.run)
    assert (result.status, result.output) == ("completed", 400), result.error
    assert named(events, "timer_started") == 1


async def test_each_of_them_ends_when_its_own_time_is_over(temporal_address):
    """Those that begin later, since not all may at once, have their whole time."""
    given = {"log": "/dev/null", "seconds": "${{ i % 3 == 0 ? 30.0 : 0.7 }}"}
    node = {"uses": "t.touch", "with": given, "timeout": "1500ms"}
    mapped = {"map": list(range(9)), "as": "i", "concurrency": 3, "nodes": {"t": node}}
    blueprint = document({"m": {**mapped, "on_item_error": "collect"}}, output="${{ m }}")
    async with place(temporal_address) as conductor:
        result = await conductor.run(blueprint)
        events = await history(conductor, result.run)
    late = [item.get("error", {}).get("code") for item in result.output]
    assert late == ["TIMEOUT", None, None] * 3
    assert named(events, "timer_started") <= 9 + 3  # and the time to stop of those that were late


async def test_a_limit_is_kept_in_a_new_history(temporal_address):
    """A group with a time limit is not at work while it only waits: its run may go on anew."""
    group = {
        "timeout": "4s",
        "nodes": {
            "many": {
                "loop": {"times": 12},
                "uses": "t.touch",
                "with": {"log": "/dev/null", "value": 1},
            },
            "never": {"wait": {"signal": "never"}, "needs": ["many"]},
        },
    }
    async with (
        asyncio.timeout(60),
        place(temporal_address, options=Options(history=40, local=0)) as conductor,
    ):
        result = await conductor.run(document({"g": group}))
        events = await history(conductor, result.run)
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert events[0].workflow_execution_started_event_attributes.continued_execution_run_id
