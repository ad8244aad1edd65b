"""Runs on a Temporal server: what the machine wishes, done by its means."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from tests.integration.temporal.nodes import NODES

from atomiton.blueprint.document import read_document
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.codec import Codec, FolderBlobs, Sealer
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.drivers.temporal import driving
from atomiton.drivers.temporal.wire import Options
from atomiton.errors import AtomitonError, Unavailable
from atomiton.store.open import default_path

QUICK = Options(heartbeat=2.0, grace=3.0, local=0)


def document(nodes, **more):
    return read_document({"atomiton": 1, "id": "test", "nodes": nodes, **more})


@asynccontextmanager
async def place(address, *, options=QUICK, codec=None, **settings):
    """A worker that replays at every step, and a conductor."""
    given = {"nodes": NODES, "cached": 0, "codec": codec, **settings}
    async with (
        TemporalWorker(WorkerSettings(parse(address), **given)),
        TemporalConductor(address, nodes=NODES, options=options, codec=codec) as conductor,
    ):
        yield conductor


async def history(conductor, run):
    handle = conductor.journal.client.get_workflow_handle(run)
    return [event async for event in handle.fetch_history_events()]


async def until(wanted, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not wanted():
            await asyncio.sleep(0.02)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


async def test_results_are_not_kept_on_temporal(temporal_address, tmp_path):
    log = tmp_path / "log"
    nodes = {"a": {"uses": "t.touch", "with": {"log": str(log), "value": 1}, "cache": True}}
    async with place(temporal_address) as conductor:
        for _ in range(2):
            assert (await conductor.run(document(nodes))).output == {"a": 1}
    assert lines(log) == ["1", "1"]


async def test_functions_over_items_see_what_is_around_them(temporal_address):
    nodes = {
        "least": {"uses": "t.touch", "with": {"log": "/dev/null", "value": 3}},
        "big": {
            "uses": "data.filter",
            "with": {"items": "${{ inputs.items }}", "where": "item > least + vars.more"},
        },
        "each": {
            "map": "${{ big.items }}",
            "nodes": {
                "part": {
                    "uses": "data.filter",
                    "with": {"items": "${{ inputs.items }}", "where": "item < each_item"},
                }
            },
            "as": "each_item",
        },
    }
    del nodes["each"]["as"]
    nodes["each"]["nodes"]["part"]["with"]["where"] = "acc == null && index < 2"
    blueprint = document(
        nodes,
        inputs={"items": "array"},
        variables={"more": 1},
        output="${{ {'big': big.items, 'each': each} }}",
    )
    async with place(temporal_address) as conductor:
        result = await conductor.run(blueprint, {"items": [1, 4, 5, 9]})
    assert result.error is None
    assert result.output["big"] == [5, 9]
    assert [of["part"]["items"] for of in result.output["each"]] == [[1, 4], [1, 4]]


async def test_what_attempts_cost_is_counted(temporal_address):
    each = {"map": [1, 2, 3, 4], "concurrency": 1, "uses": "t.spend", "with": {"amount": 1}}
    tried = {"uses": "t.spend", "with": {"amount": 0.5, "fails": True}, "retry": {"attempts": 2}}
    blueprint = document({"each": each}, limits={"cost": 2.5})
    async with place(temporal_address) as conductor:
        result = await conductor.run(blueprint)
        assert result.error is not None
        assert (result.error.code, result.cost) == ("LIMIT_EXCEEDED", 3)
        result = await conductor.run(document({"tried": tried}))
        assert (result.status, result.cost) == ("failed", 1)


async def test_secrets_reach_nodes_and_nothing_else(temporal_address):
    secret = "s3cr3t-canary-value"
    coded = base64.b64encode(f"user:{secret}".encode()).decode()
    nodes = {
        "keep": {
            "uses": "t.keep",
            "with": {
                "token": "${{ secrets.TOKEN }}",
                "header": "Basic ${{ base64.encode(bytes('user:' + secrets.TOKEN)) }}",
            },
        },
        "next": {"uses": "t.keep", "with": {"token": "${{ keep.token }}"}},
    }
    blueprint = document(nodes, secrets=["TOKEN"], output="${{ [keep, next] }}")
    async with place(temporal_address, secrets={"TOKEN": secret}) as conductor:
        result = await conductor.run(blueprint)
        events = await history(conductor, result.run)
    assert result.error is None
    assert result.output[0]["token"] == "***"
    assert result.output[0]["length"] == len(secret)
    assert result.output[1]["token"] == "***"
    stored = b"".join(event.SerializeToString() for event in events)
    assert secret.encode() not in stored
    assert coded.encode() in stored or result.output[0]["header"] == f"Basic {coded}"


async def test_a_wide_map_has_a_short_history(temporal_address):
    nodes = {
        "wide": {
            "map": "${{ inputs.items }}",
            "uses": "t.touch",
            "with": {"log": "/dev/null", "value": "${{ item }}"},
        }
    }
    items = list(range(1000))
    blueprint = document(nodes, inputs={"items": "array"}, output="${{ wide }}")
    async with place(temporal_address) as conductor:
        result = await conductor.run(blueprint, {"items": items})
        events = await history(conductor, result.run)
    assert result.output == items
    assert len(events) < 300


async def test_a_long_run_goes_on_in_new_histories(temporal_address):
    nodes = {
        "turns": {
            "loop": {"times": 30, "start": 0},
            "uses": "t.touch",
            "with": {"log": "/dev/null", "value": "${{ acc + 1 }}"},
        },
        "last": {"wait": {"signal": "go"}, "needs": ["turns"]},
    }
    blueprint = document(nodes, output="${{ turns }}")
    async with place(temporal_address, options=Options(history=40, local=0)) as conductor:
        run = await conductor.start(blueprint)
        await run.signal("go", 1)
        result = await run.result()
        handle = conductor.journal.client.get_workflow_handle(run.id)
        first = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
        events = [event async for event in run.events()]
        assert await conductor.document(run.id) == blueprint.document
    assert result.output == 30
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert first != (await handle.describe()).run_id
    assert sum(event.kind == "attempt_completed" for event in events) == 30


async def test_an_attempt_that_fails_is_made_again_by_the_machine(temporal_address):
    nodes = {"a": {"uses": "t.flaky", "with": {"times": 2}, "retry": {"attempts": 3, "delay": 0.1}}}
    async with place(temporal_address) as conductor:
        result = await conductor.run(document(nodes, output="${{ a }}"))
        events = await history(conductor, result.run)
    assert (result.output, result.nodes["a"].attempts) == (3, 3)
    tried = [event.activity_task_started_event_attributes.attempt for event in events]
    assert set(tried) <= {0, 1}  # Temporal itself repeats nothing


async def test_a_failed_run_is_a_failed_workflow(temporal_address):
    nodes = {"a": {"uses": "t.flaky", "with": {"times": 9}}}
    async with place(temporal_address) as conductor:
        result = await conductor.run(document(nodes))
        handle = conductor.journal.client.get_workflow_handle(result.run)
        described = await handle.describe()
        header = await conductor.header(result.run)
    assert (result.status, result.error.code) == ("failed", "FLAKY")
    assert described.status is WorkflowExecutionStatus.FAILED
    assert (header.status, header.error_code) == ("failed", "FLAKY")


async def test_cancelling_reaches_a_function_on_a_thread(temporal_address, tmp_path):
    log = tmp_path / "log"
    nodes = {"a": {"uses": "t.blocking", "with": {"log": str(log), "seconds": 60}}}
    async with place(temporal_address) as conductor:
        run = await conductor.start(document(nodes))
        await asyncio.sleep(1.0)
        await run.cancel("enough")
        result = await run.result()
        await until(lambda: lines(log))
    assert (result.status, result.error.message) == ("cancelled", "enough")


async def test_a_run_can_be_cancelled_by_temporal_s_own_means(temporal_address):
    nodes = {"a": {"wait": {"signal": "never"}}}
    async with place(temporal_address) as conductor:
        run = await conductor.start(document(nodes))
        handle = conductor.journal.client.get_workflow_handle(run.id)
        await handle.cancel()
        result = await run.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
        other = await conductor.start(document(nodes))
        handle = conductor.journal.client.get_workflow_handle(other.id)
        await handle.terminate("by hand")
        header = await conductor.header(other.id)
    assert result.status == "cancelled"
    assert (header.status, header.error_message) == (
        "cancelled",
        "the workflow was terminated on the server",
    )


async def test_a_message_is_sent_again_when_something_else_happened_at_that_moment(
    temporal_address, monkeypatch
):
    """The server undoes a step of a workflow that ends it while it has more to tell."""
    tell, told = driving.Driving.tell, []

    def slowly(self, event):
        told.append(event)
        if len(told) == 1:
            time.sleep(0.7)
        return tell(self, event)

    monkeypatch.setattr(driving.Driving, "tell", slowly)
    blueprint = document({"a": {"wait": {"signal": "go"}}}, output="${{ a }}")
    async with place(temporal_address) as conductor:
        run = await conductor.start(blueprint)
        await asyncio.sleep(0.3)
        signalling = asyncio.ensure_future(run.signal("go", 1))
        while not told:
            await asyncio.sleep(0.01)
        handle = conductor.journal.client.get_workflow_handle(run.id)
        await handle.cancel()
        refused = None
        try:
            await signalling
        except AtomitonError as error:
            refused = error
        result = await asyncio.wait_for(run.result(), 20)
    if result.status == "completed":  # whichever of the two the server has brought first
        assert (refused, result.output) == (None, 1)
    else:
        assert (result.status, refused.code) == ("cancelled", "NOT_ALLOWED")


async def test_a_pure_node_that_takes_long_is_run_as_an_activity_of_its_own(temporal_address):
    nodes = {"a": {"uses": "t.slow", "with": {"seconds": 1.5}}}
    options = Options(local=0.5)
    async with place(temporal_address, options=options) as conductor:
        result = await conductor.run(document(nodes, output="${{ a }}"))
        events = await history(conductor, result.run)
    assert result.output == "done"
    assert any(event.HasField("activity_task_completed_event_attributes") for event in events)
    assert result.nodes["a"].attempts == 1


async def test_nodes_are_run_by_the_workers_of_their_queue(temporal_address):
    other = temporal_address + "-gpu"
    nodes = {
        "here": {"uses": "t.queue"},
        "there": {"uses": "t.queue", "runtime": {"queue": parse(other).queue}},
    }
    settings = WorkerSettings(parse(other), nodes=NODES)
    async with place(temporal_address) as conductor, TemporalWorker(settings):
        result = await conductor.run(document(nodes, output="${{ [here, there] }}"))
    assert result.output == [parse(temporal_address).queue, parse(other).queue]


async def test_the_server_itself_filters_lists_of_runs(temporal_address):
    async with place(temporal_address, options=Options(history=30, local=0)) as conductor:
        assert conductor.journal.attributes
        wait = {"uses": "t.touch", "with": {"log": "/dev/null", "seconds": 2.0}}
        nodes = {"a": {"wait": {"signal": "go"}}, "b": {**wait, "needs": ["a"]}}
        waits = await conductor.start(document(nodes))
        done = await conductor.run(document({"a": {"uses": "t.add", "with": {"x": 1}}}))
        other = read_document({**document(nodes).document, "id": "other"})
        others = await conductor.start(other)
        failed = await conductor.run(document({"a": {"uses": "t.flaky"}}))

        async def listed(exact=True, **wanted):
            asked = wanted["status"], wanted.get("blueprint")
            (query,) = conductor.journal._queries(*asked)
            told = {of.id async for of in conductor.journal.client.list_workflows(query)}
            found = {header.run for header in await conductor.list(**wanted)}
            assert found == told if exact else found <= told
            return found

        await asyncio.sleep(1.5)  # the server's list is behind by a moment
        assert await listed(status="waiting") == {waits.id, others.id}
        assert await listed(status="waiting", blueprint="test") == {waits.id}
        assert await listed(status="completed") == {done.run}
        assert await listed(status="failed", blueprint="test") == {failed.run}
        assert await listed(False, status="cancelled") == set()
        await waits.signal("go")
        await asyncio.sleep(1.0)
        assert await listed(status="running") == {waits.id}
        await others.cancel()
        await waits.result()
        await asyncio.sleep(1.0)
        assert await listed(status="completed", blueprint="test") == {waits.id, done.run}
        assert await listed(False, status="cancelled", blueprint="other") == {others.id}


async def test_a_time_limit_stops_an_attempt(temporal_address, tmp_path):
    given = {"log": str(tmp_path / "log"), "seconds": 60}
    nodes = {"a": {"uses": "t.touch", "with": given, "timeout": "1s"}}
    async with place(temporal_address) as conductor:
        result = await conductor.run(document(nodes))
    assert result.error is not None
    assert result.error.code == "TIMEOUT"


async def test_large_values_are_kept_elsewhere_and_all_is_encrypted(temporal_address, tmp_path):
    nodes = {
        "big": {"uses": "t.big", "with": {"size": 300_000}},
        "same": {"uses": "t.touch", "with": {"log": "/dev/null", "value": "${{ big }}"}},
    }
    blueprint = document(nodes, output="${{ size(same) }}")
    codec = Codec(FolderBlobs(tmp_path / "blobs"), Sealer(b"k" * 32))
    async with place(temporal_address, codec=codec) as conductor:
        result = await conductor.run(blueprint)
        events = await history(conductor, result.run)
    assert result.output == 300_000
    stored = b"".join(event.SerializeToString() for event in events)
    assert b"xxxx" not in stored
    assert len(stored) < 50_000
    kept = [path.read_bytes() for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"xxxx" in data for data in kept)


async def test_who_has_another_key_is_told(temporal_address, tmp_path):
    nodes = {"a": {"wait": {"signal": "go"}}}
    async with place(temporal_address, codec=Codec(sealer=Sealer(b"k" * 32))) as conductor:
        run = await conductor.start(document(nodes))
        async with TemporalConductor(temporal_address, codec=Codec()) as other:
            with pytest.raises(AtomitonError, match="encrypted"):
                await other.show(run.id)
        await run.signal("go")
        await run.result()


async def test_what_is_not_there_for_runs_on_temporal_is_refused(temporal_address):
    nodes = {"a": {"uses": "t.add", "with": {"x": 1}}}
    async with place(temporal_address) as conductor:
        for wish in (conductor.start(document(nodes), delay=5), conductor.secrets()):
            with pytest.raises(AtomitonError) as refused:
                await wish
            assert refused.value.code == "NOT_SUPPORTED"
        assert (await conductor.queue_sizes()).waiting == 0


async def test_nobody_answers_for_a_run_without_a_worker(temporal_address, monkeypatch):
    from datetime import timedelta

    from atomiton.conductor.temporal import journal

    monkeypatch.setattr(journal, "_ANSWER", timedelta(seconds=1))
    monkeypatch.setattr(journal, "_TAKEN", timedelta(seconds=1))
    nodes = {"a": {"uses": "t.add", "with": {"x": 1}}}
    async with TemporalConductor(temporal_address, nodes=NODES) as conductor:
        run = await conductor.start(document(nodes))
        with pytest.raises(Unavailable, match="no worker"):
            await conductor.show(run.id)
        with pytest.raises(Unavailable, match="no worker"):
            await conductor.signal(run.id, "go")
        sent = asyncio.create_task(conductor.signal(run.id, "go"))
        await asyncio.sleep(0.2)
        sent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sent


async def test_a_server_that_is_not_there_is_told():
    with pytest.raises(Unavailable, match=r"0\.1:9 cannot be reached: Connection refused$"):
        async with TemporalConductor("temporal://127.0.0.1:9"):
            pass


def test_payloads_are_json_where_that_can_say_them():
    from datetime import UTC, datetime

    from atomiton.drivers.temporal.values import Values

    values = Values()
    for value in (1, "x", [1.5, None], {"a": {"b": True}}, 2**60):
        payload = values.to_payload(value)
        assert json.loads(payload.data) == value
        assert values.from_payload(payload) == value
    for value in (b"\x00", [datetime(2026, 1, 1, tzinfo=UTC)], {"x": float("inf")}):
        assert values.from_payload(values.to_payload(value)) == value


@pytest.mark.parametrize(
    "address",
    ["temporal://", "temporal://h:x/n", "temporal://h/a/b", "temporal://h?x=1", "http://h"],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(AtomitonError, match="no address") as refused:
        parse(address)
    assert refused.value.code == "INVALID_INPUT"


def test_an_address_says_where():
    place = parse("temporal://h.example:99/n?queue=q&tls=1")
    assert (place.target, place.namespace, place.queue, place.tls) == (
        "h.example:99",
        "n",
        "q",
        True,
    )
    assert parse(place.address) == place
    with contextlib.suppress(AtomitonError):
        assert parse("temporal://[::1]").target == "[::1]:7233"
    assert isinstance(Path(), Path)


async def test_blueprints_are_kept_in_a_file_by_default(temporal_address, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    async with TemporalConductor(temporal_address) as conductor:
        await conductor.save_blueprint("atomiton: 1\nid: a\nnodes: {a: {wait: {for: 1}}}\n")
    assert default_path().is_file()
