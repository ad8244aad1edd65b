"""Histories of every released version, and of this one, come out the same in a replay."""

from __future__ import annotations

import asyncio
import gzip
import json
from importlib.metadata import version

import pytest
from temporalio.client import WorkflowHistory
from tests.integration.temporal import recorded
from tests.integration.temporal.nodes import NODES

from atomiton.blueprint.document import read_document
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings

KEPT = sorted(recorded.FOLDER.glob("*/*.json.gz"))
EVENTS = {
    "retry": "TIMER_FIRED",
    "continued": "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "waits": "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "compensated": "WORKFLOW_EXECUTION_FAILED",
    "cancelled": "ACTIVITY_TASK_CANCEL_REQUESTED",
    "loop": "MARKER_RECORDED",
    "map": "ACTIVITY_TASK_COMPLETED",
}


def read(path):
    return gzip.decompress(path.read_bytes()).decode()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name[:-8]}")
async def test_what_is_kept_is_replayed(path):
    await recorded.replayer().replay_workflow(WorkflowHistory.from_json(path.stem, read(path)))


def test_histories_of_this_version_are_kept():
    names = {
        path.name.rpartition("-")[0] for path in KEPT if path.parent.name == version("atomiton")
    }
    assert names == set(recorded.RUNS), "make histories"
    for name, kind in EVENTS.items():
        texts = [read(path) for path in KEPT if path.name.startswith(f"{name}-")]
        assert any(f"EVENT_TYPE_{kind}" in text for text in texts), (name, kind)


async def test_a_history_of_something_else_is_found_out():
    """The replay can fail: what was done in another order is no history of this code."""
    path = next(path for path in KEPT if path.name.startswith("chain-far-"))
    history = json.loads(read(path))
    for event in history["events"]:
        kind = event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {})
        if kind.get("name") == "t.add":
            kind["name"] = "t.other"
    with pytest.raises(Exception, match="Nondeterminism"):
        await recorded.replayer().replay_workflow(
            WorkflowHistory.from_json("x", json.dumps(history))
        )


@pytest.mark.slow
async def test_runs_that_are_asked_while_pure_nodes_work_can_be_replayed(temporal_address):
    """What is asked lets the server see an answer before the workflow has: it must not matter."""
    blueprint = read_document({"atomiton": 1, "id": "asked", "nodes": recorded.TURNS})
    async with (
        TemporalWorker(WorkerSettings(parse(temporal_address), nodes=NODES)),
        TemporalConductor(temporal_address, nodes=NODES) as conductor,
    ):
        runs = [await conductor.start(blueprint) for _ in range(6)]
        await asyncio.gather(*(recorded.ask(conductor, run) for run in runs for _ in range(2)))
        for run in runs:
            assert (await run.result()).status == "completed"
            for text in await recorded.histories_of(conductor.journal.client, run.id):
                history = WorkflowHistory.from_json(run.id, text)
                await recorded.replayer().replay_workflow(history)
