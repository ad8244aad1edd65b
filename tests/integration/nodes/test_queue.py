"""The ``queue`` family with real servers of Redis and NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nats
import pytest
from tests.integration.nodes.brokers import nats_server, program, redis_server

import atomiton
from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import queue as family
from atomiton.nodes.guard.queues import QueuesGuard, read_broker
from atomiton.nodes.guard.reach import Reach

WAIT = {"most": 10, "wait": "100ms"}


class Named(NamedTuple):
    """An attempt, as far as these nodes ask."""

    key: str


@pytest.fixture(scope="module", params=["redis", "nats"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if program(f"{request.param}-server") is None:
        pytest.skip(f"there is no {request.param}-server")
    starting = {"redis": redis_server, "nats": nats_server}[request.param]
    with starting(tmp_path_factory.mktemp(request.param), "geheim") as address:
        if address.startswith("nats"):
            asyncio.run(make_stream(address))
        yield address


async def make_stream(address: str) -> None:
    client = await nats.connect(address)
    await client.jetstream().add_stream(name="ALL", subjects=["orders.>"])
    await client.close()


async def call(
    name: str, server: str, queue: str, *given: Any, key: str = "r/n", **more: Any
) -> Any:
    if name != "ack":
        more["attempt"] = Named(key)
    guard = more.pop("queues", None) or QueuesGuard()
    return await getattr(family, name).function(server, queue, *given, queues=guard, **more)


async def test_messages_go_there_and_back(server: str) -> None:
    for number, content in enumerate(["Grüße", b"\xff\x00", {"n": 1}]):
        told = await call("publish", server, "orders.a", content, key=f"a/{number}")
        assert told["id"]
        assert told["duplicate"] is False
    got = await call("consume", server, "orders.a", "billing", **WAIT)
    assert [of["content"] for of in got["messages"]] == ["Grüße", b"\xff\x00", '{\n  "n": 1\n}\n']
    assert got["count"] == 3
    assert await call("ack", server, "orders.a", "billing", got["ids"]) == {"count": 3}
    assert await call("ack", server, "orders.a", "billing", got["ids"]) == {"count": 3}
    assert (await call("consume", server, "orders.a", "billing", **WAIT))["count"] == 0
    # Another group has everything still before it.
    assert (await call("consume", server, "orders.a", "shipping", **WAIT))["count"] == 3


async def test_a_message_is_there_once_under_a_key(server: str) -> None:
    first = await call("publish", server, "orders.b", "x", key="b/1")
    again = await call("publish", server, "orders.b", "x", key="b/1")
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert first["id"] == again["id"]
    assert (await call("consume", server, "orders.b", "gb", **WAIT))["count"] == 1


async def test_what_nobody_acknowledges_comes_again(server: str) -> None:
    await call("publish", server, "orders.c", "x", key="c/1")
    first = await call("consume", server, "orders.c", "gc", key="one", redeliver="1s", **WAIT)
    assert first["count"] == 1
    early = await call("consume", server, "orders.c", "gc", key="two", redeliver="1s", **WAIT)
    assert early["count"] == 0
    if server.startswith("redis"):  # who is repeated gets what it took before
        same = await call("consume", server, "orders.c", "gc", key="one", redeliver="1s", **WAIT)
        assert same["ids"] == first["ids"]
    await asyncio.sleep(1.2)
    late = await call(
        "consume", server, "orders.c", "gc", key="two", redeliver="1s", most=10, wait="2s"
    )
    assert [of["content"] for of in late["messages"]] == ["x"]
    await call("ack", server, "orders.c", "gc", late["ids"])


async def test_it_waits_for_the_first_message(server: str) -> None:
    taking = asyncio.create_task(call("consume", server, "orders.d", "gd", most=10, wait="20s"))
    await asyncio.sleep(0.3)
    await call("publish", server, "orders.d", "late", key="d/1")
    assert (await asyncio.wait_for(taking, 10))["messages"][0]["content"] == "late"


async def test_a_wrong_password_is_told_and_not_repeated(server: str) -> None:
    wrong = server.replace("geheim", "falsch")
    with pytest.raises(NodeError) as told:
        await call("publish", wrong, "orders.a", "x")
    assert told.value.code == "AUTHENTICATION"
    assert "falsch" not in str(told.value)


async def test_a_server_may_be_out_of_reach(server: str) -> None:
    guard = QueuesGuard(Reach(public_only=True))
    with pytest.raises(NotAllowed):
        await call("publish", server, "orders.a", "x", queues=guard)
    near = QueuesGuard(Reach())
    await call("publish", server, "orders.e", "x", queues=near)


async def test_a_queue_that_is_none_is_told(server: str) -> None:
    if server.startswith("nats"):
        for name, more in (("publish", ("x",)), ("consume", ("g",))):
            with pytest.raises(NodeError, match="no stream takes 'nowhere'") as told:
                await call(name, server, "nowhere", *more)
            assert told.value.code == "NOT_FOUND"
        await call("consume", server, "orders.g", "gg", **WAIT)
        with pytest.raises(NodeError, match=r"'gg' reads 'orders\.g'"):
            await call("consume", server, "orders.h", "gg", **WAIT)
        with pytest.raises(NodeError, match="not the id of a message"):
            await call("ack", server, "orders.a", "g", ["1-0"])
        return
    import redis.asyncio

    async with redis.asyncio.from_url(server) as client:
        await client.set("plain", "x")
        await client.xadd("others", {"kind": "order", "n": "1"})
    with pytest.raises(NodeError, match="'plain' is there, and is no stream"):
        await call("publish", server, "plain", "x")
    # Entries of programs that name their fields otherwise are given whole.
    got = await call("consume", server, "others", "g")
    assert got["messages"][0]["content"] == '{"kind": "order", "n": "1"}'


async def test_nobody_there() -> None:
    for address in ("redis://127.0.0.1:1", "nats://127.0.0.1:1"):
        with pytest.raises(NodeError) as told:
            await call("publish", address, "q", "x")
        assert told.value.code == "CONNECTION", address


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ("amqp://:geheim@h", "begins with none"),
        ("redis://", "names no host"),
        ("redis://:geheim@h:99999", "port"),
        ("redis://:geheim@h/name", "number of its database"),
    ],
)
async def test_an_address_that_is_none(server: str, why: str) -> None:
    with pytest.raises(NodeError, match=why) as told:
        await call("publish", server, "q", "x")
    assert told.value.code == "INVALID_INPUT"
    assert "geheim" not in str(told.value)


def test_parts_of_an_address_are_unquoted() -> None:
    broker = read_broker("rediss://ada:a%2Fb@db.example/3")
    assert (broker.username, broker.password, broker.path, broker.secure) == (
        "ada",
        "a/b",
        "3",
        True,
    )


@pytest.mark.parametrize(
    "more",
    [{"most": 0}, {"most": 1001}, {"wait": "6m"}, {"wait": "soon"}, {"redeliver": "1ms"}],
)
async def test_what_cannot_be_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(NodeError) as told:
        await call("consume", "redis://127.0.0.1:1", "q", "g", **more)
    assert told.value.code == "INVALID_INPUT"
    assert told.value.details == {"parameter": next(iter(more))}


async def test_names_and_sizes_are_bounded() -> None:
    for queue, group in (("", "g"), ("a\nb", "g"), ("q", "a.b"), ("q", "")):
        with pytest.raises(NodeError, match="can be no"):
            await call("consume", "redis://127.0.0.1:1", queue, group)
    with pytest.raises(NodeError, match="at most"):
        await call("publish", "redis://127.0.0.1:1", "q", b"x" * (family.LARGEST + 1))


async def test_a_run_that_is_forgotten_loses_nothing(server: str, tmp_path: Path) -> None:
    """The whole way in a blueprint: told, taken, failed, taken again, acknowledged."""
    page = tmp_path / "page.yaml"
    page.write_text(f"""
atomiton: 1
id: page
nodes:
  tell: {{uses: queue.publish, with: {{server: "{server}", queue: orders.f, message: {{n: 1}}}}}}
  take:
    uses: queue.consume
    needs: [tell]
    with: {{server: "{server}", queue: orders.f, group: gf}}
  order: {{uses: json.parse, with: {{text: "${{{{ take.messages[0].content }}}}"}}}}
  done:
    uses: queue.ack
    needs: [order]
    with: {{server: "{server}", queue: orders.f, group: gf, ids: "${{{{ take.ids }}}}"}}
output: ${{{{ order.value }}}}
""")
    async with atomiton.Conductor(store="memory:") as conductor:
        result = await conductor.run(page)
    assert (result.error, result.output) == (None, {"n": 1})
