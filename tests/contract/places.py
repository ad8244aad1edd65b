"""Where the contract is held: every way to a conductor, over every store."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from tests.contract.nodes import NODES

from atomiton import Conductor
from atomiton.client import connect
from atomiton.conductor.api import ConductorApi
from atomiton.conductor.temporal.address import parse
from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings
from atomiton.drivers.temporal.wire import Options
from atomiton.server.serve import Serving, Settings, serve

SERVING = Path(__file__).with_name("serving.py")
WAYS = ("in process", "IPC", "HTTP")
STORES = ("memory", "sqlite", "postgres")
#: Every way over every store, and a Temporal server, which is both; a server over that, too.
PLACES = [
    *((way, store) for way in WAYS for store in STORES),
    ("Temporal", "server"),
    ("HTTP", "temporal"),
]


class Process:
    """A server in a process of its own."""

    def __init__(self, store: str, folder: Path, port: int = 0) -> None:
        self.folder = folder
        socket = folder / "s.sock"
        self.process = subprocess.Popen(
            [sys.executable, SERVING, store, str(port), str(socket)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "XDG_DATA_HOME": str(folder), "PYTHONPATH": os.getcwd()},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line, "the server did not start"
        self.http, self.socket, self.token = line
        self.port = int(self.http.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


class Place:
    """One way to a conductor over one store.

    Attributes:
        way, store: Of ``WAYS`` and ``STORES``.
        again: Opens one more conductor on the same runs.
    """

    def __init__(
        self,
        way: str,
        store: str,
        again: Callable[[], AbstractAsyncContextManager[ConductorApi]],
    ) -> None:
        self.way = way
        self.store = store
        self.again = again


@asynccontextmanager
async def place(way: str, store: str, folder: Path, elsewhere: str = "") -> AsyncIterator[Place]:
    if way == "Temporal":

        def again() -> AbstractAsyncContextManager[ConductorApi]:
            return TemporalConductor(elsewhere, nodes=NODES, options=Options(local=0))

        async with TemporalWorker(WorkerSettings(parse(elsewhere), nodes=NODES, cached=0)):
            yield Place(way, store, again)
        return
    if store == "temporal":
        settings = WorkerSettings(parse(elsewhere), nodes=NODES)
        async with TemporalWorker(settings), serving(elsewhere, folder) as server:
            token = server.tokens.owner()
            yield Place(way, store, lambda: connect(server.address, token=token))
        return
    addresses = {"memory": "memory:", "sqlite": str(folder / "runs.db"), "postgres": elsewhere}
    address = addresses[store]
    if way == "in process":
        async with Conductor(address, nodes=NODES) as one:

            @asynccontextmanager
            async def again() -> AsyncIterator[ConductorApi]:
                yield one

            yield Place(way, store, again)
        return
    async with serving(address, folder) as server:

        def client() -> AbstractAsyncContextManager[ConductorApi]:
            if way == "IPC":
                return connect(f"unix://{server.socket}")
            return connect(server.address, token=server.tokens.owner())

        yield Place(way, store, client)


@asynccontextmanager
async def serving(address: str, folder: Path) -> AsyncIterator[Serving]:
    """A server on real sockets, in this event loop."""
    stop = asyncio.Event()
    ready: asyncio.Future[Serving] = asyncio.get_running_loop().create_future()
    settings = Settings(
        store=address,
        port=0,
        uds=folder / "s.sock",
        nodes=[str(Path(__file__).with_name("nodes.py"))],
        folder=folder,
        drain=0.5,
    )
    task = asyncio.create_task(serve(settings, ready.set_result, stop))
    await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            await task
        yield ready.result()
    finally:
        stop.set()
        await task
