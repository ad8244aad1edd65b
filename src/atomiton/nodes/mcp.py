"""The ``mcp`` family: tools that servers of the Model Context Protocol offer over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict, cast

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.http import failure
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, Http, HttpResponse, Log, Progress, injected

Data = dict[str, object]

#: The revision of the protocol that is spoken, if the server does not want an older one.
REVISION = "2025-11-25"
#: Revisions that are said and done in the same way.
_KNOWN = ("2025-03-26", "2025-06-18", REVISION)
_SESSION = "mcp-session-id"
_REFUSED = {-32601: "NOT_FOUND", -32602: "INVALID_INPUT"}


class Called(TypedDict):
    """What a tool gave.

    `text` is the text of all its parts; `value` its structured content, null if it gives none;
    `content` all parts as they came: text, images, links.
    """

    text: str
    value: object
    content: list[object]


@node(
    "mcp.call",
    title="Call a tool",
    icon="plug",
    effect="once",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: mcp-call-example
    inputs:
      tools_url: {type: string, default: "http://127.0.0.1:8000/mcp"}
    nodes:
      add:
        uses: mcp.call
        with:
          url: ${{ inputs.tools_url }}
          tool: add
          arguments: {a: 2, b: 3}
    output: ${{ add.text }}
    """,
)
async def call(
    url: str,
    tool: str,
    arguments: dict[str, object] | None = None,
    *,
    headers: dict[str, str] | None = None,
    http: Http = injected,
    progress: Progress = injected,
    log: Log = injected,
    attempt: Attempt = injected,
) -> Called:
    """Call a tool of a server that speaks the Model Context Protocol over HTTP.

    What the server says of its progress, and what it logs, is shown with the run. A tool that fails
    fails the node (`TOOL_FAILED`, with what it said), and so does an answer without an end. What a
    tool does is not known, so it is never called again by itself when nobody saw how it ended.

    Args:
        url: Address of the server, such as `https://tools.example/mcp`.
        tool: Name of the tool.
        arguments: What it is given.
        headers: More headers, such as `Authorization` with a secret.
        http: The door to other systems.
        progress: Who is told how far the tool is.
        log: Who is told what the server logs.
        attempt: Whom the call is for.
    """
    session = _Session(http, url, headers or {}, _Listener(progress, log))
    await session.begin()
    try:
        meta: Data = {"progressToken": attempt.key}
        given: Data = {"name": tool, "arguments": arguments or {}, "_meta": meta}
        return _called(tool, await session.ask("tools/call", given))
    finally:
        await session.end()


class _Session:
    """A conversation with one server."""

    def __init__(self, http: Http, url: str, headers: Mapping[str, str], hears: _Listener) -> None:
        self._http = http
        self._url = url
        self._hears = hears
        self._number = 0
        self._headers = {
            **headers,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }

    async def begin(self) -> None:
        """Agree on what is spoken."""
        about: Data = {"name": "atomiton", "version": "1"}
        wishes: Data = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": about}
        agreed = (await self.ask("initialize", wishes)).get("protocolVersion")
        if agreed not in _KNOWN:
            message = f"the server speaks revision {agreed}, and this node {', '.join(_KNOWN)}"
            raise NodeError(message, code="NOT_SUPPORTED", retryable=False)
        self._headers["MCP-Protocol-Version"] = str(agreed)
        await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def ask(self, method: str, params: Data) -> Data:
        """Ask, and wait for the answer."""
        self._number += 1
        asked: Data = {
            "jsonrpc": "2.0", "id": self._number, "method": method, "params": params,
        }  # fmt: skip
        answer = await self._post(asked)
        session = answer.headers.get(_SESSION)
        if session:
            self._headers["Mcp-Session-Id"] = session
        for message in _messages(answer):
            if message.get("id") != self._number:
                continue
            error = _data(message.get("error"))
            if error:
                raise _refused(method, error)
            return _data(message.get("result"))
        cut = f"the server ended its answer to {method} without a result"
        raise NodeError(cut, code="CONNECTION")

    async def end(self) -> None:
        """Let the server forget the session; one that knows none may refuse."""
        if "Mcp-Session-Id" in self._headers:
            try:
                await self._http.request("DELETE", self._url, headers=self._headers)
            except NodeError:
                return

    async def _post(self, message: Data) -> HttpResponse:
        answer = await self._http.request(
            "POST",
            self._url,
            headers=self._headers,
            body=json.encode(message),
            follow_redirects=False,
            on_part=self._hears,
        )
        if answer.status >= 300:
            raise failure("POST", answer)
        return answer


class _Listener:
    """Hears what a server says on the way, as its events come in."""

    def __init__(self, progress: Progress, log: Log) -> None:
        self._progress = progress
        self._log = log
        self._rest = b""

    def __call__(self, part: bytes) -> None:
        """Hear a part of the body."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for message in _events(b"\n".join(lines)):
            said = _data(message.get("params"))
            if message.get("method") == "notifications/progress":
                done, total = said.get("progress"), said.get("total")
                if isinstance(done, int | float) and isinstance(total, int | float) and total > 0:
                    self._progress.report(done / total, str(said.get("message") or ""))
            elif message.get("method") == "notifications/message":
                level = str(said.get("level"))
                known = level if level in ("debug", "info", "warning") else "error"
                self._log.log("info" if level == "notice" else known, str(said.get("data"))[:2000])


def _called(tool: str, result: Data) -> Called:
    content = result.get("content")
    parts = cast("list[object]", content) if isinstance(content, list) else []
    texts = [str(_data(part).get("text")) for part in parts if _data(part).get("type") == "text"]
    text = "\n".join(texts)
    if result.get("isError"):
        said = text[:2000] or "it did not say why"
        raise NodeError(f"the tool {tool!r} failed: {said}", code="TOOL_FAILED", retryable=False)
    return {"text": text, "value": result.get("structuredContent"), "content": parts}


def _refused(method: str, error: Data) -> NodeError:
    number = error.get("code")
    code = _REFUSED.get(number, "TOOL_FAILED") if isinstance(number, int) else "TOOL_FAILED"
    said = str(error.get("message"))[:2000]
    details = {"code": number, "data": error.get("data")}
    message = f"the server refused {method}: {said}"
    return NodeError(message, code=code, retryable=False, details=details)


def _messages(answer: HttpResponse) -> Iterator[Data]:
    """The messages of an answer, whether it came as events or as one."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        yield from _events(answer.body)
        return
    try:
        yield _data(json.decode(answer.body, unique=False))
    except ValueError:
        raise NodeError("the server did not answer with JSON", code="HTTP_STATUS") from None


def _events(body: bytes) -> Iterator[Data]:
    """The messages in a body of server-sent events; each of ours is one line of data."""
    for line in body.splitlines():
        text = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not text:
            continue
        try:
            yield _data(json.decode(text, unique=False))
        except ValueError:
            raise NodeError("the server sent no JSON", code="HTTP_STATUS") from None


def _data(value: object) -> Data:
    return cast("Data", value) if isinstance(value, dict) else {}
