"""``llm.chat`` with a real server on loopback that speaks the protocol, in parts and whole."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError
from atomiton.nodes import llm as family
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.guard.http import HttpGuard
from atomiton.nodes.guard.traced import TracedHttp
from atomiton.ports.calls import Attempt
from atomiton.testing import FakeHttp, record, replay, run

SCHEMA = {
    "type": "object",
    "properties": {"topic": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"type": "integer"}},
    "required": ["topic", "n"],
}
GOOD = '{"topic": "tea", "n": 1}'


class Model:
    """A server that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.text = "Hello"
        self.finish = "stop"
        self.calls: list[dict[str, Any]] = []
        self.status = 200
        self.streams = True
        self.broken = False
        self.refusal: str | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.asked.append(asked)
        self.headers.append(dict(request.headers))
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if not (asked["stream"] and self.streams):
            message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
            if self.calls:
                message |= {"content": None, "tool_calls": self.calls}
            choice = {"index": 0, "message": message, "finish_reason": self.finish}
            return web.json_response({"model": "small-1", "choices": [choice], "usage": usage})
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await self._send(response, {"role": "assistant", "content": ""})
        for start in range(0, len(self.text), 7):
            await self._send(response, {"content": self.text[start : start + 7]})
        for index, call in enumerate(self.calls):
            whole = call["function"]["arguments"]
            head = {"name": call["function"]["name"], "arguments": whole[:3]}
            await self._send(response, {"tool_calls": [{"index": index, **call, "function": head}]})
            rest = {"index": index, "function": {"arguments": whole[3:]}}
            await self._send(response, {"tool_calls": [rest]})
        if self.broken:
            return response
        await self._send(response, {}, self.finish)
        await response.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n".encode())
        await response.write(b": a comment\n\ndata: [DONE]\n\n")
        return response

    async def _send(
        self, response: web.StreamResponse, delta: Any, finish: str | None = None
    ) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        text = (
            f"data: {json.dumps({'model': 'small-1', 'choices': [choice]}, ensure_ascii=False)}\n\n"
        )
        data = text.encode()
        # In two pieces, which may cut a letter or a line.
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            await response.write(piece)
            await asyncio.sleep(0)


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    made = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


class Watch:
    """Remembers progress."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str]] = []

    def report(self, fraction: float, message: str = "") -> None:
        self.told.append((fraction, message))


@pytest.fixture
def spent() -> list[float]:
    return []


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def ask(model: Model, watch: Watch, spent: list[float]) -> AsyncIterator[Any]:
    http = HttpGuard()

    async def call(prompt: str | None = "Hi", **more: Any) -> Any:
        url = more.pop("url", model.url)
        attempt = Attempt(
            "r", "n", 1, None, time.time, lambda *_: None, lambda *_: None, spend=spent.append
        )
        doors = {"http": http, "progress": watch, "attempt": attempt}
        return await family.chat.function(url, "small", prompt, **more, **doors)

    yield call
    await http.aclose()


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_with_tokens_and_cost(
    model: Model, ask: Any, stream: bool, spent: list[float]
) -> None:
    model.text = "Grüße 👋 an alle"
    got = await ask(
        system="Be kind",
        stream=stream,
        price={"input": 2, "output": 10},
        key="sesame",
        temperature=0.5,
    )
    assert got == {
        "text": "Grüße 👋 an alle",
        "value": None,
        "tool_calls": [],
        "finish": "stop",
        "model": "small-1",
        "usage": {"input": 10, "output": 5, "total": 15},
        "cost": (10 * 2 + 5 * 10) / 1_000_000,
        "messages": got["messages"],
    }
    assert spent == [got["cost"]], "it counts into what the run may spend"
    assert [m["role"] for m in got["messages"]] == ["system", "user", "assistant"]
    assert model.headers[0]["Authorization"] == "Bearer sesame"
    assert model.asked[0]["temperature"] == 0.5
    assert model.asked[0]["messages"] == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "Hi"},
    ]
    await ask("And now?", messages=got["messages"], options={"seed": 7})
    assert len(model.asked[1]["messages"]) == 4
    assert model.asked[1]["seed"] == 7


async def test_progress_while_it_comes(model: Model, ask: Any, watch: Watch) -> None:
    model.text = "".join(f"word {n} " for n in range(300))
    await ask(max_tokens=1000)
    fractions = [fraction for fraction, _ in watch.told]
    assert len(fractions) > 3
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1
    assert "word" in watch.told[-1][1]
    watch.told.clear()
    await ask(stream=False)
    assert watch.told == []


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```"])
async def test_a_value_that_fits_its_schema(
    model: Model, ask: Any, stream: bool, text: str
) -> None:
    model.text = text
    assert (await ask(schema=SCHEMA, stream=stream))["value"] == {"topic": "tea", "n": 1}
    wanted = model.asked[0]["response_format"]
    assert wanted["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tea", "is not JSON"),
        ('{"topic": "tea"}', "answer"),
        ('{"topic": 1, "n": 1}', "answer.topic: expected string"),
        ('{"topic": "TEA", "n": 1}', "answer.topic"),
        ("", "is not JSON"),
    ],
)
async def test_a_value_that_does_not_fit(model: Model, ask: Any, text: str, said: str) -> None:
    model.text = text
    with pytest.raises(NodeError, match=said) as caught:
        await ask(schema=SCHEMA)
    assert (caught.value.code, caught.value.retryable) == ("MODEL_ANSWER", True)


@pytest.mark.parametrize("stream", [True, False])
async def test_tools(model: Model, ask: Any, stream: bool) -> None:
    model.text, model.finish = "", "tool_calls"
    model.calls = [
        {
            "id": f"c{n}",
            "type": "function",
            "function": {"name": "find", "arguments": f'{{"n": {n}}}'},
        }
        for n in range(2)
    ]
    tool = {"name": "find", "parameters": {"type": "object"}}
    got = await ask(tools=[tool], schema=SCHEMA, stream=stream)
    assert got["tool_calls"] == [
        {"id": "c0", "name": "find", "arguments": {"n": 0}},
        {"id": "c1", "name": "find", "arguments": {"n": 1}},
    ]
    assert got["messages"][-1]["tool_calls"] == model.calls
    assert model.asked[0]["tools"] == [{"type": "function", "function": tool}]
    model.calls[0]["function"]["arguments"] = '{"n":'
    with pytest.raises(NodeError, match="arguments that are not JSON"):
        await ask(tools=[tool], stream=stream)


async def test_a_server_without_streams(model: Model, ask: Any) -> None:
    model.streams = False
    assert (await ask())["text"] == "Hello"


@pytest.mark.parametrize(
    ("change", "said", "code", "retryable"),
    [
        ({"status": 401}, "answered 401", "AUTHENTICATION", False),
        ({"status": 429}, "answered 429", "HTTP_STATUS", True),
        ({"status": 503}, "answered 503", "HTTP_STATUS", True),
        ({"finish": "length"}, "cut after 5 tokens; see max_tokens", "LIMIT_EXCEEDED", False),
        ({"finish": "content_filter"}, "the model refused", "MODEL_ANSWER", False),
        ({"broken": True}, "ended before the model did", "CONNECTION", True),
    ],
)
async def test_what_goes_wrong(model: Model, ask: Any, change, said, code, retryable) -> None:
    for name, value in change.items():
        setattr(model, name, value)
    with pytest.raises(NodeError, match=said) as caught:
        await ask(key="sesame")
    assert caught.value.code == code
    assert caught.value.retryable is retryable
    assert "sesame" not in f"{caught.value} {caught.value.details}"


async def test_a_refusal(model: Model, ask: Any) -> None:
    model.text, model.refusal = "", "I cannot do that"
    with pytest.raises(NodeError, match="refused: I cannot do that"):
        await ask(stream=False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"prompt": None}, "give prompt or messages"),
        ({"prompt": None, "system": "x"}, "give prompt or messages"),
        ({"messages": ["x"]}, r"messages\[0\] is not"),
        ({"max_tokens": 0}, "max_tokens must be"),
    ],
)
async def test_what_cannot_be_asked(model: Model, ask: Any, more, said: str) -> None:
    with pytest.raises(NodeError, match=said):
        await ask(**more)
    assert model.asked == []


async def test_parts_come_through_a_trace_and_a_record(model: Model, tmp_path: Path) -> None:
    model.text = "word " * 100
    guard = HttpGuard()
    parts: list[bytes] = []
    body = json.dumps({"model": "small", "messages": [], "stream": True}).encode()
    traced = TracedHttp(guard, {"traceparent": "00-1-2-01"})
    how = {"headers": {"content-type": "application/json"}, "body": body, "on_part": parts.append}
    answer = await traced.request("POST", f"{model.url}/chat/completions", **how)  # type: ignore[arg-type]
    await guard.aclose()
    assert b"".join(parts) == answer.body
    assert len(parts) > 1
    assert model.headers[0]["traceparent"] == "00-1-2-01"


def test_an_answer_is_recorded_and_played_back(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": GOOD}
    reply = {"choices": [{"message": message, "finish_reason": "stop"}]}
    http = FakeHttp({"POST http://model/v1/chat/completions": reply})
    asked = {
        "url": "http://model/v1",
        "model": "small",
        "prompt": "Hi",
        "schema": SCHEMA,
        "key": "sesame",
    }
    nodes = {"ask": {"uses": "llm.chat", "with": asked}}
    document = {"atomiton": 1, "id": "ask", "nodes": nodes, "output": "${{ ask.value.topic }}"}
    source, tape = read_document(document), tmp_path / "tape.jsonl"
    assert run(source, capabilities=record(tape, Capabilities(http=http))).output == "tea"
    assert "sesame" not in tape.read_text()
    assert run(source, capabilities=replay(tape)).output == "tea"
