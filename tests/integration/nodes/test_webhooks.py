"""``webhook.send`` to a real server, whose signatures are checked as our own server checks them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from atomiton.errors import NodeError
from atomiton.nodes import webhook
from atomiton.nodes.guard.ambient import SystemClock
from atomiton.nodes.guard.http import HttpGuard
from atomiton.server.problems import Refusal
from atomiton.server.webhooks import check_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A server that checks what it is sent, and knows each message once."""

    def __init__(self) -> None:
        self.url = ""
        self.known: list[str] = []
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []
        self.headers: dict[str, str] = {}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            message = check_signature(SECRET, self.headers, body, time.time())
        except Refusal as error:
            return web.json_response({"said": error.message}, status=401)
        self.bodies.append(body)
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), headers={"location": "/other"})
        if message not in self.known:
            self.known.append(message)
        return web.json_response({"known": len(self.known)})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def send() -> AsyncIterator[Any]:
    http = HttpGuard()

    async def call(url: str, payload: object, secret: str = SECRET, **more: Any) -> Any:
        attempt = SimpleNamespace(key=more.pop("key", "run_1/tell"))
        doors: Any = {"http": http, "clock": SystemClock(), "attempt": attempt}
        return await webhook.send.function(url, payload, secret, **more, **doors)

    yield call
    await http.aclose()


async def test_a_message_is_signed_as_the_receiver_checks_it(receiver: Receiver, send: Any) -> None:
    got = await send(receiver.url, {"type": "order.paid", "data": {"name": "Zoë"}})
    assert (got["status"], got["json"]) == (200, {"known": 1})
    assert receiver.bodies == ['{"type":"order.paid","data":{"name":"Zoë"}}'.encode()]
    assert receiver.headers["webhook-id"] == got["id"]
    assert receiver.headers["content-type"] == "application/json"
    with pytest.raises(NodeError, match="answered 401") as caught:
        await send(receiver.url, {}, "another secret")
    assert (caught.value.code, caught.value.retryable) == ("AUTHENTICATION", False)


async def test_a_repeated_node_sends_the_same_message(receiver: Receiver, send: Any) -> None:
    first = await send(receiver.url, 1)
    again = await send(receiver.url, 1)
    other = await send(receiver.url, 1, key="run_1/other")
    own = await send(receiver.url, 1, id_="order-7")
    assert first["id"] == again["id"]
    assert receiver.known == [first["id"], other["id"], "order-7"]
    assert own["id"] == "order-7"


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [(302, "HTTP_STATUS", False), (404, "NOT_FOUND", False), (429, "HTTP_STATUS", True),
     (503, "HTTP_STATUS", True)],
)  # fmt: skip
async def test_a_refusal_fails_the_node(
    receiver: Receiver, send: Any, status, code, retryable
) -> None:
    receiver.statuses = [status]
    with pytest.raises(NodeError, match=f"answered {status}") as caught:
        await send(receiver.url, 1)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert len(receiver.bodies) == 1  # and no redirect was followed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"secret": ""}, "secret is empty"), ({"secret": "whsec_"}, "secret is empty"),
        ({"secret": "whsec_!"}, "not Base64"), ({"id_": ""}, "from 1 to 200"),
        ({"id_": "a\nb"}, "from 1 to 200"), ({"id_": "x" * 201}, "from 1 to 200"),
        ({"headers": {"Webhook-Signature": "v1,x"}}, "written by the node itself"),
    ],
)  # fmt: skip
async def test_what_cannot_be_sent(receiver: Receiver, send: Any, more, said: str) -> None:
    with pytest.raises(NodeError, match=said) as caught:
        await send(receiver.url, 1, **more)
    assert caught.value.code == "INVALID_INPUT"
    assert receiver.bodies == []
