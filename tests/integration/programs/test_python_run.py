"""``python.run``: code in a blueprint, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from atomiton import BlueprintError, Conductor
from atomiton.blueprint.document import read_document
from atomiton.server.policy import server_library


async def run(code, inputs=None, **given):
    node = {"uses": "python.run", "with": {"code": code, "inputs": inputs or {}, **given}}
    document = {"atomiton": 1, "id": "t", "nodes": {"a": node}, "output": "${{ a.result }}"}
    async with Conductor("memory:") as conductor:
        logged = []
        conductor._driver.on_log = lambda _run, _node, *said: logged.append(said)
        return await conductor.run(read_document(document)), logged


async def test_inputs_are_variables_and_return_gives_the_result():
    code = "def twice(n):\n    return n * 2\ntext = '''a\n  b'''\nreturn [twice(x), words, text]"
    result, _ = await run(code, {"x": 21, "words": ["ü"]})
    assert (result.error, result.output) == (None, [42, ["ü"], "a\n  b"])


async def test_what_it_prints_is_logged():
    result, logged = await run("print('one', 2)\nprint('last', end='')\nreturn 1")
    assert (result.output, logged) == (1, [("info", "one 2"), ("info", "last")])


async def test_no_return_and_no_code_give_null():
    assert [(await run(code))[0].output for code in ("", "# nothing", "x = 1")] == [None] * 3


@pytest.mark.parametrize(
    ("code", "inputs", "kind", "message"),
    [
        ("x = (", {}, "INVALID_INPUT", "line 1: '(' was never closed"),
        ("\n\nreturn a + b", {"a": 1}, "NODE_FAILED", "line 3: NameError: name 'b' is not defined"),
        ("raise SystemExit(3)", {}, "NODE_FAILED", "line 1: SystemExit: 3"),
        ("return {1, 2}", {}, "TYPE_MISMATCH", "the result holds a set, which JSON cannot"),
        ("return float('inf')", {}, "TYPE_MISMATCH", "not JSON compliant"),
        ("import os\nos._exit(4)", {}, "PROCESS_FAILED", "status 4 without output or error"),
        ("return 1", {"not a name": 1}, "INVALID_INPUT", "cannot be a variable of Python"),
        ("return 1", {"class": 1}, "INVALID_INPUT", "cannot be a variable of Python"),
    ],
)
async def test_what_is_wrong_is_told_with_its_line(code, inputs, kind, message):
    error = (await run(code, inputs))[0].error
    assert error.code == kind, error
    assert message in error.message


async def test_it_sees_no_variables_of_the_environment(monkeypatch):
    monkeypatch.setenv("ATOMITON_SECRET_TOKEN", "hush")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    result, _ = await run("import os\nreturn sorted(os.environ)")
    assert set(result.output) <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory cannot be bounded so")
async def test_memory_and_processor_are_bounded():
    big, long = await asyncio.gather(
        run("return len(bytearray(10**9))", memory=100), run("while True: pass", cpu=1)
    )
    assert (big[0].error.code, long[0].error.code) == ("LIMIT_EXCEEDED", "LIMIT_EXCEEDED")
    assert "more memory" in big[0].error.message
    assert "1 s of the processor" in long[0].error.message


async def test_it_is_ended_when_the_run_is_cancelled():
    document = {
        "atomiton": 1,
        "id": "t",
        "nodes": {"a": {"uses": "python.run", "with": {"code": "while True: pass"}}},
    }
    async with Conductor("memory:") as conductor:
        started = await conductor.start(read_document(document))
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        await started.cancel()
        assert (await started.result()).status == "cancelled"
        assert time.monotonic() - begun < 2


async def test_servers_refuse_it_unless_they_allow_programs(tmp_path):
    document = {"atomiton": 1, "id": "t", "nodes": {"a": {"uses": "python.run"}}}
    document["nodes"]["a"]["with"] = {"code": "return 1"}
    blueprint = read_document(document)
    with pytest.raises(BlueprintError, match="this server runs no programs"):
        server_library([], folder=tmp_path).ready(blueprint)
    assert server_library([], folder=tmp_path, allow=["shell"]).ready(blueprint)


async def test_programs_that_the_owner_declares_run_on_servers(tmp_path):
    manifest = tmp_path / "nodes.yaml"
    manifest.write_text("atomiton-nodes: 1\nnodes:\n  t.it: {command: [echo, '{\"output\": 3}']}\n")
    library = server_library([str(manifest)], folder=tmp_path)
    document = {"atomiton": 1, "id": "t", "nodes": {"a": {"uses": "t.it"}}}
    conductor = Conductor("memory:")
    conductor.library = library
    async with conductor:
        result = await conductor.run(read_document(document))
    assert (result.error, result.output) == (None, {"a": 3})
