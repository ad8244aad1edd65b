"""A server that is killed, stopped, cut off, and read slowly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.places import Process
from tests.postgres import Postgres

from atomiton.blueprint.document import read_document
from atomiton.blueprint.model import Blueprint
from atomiton.client import connect
from atomiton.conductor.api import ConductorApi
from atomiton.errors import AtomitonError, StoreError, Unavailable

pytestmark = pytest.mark.slow


def work(log: Path, seconds: float = 0.3) -> dict[str, object]:
    return {
        "one": {"uses": "c.sleep", "with": {"seconds": seconds}},
        "act": {"uses": "c.act", "with": {"log": str(log)}, "needs": ["one"]},
        "two": {"uses": "c.sleep", "with": {"seconds": seconds}, "needs": ["act"]},
        "last": {"uses": "c.add", "with": {"x": 1}, "needs": ["two"]},
    }


def document(nodes: dict[str, object]):
    return read_document({"atomiton": 1, "id": "work", "nodes": nodes, "output": "${{ last }}"})


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.process.poll() is None:
            process.stop(signal.SIGKILL)
        elif process.process.stdout is not None:
            process.process.stdout.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [60, pytest.param(1000, marks=pytest.mark.campaign)])
async def test_kills_during_many_runs_lose_and_double_nothing(
    tmp_path: Path, started: list[Process], number: int
) -> None:
    """Each run has a node that must act once; lost attempts of it wait for a decision."""
    store, log = str(tmp_path / "runs.db"), tmp_path / "acts.txt"
    server = Process(store, tmp_path)
    started.append(server)
    port = server.port
    async with connect(server.http, token=server.token, patience=60) as conductor:
        blueprint = document(work(log))
        starting = [
            asyncio.create_task(conductor.start(blueprint, key=f"k{n}")) for n in range(number)
        ]
        for _ in range(3):
            await asyncio.sleep(0.5 + number / 500)
            server.stop(signal.SIGKILL)
            server = Process(store, tmp_path, port)
            started.append(server)
        runs = [run.id for run in await asyncio.gather(*starting)]
        assert len(set(runs)) == number

        async def end(run: str) -> str:
            while True:
                shown = await conductor.show(run)
                if shown.status in ("completed", "failed", "cancelled"):
                    return shown.status
                if any(of.kind == "decision" for of in await conductor.waits(run)):
                    with contextlib.suppress(AtomitonError):
                        await conductor.resume(run, lost="fail")
                await asyncio.sleep(0.2)

        async with asyncio.timeout(60 + number):
            statuses = Counter(await asyncio.gather(*map(end, runs)))
        listed = await conductor.list(limit=number + 10)
    assert len(listed) == number
    assert statuses["completed"] + statuses["failed"] == number
    acted = Counter(line.split()[0] for line in log.read_text().splitlines())
    assert set(acted.values()) == {1}  # never twice
    assert statuses["completed"] <= len(acted)
    print({"runs": number, "kills": 3, **statuses})


async def accepted(conductor: ConductorApi, blueprint: Blueprint, key: str) -> str:
    """Start a run, again under the same key for as long as the store is away."""
    while True:
        try:
            return (await conductor.start(blueprint, key=key)).id
        except (StoreError, Unavailable):
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [40, pytest.param(500, marks=pytest.mark.campaign)])
async def test_a_database_that_stops_and_starts_under_load_loses_nothing(
    tmp_path: Path, started: list[Process], number: int
) -> None:
    """Orderly and as a crash; the server stays up, says so, and goes on."""
    postgres, log = Postgres(fsync=True), tmp_path / "acts.txt"
    try:
        postgres.start()
        server = Process(f"{postgres.url}?schema=load", tmp_path)
        started.append(server)
        async with connect(server.http, token=server.token, patience=60) as conductor:
            blueprint = document(work(log, 0.5))
            starting = [
                asyncio.create_task(accepted(conductor, blueprint, f"k{n}")) for n in range(number)
            ]
            for how in (signal.SIGINT, signal.SIGQUIT):
                await asyncio.sleep(0.5 + number / 500)
                await asyncio.to_thread(postgres.stop, how)
                await asyncio.sleep(1.0)
                await asyncio.to_thread(postgres.start)
            runs = await asyncio.gather(*starting)
            assert len(set(runs)) == number
            async with asyncio.timeout(60 + number):
                results = await asyncio.gather(*(patient(conductor, run) for run in runs))
        statuses = Counter(results)
        assert server.process.poll() is None
        assert statuses == {"completed": number}
        acted = Counter(line.split()[0] for line in log.read_text().splitlines())
        assert acted == dict.fromkeys(runs, 1)
        print({"runs": number, "stops": 2, **statuses})
    finally:
        for process in started:
            process.process.kill()
            process.process.wait()
        postgres.remove()


async def patient(conductor: ConductorApi, run: str) -> str:
    """How a run has ended, whatever the store does meanwhile."""
    while True:
        with contextlib.suppress(StoreError, Unavailable):
            return (await conductor.result(run)).status
        await asyncio.sleep(0.2)


async def test_a_stop_lets_nodes_end_and_hands_runs_back(
    tmp_path: Path, started: list[Process]
) -> None:
    store, log = str(tmp_path / "runs.db"), tmp_path / "acts.txt"
    server = Process(store, tmp_path)
    started.append(server)
    async with connect(server.http, token=server.token, patience=20) as conductor:
        quick = await conductor.start(document(work(log, 0.5)))
        long = await conductor.start(document(work(log, 5.0)))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        code = await asyncio.to_thread(server.stop)
        assert code == 0
        assert time.monotonic() - began < 5  # its drain is a second
        server = Process(store, tmp_path, server.port)
        started.append(server)
        # The node that ended in time is not made again.
        result = await quick.result()
        assert (result.status, result.nodes["one"].attempts) == ("completed", 1)
        assert (await long.result()).status == "completed"
    assert len(log.read_text().splitlines()) == 2


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, started: list[Process]) -> None:
    server = Process(str(tmp_path / "runs.db"), tmp_path)
    started.append(server)
    async with connect(f"unix://{server.socket}") as conductor:
        nodes = {"last": {"uses": "c.sleep", "with": {"seconds": 30}}}
        await conductor.start(document(nodes))
        await asyncio.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    assert server.process.poll() is None
    began = time.monotonic()
    code = await asyncio.to_thread(server.stop)
    assert (code, time.monotonic() - began < 2) == (130, True)


async def test_streams_that_are_cut_go_on_where_they_were(
    tmp_path: Path, started: list[Process]
) -> None:
    """A proxy cuts every connection again and again; the client sees each fact once."""
    server = Process(str(tmp_path / "runs.db"), tmp_path)
    started.append(server)
    open_: set[asyncio.StreamWriter] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(4096):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def proxied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
        open_.update((writer, outer))
        await asyncio.gather(pipe(reader, outer), pipe(inner, writer))

    # The server goes by its own port only, so the client says that name.
    listener = await asyncio.start_server(proxied, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    cuts = 0

    async def cut() -> None:
        nonlocal cuts
        while True:
            await asyncio.sleep(0.15)
            cuts += len(open_)
            for writer in list(open_):
                writer.transport.abort()
            open_.clear()

    nodes: dict[str, object] = {"last": {"uses": "c.add", "with": {"x": 0}}}
    for number in range(12):
        nodes[f"n{number}"] = {
            "uses": "c.sleep",
            "with": {"seconds": 0.1},
            "needs": [f"n{number - 1}"] if number else ["last"],
        }
    async with connect(f"unix://{server.socket}") as near:
        run = await near.start(document(nodes))
        token = server.token
        cutting = asyncio.create_task(cut())
        async with listener, connect(f"http://127.0.0.1:{port}", token=token) as far:
            http = far.calls.http
            http._address = http._address._replace(name=f"127.0.0.1:{server.port}")
            got = [event async for event in far.events(run.id)]
            cutting.cancel()
        whole = [event async for event in near.events(run.id)]
    for writer in open_:
        writer.transport.abort()
    await asyncio.sleep(0.1)  # both ends of each see that it is gone
    assert cuts > 3
    assert got == whole


async def test_a_slow_reader_costs_no_memory(tmp_path: Path, started: list[Process]) -> None:
    server = Process(str(tmp_path / "runs.db"), tmp_path)
    started.append(server)
    big = "x" * 200_000
    nodes: dict[str, object] = {
        "last": {
            "map": "${{ " + str(list(range(150))) + " }}",
            "uses": "data.value",
            "with": {"value": "${{ string(item) + inputs.big }}"},
        }
    }
    blueprint = read_document(
        {"atomiton": 1, "id": "big", "inputs": {"big": "string"}, "nodes": nodes, "output": 1}
    )
    async with connect(f"unix://{server.socket}") as conductor:
        run = (await conductor.run(blueprint, {"big": big})).run
        before = resident(server.process.pid)
        readers = [stalled(server, run) for _ in range(20)]
        try:
            await asyncio.sleep(2.0)
            after = resident(server.process.pid)
            assert (await conductor.show(run)).ok  # and others are served
        finally:
            for reader in readers:
                reader.close()
    # 20 readers of 30 MB each: kept, they would take 600 MB.
    assert after - before < 250 * 2**20, (before, after)


def stalled(server: Process, run: str) -> socket.socket:
    """A client that asks for a stream and reads nothing of it."""
    made = socket.create_connection(("127.0.0.1", server.port))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.sendall(
        f"GET /api/v1/runs/{run}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.token}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    return made


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
