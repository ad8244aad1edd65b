"""``mcp.run`` with programs that really speak the protocol."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="the SDK of the protocol is not installed")

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import BlueprintError, NodeError
from atomiton.nodes.guard.process import ProcessGuard
from atomiton.nodes.mcp import run
from atomiton.ports.calls import Attempt
from atomiton.server.policy import server_library

TOOLS = [sys.executable, str(Path(__file__).parents[2] / "mcp_server.py"), "--stdio"]


class Told:
    def __init__(self):
        self.progress = []
        self.lines = []

    def report(self, fraction, message=""):
        self.progress.append((fraction, message))

    def log(self, level, message):
        self.lines.append((level, message))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def ask(told):
    attempt = Attempt("r", "n", 1, None, lambda: 0.0, lambda *_: None, lambda *_: None)
    doors = {"process": ProcessGuard(), "progress": told, "log": told, "attempt": attempt}

    async def asking(command, tool, arguments=None, **more):
        return await run.function(command, tool, arguments, **more, **doors)

    return asking


async def test_a_tool_of_a_program_is_called(ask, told):
    got = await ask(TOOLS, "add", {"a": 2, "b": 3})
    assert (got["text"], got["value"]) == ("5", {"result": 5})
    assert ("info", "hello, this is no message") in told.lines


async def test_progress_of_a_program_is_shown(ask, told):
    assert (await ask(TOOLS, "steps", {"count": 3}))["text"] == "done"
    assert told.progress == [(n / 3, f"step {n}") for n in range(1, 4)]


async def test_variables_and_the_folder_are_given(ask, tmp_path):
    got = await ask(TOOLS, "around", {"name": "TEA"}, env={"TEA": "green"}, cwd=str(tmp_path))
    assert got["value"] == {"variable": "green", "folder": str(tmp_path.resolve())}


async def test_a_tool_that_fails(ask):
    with pytest.raises(NodeError, match=r"'fail' failed: .*no luck") as failed:
        await ask(TOOLS, "fail", {"why": "no luck"})
    assert (failed.value.code, failed.value.retryable) == ("TOOL_FAILED", False)


async def test_a_program_that_ends_shows_its_last_words(ask):
    with pytest.raises(NodeError, match="ended with status 3 before it had answered: goodbye") as e:
        await ask(TOOLS, "leave", {"word": "goodbye"})
    assert e.value.code == "PROCESS_FAILED"
    assert "goodbye" in e.value.details["stderr"]


async def test_a_program_that_is_not_there(ask):
    with pytest.raises(NodeError, match="there is no program") as failed:
        await ask(["/no/such/program"], "add")
    assert failed.value.code == "NOT_FOUND"


async def test_a_program_that_does_not_speak_the_protocol(ask):
    with pytest.raises(NodeError, match="status 0 before it had answered") as failed:
        await ask(["sh", "-c", "read line; echo $line"], "add")
    assert failed.value.code == "PROCESS_FAILED"


async def test_what_a_program_asks_of_us_is_answered(ask, tmp_path):
    script = tmp_path / "asks.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, sys

            def hear():
                return json.loads(sys.stdin.readline())

            def say(**message):
                print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

            begun = hear()
            say(id="p", method="ping")
            say(id=7, method="sampling/createMessage", params={})
            say(id=begun["id"], result={"protocolVersion": "2024-11-05"})
            heard = [hear() for _ in range(4)]
            called = next(one for one in heard if one.get("method") == "tools/call")
            answers = {str(one["id"]): one for one in heard if "method" not in one}
            text = f"{answers['p']['result']} {answers['7']['error']['code']}"
            say(id=called["id"], result={"content": [{"type": "text", "text": text}]})
            """
        )
    )
    assert (await ask([sys.executable, str(script)], "any"))["text"] == "{} -32601"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
async def test_when_cancelled_everything_it_started_is_ended(tmp_path):
    node = {
        "uses": "mcp.run",
        "timeout": 100,
        "with": {"command": TOOLS, "tool": "child_that_stays", "cwd": str(tmp_path)},
    }
    document = {"atomiton": 1, "id": "stays", "nodes": {"call": node}}
    async with Conductor("memory:") as conductor:
        started = await conductor.start(read_document(document))
        file = tmp_path / "child.pid"
        ended = asyncio.ensure_future(started.result())
        while not (file.exists() and file.read_text()):
            assert not ended.done(), ended.result().error
            await asyncio.sleep(0.05)
        pid = int(file.read_text())
        assert _lives(pid)
        await started.cancel("enough")
        assert (await ended).status == "cancelled"
    until = time.monotonic() + 10
    while _lives(pid) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    assert not _lives(pid)


async def test_a_time_limit_is_kept_to(tmp_path):
    node = {
        "uses": "mcp.run",
        "timeout": "1s",
        "with": {"command": ["sh", "-c", "cat > /dev/null"], "tool": "x"},
    }
    document = {"atomiton": 1, "id": "slow", "nodes": {"call": node}}
    async with Conductor("memory:") as conductor:
        result = await conductor.run(read_document(document))
    assert result.error is not None
    assert result.error.code == "TIMEOUT"


def test_servers_without_programs_refuse_it(tmp_path):
    node = {"uses": "mcp.run", "with": {"command": ["x"], "tool": "y"}}
    document = {"atomiton": 1, "id": "shut", "nodes": {"call": node}}
    library = server_library((), folder=tmp_path)
    with pytest.raises(BlueprintError, match=r"'mcp\.run' is refused"):
        library.program(read_document(document))
    over_http = {"uses": "mcp.call", "with": {"url": "http://x/", "tool": "y"}}
    library.program(read_document({**document, "nodes": {"call": over_http}}))
