"""Workers that die and a server that is restarted: all runs end, and right."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.temporal.nodes import NODES
from tests.integration.temporal.test_driver import document, lines
from tests.temporal_server import TemporalServer

from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.drivers.temporal.wire import Options

FILE = Path(__file__).with_name("nodes.py")
OPTIONS = Options(heartbeat=2.0, grace=3.0)


class Worker:
    """``atomiton worker`` in a process of its own."""

    def __init__(self, address: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "atomiton", "worker", "--temporal", address,
             "--nodes", str(FILE), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip

    def ready(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


def chain(log: Path):
    """Steps of every effect, some of which are likely to be cut off."""
    nodes = {
        "first": {"uses": "t.add", "with": {"x": 1}},
        "touch": {
            "uses": "t.touch",
            "with": {"log": str(log), "value": "${{ first }}", "seconds": 0.4},
        },
        "act": {
            "uses": "t.once",
            "with": {"log": str(log) + ".once", "seconds": 0.4},
            "needs": ["touch"],
        },
        "last": {"uses": "t.add", "with": {"x": "${{ touch }}"}, "needs": ["act"]},
    }
    return document(nodes, output="${{ last }}")


async def decide(conductor, runs) -> int:
    """Let attempts be made again that must not be repeated unasked; gives how many were."""
    decided = 0
    for run in runs:
        for wait in await conductor.waits(run.id):
            if wait.kind == "decision":
                await conductor.resume(run.id, lost="repeat")
                decided += 1
    return decided


async def survive(address: str, log: Path, count: int, kills: int) -> int:
    """Start runs, kill the worker again and again; gives how many decisions were asked for."""
    async with TemporalConductor(address, nodes=NODES, options=OPTIONS) as conductor:
        worker = Worker(address)
        try:
            worker.ready()
            runs = [await conductor.start(chain(log)) for _ in range(count)]
            for _ in range(kills):
                await asyncio.sleep(1.5)
                worker.end(signal.SIGKILL)
                worker = Worker(address)
                worker.ready()
            ended = asyncio.gather(*(run.result() for run in runs))
            decided = 0
            while not ended.done():
                await asyncio.wait([ended], timeout=1.0)
                waiting = await conductor.list(status="waiting", limit=1000)
                waiting_ids = {header.run for header in waiting}
                decided += await decide(conductor, [r for r in runs if r.id in waiting_ids])
            results = await ended
        finally:
            worker.end()
    assert [(result.status, result.output) for result in results] == [("completed", 3)] * count
    acts = lines(Path(str(log) + ".once"))
    assert count <= len(acts) <= count + decided
    assert len(set(acts)) == count  # under the same key, as the same attempt
    return decided


@pytest.mark.slow
async def test_workers_are_killed(temporal_address, tmp_path):
    await asyncio.wait_for(survive(temporal_address, tmp_path / "log", 8, 1), 90)


@pytest.mark.campaign
async def test_workers_are_killed_under_hundreds_of_runs(temporal_address, tmp_path, tell):
    decided = await survive(temporal_address, tmp_path / "log", 300, 20)
    tell(f"Temporal: 300 runs, 20 workers killed: all ended right, {decided} decisions")


@pytest.mark.slow
async def test_the_server_is_restarted(tmp_path):
    server = TemporalServer(tmp_path / "temporal.db")
    server.start()
    address = server.address("restarted")
    worker = Worker(address)
    try:
        worker.ready()
        async with TemporalConductor(address, nodes=NODES, options=OPTIONS) as conductor:
            run = await conductor.start(chain(tmp_path / "log"))
            waits = await conductor.start(document({"w": {"wait": {"for": "2s"}}}))
            await asyncio.sleep(0.3)
            server.stop(kill=True)
            server.start()
            async with asyncio.timeout(60):
                while (await conductor.header(run.id)).status != "completed":
                    await decide(conductor, [run])
                    await asyncio.sleep(0.5)
                assert (await waits.result()).status == "completed"
            assert (await run.result()).output == 3
    finally:
        worker.end()
        server.stop()


@pytest.mark.slow
async def test_a_worker_that_is_told_to_stop_lets_nodes_end(temporal_address, tmp_path):
    log = tmp_path / "log"
    given = {"log": str(log), "value": 5, "seconds": 2.0}
    nodes = {"a": {"uses": "t.touch", "with": given}}
    worker = Worker(temporal_address)
    assert worker.ready().startswith("working for temporal://")
    async with TemporalConductor(temporal_address, nodes=NODES, options=OPTIONS) as conductor:
        run = await conductor.start(document(nodes, output="${{ a }}"))
        while not lines(log):
            await asyncio.sleep(0.02)
        code, said = await asyncio.to_thread(worker.end)
        assert (code, said) == (0, "stopping: nodes at work may end\nstopped\n")
        other = Worker(temporal_address)
        other.ready()
        assert (await run.result()).output == 5
        await asyncio.to_thread(other.end)
    assert lines(log) == ["5"]


@pytest.mark.campaign
async def test_a_node_that_ends_its_process_is_made_again_elsewhere(temporal_address, tmp_path):
    nodes = {"a": {"uses": "t.die", "with": {"log": str(tmp_path / "log")}}}
    first = Worker(temporal_address)
    first.ready()
    async with TemporalConductor(temporal_address, nodes=NODES, options=OPTIONS) as conductor:
        run = await conductor.start(document(nodes, output="${{ a }}"))
        await asyncio.to_thread(first.process.wait, 30)
        second = Worker(temporal_address)
        second.ready()
        result = await asyncio.wait_for(run.result(), 60)
        events = [event.kind async for event in run.events()]
        await asyncio.to_thread(second.end)
        first.end()
    assert result.output == "attempt 1"
    assert "attempt_lost" in events


def test_a_worker_without_a_server_says_so():
    worker = Worker("127.0.0.1:9")
    code, said = worker.end(signal.SIGCONT)
    assert code == 2
    assert "cannot be reached" in said


@pytest.mark.slow
def test_the_command_line_reaches_runs_there(temporal_address, tmp_path):
    (tmp_path / "w.yaml").write_text(
        "atomiton: 1\nid: w\nnodes:\n  a: {uses: data.value, with: {value: 7}}\n"
        "  w: {wait: {signal: go}, needs: [a]}\noutput: ${{ w }}\n"
    )

    def run(*arguments: str) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "atomiton", *arguments, "--store", temporal_address],
            capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert told.returncode in (0, 4), told.stderr
        return told.stdout + told.stderr

    worker = Worker(temporal_address)
    worker.ready()
    try:
        starting = subprocess.Popen(
            [sys.executable, "-m", "atomiton", "run", "w.yaml", "--store", temporal_address],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip
        listed = ""
        while "waiting" not in listed:
            listed = run("runs", "list")
        assert "waits for the signal 'go'" in run("runs", "show", "last")
        run("runs", "signal", "last", "go", "42")
        out, progress = starting.communicate(timeout=30)
        assert out == "42\n"
        assert "a completed" in progress
        assert "attempt_completed" in run("runs", "events", "last")
    finally:
        worker.end()
