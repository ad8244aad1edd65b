"""The ``mcp`` family: tools of the Model Context Protocol, over HTTP and of programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.http import failure
from atomiton.nodes.mcp_program import Program
from atomiton.nodes.mcp_session import Called, Data, Hears, Session, data_of
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import (
    Attempt,
    Http,
    HttpResponse,
    Log,
    Process,
    Progress,
    injected,
)

_SESSION = "mcp-session-id"


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
    session = _Web(http, url, headers or {}, _Listener(Hears(progress, log)))
    try:
        return await session.call(tool, arguments or {}, attempt.key)
    finally:
        await session.end()


@node(
    "mcp.run",
    title="Call a tool of a program",
    icon="plug",
    effect="once",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: mcp-run-example
    nodes:
      types:
        uses: mcp.run
        with:
          command: [atomiton, mcp, --store, "memory:"]
          tool: list_node_types
    output: ${{ types.value }}
    """,
)
async def run(
    command: list[str],
    tool: str,
    arguments: dict[str, object] | None = None,
    *,
    env: dict[str, str] | None = None,
    cwd: str | None = None,
    process: Process = injected,
    progress: Progress = injected,
    log: Log = injected,
    attempt: Attempt = injected,
) -> Called:
    """Call a tool of a program that speaks the Model Context Protocol by its input and output.

    The program is started for the call, and ended after it with all that it has started: also when
    the node is cancelled or runs out of time. No shell is between. What it says of its progress,
    and what it logs, is shown with the run; the end of its standard error stands in the details of
    an error. A tool that fails fails the node (`TOOL_FAILED`, with what it said), and so does a
    program that ends before it has answered (`PROCESS_FAILED`). Servers refuse this node unless
    they allow programs.

    Args:
        command: The program and its arguments, one item each, such as `[npx, -y, some-server]`.
        tool: Name of the tool.
        arguments: What it is given.
        env: Variables to set besides those of this process; secrets belong here.
        cwd: Folder it starts in.
        process: The door to programs.
        progress: Who is told how far the tool is.
        log: Who is told what the program logs.
        attempt: Whom the call is for.
    """
    program = Program(process, command, env, cwd, Hears(progress, log))
    return await program.talk(lambda: program.call(tool, arguments or {}, attempt.key))


class _Web(Session):
    """A conversation with a server over HTTP."""

    def __init__(self, http: Http, url: str, headers: Mapping[str, str], hears: _Listener) -> None:
        super().__init__()
        self._http = http
        self._url = url
        self._hears = hears
        self._headers = {
            **headers,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }

    def agreed(self, revision: str) -> None:
        """Say the revision from now on."""
        self._headers["MCP-Protocol-Version"] = revision

    async def tell(self, message: Data) -> None:
        """Send what needs no answer."""
        await self._post(message)

    async def answer(self, asked: Data) -> Data:
        """Send a question, and give the answer to it."""
        answer = await self._post(asked)
        session = answer.headers.get(_SESSION)
        if session:
            self._headers["Mcp-Session-Id"] = session
        for message in _messages(answer):
            if message.get("id") == asked["id"]:
                return message
        cut = f"the server ended its answer to {asked['method']} without a result"
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

    def __init__(self, hears: Hears) -> None:
        self._hears = hears
        self._rest = b""

    def __call__(self, part: bytes) -> None:
        """Hear a part of the body."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for message in _events(b"\n".join(lines)):
            self._hears(message)


def _messages(answer: HttpResponse) -> Iterator[Data]:
    """The messages of an answer, whether it came as events or as one."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        yield from _events(answer.body)
        return
    try:
        yield data_of(json.decode(answer.body, unique=False))
    except ValueError:
        raise NodeError("the server did not answer with JSON", code="HTTP_STATUS") from None


def _events(body: bytes) -> Iterator[Data]:
    """The messages in a body of server-sent events; each of ours is one line of data."""
    for line in body.splitlines():
        text = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not text:
            continue
        try:
            yield data_of(json.decode(text, unique=False))
        except ValueError:
            raise NodeError("the server sent no JSON", code="HTTP_STATUS") from None
