"""Real servers of queues on loopback: Redis where it is installed, NATS from a package."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.temporal_server import free_port

#: A program is looked for beside this Python, on the path, and where systems keep servers.
_PLACES = f"{Path(sys.executable).parent}:/usr/sbin:/usr/local/sbin"


def program(name: str) -> str | None:
    """Where a server's program is; None if it is not installed."""
    return shutil.which(name, path=_PLACES) or shutil.which(name)


@contextlib.contextmanager
def redis_server(folder: Path, password: str = "") -> Iterator[str]:
    """A Redis server; gives its address."""
    port = free_port()
    more = ["--requirepass", password] if password else []
    with _running(
        port, [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--dir", str(folder), *more]
    ):  # fmt: skip
        yield f"redis://:{password}@127.0.0.1:{port}/0" if password else f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def nats_server(folder: Path, password: str = "") -> Iterator[str]:
    """A NATS server with streams; gives its address."""
    port = free_port()
    more = ["--user", "ada", "--pass", password] if password else []
    store = str(folder / "nats")
    with _running(
        port, [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", store,
               *more]
    ):  # fmt: skip
        who = f"ada:{password}@" if password else ""
        yield f"nats://{who}127.0.0.1:{port}"


@contextlib.contextmanager
def _running(port: int, command: list[str | None]) -> Iterator[None]:
    words = [str(word) for word in command]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, f"{words[0]} ended"
            assert time.monotonic() < end, f"{words[0]} does not answer"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)
