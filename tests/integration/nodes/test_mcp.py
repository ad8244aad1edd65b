"""``mcp.call`` with a real server of the protocol's own SDK."""

from __future__ import annotations

import pytest
from aiohttp import web

pytest.importorskip("mcp", reason="the SDK of the protocol is not installed")

from atomiton.errors import NodeError
from atomiton.nodes.guard.http import HttpGuard
from atomiton.nodes.mcp import call
from atomiton.ports.calls import Attempt


class Told:
    def __init__(self):
        self.progress = []
        self.lines = []

    def report(self, fraction, message=""):
        self.progress.append((fraction, message))

    def log(self, level, message):
        self.lines.append((level, message))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
async def ask(told):
    http = HttpGuard()
    attempt = Attempt("r", "n", 1, None, lambda: 0.0, lambda *_: None, lambda *_: None)

    async def asking(url, tool, arguments=None, **more):
        doors = {"http": http, "progress": told, "log": told, "attempt": attempt}
        return await call.function(url, tool, arguments, **more, **doors)

    yield asking
    await http.aclose()


@pytest.mark.parametrize("tools_url", [[], ["--json"]], indirect=True, ids=["events", "whole"])
async def test_tools_are_called(tools_url, ask):
    got = await ask(tools_url, "add", {"a": 2, "b": 3})
    assert (got["text"], got["value"]) == ("5", {"result": 5})
    assert got["content"][0]["type"] == "text"
    with pytest.raises(NodeError, match=r"'fail' failed: .*no luck") as failed:
        await ask(tools_url, "fail", {"why": "no luck"})
    assert (failed.value.code, failed.value.retryable) == ("TOOL_FAILED", False)
    with pytest.raises(NodeError, match="nothing"):
        await ask(tools_url, "nothing")


async def test_what_a_tool_says_of_its_progress_is_shown(tools_url, ask, told):
    assert (await ask(tools_url, "steps", {"count": 4}))["text"] == "done"
    assert told.progress == [(n / 4, f"step {n}") for n in range(1, 5)]


def answering(**messages):
    """A server that answers each method so, and keeps what it was sent."""
    seen = []

    async def answer(request):
        if request.method == "DELETE":
            seen.append(("DELETE", dict(request.headers)))
            return web.Response(status=405)
        asked = await request.json()
        seen.append((asked["method"], dict(request.headers)))
        if "id" not in asked:
            return web.Response(status=202)
        hello = {"result": {"protocolVersion": "2025-06-18"}}
        said = messages.get(asked["method"].replace("/", "_"), hello)
        if isinstance(said, web.Response):
            return said
        body = {"jsonrpc": "2.0", "id": asked["id"], **said}
        return web.json_response(body, headers={"Mcp-Session-Id": "s1"})

    return answer, seen


@pytest.fixture
async def served():
    runners = []

    async def serve(answer):
        app = web.Application()
        app.router.add_route("*", "/mcp", answer)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"

    yield serve
    for runner in runners:
        await runner.cleanup()


async def test_a_session_is_kept_to_and_ended(ask, served):
    answer, seen = answering(tools_call={"result": {"content": [{"type": "text", "text": "yes"}]}})
    got = await ask(await served(answer), "ask", headers={"Authorization": "Bearer sesame"})
    assert got == {"text": "yes", "value": None, "content": [{"type": "text", "text": "yes"}]}
    methods = [method for method, _ in seen]
    assert methods == ["initialize", "notifications/initialized", "tools/call", "DELETE"]
    assert all(headers["Authorization"] == "Bearer sesame" for _, headers in seen)
    assert "Mcp-Session-Id" not in seen[0][1]
    for _, headers in seen[1:]:
        assert headers["Mcp-Session-Id"] == "s1"
        assert headers["MCP-Protocol-Version"] == "2025-06-18"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ({"initialize": {"result": {"protocolVersion": "1999-01-01"}}}, "NOT_SUPPORTED"),
        ({"tools_call": {"error": {"code": -32602, "message": "no such tool"}}}, "INVALID_INPUT"),
        ({"tools_call": {"error": {"code": -1, "message": "no"}}}, "TOOL_FAILED"),
        ({"tools_call": {"error": "odd"}, "initialize": {"result": []}}, "NOT_SUPPORTED"),
        ({"tools_call": web.Response(text="not JSON")}, "HTTP_STATUS"),
        ({"tools_call": web.Response(status=401)}, "AUTHENTICATION"),
        (
            {"tools_call": web.Response(text="data: {\n\n", content_type="text/event-stream")},
            "HTTP_STATUS",
        ),
        (
            {"tools_call": web.Response(text=": ping\n\n", content_type="text/event-stream")},
            "CONNECTION",
        ),
    ],
)
async def test_what_goes_wrong_is_told(ask, served, messages, code):
    answer, _seen = answering(**messages)
    with pytest.raises(NodeError) as failed:
        await ask(await served(answer), "ask")
    assert failed.value.code == code
