"""Virtual time beside the real world: servers, workers, programs, stores."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atomiton.blueprint.document import read_document
from atomiton.testing import VirtualConductor, VirtualLoop, run

WORKER = """\
import time
from atomiton import node

@node("w.slow", runtime="process")
def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds
"""


@pytest.fixture
def server() -> Iterator[str]:
    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open

        def do_GET(self) -> None:
            time.sleep(0.15)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    made.server_close()


def blueprint(nodes: dict[str, object], **keys: object):
    return read_document({"atomiton": 1, "id": "tested", "nodes": nodes, **keys})


def order(trial) -> list[str]:
    return [event.node or event.kind for event in trial.events if event.kind != "attempt_started"]


@pytest.mark.slow
def test_a_real_answer_comes_before_an_hour_is_over_and_holds_nothing_afterwards(server) -> None:
    nodes = {
        "ask": {"uses": "http.request", "with": {"url": server}, "timeout": "20s"},
        "hour": {"wait": {"for": "1h"}},
        "month": {"wait": {"for": "30d"}, "needs": ["ask"]},
        "again": {"uses": "http.request", "with": {"url": server}, "needs": ["month"]},
    }

    async def main() -> list[str]:
        async with VirtualConductor() as conductor:
            result = await conductor.run(blueprint(nodes, output="${{ again.body }}"))
            assert (result.status, result.output) == ("completed", b"ok")
            events = [event async for event in conductor.events(result.run)]
        return [event.node or event.kind for event in events if event.kind != "attempt_started"]

    began = time.monotonic()
    # Were the open connection to count, each jump would take a minute.
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(patience=60)) as runner:
        assert runner.run(main())[1] == "ask"
    assert time.monotonic() - began < 50


def test_a_worker_process_and_a_program_hold_the_time(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(WORKER)
    nodes = {
        "worker": {"uses": "w.slow", "with": {"seconds": 0.2}, "timeout": "10m"},
        "program": {"uses": "shell.run", "with": {"command": ["sleep", "0.2"]}, "timeout": "10m"},
        "hour": {"wait": {"for": "1h"}},
        "month": {"wait": {"for": "30d"}, "needs": ["worker", "program"]},
    }
    trial = run(blueprint(nodes), nodes=[tmp_path / "own.py"])
    assert trial.status == "completed", trial
    assert set(order(trial)[1:3]) == {"worker", "program"}


def test_a_large_file_is_read_in_a_thread_and_holds_the_time(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (1 << 22))
    nodes = {
        "read": {"uses": "file.read", "with": {"path": str(tmp_path / "large")}, "timeout": "1m"},
        "second": {"wait": {"for": "1h"}},
    }
    trial = run(blueprint(nodes, output="${{ read.size }}"))
    assert (trial.output, order(trial)[1]) == (1 << 22, "read")
