"""What a checkout talks to: stock, payments, shipping and exports, on a free port of this machine.

What was done is kept in a file. A request that changes something needs an ``Idempotency-Key``: with
a key that was seen before nothing is done again, and the answer is that of the first time. And as
happens with real services, the answer to the first payment gets lost: the money is taken, but the
client sees a 503.

    python -m examples.checkout.shop FILE     # prints its address; Ctrl-C ends it
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

#: Where the shop does not ship to.
NOWHERE = ("Atlantis",)


class Answer(NamedTuple):
    """A status, and what is said with it."""

    status: int
    body: dict[str, object]


class State:
    """What was done, in a file.

    Attributes:
        done: What was done, in order, such as ``charged payment-1``.
        keys: How often each key was used.
        answers: What was answered under each key.
        asked: How often each export was asked for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.Lock()
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self.done: list[str] = found.get("done", [])
        self.keys: dict[str, int] = found.get("keys", {})
        self.answers: dict[str, list[Any]] = found.get("answers", {})
        self.asked: dict[str, int] = found.get("asked", {})

    def save(self) -> None:
        """Replace the file in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        kept = {name: getattr(self, name) for name in ("done", "keys", "answers", "asked")}
        new.write_text(json.dumps(kept, indent=1))
        os.replace(new, self._path)

    def do(self, word: str, what: str) -> str:
        """Note that something was done to a thing, new or known; gives its name."""
        if "-" not in what:
            what = f"{what}-{sum(line.startswith(f'{word} ') for line in self.done) + 1}"
        self.done.append(f"{word} {what}")
        return what


def act(state: State, method: str, path: str, body: dict[str, Any]) -> Answer:
    """Do what a request asks for."""
    match method, path.strip("/").split("/"):
        case "POST", ["reservations"]:
            return Answer(201, {"id": state.do("reserved", "reservation"), **body})
        case "DELETE", ["reservations", name]:
            return Answer(200, {"id": state.do("released", name)})
        case "POST", ["payments"]:
            return Answer(201, {"id": state.do("charged", "payment"), **body})
        case "POST", ["payments", name, "refund"]:
            return Answer(200, {"id": state.do("refunded", name)})
        case "POST", ["shipments"] if body.get("country") in NOWHERE:
            return Answer(422, {"error": f"we do not ship to {body['country']}"})
        case "POST", ["shipments"]:
            return Answer(201, {"id": state.do("shipped", "shipment"), **body})
        case "POST", ["exports"]:
            return Answer(202, {"id": state.do("exported", "export")})
        case _:
            return Answer(404, {"error": "not here"})


class Handler(BaseHTTPRequestHandler):
    """Answers requests; ``shop`` makes one that has a state."""

    protocol_version = "HTTP/1.1"
    state: State
    lost: int  # how many answers to payments get lost
    slow: int  # how often an export is not ready yet

    def do_GET(self) -> None:
        """Give an export, or say that it is not ready."""
        name = self.path.removeprefix("/exports/")
        with self.state.lock:
            if f"exported {name}" not in self.state.done:
                self._answer(Answer(404, {"error": "not here"}))
                return
            asked = self.state.asked[name] = self.state.asked.get(name, 0) + 1
            self.state.save()
        if asked <= self.slow:
            self._answer(Answer(202, {"asked": asked}))
        else:
            self._answer(Answer(200, {"asked": asked, "orders": [17, 18, 21]}))

    def do_POST(self) -> None:
        """Do something, once for each key."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        key = self.headers["Idempotency-Key"]
        if key is None:
            self._answer(Answer(400, {"error": "an Idempotency-Key is needed"}))
            return
        with self.state.lock:
            self.state.keys[key] = self.state.keys.get(key, 0) + 1
            if key not in self.state.answers:
                self.state.answers[key] = list(act(self.state, self.command, self.path, body))
            self.state.save()
            answer = Answer(*self.state.answers[key])
            lost = self.path == "/payments" and self.lost > 0
            if lost:
                type(self).lost -= 1
        self._answer(Answer(503, {"error": "busy"}) if lost else answer)

    do_DELETE = do_POST  # noqa: N815 - its name there

    def _answer(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep quiet."""


@contextmanager
def shop(path: Path, *, lost: int = 1, slow: int = 3) -> Iterator[str]:
    """The shop while a ``with`` block lasts; gives its address.

    Args:
        path: The file that its state is kept in.
        lost: How many answers to payments get lost.
        slow: How often an export is asked for before it is ready.
    """
    own = type("OwnHandler", (Handler,), {"state": State(path), "lost": lost, "slow": slow})
    with ThreadingHTTPServer(("127.0.0.1", 0), own) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    with shop(Path(sys.argv[1])) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
