"""Workers that die and a server that is restarted: all runs end, and right."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.service import RPCError
from tests.integration.temporal.nodes import NODES
from tests.integration.temporal.test_driver import document, lines
from tests.temporal_server import TemporalServer

from atomiton.conductor.temporal.conductor import TemporalConductor
from atomiton.drivers.temporal.wire import Options

FILE = Path(__file__).with_name("nodes.py")
OPTIONS = Options(heartbeat=2.0, grace=3.0)


class Worker:
    """``atomiton worker`` in a process of its own."""

    def __init__(self, address: str, *options: str, inside: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "atomiton", "worker", "--temporal", address,
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


async def survive(
    address: str, log: Path, count: int, kills: int, server: TemporalServer | None = None
) -> int:
    """Start runs, kill the worker again and again; gives how many decisions were asked for.

    Every seventh time the server, if one is given, is killed as well, and started again.
    """
    async with TemporalConductor(address, nodes=NODES, options=OPTIONS) as conductor:
        worker = Worker(address)
        try:
            worker.ready()
            runs = [await conductor.start(chain(log)) for _ in range(count)]
            for number in range(kills):
                await asyncio.sleep(1.5)
                worker.end(signal.SIGKILL)
                if server is not None and number % 7 == 6:
                    server.stop(kill=True)
                    server.start()
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


@pytest.mark.campaign
async def test_a_thousand_runs_outlive_workers_and_servers(tmp_path, tell):
    server = TemporalServer(tmp_path / "temporal.db")
    server.start()
    begun = time.monotonic()
    try:
        decided = await survive(server.address("many"), tmp_path / "log", 1000, 21, server)
    finally:
        server.stop()
    took = time.monotonic() - begun
    tell(
        "Temporal: 1,000 runs, 21 workers killed, 3 servers killed: all ended right, "
        f"{decided} decisions, {took:.0f} s"
    )


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


class Network:
    """A network namespace, joined to this one by a cable that can be cut."""

    here, there = "10.213.7.1", "10.213.7.2"

    def __enter__(self):
        self.name = f"atomiton{os.getpid()}"
        self.inside = ("ip", "netns", "exec", self.name)
        self._cable = f"at{os.getpid()}"
        for line in (
            f"netns add {self.name}",
            f"link add {self._cable} type veth peer name inner netns {self.name}",
            f"addr add {self.here}/30 dev {self._cable}",
            f"link set {self._cable} up",
            f"-n {self.name} addr add {self.there}/30 dev inner",
            f"-n {self.name} link set inner up",
            f"-n {self.name} link set lo up",
        ):
            made = subprocess.run(["ip", *line.split()], capture_output=True, check=False)
            if made.returncode:
                self.__exit__()
                pytest.skip(f"no right to make a network: {made.stderr.decode().strip()}")
        return self

    def __exit__(self, *_error):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def cable(self, how: str) -> None:
        subprocess.run(["ip", "link", "set", self._cable, how], check=True)


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("ip") is None, reason="there is no ip to make a network with")
async def test_a_worker_that_is_cut_off_loses_its_attempt_and_works_again_later(tmp_path):
    """Nothing says good-bye: packets are lost, as with a cable that is pulled out."""
    log = tmp_path / "log"
    nodes = {"a": {"uses": "t.touch", "with": {"log": str(log), "value": 5, "seconds": 4}}}
    with Network() as network:
        server = TemporalServer(ip="0.0.0.0")  # the cable's end is none of this machine's own
        server.start()
        address = server.address("cut")
        far = Worker(address.replace("127.0.0.1", network.here), inside=network.inside)
        workers = [far]
        try:
            far.ready()
            async with TemporalConductor(address, nodes=NODES, options=OPTIONS) as conductor:
                run = await conductor.start(document(nodes, output="${{ a }}"))
                while not lines(log):
                    await asyncio.sleep(0.02)
                network.cable("down")
                near = Worker(address)
                workers.append(near)
                near.ready()
                result = await asyncio.wait_for(run.result(), 60)
                assert (result.status, result.output) == ("completed", 5)
                assert "attempt_lost" in [event.kind async for event in run.events()]
                assert len(lines(log)) == 2
                await asyncio.to_thread(near.end)
                network.cable("up")
                again = await conductor.start(document(nodes, output="${{ a }}"))
                assert (await asyncio.wait_for(again.result(), 60)).output == 5
            assert len(lines(log)) >= 3
        finally:
            for worker in workers:
                worker.end()
            server.stop()


async def set_current(conductor: TemporalConductor, deployment: str, build: str) -> None:
    """Let new runs begin with a version of the workers, once one of them has been seen."""
    asked = SetWorkerDeploymentCurrentVersionRequest(
        namespace="default", deployment_name=deployment, build_id=build
    )
    async with asyncio.timeout(30):
        while True:
            try:
                service = conductor.journal.client.workflow_service
                await service.set_worker_deployment_current_version(asked)
                return
            except RPCError:
                await asyncio.sleep(0.2)


async def builds_of(conductor: TemporalConductor, run: str) -> set[str]:
    """The versions of the workers that have driven a run."""
    events = conductor.journal.handle(run).fetch_history_events()
    done = [event.workflow_task_completed_event_attributes async for event in events]
    return {of.deployment_version.build_id for of in done if of.deployment_version.build_id}


@pytest.mark.slow
async def test_runs_stay_with_the_version_of_the_workers_that_they_began_with(temporal_address):
    nodes = {
        "go": {"wait": {"signal": "go"}},
        "a": {"uses": "t.add", "with": {"x": 1}, "needs": ["go"]},
    }
    workers = [Worker(temporal_address, "--build", "one", "--deployment", "orders")]
    try:
        workers[0].ready()
        async with TemporalConductor(temporal_address, nodes=NODES, options=OPTIONS) as conductor:
            await set_current(conductor, "orders", "one")
            old = await conductor.start(document(nodes, output="${{ a }}"))
            await conductor.show(old.id)
            workers.append(Worker(temporal_address, "--build", "two", "--deployment", "orders"))
            workers[1].ready()
            await set_current(conductor, "orders", "two")
            new = await conductor.start(document(nodes, output="${{ a }}"))
            for run in (old, new):
                await run.signal("go")
                assert (await asyncio.wait_for(run.result(), 60)).output == 2
            assert await builds_of(conductor, old.id) == {"one"}
            assert await builds_of(conductor, new.id) == {"two"}
    finally:
        for worker in workers:
            worker.end()


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
