"""Triggers: each moment, file, event and message starts one run."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.integration.server.asking import Asked, asked

from atomiton import Conductor
from atomiton.conductor.cron import moments
from atomiton.errors import NotFound
from atomiton.server.firing import Firing

START = datetime(2026, 6, 1, 12, 0, 30, tzinfo=ZoneInfo("UTC")).timestamp()


def blueprint(trigger: str, id_: str = "t", inputs: str = "", output: str = "1") -> str:
    return f"""
atomiton: 1
id: {id_}
inputs: {{{inputs}}}
triggers:
  - {trigger}
nodes:
  a: {{uses: data.value, with: {{value: {output}}}}}
output: ${{{{ a }}}}
"""


class Clock:
    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "runs.db")


@asynccontextmanager
async def firing(store: str, clock: Clock, folder: Path) -> AsyncIterator[tuple[Conductor, Firing]]:
    async with Conductor(store, resume=False) as conductor:
        conductor._now = clock
        yield conductor, Firing(conductor, folder, clock)


async def fired(conductor: Conductor) -> list[str]:
    """The keys of the runs, oldest first; when all have ended."""
    headers = await conductor.list(limit=1000)
    for header in headers:
        await conductor.result(header.run)
    return [str(header.key).partition("@")[2] for header in reversed(headers)]


async def test_a_schedule_fires_once_for_each_moment(store: str, tmp_path: Path) -> None:
    clock = Clock()
    text = blueprint('schedule: {cron: "* * * * *"}', inputs="scheduled_at: string")
    async with (
        firing(store, clock, tmp_path) as (one, first),
        firing(store, clock, tmp_path) as (
            two,
            second,
        ),
    ):
        await one.save_blueprint(text)
        await first.look()
        await second.look()
        assert await fired(one) == []  # what was before does not count
        for _ in range(3):
            clock.now += 60
            await asyncio.gather(first.look(), second.look())
            await fired(one)
        await asyncio.gather(first.look(), second.look())
        minutes = [f"2026-06-01T12:0{n}:00Z" for n in (1, 2, 3)]
        assert await fired(one) == minutes
        (trigger,) = await two.triggers()
        assert (trigger.id, trigger.fired.count) == ("t.schedule", 3)
        assert trigger.next_at == clock.now + 30
        assert (await one.show(str(trigger.fired.run))).output == 1


async def test_what_was_missed_is_caught_up_as_far_as_is_said(store: str, tmp_path: Path) -> None:
    clock = Clock()
    async with firing(store, clock, tmp_path) as (conductor, loop):
        for id_, more in (("none", ""), ("two", ", catch_up: 2")):
            text = blueprint(f'schedule: {{cron: "0 * * * *", overlap: allow{more}}}', id_)
            await conductor.save_blueprint(text)
        await loop.look()
    clock.now += 5 * 3600 + 300
    async with firing(store, clock, tmp_path) as (conductor, loop):
        await loop.look()
        await loop.look()
        assert await fired(conductor) == ["2026-06-01T16:00:00Z", "2026-06-01T17:00:00Z"]
        clock.now += 3600 - 300
        await loop.look()
        assert (await fired(conductor))[2:] == ["2026-06-01T18:00:00Z"] * 2


async def test_overlap(store: str, tmp_path: Path) -> None:
    clock = Clock()
    waits = """
atomiton: 1
id: {0}
triggers: [{{schedule: {{cron: "* * * * *", overlap: {0}}}}}]
nodes: {{w: {{wait: {{signal: go}}}}}}
"""
    async with firing(store, clock, tmp_path) as (conductor, loop):
        for overlap in ("skip", "allow", "queue"):
            await conductor.save_blueprint(waits.format(overlap))
        await loop.look()
        for _ in range(3):
            clock.now += 60
            await loop.look()
        headers = await conductor.list(limit=100)
        counts = {name: sum(of.blueprint == name for of in headers) for name in ("skip", "allow")}
        assert counts == {"skip": 1, "allow": 3}
        # Those that are queued begin one after the other.
        queued = [of.run for of in reversed(headers) if of.blueprint == "queue"]
        assert len(queued) == 3
        sizes = await conductor.queue_sizes()
        assert sizes.waiting + sizes.running == 3
        for header in headers:
            if header.blueprint != "queue":
                await conductor.cancel(header.run)


async def test_paused_triggers_start_nothing(store: str, tmp_path: Path) -> None:
    clock = Clock()
    async with firing(store, clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(
            blueprint('schedule: {cron: "* * * * *", catch_up: 9}', inputs="n: {default: 1}")
        )
        await loop.look()
        await conductor.pause_trigger("t.schedule")
        clock.now += 300
        await loop.look()
        assert await fired(conductor) == []
        assert (await conductor.triggers())[0].next_at is None
        run = await conductor.fire_trigger("t.schedule", {"n": 2}, key="k")
        assert (await conductor.fire_trigger("t.schedule", {"n": 2}, key="k")).id == run.id
        await conductor.pause_trigger("t.schedule", paused=False)
        await loop.look()
        assert await fired(conductor) == ["k"]
        with pytest.raises(NotFound):
            await conductor.pause_trigger("t.webhook")


async def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    clock = Clock()
    async with firing(str(tmp_path / "r.db"), clock, tmp_path) as (conductor, loop):
        needs = blueprint('schedule: {cron: "* * * * *"}', "needs", inputs="n: string")
        await conductor.save_blueprint(needs)
        never = blueprint('schedule: {cron: "0 0 31 2 *"}', "never")
        assert "has no moments" in (await conductor.validate(never))[0].message
        zone = blueprint('schedule: {cron: "* * * * *", timezone: Mars/Base}', "zone")
        assert "no time zone" in (await conductor.validate(zone))[0].message
        await conductor.save_blueprint(blueprint("watch: {path: ../up}", "up"))
        await loop.look()
        clock.now += 60
        await loop.look()
        problems = {of.blueprint: of.fired.problem or "" for of in await conductor.triggers()}
        assert "'n' is missing" in problems["needs"]
        assert "outside" in problems["up"]


def berlin(*moment: int) -> float:
    return datetime(*moment, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cron", "after", "shown"),
    [
        # The clock leaps from 2:00 to 3:00: a moment in between is right after the leap, once.
        ("30 2 * * *", berlin(2026, 3, 28, 12), ["29T03:00+0200", "30T02:30+0200"]),
        # It shows 2:30 twice: the first of the two counts.
        ("30 2 * * *", berlin(2026, 10, 24, 12), ["25T02:30+0200", "26T02:30+0100"]),
        # What is about elapsed time goes on through both.
        ("30 * * * *", berlin(2026, 10, 25, 1), ["25T01:30+0200", "25T02:30+0200",
                                                 "25T02:30+0100", "25T03:30+0100"]),
        ("@daily", berlin(2026, 3, 28, 12), ["29T00:00+0100", "30T00:00+0200"]),
    ],
)  # fmt: skip
def test_moments_when_the_clock_changes(cron: str, after: float, shown: list[str]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = moments(cron, "Europe/Berlin", after)
    got = [datetime.fromtimestamp(next(found), zone).strftime("%dT%H:%M%z") for _ in shown]
    assert got == shown


async def test_files_start_one_run_each(store: str, tmp_path: Path) -> None:
    clock = Clock()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    text = blueprint(
        'watch: {path: inbox, pattern: "*.csv"}',
        inputs="path: string",
        output='"${{ inputs.path }}"',
    )
    (inbox / "early.csv").write_text("x")
    (inbox / "other.txt").write_text("x")
    async with firing(store, clock, tmp_path) as (conductor, loop):
        await conductor.save_blueprint(text)
        await loop.look()
        assert await fired(conductor) == []  # it may still be written
        await loop.look()
        await loop.look()
        assert len(await fired(conductor)) == 1
    async with firing(store, clock, tmp_path) as (conductor, loop):
        (inbox / "late.csv").write_text("y")
        for _ in range(3):
            await loop.look()
        runs = [of.run for of in await conductor.list()]
        outputs = [(await conductor.result(run)).output for run in runs]
        assert outputs == ["inbox/late.csv", "inbox/early.csv"]
        (inbox / "late.csv").write_text("changed")
        for _ in range(3):
            await loop.look()
        assert len(await fired(conductor)) == 3


async def test_an_event_starts_each_of_its_triggers_once(store: str) -> None:
    async with Conductor(store) as conductor:
        for id_ in ("one", "two"):
            text = blueprint(
                "event: {type: order.created}",
                id_,
                inputs="event: object",
                output='"${{ inputs.event.data.n }}"',
            )
            await conductor.save_blueprint(text)
        await conductor.save_blueprint(blueprint("event: {type: other}", "other"))
        runs = await conductor.publish("order.created", {"n": 7}, key="e1")
        again = await conductor.publish("order.created", {"n": 7}, key="e1")
        assert [run.id for run in runs] == [run.id for run in again]
        assert [(await run.result()).output for run in runs] == [7, 7]
        assert len(await conductor.list()) == 2
        assert await conductor.publish("nothing", key="e2") == []


# -- webhooks --------------------------------------------------------------------------------------


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    monkeypatch.setenv(
        "ATOMITON_SECRET_ORDERS_KEY", "whsec_" + base64.b64encode(b"k" * 24).decode()
    )
    async with asked(tmp_path) as server:
        yield server


def signed(body: bytes, id_: str = "m1", at: float | None = None, key: bytes = b"k" * 24) -> dict:
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,AAAA v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


HOOK = blueprint(
    "webhook: {path: orders, respond: result, secret: ORDERS_KEY}",
    inputs="body: object, query: object",
    output='{status: 201, headers: {x-n: "${{ inputs.body.n }}", set-cookie: a=b}, '
    'body: {got: "${{ inputs.body.n }}", q: "${{ inputs.query }}"}}',
)


async def send(server: Asked, body: bytes, headers: dict, method: str = "POST", to: str = "orders"):
    return await server.ask(method, f"/hooks/{to}", body, token=None, headers=headers)


async def test_a_signed_message_starts_one_run_and_is_answered(server: Asked) -> None:
    conductor = server.around.conductor
    await conductor.save_blueprint(HOOK)
    body = b'{"n": 5}'
    message = signed(body)
    got = await server.ask("POST", "/hooks/orders?a=b", body, token=None, headers=message)
    assert (got.status, got.data) == (201, {"got": 5, "q": {"a": "b"}})
    assert got.headers["x-n"] == "5"
    assert "set-cookie" not in got.headers
    assert "content-security-policy" in got.headers
    again = await server.ask("POST", "/hooks/orders?a=b", body, token=None, headers=message)
    assert (again.status, again.headers["x-atomiton-run"]) == (201, got.headers["x-atomiton-run"])
    assert len(await conductor.list()) == 1


async def test_what_is_not_signed_right_starts_nothing(server: Asked) -> None:
    conductor = server.around.conductor
    await conductor.save_blueprint(HOOK)
    body = b'{"n": 5}'
    good = signed(body)
    wrong = [
        {},
        signed(body, key=b"x" * 24),
        signed(body, at=time.time() - 301),
        signed(body, at=time.time() + 301),
        {**good, "webhook-id": "m2"},
        {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
        {**good, "webhook-timestamp": "now"},
        {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")},
        {**good, "webhook-signature": ""},
    ]
    for headers in wrong:
        got = await send(server, body, headers)
        assert got.status == 401, headers
    assert (await send(server, b'{"n": 6}', good)).status == 401
    assert (await send(server, body, good, "PUT")).status == 404
    assert (await send(server, body, good, to="other")).status == 404
    for raw in ("/hooks/", "/hooks/orders/", "/hooks/../api/v1/runs", "/hooks/orders/x", "/hooks"):
        assert (await server.ask("POST", raw, body, token=None, headers=good)).status == 401
    assert await conductor.list() == []


async def test_how_webhooks_may_be_written(server: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor = server.around.conductor
    written = {
        "open": "path: open, secret: none",
        "unsaid": "path: unsaid",
        "unknown": "path: unknown, secret: NOBODY",
        "get": "path: read, method: GET, secret: none, respond: result",
        "fails": "path: fails, secret: none, respond: result",
    }
    for id_, settings in written.items():
        text = blueprint(f"webhook: {{{settings}}}", id_, inputs="body: {default: null}")
        if id_ == "fails":
            text = text.replace(
                "uses: data.value, with: {value: 1}", "uses: flow.fail, with: {message: no}"
            )
        await conductor.save_blueprint(text)
    got = await send(server, b"plain", {"content-type": "text/plain"}, to="open")
    assert got.status == 202
    run = got.data["run"]
    assert (await conductor.result(run)).ok
    twice = [await send(server, b"x", {"webhook-id": "same"}, to="open") for _ in range(2)]
    assert twice[0].data == twice[1].data
    assert (await send(server, b"", {}, to="unsaid")).status == 403
    assert (await send(server, b"", {}, to="unknown")).status == 503
    read = await send(server, b"", {}, "GET", to="read")
    assert (read.status, read.data) == (200, 1)
    failed = await send(server, b"", {}, to="fails")
    assert failed.status == 500
    assert "no" not in failed.data["detail"].split()  # what went wrong is not the sender's business
    await conductor.pause_trigger("open.webhook")
    monkeypatch.setattr("atomiton.server.webhooks._KNOWN", 0.0)
    assert (await send(server, b"x", {}, to="open")).status == 404
    bad = await send(server, b"{", {"content-type": "application/json"}, "GET", to="read")
    assert bad.status == 422


async def test_what_cannot_be_right_is_refused_before_its_body_is_read(server: Asked) -> None:
    await server.around.conductor.save_blueprint(HOOK)
    body = b'{"n": 5}'
    good = signed(body)
    for headers, to in (
        ({}, "orders"),
        ({**good, "webhook-timestamp": "1"}, "orders"),
        ({**good, "webhook-id": "x" * 201}, "orders"),
        ({**good, "webhook-signature": ""}, "orders"),
        (good, "nowhere"),
        ({**good, "content-length": str(2**20 + 1)}, "orders"),
    ):
        server.read = 0
        got = await send(server, body, headers, to=to)
        assert (got.status, server.read) == ({"nowhere": 404}.get(to, got.status), 0), headers
        assert got.status in (401, 404, 413)
    assert (await send(server, b"x" * (2**20 + 1), good)).status == 413
    assert server.around.unknown == 0
    assert await server.around.conductor.list() == []


async def test_what_is_held_for_those_whom_nobody_knows_is_bounded(tmp_path: Path) -> None:
    from atomiton.server.app import Limits

    async with asked(tmp_path, limits=Limits(messages=1000, message=600)) as server:
        open_ = blueprint(
            "webhook: {path: open, secret: none}", "open", inputs="body: {default: 1}"
        )
        await server.around.conductor.save_blueprint(open_)
        more = asyncio.Event()
        scope_of = [(b"host", b"127.0.0.1:8750")]
        answered: list[int] = []

        async def slow() -> None:
            pieces = [b"x" * 400, b""]

            async def receive() -> dict[str, object]:
                if len(pieces) == 1:
                    await more.wait()
                return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

            async def answer(message: dict[str, object]) -> None:
                if "status" in message:
                    answered.append(int(str(message["status"])))

            scope = {
                "type": "http", "method": "POST", "path": "/hooks/open",
                "raw_path": b"/hooks/open", "query_string": b"", "headers": scope_of,
            }  # fmt: skip
            await server.gate(scope, receive, answer)  # type: ignore[arg-type]

        going = [asyncio.create_task(slow()) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert server.around.unknown == 800
        got = await send(server, b"x" * 300, {}, to="open")
        assert (got.status, got.headers["retry-after"]) == (503, "5")
        more.set()
        await asyncio.gather(*going)
        assert (answered, server.around.unknown) == ([202, 202], 0)
        assert (await send(server, b"x" * 300, {}, to="open")).status == 202


async def test_a_rate_holds_and_only_who_may_send_uses_it_up(server: Asked) -> None:
    conductor = server.around.conductor
    for id_, secret in (("open", "none"), ("orders", "ORDERS_KEY")):
        trigger = f"webhook: {{path: {id_}, secret: {secret}, rate: 3/1h}}"
        await conductor.save_blueprint(blueprint(trigger, id_, inputs="body: {default: 1}"))
    sent = [await send(server, b"{}", {}, to="open") for _ in range(4)]
    assert [got.status for got in sent] == [202, 202, 202, 429]
    assert 3500 < int(sent[3].headers["retry-after"]) <= 3600
    for number in range(9):
        wrong = signed(b"{}", f"w{number}", key=b"x" * 24)
        assert (await send(server, b"{}", wrong)).status == 401
    right = [await send(server, b"{}", signed(b"{}", f"m{number}")) for number in range(4)]
    assert [got.status for got in right] == [202, 202, 202, 429]
    assert len(await conductor.list()) == 6


async def test_the_api_of_triggers(server: Asked) -> None:
    conductor = server.around.conductor
    await conductor.save_blueprint(
        blueprint('schedule: {cron: "@daily"}', inputs="n: {default: 1}")
    )
    await conductor.save_blueprint(blueprint("event: {type: e}", "ev"))
    listed = (await server.ask("GET", "/api/v1/triggers")).data["triggers"]
    assert [of["id"] for of in listed] == ["ev.event", "t.schedule"]
    fire = await server.ask("POST", "/api/v1/triggers/t.schedule/fire", {"inputs": {"n": 3}})
    assert fire.status == 201
    assert (await server.ask("POST", "/api/v1/triggers/t.schedule/pause", {})).status == 200
    listed = (await server.ask("GET", "/api/v1/triggers")).data["triggers"]
    assert [of["fired"]["paused"] for of in listed] == [False, True]
    told = await server.ask("POST", "/api/v1/events", {"type": "e", "key": "1", "data": [1]})
    assert (told.status, len(told.data["runs"])) == (202, 1)
    assert (await server.ask("POST", "/api/v1/triggers/nobody/fire", {})).status == 404


@pytest.mark.slow
async def test_two_servers_that_are_killed_fire_each_moment_once(tmp_path: Path) -> None:
    """Each of their seconds is a minute; servers come and go, and no moment comes twice."""
    store, began = str(tmp_path / "runs.db"), time.time()
    async with Conductor(store) as conductor:
        await conductor.save_blueprint(
            blueprint('schedule: {cron: "* * * * *", overlap: allow, catch_up: 100}')
        )
    program = str(Path(__file__).with_name("firing_process.py"))
    asked = [sys.executable, program, store, str(began)]
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    for _ in range(3):
        pair = [subprocess.Popen(asked, env=env) for _ in range(2)]
        await asyncio.sleep(4)
        for process in pair:
            process.send_signal(signal.SIGKILL)
            process.wait()
    async with Conductor(store) as conductor:
        keys = await fired(conductor)
        runs = [await conductor.result(of.run) for of in await conductor.list()]
    assert {result.status for result in runs} == {"completed"}
    assert len(keys) == len(set(keys))
    found = sorted(datetime.fromisoformat(key).timestamp() for key in keys)
    # None is missing between the first and the last.
    assert [later - one for one, later in pairwise(found)] == [60.0] * (len(keys) - 1)
    assert len(keys) >= 6
