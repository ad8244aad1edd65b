"""The services that templates talk with: a small one that answers over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, object]


class Service:
    """Answers what a test says, and keeps what it was asked.

    Args:
        answers: ``"POST /payments"`` to an answer, or to a function of the body that gives one.
    """

    def __init__(self, answers: dict[str, Answer | Callable[[Any], Answer]]) -> None:
        self.asked: list[tuple[str, Any, dict[str, str]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(size)) if size else None
                name = f"{self.command} {self.path}"
                service.asked.append((name, body, dict(self.headers)))
                found = answers.get(name, (404, {"error": name}))
                status, content = found(body) if callable(found) else found
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - as the class has them

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def names(self) -> list[str]:
        """What was asked, in order."""
        return [name for name, _, _ in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
