"""A server without sockets: the whole application with its gate, asked directly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from atomiton import Conductor
from atomiton.server.access import OWNER, Sessions, Tokens
from atomiton.server.app import Surroundings, make_app
from atomiton.server.gate import Doors, Gate
from atomiton.server.policy import server_library

HOST = "127.0.0.1:8750"


class Got(NamedTuple):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Asked:
    """A server to be asked.

    Attributes:
        around: What its routes work with.
        token: Of its owner.
        read: How many pieces of bodies it has read.
    """

    def __init__(self, around: Surroundings, gate: Gate) -> None:
        self.around = around
        self.gate = gate
        self.token = around.tokens.owner()
        self.read = 0

    async def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        token: str | None = "",
        headers: dict[str, str] | None = None,
        raw_path: bytes | None = None,
    ) -> Got:
        """Send a request; the owner's by default, nobody's with ``token=None``."""
        path, _, query = target.partition("?")
        given = {"host": HOST, **(headers or {})}
        secret = self.token if token == "" else token
        if secret is not None:
            given["authorization"] = f"Bearer {secret}"
        sent = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            sent = json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        pairs = [(k.encode(), v.encode("latin-1")) for k, v in given.items()]
        return await self.send(method, path, query, pairs, sent, raw_path)

    async def send(
        self,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        raw_path: bytes | None = None,
    ) -> Got:
        """Send a request as it would come from a connection."""
        messages: list[Any] = []

        async def receive() -> Any:
            self.read += 1
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        raw = path.encode("utf-8", "surrogateescape") if raw_path is None else raw_path
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.3", "version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": raw,
            "root_path": "",
            "query_string": query.encode("latin-1"),
            "headers": headers,
        }
        await self.gate(scope, receive, send)
        answered = {k.decode(): v.decode("latin-1") for k, v in messages[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in messages[1:])
        return Got(messages[0]["status"], answered, content)


@asynccontextmanager
async def asked(folder: Path, store: str = "memory:", **settings: Any) -> AsyncIterator[Asked]:
    """A server over a store of its own."""
    tokens = Tokens(folder / "server")
    tokens.prepare()
    conductor = Conductor(store)
    more = {name: settings.pop(name) for name in ("allow", "public_only") if name in settings}
    conductor.library = server_library((), folder=folder, **more)
    conductor.capabilities = conductor.library.capabilities
    async with conductor:
        sessions = Sessions()
        around = Surroundings(conductor, "1", tokens=tokens, sessions=sessions, **settings)
        around.login = lambda: f"/login?code={sessions.new_link(OWNER)}"
        doors = Doors(
            tokens, sessions, frozenset({HOST, "localhost:8750"}), audit=around.monitor.audit
        )
        yield Asked(around, Gate(make_app(around), doors))
