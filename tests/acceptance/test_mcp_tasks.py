"""Long runs as tasks of the protocol: begun, asked about, waited for and stopped."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the SDK of the protocol is not installed")

WAITS = "atomiton: 1\nid: waits\nnodes: {ask: {wait: {signal: go}}}\noutput: done\n"
NAPS = "atomiton: 1\nid: naps\nnodes: {nap: {wait: {for: 300ms}}}\noutput: rested\n"
FAILS = "atomiton: 1\nid: fails\nnodes: {no: {uses: flow.fail, with: {message: never}}}\n"
TASK = "io.modelcontextprotocol/related-task"


class Wire:
    """A client that writes and reads the messages itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)

    async def send(self, method: str, **params: object) -> int:
        assert self._process.stdin is not None
        number = next(self._numbers)
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()
        return number

    async def ask(self, method: str, **params: object) -> Any:
        number = await self.send(method, **params)
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while True:
                answer = json.loads(await self._process.stdout.readline())
                if answer.get("id") == number:
                    return answer.get("result", answer.get("error"))

    async def save(self, text: str) -> None:
        given = {"name": "save_blueprint", "arguments": {"text": text}}
        assert not (await self.ask("tools/call", **given)).get("isError")

    async def begin(self, tool: str, **arguments: object) -> Any:
        given = {"name": tool, "arguments": arguments, "task": {"ttl": 60_000}}
        return (await self.ask("tools/call", **given))["task"]


@asynccontextmanager
async def wire(folder: Path, version: str = "2025-11-25") -> AsyncIterator[Wire]:
    command = ["-m", "atomiton", "mcp", "--store", str(folder / "runs.db"), "--wait", "0.1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=folder, env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    client = Wire(process)
    try:
        info = {"name": "test", "version": "1"}
        given = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
        hello = await client.ask("initialize", **given)
        assert hello["protocolVersion"] == version
        tasks = hello["capabilities"].get("tasks")
        if version == "2025-11-25":
            assert tasks == {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
        else:
            assert tasks is None
        assert process.stdin is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


async def test_a_run_is_a_task_that_outlives_the_session(tmp_path: Path) -> None:
    async with wire(tmp_path) as client:
        await client.save(WAITS)
        tools = {tool["name"]: tool for tool in (await client.ask("tools/list"))["tools"]}
        assert tools["run_waits"]["execution"] == {"taskSupport": "optional"}
        assert "execution" not in tools["list_runs"]
        task = await client.begin("run_waits")
        assert (task["status"], task["ttl"]) == ("working", None)
        assert task["pollInterval"] >= 100
    async with wire(tmp_path) as client:
        again = await client.ask("tasks/get", taskId=task["taskId"])
        assert (again["status"], again["createdAt"]) == ("working", task["createdAt"])
        assert "signal" in again["statusMessage"]
        listed = (await client.ask("tasks/list"))["tasks"]
        assert [one["taskId"] for one in listed] == [task["taskId"]]
        stopped = await client.ask("tasks/cancel", taskId=task["taskId"])
        assert stopped["status"] == "cancelled"
        refused = await client.ask("tasks/cancel", taskId=task["taskId"])
        assert refused["code"] == -32602


async def test_the_result_of_a_task_is_that_of_the_tool(tmp_path: Path) -> None:
    async with wire(tmp_path) as client:
        await client.save(NAPS)
        task = await client.begin("run_blueprint", id="naps")
        result = await client.ask("tasks/result", taskId=task["taskId"])  # waits for the end
        assert result["structuredContent"]["output"] == "rested"
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        assert result["_meta"][TASK] == {"taskId": task["taskId"]}
        ended = await client.ask("tasks/get", taskId=task["taskId"])
        assert ended["status"] == "completed"
        assert ended["lastUpdatedAt"] > ended["createdAt"]


async def test_a_run_that_fails_is_a_failed_task(tmp_path: Path) -> None:
    async with wire(tmp_path) as client:
        await client.save(FAILS)
        task = await client.begin("run_fails")
        result = await client.ask("tasks/result", taskId=task["taskId"])
        assert result["isError"] is True
        assert result["structuredContent"]["error"]["message"] == "never"
        ended = await client.ask("tasks/get", taskId=task["taskId"])
        assert (ended["status"], ended["statusMessage"]) == ("failed", "never")


async def test_what_cannot_be_a_task_is_refused(tmp_path: Path) -> None:
    async with wire(tmp_path) as client:
        given = {"name": "list_runs", "arguments": {}, "task": {}}
        assert (await client.ask("tools/call", **given))["code"] == -32601
        assert (await client.ask("tasks/get", taskId="run_of_nobody"))["code"] == -32602
        missing = {"name": "run_nothing", "arguments": {}, "task": {}}
        assert (await client.ask("tools/call", **missing))["code"] == -32602
        assert (await client.ask("tasks/list", cursor="nonsense"))["code"] == -32602


async def test_tasks_are_listed_by_pages(tmp_path: Path) -> None:
    async with wire(tmp_path) as client:
        await client.save(NAPS)
        begun = [(await client.begin("run_naps"))["taskId"] for _ in range(3)]
        listed = await client.ask("tasks/list")
        assert {one["taskId"] for one in listed["tasks"]} == set(begun)
        rest = await client.ask("tasks/list", cursor=sorted(begun)[2])
        assert [one["taskId"] for one in rest["tasks"]] == sorted(begun)[1::-1]


async def test_clients_of_other_versions_know_of_no_tasks(tmp_path: Path) -> None:
    async with wire(tmp_path, "2025-06-18") as client:
        await client.save(NAPS)
        tools = {tool["name"]: tool for tool in (await client.ask("tools/list"))["tools"]}
        assert "execution" not in tools["run_naps"]
        given = {"name": "run_naps", "arguments": {}, "task": {}}  # an older server knows no field
        assert "content" in await client.ask("tools/call", **given)
        assert (await client.ask("tasks/list"))["code"] == -32601
