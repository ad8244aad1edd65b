"""What the server works out for the studio: Python code, what expressions give, moments."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.integration.server.asking import Asked, asked

TEXT = """atomiton: 1
id: big
inputs: {least: {type: number, default: 2}}
nodes:
  numbers: {uses: data.value, with: {value: [1, 2, 3]}}
  big:
    uses: data.filter
    with: {items: "${{ numbers }}", where: item > inputs.least}
output: ${{ big.items }}
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as made:
        yield made


async def test_a_blueprint_is_written_as_python(server: Asked) -> None:
    guest = server.around.tokens.add("guest", "viewer")
    got = await server.ask("POST", "/api/v1/python", {"source": TEXT}, token=guest)
    assert got.status == 200
    assert got.data["code"] == (
        "from atomiton import blueprint\n"
        "from atomiton.nodes import data\n\n\n"
        '@blueprint(id="big")\n'
        "def big(least: float = 2) -> object:\n"
        '    numbers = data.value.with_(id="numbers")(value=[1, 2, 3])\n'
        '    big = data.filter_.with_(id="big")(items=numbers, where=lambda item: item > least)\n'
        "    return big.items\n"
    )


async def test_what_is_no_blueprint_has_no_code_but_problems(server: Asked) -> None:
    for source in ("id: [", "atomiton: 1\nid: x\n", ""):
        got = await server.ask("POST", "/api/v1/python", {"source": source})
        assert got.status == 422
        assert got.data["problems"]


RUN = """atomiton: 1
id: seen
inputs: {least: {type: number, default: 2}}
variables: {vat: 0.19}
secrets: [KEY]
nodes:
  orders: {uses: data.value, with: {value: [{id: 1, total: 5.0}, {id: 2, total: 7.5}]}}
  off: {uses: data.value, enabled: false, with: {value: 1}}
  each:
    map: ${{ orders }}
    as: order
    nodes:
      net: {uses: data.value, with: {value: "${{ order.total }}"}}
  turns:
    loop: {times: 3, start: 1}
    uses: data.value
    with: {value: "${{ acc * 2 }}"}
  wait: {wait: {signal: go}, needs: [each]}
  late: {uses: data.value, needs: [wait], with: {value: 1}}
"""


async def started(server: Asked) -> str:
    run = await server.around.conductor.start(await server.around.conductor.read(RUN), {"least": 3})
    while (await server.around.conductor.show(run.id)).nodes["wait"].status != "waiting":
        await asyncio.sleep(0.01)
    return run.id


async def asked_for(server: Asked, run: str, text: str, **more: object) -> Any:
    got = await server.ask(
        "POST", "/api/v1/expressions/preview", {"run": run, "text": text, **more}
    )
    assert got.status == 200, got.body
    return got.data


async def test_an_expression_is_evaluated_as_a_run_would(server: Asked) -> None:
    run = await started(server)

    async def gives(text: str, **more: object) -> object:
        told = await asked_for(server, run, text, **more)
        assert told["error"] is None, told
        return json.loads(told["text"])

    assert await gives("${{ orders[1].total * (1.0 + vars.vat) }}") == 7.5 * 1.19
    assert await gives("${{ orders.map(o, o.id) }} of ${{ inputs.least }}") == "[1,2] of 3"
    assert await gives("orders.filter(o, o.total > inputs.least).size()", bare=True) == 2
    assert await gives("nodes.orders.status", bare=True) == "completed"
    assert await gives("off.field", bare=True) is None
    assert await gives("order.id * 10 + index", bare=True, node="each.net") == 10
    assert await gives("order.id * 10 + index", bare=True, node="each.net", item=1) == 21
    assert await gives("net", bare=True, node="each.net", item=1) == 7.5
    assert await gives("order.id", bare=True, node="each") == 1
    assert await gives("acc", bare=True, node="turns", item=2) == 4
    assert await gives("item.total > 5.0", bare=True, over="${{ orders }}") is False
    assert await gives("run.blueprint", bare=True) == "seen"
    assert (await asked_for(server, run, "orders", bare=True))["kind"] == "a list"


async def test_what_cannot_be_evaluated_says_why(server: Asked) -> None:
    run = await started(server)

    async def why(text: str, **more: object) -> tuple[str, int | None]:
        told = await asked_for(server, run, text, **more)
        assert not told["ok"]
        return told["error"], told["offset"]

    assert await why("late + 1", bare=True) == ("'late' has given nothing yet in this run", 0)
    assert "shown to nobody" in (await why("x${{ secrets.KEY }}"))[0]
    assert "totl" in (await why("orders[0].totl", bare=True))[0]
    assert (await why("orders +", bare=True))[1] == 8
    assert "nobody" in (await why("nobody", bare=True))[0]
    # A body is not seen from outside of it.
    assert "net" in (await why("net", bare=True))[0]


async def test_a_preview_is_bounded(server: Asked) -> None:
    run = await started(server)
    loops = "lists.range(1000).map(a, lists.range(1000).map(b, a * b))"
    told = await asked_for(server, run, loops, bare=True)
    assert not told["ok"]
    assert "steps" in told["error"]
    long = await asked_for(server, run, "lists.range(5000)", bare=True)
    assert (len(long["text"]), long["size"] > 20_000) == (4000, True)
    too_long = {"run": run, "text": "1" * 10_001, "bare": True}
    assert (await server.ask("POST", "/api/v1/expressions/preview", too_long)).status == 422
    none = {"run": "run_none", "text": "1", "bare": True}
    assert (await server.ask("POST", "/api/v1/expressions/preview", none)).status == 404


async def test_ended_runs_are_seen_too(tmp_path: Path) -> None:
    async with asked(tmp_path, f"sqlite:{tmp_path}/runs.db") as server:
        conductor = server.around.conductor
        run = await conductor.start(await conductor.read(TEXT))
        await run.result()
        conductor._remembered.clear()
        conductor.driver.runs.clear()
        for _ in range(2):
            told = await asked_for(server, run.id, "${{ big.items }}", node="big")
            assert told["text"] == "[3]"


async def test_half_a_blueprint_is_kept_and_never_run(server: Asked) -> None:
    place, yaml = "/api/v1/blueprints/half", {"content-type": "application/yaml"}
    for text, code in (
        (b"atomiton: 1\nid: half\nnodes:\n  a: [\n", 201),
        (b"id: half\nnodez: 1\n", 200),
    ):
        got = await server.ask("PUT", place, text, headers=yaml)
        assert got.status == code, got.body
        assert (await server.ask("GET", place)).data["text"] == text.decode()
        refused = await server.ask("POST", "/api/v1/runs", {"blueprint": "half"})
        assert refused.status == 422
        assert refused.data["problems"]
    listed = (await server.ask("GET", "/api/v1/blueprints")).data["items"]
    assert [info["id"] for info in listed] == ["half"]
    other = await server.ask("PUT", place, b"id: other\nnodes: {}\n", headers=yaml)
    assert (other.status, other.data["code"]) == (422, "INVALID_INPUT")
    stale = await server.ask("PUT", place, b"id: [", headers={**yaml, "if-match": '"00"'})
    assert stale.status == 412
    large = await server.ask("PUT", place, b"#" * (1024 * 1024 + 1), headers=yaml)
    assert large.status == 413


async def test_a_schedule_tells_when_it_would_fire(server: Asked) -> None:
    async def moments(query: str) -> list[datetime]:
        got = await server.ask("GET", f"/api/v1/schedules/preview?{query}")
        assert got.status == 200, got.body
        return [datetime.fromtimestamp(at, ZoneInfo("Europe/Berlin")) for at in got.data["moments"]]

    daily = await moments("cron=30%207%20*%20*%20*&timezone=Europe/Berlin&limit=3")
    assert [(at.hour, at.minute) for at in daily] == [(7, 30)] * 3
    assert [(after.date() - at.date()).days for at, after in pairwise(daily)] == [1, 1]
    assert daily[0].timestamp() > time.time()
    assert len(await moments("cron=@hourly")) == 5
    assert await moments("cron=0%200%2029%202%201&limit=1")
    for query, why in [
        ("cron=61%20*%20*%20*%20*", "no moments"),
        ("cron=@daily&timezone=Nowhere", "no time zone"),
        ("cron=@daily&limit=51", "limit"),
        ("timezone=UTC", "cron"),
    ]:
        got = await server.ask("GET", f"/api/v1/schedules/preview?{query}")
        assert got.status in (400, 422)
        assert why in got.body.decode()
