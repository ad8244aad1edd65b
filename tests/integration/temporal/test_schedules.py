"""Schedules of blueprints as schedules of a Temporal server."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    ScheduleBackfill,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from tests.temporal_server import TemporalServer

from atomiton.cli.app import run_app
from atomiton.conductor.cron import moments
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.drivers.temporal.wire import Options

TEXT = """
atomiton: 1
id: nightly
version: 1.2.0
inputs:
  scheduled_at: {type: string, default: never}
  factor: {type: integer, default: 3}
triggers:
  - schedule: {cron: "30 3 * * *", timezone: Europe/Berlin}
  - event: {type: order.created}
nodes:
  a: {uses: data.value, with: {value: "${{ inputs.scheduled_at }}"}}
  b: {uses: data.value, with: {value: "${{ inputs.factor * 2 }}"}, needs: [a]}
output: ${{ [a, b] }}
"""
OTHER = "  - schedule: {cron: '0 * * * *', timezone: Europe/Berlin, overlap: queue, catch_up: 2}\n"
TWO = TEXT.replace("triggers:\n", f"triggers:\n{OTHER}")
NIGHT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@asynccontextmanager
async def conductor_at(address, tmp_path, *, worker=True):
    opened = TemporalConductor(
        address, blueprints=f"sqlite:{tmp_path / 'kept.db'}", options=Options(local=0)
    )
    async with opened as conductor:
        if not worker:
            yield conductor
            return
        async with TemporalWorker(WorkerSettings(parse(address), cached=0)):
            yield conductor


def schedule(conductor, trigger="nightly.schedule"):
    queue = conductor.journal.place.queue
    return conductor.journal.client.get_schedule_handle(f"atomiton.{queue}.{trigger}")


async def listed(conductor, number, seconds=30.0):
    """Wait until so many schedules are on the server's list, which is behind by a moment."""
    async with asyncio.timeout(seconds):
        while len(await conductor._schedules.all()) != number:
            await asyncio.sleep(0.05)


async def ended(conductor, number, seconds=30.0):
    async with asyncio.timeout(seconds):
        while True:
            found = await conductor.list(status="completed")
            if len(found) >= number:
                return found
            await asyncio.sleep(0.05)


async def often(handle):
    """Let a schedule fire every second, which no cron expression can say."""

    def change(found):
        made = found.description.schedule
        made.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(seconds=1))])
        return ScheduleUpdate(made)

    await handle.update(change)


async def facts_of(conductor, run):
    return [event.fact async for event in conductor.events(run)]


async def facts(conductor, run):
    """The facts of a run, without what differs from run to run."""
    found = await facts_of(conductor, run)
    return [msgspec.to_builtins(fact) | {"time": 0.0, "run": "", "seed": 0} for fact in found]


async def test_a_schedule_starts_the_runs_that_a_conductor_would(temporal_address, tmp_path):
    async with conductor_at(temporal_address, tmp_path) as conductor:
        await conductor.save_blueprint(TEXT)
        assert (await conductor.sync_triggers()).created == ["nightly.schedule"]
        start, end = NIGHT - timedelta(days=1, hours=1), NIGHT + timedelta(hours=1)
        past = ScheduleBackfill(start, end, ScheduleOverlapPolicy.ALLOW_ALL)
        await schedule(conductor).backfill(past)
        found = await ended(conductor, 2)
        assert {header.key for header in found} == {
            "trigger:nightly.schedule@2026-11-19T02:30:00Z",
            "trigger:nightly.schedule@2026-11-20T02:30:00Z",
        }
        key = "trigger:nightly.schedule@2026-11-20T02:30:00Z"
        (header,) = [of for of in found if of.key == key]
        assert header.run.startswith("run_nightly.schedule.")
        assert header.run.endswith("-2026-11-20T02.30.00Z")
        assert await conductor.matching(header.run[:-7]) == [header.run]
        result = await conductor.show(header.run)
        assert result.output == ["2026-11-20T02:30:00Z", 6]
        direct = await conductor.start("nightly", {"scheduled_at": "2026-11-20T02:30:00Z"})
        await direct.result()
        other = await conductor.header(direct.id)
        same = ("blueprint", "blueprint_hash", "version", "status", "events")
        assert [getattr(header, of) for of in same] == [getattr(other, of) for of in same]
        assert await facts(conductor, header.run) == await facts(conductor, direct.id)
        assert abs(header.created_at - other.created_at) < 60
        first = [(await facts_of(conductor, of.run))[0] for of in found]
        assert len({fact.seed for fact in first}) == 2
        assert [fact.run for fact in first] == [of.run for of in found]
        runs = await conductor.list(blueprint="nightly")
        assert {of.run for of in runs} == {direct.id, *(of.run for of in found)}
        (trigger,) = await conductor.triggers("schedule")
        assert (trigger.fired.count, trigger.fired.problem) == (2, None)
        assert trigger.fired.run in {of.run for of in found}
        assert trigger.next_at == next(
            moments("30 3 * * *", "Europe/Berlin", datetime.now(UTC).timestamp())
        )


async def test_only_what_has_changed_is_changed(temporal_address, tmp_path):
    async with conductor_at(temporal_address, tmp_path, worker=False) as conductor:
        await conductor.save_blueprint(TWO)
        (first, second, _) = await conductor.triggers()
        assert first.fired.problem == "not on the server yet: atomiton triggers sync"
        done = await conductor.sync_triggers()
        assert done.created == ["nightly.schedule", "nightly.schedule.2"]
        policy = (await schedule(conductor).describe()).schedule.policy
        assert policy.overlap is ScheduleOverlapPolicy.BUFFER_ALL
        assert policy.catchup_window == timedelta(hours=2, seconds=60)
        policy = (await schedule(conductor, "nightly.schedule.2").describe()).schedule.policy
        assert policy.overlap is ScheduleOverlapPolicy.SKIP
        assert policy.catchup_window == timedelta(seconds=60)
        done = await conductor.sync_triggers()
        assert (done.created, done.updated, done.removed) == ([], [], [])
        assert done.unchanged == ["nightly.schedule", "nightly.schedule.2"]
        assert (await conductor.sync_triggers(again=True)).updated == done.unchanged
        await conductor.pause_trigger("nightly.schedule.2")
        await listed(conductor, 2)
        await conductor.save_blueprint(TWO.replace("30 3", "45 3"))  # edited, and paused
        (first, second) = await conductor.triggers("schedule")
        assert first.fired.problem == "the server has it as it was before: atomiton triggers sync"
        assert (await conductor.sync_triggers()).updated == done.unchanged
        (first, second) = await conductor.triggers("schedule")
        assert (first.fired.paused, second.fired.paused) == (False, True)
        await conductor.save_blueprint(TEXT.replace("30 3", "45 3"))  # the paused one moves up
        done = await conductor.sync_triggers()
        assert (done.updated, done.removed) == (["nightly.schedule"], ["nightly.schedule.2"])
        (only,) = await conductor.triggers("schedule")
        assert (only.fired.paused, only.fired.problem, only.next_at) == (True, None, None)
        await conductor.pause_trigger("nightly.schedule", paused=False)
        (only,) = await conductor.triggers("schedule")
        assert (only.fired.paused, only.next_at is None) == (False, False)
        await conductor.delete_blueprint("nightly")
        assert (await conductor.sync_triggers()).removed == ["nightly.schedule"]
        await listed(conductor, 0)


async def test_what_cannot_be_fires_no_more_and_keeps_its_pause(temporal_address, tmp_path):
    async with conductor_at(temporal_address, tmp_path, worker=False) as conductor:
        await conductor.save_blueprint(TWO)
        await conductor.sync_triggers()
        await conductor.pause_trigger("nightly.schedule")
        await conductor.save_blueprint(TWO.replace("0 * * * *", "30 2 * * *"))
        done = await conductor.sync_triggers()
        assert list(done.problems) == ["nightly.schedule"]
        assert done.updated == ["nightly.schedule", "nightly.schedule.2"]
        first, second = await conductor.triggers("schedule")
        assert "or `timezone: UTC`" in (first.invalid or "")
        assert (first.next_at, second.invalid) == (None, None)
        assert (await schedule(conductor).describe()).info.next_action_times == []
        again = await conductor.sync_triggers()
        assert (again.updated, list(again.problems)) == ([], ["nightly.schedule"])
        await conductor.save_blueprint(TWO.replace("uses: data.value", "uses: data.values"))
        done = await conductor.sync_triggers()
        assert list(done.problems) == ["nightly.schedule", "nightly.schedule.2"]
        assert "data.values" in done.problems["nightly.schedule.2"]
        needs = TWO.replace("default: 3", "minimum: 3")
        await conductor.save_blueprint(needs)
        done = await conductor.sync_triggers()
        assert "factor" in done.problems["nightly.schedule.2"]
        await conductor.save_blueprint(TWO)
        done = await conductor.sync_triggers()
        assert (done.problems, len(done.updated)) == ({}, 2)
        first, second = await conductor.triggers("schedule")
        assert (first.fired.paused, second.fired.paused) == (True, False)


async def test_schedules_of_others_are_left_alone(temporal_address, tmp_path):
    async with conductor_at(temporal_address, tmp_path, worker=False) as conductor:
        await conductor.save_blueprint(TEXT)
        await conductor.sync_triggers()
        await listed(conductor, 1)
        other = tmp_path / "other"
        other.mkdir()
        async with conductor_at(temporal_address, other, worker=False) as elsewhere:
            done = await elsewhere.sync_triggers()
            assert (done.left, done.removed) == (["nightly.schedule"], [])
            done = await elsewhere.sync_triggers(prune=True)
            assert (done.left, done.removed) == ([], ["nightly.schedule"])
        assert (await conductor.sync_triggers()).created == ["nightly.schedule"]


async def test_the_server_means_the_same_moments(temporal_address, tmp_path):
    crons = {
        "15 8-18/2 * * 1-5": "America/New_York",
        "0 12 L * *": "Europe/Berlin",
        "0 12 LW */2 *": "Asia/Kolkata",
        "10 4 1,15 * FRI": "UTC",
        "*/10 * * * *": "Australia/Adelaide",
        "30 23 * * 5L": "America/Sao_Paulo",
        "0 9 * * 1#1,4#3": "Asia/Tokyo",
    }
    written = "".join(
        f"  - schedule: {{cron: '{cron}', timezone: {zone}}}\n" for cron, zone in crons.items()
    )
    async with conductor_at(temporal_address, tmp_path, worker=False) as conductor:
        await conductor.save_blueprint(TEXT.replace("triggers:\n", f"triggers:\n{written}"))
        done = await conductor.sync_triggers()
        assert done.problems == {}

        async def there(trigger, start, end):
            asked = ListScheduleMatchingTimesRequest(
                namespace="default",
                schedule_id=schedule(conductor, trigger).id,
                start_time=Timestamp(seconds=start - 1),
                end_time=Timestamp(seconds=end),
            )
            service = conductor.journal.client.workflow_service
            answer = await service.list_schedule_matching_times(asked)
            return [moment.ToSeconds() for moment in answer.start_time]

        for (cron, zone), trigger in zip(crons.items(), done.created, strict=False):
            days = 3 if cron.startswith("*") else 100
            for first in ("2027-03-13", "2027-10-30", "2028-02-25"):  # and where clocks change
                start = int(datetime.fromisoformat(f"{first}T00:00Z").timestamp())
                end = start + days * 86_400
                here = list(takewhile(lambda at: at <= end, moments(cron, zone, start - 1)))  # noqa: B023
                assert here == await there(trigger, start, end), (cron, zone, first)


async def test_firing_by_hand_starts_a_run_at_once(temporal_address, tmp_path):
    async with conductor_at(temporal_address, tmp_path) as conductor:
        await conductor.save_blueprint(TEXT)
        await conductor.sync_triggers()
        await conductor.pause_trigger("nightly.schedule")
        run = await conductor.fire_trigger("nightly.schedule", {"factor": 5}, key="once")
        again = await conductor.fire_trigger("nightly.schedule", {"factor": 6}, key="once")
        assert again.id == run.id
        assert (await run.result()).output == ["never", 10]
        assert (await conductor.header(run.id)).key == "trigger:nightly.schedule@once"
        (started,) = await conductor.publish("order.created", key="17")
        assert (await started.result()).status == "completed"
        await conductor.pause_trigger("nightly.event")
        assert await conductor.publish("order.created", key="18") == []
    # Another conductor knows of the pause too.
    async with conductor_at(temporal_address, tmp_path, worker=False) as conductor:
        (event,) = await conductor.triggers("event")
        assert (event.fired.paused, event.fired.count) == (True, 1)


async def test_schedules_outlive_a_server_that_was_killed(tmp_path):
    server = TemporalServer(tmp_path / "server.db")
    server.start()
    address = server.address()
    try:
        async with conductor_at(address, tmp_path) as conductor:
            await conductor.save_blueprint(TEXT)
            await conductor.sync_triggers()
            await often(schedule(conductor))
            first = await ended(conductor, 2)
        await asyncio.to_thread(server.stop, kill=True)
        await asyncio.to_thread(server.start)
        async with conductor_at(address, tmp_path) as conductor:
            later = await ended(conductor, len(first) + 2)
            outputs = [(await conductor.show(of.run)).output[0] for of in later]
    finally:
        server.stop(kill=True)
    assert len(set(outputs)) == len(outputs)  # each moment once
    keys = {of.key for of in later}
    assert keys == {f"trigger:nightly.schedule@{moment}" for moment in outputs}


def test_the_verbs_act_on_the_server(temporal_address, tmp_path, capsys):
    (tmp_path / "nightly.yaml").write_text(TWO)
    (tmp_path / "clocks.yaml").write_text(
        TEXT.replace("id: nightly", "id: clocks").replace("30 3", "30 2")
    )
    at = ["--store", temporal_address, "--blueprints", str(tmp_path)]

    def call(verb, *more):
        status = run_app(["triggers", verb, *more, *at])
        return status, *capsys.readouterr()

    status, out, err = call("sync")
    assert (status, out) == (2, "created  nightly.schedule\ncreated  nightly.schedule.2\n")
    assert err.startswith("starts nothing  clocks.schedule: the schedule '30 2 * * *' fires at")
    (tmp_path / "clocks.yaml").unlink()
    status, out, err = call("sync", "--json")
    assert status == 0
    assert json.loads(out)["unchanged"] == ["nightly.schedule", "nightly.schedule.2"]
    assert call("pause", "nightly.schedule") == (0, "", "paused nightly.schedule\n")
    status, out, err = call("list")
    assert [line.split()[1] for line in out.splitlines()] == ["paused", "on", "on"]
    assert " next 20" in out.splitlines()[1]
    assert call("resume", "nightly.schedule")[0] == 0
    assert call("pause", "nightly.schedule.3")[0] == 2
    assert run_app(["triggers", "sync", "--store", str(tmp_path / "runs.db")]) == 2
