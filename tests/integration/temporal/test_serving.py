"""A server whose runs are on Temporal: its doors, and what it does by itself."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest

from atomiton.client import connect
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.errors import AtomitonError
from atomiton.ports.admission import Admission
from atomiton.server import endings
from atomiton.server.serve import Settings, serve

ORDERS = """
atomiton: 1
id: orders
inputs: {body: {type: object, default: {}}, event: {type: object, default: {}}}
triggers:
  - schedule: {cron: "30 3 * * *"}
  - webhook: {path: orders, secret: none}
  - webhook: {path: asked, secret: HOOK, respond: result}
  - webhook: {path: told, secret: none, respond: result}
  - event: {type: order.created}
nodes:
  number: {uses: data.value, with: {value: "${{ has(inputs.body.n) ? int(inputs.body.n) : 1 }}"}}
  check: {uses: data.value, with: {value: "${{ 7 / (number - 13) }}"}}
  double: {uses: data.value, with: {value: "${{ number * 2 }}"}, needs: [check]}
output: ${{ double }}
"""
ALARM = """
atomiton: 1
id: alarm
inputs: {event: object}
triggers: [{event: {type: run.failed, blueprint: orders}}]
nodes: {a: {uses: data.value, with: {value: "${{ inputs.event.data.error.code }}"}}}
output: ${{ a }}
"""


@asynccontextmanager
async def serving(address, folder, **more):
    """A server and a worker."""
    stop = asyncio.Event()
    ready = asyncio.get_running_loop().create_future()
    kept = f"sqlite:{folder / 'kept.db'}"
    settings = Settings(store=address, port=0, folder=folder, blueprints=kept, drain=0.1, **more)
    task = asyncio.create_task(serve(settings, ready.set_result, stop))
    await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        async with TemporalWorker(WorkerSettings(parse(address))):
            yield ready.result()
    finally:
        stop.set()
        await task


async def ask(server, path, body=None):
    """Send a request as its owner; gives status and body."""
    headers = {"authorization": f"Bearer {server.tokens.owner()}"}
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers = {"content-type": "application/json"}  # nobody in particular
    request = urllib.request.Request(server.address + path, data, headers)

    def send():
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(send)


async def until(asked, wanted, seconds=30.0):
    async with asyncio.timeout(seconds):
        while not wanted(found := await asked()):
            await asyncio.sleep(0.05)
    return found


async def test_triggers_start_runs_on_temporal(temporal_address, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(endings, "LOOK", 0.2)
    monkeypatch.setenv("ATOMITON_SECRET_HOOK", "whsec_c2VjcmV0")
    async with (
        serving(temporal_address, tmp_path) as server,
        connect(server.address, token=server.tokens.owner()) as client,
    ):
        await client.save_blueprint(ORDERS)
        await client.save_blueprint(ALARM)

        # The server lets Temporal know the schedule, by itself.
        synced = await until(client.triggers, lambda of: of and of[1].next_at is not None)
        assert [(of.id, of.fired.problem) for of in synced if of.kind == "schedule"] == [
            ("orders.schedule", None)
        ]

        status, body = await ask(server, "/hooks/orders", {"n": 21})
        assert status == 202
        assert (await client.result(json.loads(body)["run"])).output == 42
        status, body = await ask(server, "/hooks/asked", {"n": 21})
        assert status == 401  # it is not signed
        status, body = await ask(server, "/hooks/told", {"n": 21})
        assert (status, json.loads(body)) == (200, 42)
        (started,) = await client.publish("order.created", key="order-17")
        assert (await started.result()).output == 2

        # The end of a run starts another one, once the server has seen that it is wanted.
        await until(client.triggers, lambda of: of[0].fired.handled_at is not None)
        await ask(server, "/hooks/orders", {"n": 13})
        (alarm,) = await until(lambda: client.list(blueprint="alarm", status="completed"), bool)
        assert (await client.show(alarm.run)).output == "EXPRESSION_ERROR"
        assert (await ask(server, "/metrics"))[0] == 200

        # A changed schedule is changed there, a removed one removed, and a pause stays.
        await client.pause_trigger("orders.schedule")
        await client.save_blueprint(ORDERS.replace("30 3", "30 4"))

        async def schedule():
            return [of for of in await client.triggers() if of.id == "orders.schedule"]

        changed = await until(
            schedule,
            lambda of: of and of[0].settings["cron"] == "30 4 * * *" and not of[0].fired.problem,
        )
        assert changed[0].fired.paused


async def test_bounds_are_those_of_workers(temporal_address, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(AtomitonError, match="the workers have --attempts") as refused:
        async with serving(temporal_address, tmp_path, admission=Admission(3)):
            pass
    assert refused.value.code == "NOT_SUPPORTED"
