"""An assistant, played by a real client of the protocol, builds, runs and debugs a blueprint."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the SDK of the protocol is not installed")

from mcp import Client, StdioServerParameters

GOOD = """
atomiton: 1
id: add-up
description: Adds up numbers.
inputs:
  numbers: {type: array, items: {type: number}}
  label: {type: string, default: sum}
nodes:
  figures: {uses: data.aggregate, with: {items: "${{ inputs.numbers }}"}}
output: {label: "${{ inputs.label }}", total: "${{ figures.sum }}"}
"""
FAILS = """
atomiton: 1
id: will-fail
inputs: {word: {type: string, default: no}}
nodes:
  say: {uses: data.value, with: {value: "${{ inputs.word }}"}}
  stop: {uses: flow.fail, with: {message: "${{ say }}", code: STOPPED}}
"""
WAITS = "atomiton: 1\nid: waits\nnodes: {ask: {wait: {approval: {title: May I?}}}}\n"
SHELL = "atomiton: 1\nid: shell\nnodes: {a: {uses: shell.run, with: {command: [id]}}}\n"


@asynccontextmanager
async def assistant(folder: Path, *arguments: str) -> AsyncIterator[Client]:
    command = ["-m", "atomiton", "mcp", "--store", str(folder / "runs.db"), *arguments]
    keep = ("PATH", "HOME", "PYTHONPATH", "VIRTUAL_ENV")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    server = StdioServerParameters(command=sys.executable, args=command, env=env, cwd=str(folder))
    async with Client(server) as client:
        yield client


async def ask(client: Client, tool: str, **arguments: object) -> Any:
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        return {"failed": result.structured_content["error"]}
    return result.structured_content


async def test_an_assistant_imports_a_workflow(tmp_path: Path) -> None:
    states = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 7, "End": true}}}'
    async with assistant(tmp_path) as client:
        made = await ask(client, "import_workflow", text=states)
        assert (made["format"], made["exact"]) == ("asl", True)
        assert (await ask(client, "save_blueprint", text=made["text"]))["revision"] == 1
        refused = await ask(client, "import_workflow", text=states, format="n8n")
        assert "'nodes' and 'connections'" in refused["failed"]["message"]


async def test_an_assistant_builds_a_blueprint_and_runs_it(tmp_path: Path) -> None:
    async with assistant(tmp_path) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"validate_blueprint", "save_blueprint", "run_blueprint", "show_run"} <= names
        types = await ask(client, "list_node_types", prefix="data.agg")
        assert [type_["name"] for type_ in types["types"]] == ["data.aggregate"]
        described = await ask(client, "describe_node_type", name="data.aggregate")
        assert described["parameters"][0]["name"] == "items"
        bad = GOOD.replace("data.aggregate", "data.agregate")
        found = await ask(client, "validate_blueprint", text=bad)
        assert (found["valid"], len(found["problems"])) == (False, 1)
        assert found["problems"][0]["line"] == 9
        refused = await ask(client, "save_blueprint", text=bad)
        assert refused["failed"]["problems"] == found["problems"]
        assert (await ask(client, "validate_blueprint", text=GOOD))["valid"]
        assert (await ask(client, "save_blueprint", text=GOOD))["revision"] == 1
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        schema = tools["run_add_up"].input_schema
        assert (schema["required"], tools["run_add_up"].description) == (
            ["numbers"], "Adds up numbers.",
        )  # fmt: skip
        ended = await ask(client, "run_add_up", numbers=[1, 2, 3.5])
        assert (ended["status"], ended["output"]) == ("completed", {"label": "sum", "total": 6.5})
        refused = await ask(client, "run_add_up", numbers="many")
        assert "expected array" in refused["failed"]["message"]
    async with assistant(tmp_path) as client:  # another session: what was kept is there
        runs = await ask(client, "list_runs", blueprint="add-up")
        assert [run["status"] for run in runs["runs"]] == ["completed"]


async def test_an_assistant_finds_out_why_a_run_failed(tmp_path: Path) -> None:
    async with assistant(tmp_path) as client:
        await ask(client, "save_blueprint", text=FAILS)
        ended = await ask(client, "run_blueprint", id="will-fail", inputs={"word": "never"})
        assert (ended["status"], ended["error"]["code"]) == ("failed", "STOPPED")
        run = ended["run"]
        assert (await ask(client, "show_run", run=run))["nodes"]["stop"]["status"] == "failed"
        facts = (await ask(client, "run_events", run=run))["facts"]
        assert facts[0]["number"] == 1
        assert "attempt_failed" in [fact["kind"] for fact in facts]
        inputs = await ask(client, "node_inputs", run=run, node="stop")
        assert "never" in str(inputs)
        values = await ask(client, "evaluate", run=run, expressions=["say.size()"])
        assert "5" in str(values)
        again = await ask(client, "retry_run", run=run)
        assert (again["status"], again["run"] != run) == ("failed", True)
        wrong = await ask(client, "show_run", rum=run)
        assert wrong["failed"]["code"] == "INVALID_INPUT"
        wrong = await ask(client, "list_runs", limit="all")
        assert (
            wrong["failed"]["problems"][0]["message"] == "limit: expected integer, got text 'all'"
        )
        assert (await ask(client, "no_such_tool"))["failed"]["code"] == "NOT_FOUND"


async def test_a_run_that_takes_long_is_told_by_its_id(tmp_path: Path) -> None:
    async with assistant(tmp_path, "--wait", "0.2") as client:
        await ask(client, "save_blueprint", text=WAITS)
        standing = await ask(client, "run_waits")
        assert standing["status"] == "waiting"
        assert standing["waits"][0]["node"] == "ask"
        ended = await ask(client, "cancel_run", run=standing["run"], reason="not needed")
        assert ended["status"] == "cancelled"


async def test_an_assistant_may_run_no_programs_and_read_no_files_outside(tmp_path: Path) -> None:
    async with assistant(tmp_path) as client:
        refused = await ask(client, "validate_blueprint", text=SHELL)
        assert refused["problems"][0]["code"] == "NOT_ALLOWED"
        outside = SHELL.replace(
            "shell.run, with: {command: [id]}", "file.read, with: {path: /etc/passwd}"
        )
        await ask(client, "save_blueprint", text=outside)
        ended = await ask(client, "run_blueprint", id="shell")
        assert ended["error"]["code"] == "NOT_ALLOWED"
        assert (await ask(client, "run_blueprint", id="/etc/passwd"))["failed"]
    async with assistant(tmp_path, "--allow", "shell") as client:
        assert (await ask(client, "validate_blueprint", text=SHELL))["valid"]
