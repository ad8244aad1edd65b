"""What a worker tells those who look after it: whether it lives, whether it takes work, numbers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request

import pytest
from tests.integration.temporal.nodes import NODES
from tests.integration.temporal.test_driver import document, lines, until
from tests.integration.temporal.test_faults import OPTIONS, Worker
from tests.temporal_server import TemporalServer, free_port

from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.errors import AtomitonError, Unavailable
from atomiton.server.probes import probes


def asked(port, path):
    """What a page of a process says, by status; -1 for nothing at all."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return -1, ""


async def says(port, path, status, text="", seconds=20.0):
    """Wait until a page says something."""
    async with asyncio.timeout(seconds):
        while True:
            found = await asyncio.to_thread(asked, port, path)
            if found[0] == status and text in found[1]:
                return found[1]
            await asyncio.sleep(0.05)


async def test_a_worker_says_how_it_is(temporal_address, tmp_path):
    health, metrics, log = free_port(), free_port(), tmp_path / "log"
    options = ("--health", f"127.0.0.1:{health}", "--metrics", f"127.0.0.1:{metrics}")
    worker = Worker(temporal_address, *options, "--drain", "20")
    try:
        worker.ready()
        assert asked(health, "/healthz") == (200, '{"status":"ok"}')
        assert asked(health, "/readyz") == (200, '{"status":"ok"}')
        assert asked(health, "/runs")[0] == 404
        async with TemporalConductor(temporal_address, nodes=NODES, options=OPTIONS) as conductor:
            nodes = {"a": {"uses": "t.touch", "with": {"log": str(log), "seconds": 3}}}
            run = await conductor.start(document(nodes))
            await until(lambda: lines(log))
            numbers = asked(metrics, "/metrics")[1]
            assert "temporal_worker_task_slots_used" in numbers

            # It drains: nothing is taken in, but it lives, and must not be restarted.
            worker.process.send_signal(signal.SIGTERM)
            assert "it is stopping" in await says(health, "/readyz", 503)
            assert asked(health, "/healthz")[0] == 200
            assert worker.process.poll() is None
            code, said = await asyncio.to_thread(worker.end, 0)
            assert (code, "stopped" in said) == (0, True)
            assert asked(health, "/healthz")[0] == -1
            assert len(lines(log)) == 1  # it came to its end, and is not made again
            other = Worker(temporal_address)
            try:
                assert (await run.result()).status == "completed"
            finally:
                other.end()
            assert len(lines(log)) == 1
    finally:
        worker.end(signal.SIGKILL)


@pytest.mark.slow
async def test_a_worker_says_that_its_server_is_away():
    server, health = TemporalServer(), free_port()
    server.start()
    worker = Worker(server.address(), "--health", f"127.0.0.1:{health}")
    try:
        worker.ready()
        assert asked(health, "/readyz")[0] == 200
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGSTOP)
        said = json.loads(await says(health, "/readyz", 503))["status"]
        assert said == "the Temporal server does not answer: it takes too long"
        assert asked(health, "/healthz")[0] == 200  # a restart would not mend it
        os.kill(server._process.pid, signal.SIGCONT)
        await says(health, "/readyz", 200)
    finally:
        worker.end(signal.SIGKILL)
        server.stop(kill=True)


async def test_a_place_that_cannot_be_listened_at_is_named():
    async def fine() -> str:
        return ""

    async with probes("127.0.0.1:0", fine) as address:
        taken = address.removeprefix("http://")
        with pytest.raises(Unavailable, match=f"cannot listen on {taken}"):
            async with probes(taken, fine):
                pass
    for wrong in ("9465", "127.0.0.1:", ":9465", "127.0.0.1:99999", "a:b"):
        with pytest.raises(AtomitonError, match=r"is no HOST:PORT, such as 127\.0\.0\.1:9465"):
            async with probes(wrong, fine):
                pass
