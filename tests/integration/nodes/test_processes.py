"""``shell.run`` with real programs, and nothing of them left behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from pathlib import Path

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import shell
from atomiton.nodes.guard.process import ProcessGuard

PYTHON = sys.executable


@pytest.fixture
def process():
    return ProcessGuard(grace=0.5)


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def living(mark: str) -> list[str]:
    """Commands of all processes, zombies too, that carry a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return found


def children() -> list[str]:
    """Our children, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.append(f"{entry.name} {fields[0]}")
    return found


async def test_output_and_exit(process) -> None:
    code = "import sys; print('out ü'); print('err', file=sys.stderr)"
    got = await shell.run([PYTHON, "-c", code], env={"PYTHONIOENCODING": "utf-8"}, process=process)
    assert got == {
        "exit_code": 0,
        "stdout": "out ü\n",
        "stderr": "err\n",
        "signal": None,
        "timed_out": False,
    }


async def test_arguments_arrive_as_they_are(process) -> None:
    odd = ["$HOME; echo x", "*", "a b", "", "'\"", "ü"]
    code = "import sys, json; print(json.dumps(sys.argv[1:]))"
    got = await shell.run([PYTHON, "-c", code, *odd], process=process)
    import json

    assert json.loads(got["stdout"]) == odd


async def test_stdin_cwd_env(process, tmp_path) -> None:
    assert (await shell.run(["cat"], stdin="grüße", process=process))["stdout"] == "grüße"
    assert (await shell.run(["cat"], stdin=b"\xff", process=process))["stdout"] == "\ufffd"
    assert (await shell.run(["cat"], process=process))["stdout"] == ""
    assert (await shell.run(["pwd"], cwd=str(tmp_path), process=process))["stdout"].strip() == str(
        tmp_path
    )
    got = await shell.run(["sh", "-c", "echo $A$PATH"], env={"A": "1"}, process=process)
    assert got["stdout"].strip() == f"1{os.environ['PATH']}"
    big = "x" * 3_000_000
    assert (await shell.run(["cat"], stdin=big, process=process))["stdout"] == big
    assert (await shell.run(["true"], stdin=big, process=process))["exit_code"] == 0


async def test_a_status_that_is_not_0_fails(process) -> None:
    command = ["sh", "-c", "echo some; echo broken >&2; exit 3"]
    with pytest.raises(NodeError, match="'sh' ended with status 3: broken") as caught:
        await shell.run(command, process=process)
    assert caught.value.code == "PROCESS_FAILED"
    assert caught.value.details["exit_code"] == 3
    assert caught.value.details["stdout"] == "some\n"
    assert (await shell.run(command, check=False, process=process))["exit_code"] == 3
    killed = await shell.run(["sh", "-c", "kill -9 $$"], check=False, process=process)
    assert (killed["exit_code"], killed["signal"]) == (-9, 9)


async def test_what_cannot_start(process, tmp_path) -> None:
    with pytest.raises(NodeError, match="no program 'no-such-program'") as caught:
        await shell.run(["no-such-program"], process=process)
    assert caught.value.code == "NOT_FOUND"
    with pytest.raises(NodeError, match="no folder"):
        await shell.run(["true"], cwd=str(tmp_path / "none"), process=process)
    with pytest.raises(NodeError, match="empty"):
        await shell.run([], process=process)
    with pytest.raises(NodeError, match="NUL"):
        await shell.run(["a\0b"], process=process)
    plain = tmp_path / "plain"
    plain.write_text("x")
    plain.chmod(0o644)
    with pytest.raises(NotAllowed):
        await shell.run([str(plain)], process=process)


IGNORES = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)


@pytest.mark.parametrize(
    "command",
    [
        ["sleep", "60"],
        ["sh", "-c", "sleep 60 & sleep 60"],
        ["sh", "-c", "(trap '' TERM; sleep 60 & sleep 60) & sleep 60"],
        ["setsid", "-w", "sleep", "60"],
        ["sh", "-c", "setsid sleep 60 & sleep 60"],
        [PYTHON, "-c", IGNORES],
        ["yes"],
    ],
)
async def test_cancelling_leaves_nothing_behind(command) -> None:
    process = ProcessGuard(grace=0.3, largest=1 << 40)
    mark = f"MARK_{uuid.uuid4().hex}"
    before, open_before = children(), handles()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await shell.run(command, env={mark: "1"}, process=process)
    assert time.monotonic() - started < 3
    assert living(mark) == []
    await asyncio.sleep(0.05)
    assert children() == before
    assert handles() <= open_before + 1


async def test_cancelling_twice_still_ends_all(process) -> None:
    mark = f"MARK_{uuid.uuid4().hex}"
    work = shell.run([PYTHON, "-c", IGNORES], env={mark: "1"}, process=process)
    task = asyncio.create_task(work)
    await asyncio.sleep(0.3)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert living(mark) == []


async def test_a_child_that_holds_the_pipes_does_not_hold_us(process) -> None:
    started = time.monotonic()
    got = await shell.run(["sh", "-c", "sleep 5 & echo now"], process=process)
    assert got["stdout"] == "now\n"
    assert time.monotonic() - started < 3


async def test_too_much_output_ends_the_program() -> None:
    process = ProcessGuard(largest=100_000, grace=0.3)
    mark = f"MARK_{uuid.uuid4().hex}"
    with pytest.raises(NodeError, match="more than 100000 bytes") as caught:
        await shell.run(["yes"], env={mark: "1"}, process=process)
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert living(mark) == []


async def test_many_at_once_leave_no_handle(process) -> None:
    await shell.run(["true"], process=process)
    before = handles()
    got = await asyncio.gather(
        *(shell.run(["sh", "-c", f"echo {n}"], process=process) for n in range(40))
    )
    assert [one["stdout"] for one in got] == [f"{n}\n" for n in range(40)]
    assert handles() <= before


def test_the_end_of_the_event_loop_ends_what_does_not_stop() -> None:
    mark = uuid.uuid4().hex
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); "

    async def main() -> None:
        process = ProcessGuard(grace=60)
        command = [PYTHON, "-c", code + "time.sleep(60)"]
        work = asyncio.create_task(shell.run(command, env={"MARK": mark}, process=process))
        while not living(mark):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        work.cancel()
        await asyncio.sleep(0.2)

    asyncio.run(asyncio.wait_for(main(), 20))
    for _ in range(50):
        if not living(mark):
            return
        time.sleep(0.1)
    assert living(mark) == []


async def test_a_program_that_runs_out_of_time_fails_its_node_unchecked_too() -> None:
    nap = {"uses": "shell.run", "with": {"command": ["sleep", "30"], "check": False}}
    async with Conductor("memory:") as conductor:
        result = await conductor.run(
            read_document({"atomiton": 1, "id": "x", "nodes": {"nap": {**nap, "timeout": "50ms"}}})
        )
    assert result.error is not None
    assert (result.error.code, result.error.node) == ("TIMEOUT", "nap")
