"""What happens is taken in the order of the history, in whichever steps a replay hears of it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from temporalio.client import WorkflowHistory
from tests.integration.temporal import recorded
from tests.integration.temporal.nodes import NODES

from atomiton.blueprint.document import read_document
from atomiton.conductor.run import Run
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.drivers.temporal.happenings import Happenings
from atomiton.drivers.temporal.wire import WORKFLOW, Options, Start
from atomiton.errors import AtomitonError
from atomiton.machine.events import AttemptCompleted, RunRequested, SignalReceived

#: Pure nodes that win races all the time, beside activities whose ends set and unset timers.
RACES: dict[str, object] = {}
for chain in range(4):
    for turn in range(3):
        RACES[f"race{chain}{turn}"] = {
            "race": True,
            "needs": [f"race{chain}{turn - 1}"][:turn],
            "nodes": {
                "near": {"uses": "t.slow", "with": {"seconds": 0.03}, "timeout": "9s"},
                "far": recorded.touch(seconds=30),
            },
        }
        RACES[f"far{chain}{turn}"] = {
            **recorded.touch([f"far{chain}{turn - 1}"][:turn], seconds=0.05),
            "timeout": "9s",
        }


async def start(conductor: TemporalConductor, nodes: dict[str, object], run: str):
    """Start a run whose steps take 2 s at most, so that a pure node is at work in several."""
    program = conductor.library.ready(
        read_document({"atomiton": 1, "id": "order", "nodes": nodes})
    ).program
    request = RunRequested(1_767_225_600.0, run, {}, 1)
    given = Start(dict(program.record), program.plan.hash, Options(grace=3.0), request)
    client, queue = conductor.journal.client, conductor.journal.place.queue
    return await client.start_workflow(
        WORKFLOW, given, id=run, task_queue=queue, task_timeout=timedelta(seconds=2)
    )


async def replayed(client, run: str) -> None:
    for text in await recorded.histories_of(client, run):
        await recorded.replayer().replay_workflow(WorkflowHistory.from_json(run, text))


@pytest.mark.slow
async def test_what_is_asked_while_much_happens_at_once_does_not_mix_it(temporal_address):
    blueprint = read_document({"atomiton": 1, "id": "races", "nodes": RACES})
    async with (
        TemporalWorker(WorkerSettings(parse(temporal_address), nodes=NODES)),
        TemporalConductor(temporal_address, nodes=NODES) as conductor,
    ):
        runs = [await conductor.start(blueprint) for _ in range(4)]
        asking = [
            asyncio.create_task(recorded.ask(conductor, run)) for run in runs for _ in range(2)
        ]
        for run in runs:
            assert (await asyncio.wait_for(run.result(), 90)).status == "completed"
        for task in asking:
            task.cancel()
        for run in runs:
            await replayed(conductor.journal.client, run.id)


@pytest.mark.slow
async def test_a_message_while_a_pure_node_is_at_work_is_taken_after_it(temporal_address):
    run = f"run_{parse(temporal_address).queue}"
    nodes = {
        "near": {"uses": "t.slow", "with": {"seconds": 4.0}},
        "go": {"wait": {"signal": "go"}},
        "next": recorded.touch(["near"], value=1),
    }
    async with (
        TemporalWorker(WorkerSettings(parse(temporal_address), nodes=NODES)),
        TemporalConductor(temporal_address, nodes=NODES) as conductor,
    ):
        handle = await start(conductor, nodes, run)
        looking = asyncio.create_task(recorded.ask(conductor, Run(conductor, run)))
        await conductor.signal(run, "go", 1)
        await asyncio.wait_for(handle.result(), 60)
        with contextlib.suppress(AtomitonError):
            await looking
        facts = await conductor.journal.facts(run)
        await replayed(conductor.journal.client, run)
    kinds = [type(fact) for fact in facts]
    assert kinds.index(SignalReceived) > kinds.index(AttemptCompleted)


async def test_a_timer_is_no_faster_than_an_activity():
    """Both are told of in one step, in this order: so are they taken."""
    loop, order = asyncio.get_running_loop(), []
    happenings = Happenings(loop)
    answer: asyncio.Future[None] = loop.create_future()

    async def activity() -> None:
        await asyncio.wait([answer])

    handle = asyncio.create_task(activity())
    handle.add_done_callback(lambda _: happenings.take(lambda: order.append("activity")))
    await asyncio.sleep(0)
    timer = happenings.timer(60, lambda: order.append("timer"))
    answer.set_result(None)
    loop.call_soon(timer._run)
    for _ in range(8):
        await asyncio.sleep(0)
    timer.cancel()
    assert order == ["activity", "timer"]


async def test_what_follows_is_done_before_what_comes_next_and_near_ends_come_first():
    loop, order = asyncio.get_running_loop(), []
    happenings = Happenings(loop)

    def near() -> None:
        order.append("near")
        happenings.soon(lambda: loop.call_soon(order.append, "of it"))

    happenings.take(lambda: order.append("other"))
    happenings.take(near, near=True)
    for _ in range(12):
        await asyncio.sleep(0)
    assert order == ["near", "of it", "other"]
