"""Maps of many items: they end, in a history that stays short, and can be looked at and stopped."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from tests.integration.temporal.nodes import NODES
from tests.integration.temporal.test_driver import document, history, place

from atomiton.conductor.temporal.conductor import TemporalConductor

FILE = Path(__file__).with_name("nodes.py")


def wide(seconds: float = 0.0):
    """A blueprint that touches as many items as it is told."""
    each = {"log": "/dev/null", "value": "${{ item }}", "seconds": seconds}
    nodes = {
        "items": {"uses": "t.range", "with": {"n": "${{ inputs.n }}"}},
        "wide": {"map": "${{ items }}", "uses": "t.touch", "with": each},
    }
    return document(nodes, inputs={"n": "integer"}, output="${{ size(wide) }}")


def worker(stack: ExitStack, address: str, log: Path) -> None:
    """A worker in a process of its own, which writes what it says to a file."""
    command = [sys.executable, "-m", "atomiton", "worker", "--temporal", address]
    said = stack.enter_context(log.open("w"))
    process = subprocess.Popen(
        [*command, "--nodes", str(FILE)], stdout=subprocess.PIPE, stderr=said, text=True
    )
    stack.enter_context(process)
    stack.callback(process.terminate)
    assert process.stdout is not None
    assert process.stdout.readline()


@pytest.mark.slow
async def test_thousands_of_items_are_stopped_at_once(temporal_address):
    async with place(temporal_address, cached=100) as conductor:
        run = await conductor.start(wide(seconds=60), {"n": 6000})
        while (await conductor.header(run.id)).events < 6000:
            await asyncio.sleep(0.1)
        await run.cancel("enough")
        result = await asyncio.wait_for(run.result(), 60)
        events = await history(conductor, run.id)
    assert result.status == "cancelled"
    # One timer for each activity, not for each item, gives up those that do not stop.
    assert len(events) < 500


@pytest.mark.slow
async def test_items_that_say_much_are_sent_in_parts(temporal_address):
    """The server takes 2 MB for an activity, and 4 MB for a step of a workflow."""
    nodes = {
        "wide": {
            "map": "${{ inputs.items }}",
            "uses": "t.touch",
            "with": {"log": "/dev/null", "value": "${{ inputs.text }}"},
        }
    }
    blueprint = document(
        nodes, inputs={"items": "array", "text": "string"}, output="${{ size(wide) }}"
    )
    async with place(temporal_address, cached=100) as conductor:
        given = {"items": list(range(800)), "text": "x" * 12_000}
        result = await asyncio.wait_for(conductor.run(blueprint, given), 60)
    assert (result.status, result.output) == ("completed", 800)


@pytest.mark.campaign
@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
async def test_a_hundred_thousand_items_over_several_workers(
    count, temporal_address, tmp_path, tell
):
    with ExitStack() as stack:
        for number in range(3):
            worker(stack, temporal_address, tmp_path / f"worker{number}")
        async with TemporalConductor(temporal_address, nodes=NODES) as conductor:
            begun = time.monotonic()
            run = await conductor.start(wide(), {"n": count})
            handle = conductor.journal.handle(run.id)
            ended = await asyncio.wait_for(handle.result(), 1200)
            took = time.monotonic() - begun
            described = await handle.describe()
            size = described.raw_info.history_size_bytes / 2**20
        shown = []
        for verb in ("show", "events"):
            begun = time.monotonic()
            command = [sys.executable, "-m", "atomiton", "runs", verb, run.id]
            command += ["--store", temporal_address]
            asked = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, check=True
            )
            assert f"wide[{count - 1}]" in asked.stdout
            shown.append(time.monotonic() - begun)
    tell(
        f"Temporal: a map of {count:,} items over 3 workers: {took:.1f} s, "
        f"{described.history_length:,} events of history, {size:.1f} MB; "
        f"runs show took {shown[0]:.1f} s, runs events {shown[1]:.1f} s"
    )
    assert ended.output == count
    assert described.status is WorkflowExecutionStatus.COMPLETED
    assert described.history_length < 5_000
