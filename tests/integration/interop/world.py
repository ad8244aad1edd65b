"""The world that imported examples reach: their hosts, played by a server on this machine."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> object:
        """Its body."""
        return json.loads(self.text) if self.text else None

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """An answer: ``body`` is sent as JSON, and text as it is."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    after: float = 0.0


Answer = Reply | list[Reply] | Callable[[Asked], Reply]
"""One for all requests, one for each in turn (the last stays), or made of the request."""


class World:
    """A server of HTTP in a thread of its own, which answers as it was told.

    It closes each connection, so that virtual time goes on as soon as an answer is there.

    Args:
        answers: By method and path, such as ``GET /v2/pet/1``; whatever else is asked gets 404.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.asked: list[Asked] = []
        self._answers = dict(answers)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def lines(self) -> list[str]:
        """What was asked, in its order."""
        return [one.line for one in self.asked]

    def reply(self, asked: Asked) -> Reply:
        """The answer to a request."""
        self.asked.append(asked)
        found = self._answers.get(asked.line, Reply("nothing is here", 404))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found if isinstance(found, Reply) else found(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                split = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                headers = {key.lower(): value for key, value in self.headers.items()}
                query, body = dict(parse_qsl(split.query)), self.rfile.read(length).decode()
                reply = world.reply(Asked(self.command, split.path, query, headers, body))
                time.sleep(reply.after)
                plain = isinstance(reply.body, str)
                body = str(reply.body) if plain else json.dumps(reply.body)
                self.send_response(reply.status)
                self.send_header("content-type", "text/plain" if plain else "application/json")
                for key, value in reply.headers.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(body.encode())))
                with contextlib.suppress(ConnectionError):  # of two that race, one has gone
                    self.end_headers()
                    self.wfile.write(body.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler
