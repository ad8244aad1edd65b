"""What a node must do wherever its code runs: on the loop, in a thread, a process, a program..."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from atomiton import Conductor
from atomiton.blueprint.document import read_document

HERE = Path(__file__).parent / "places"
FILES = [HERE / "functions.py", HERE / "nodes.yaml"]
#: Where the code runs -> (family of the node types, what a node says of its runtime).
PLACES = {
    "async": ("async", {}),
    "inline": ("plain", {"runtime": "inline"}),
    "thread": ("plain", {"runtime": "thread"}),
    "process": ("plain", {"runtime": "process"}),
    "program": ("program", {}),
    "wasm": ("wasm", {}),
}
APART = ("process", "program", "wasm")  # what can crash without the engine
TOLD = ("async", "inline", "thread", "program", "wasm")  # what is given capabilities
STOPPED = ("async", "thread", "process", "program", "wasm")


@pytest.fixture
async def conductor():
    async with Conductor("memory:", nodes=FILES) as made:
        yield made


def one(place, name, given=None, **more):
    family, runtime = PLACES[place]
    return {"uses": f"{family}.{name}", "with": given or {}, **runtime, **more}


def blueprint(nodes, **more):
    return read_document({"atomiton": 1, "id": "place", "nodes": nodes, **more})


VALUES = [
    None, True, -(2**63), 2**63 - 1, 0.1, "", "naïve 日本語 🙂 \" \\ \n", [1, [2, [3]], {"a": []}],
    {"": 1, "ключ": [None], "nested": {"deep": [{"er": 1.5}]}}, "ü" * 500_000,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
async def test_values_come_back_as_they_were(place, conductor):
    nodes = {f"n{n}": one(place, "echo", {"value": value}) for n, value in enumerate(VALUES)}
    result = await conductor.run(blueprint(nodes))
    assert result.error is None
    assert [result.output[f"n{n}"] for n in range(len(VALUES))] == VALUES


@pytest.mark.parametrize("place", PLACES)
async def test_defaults_of_inputs_hold(place, conductor):
    nodes = {
        "a": one(place, "add", {"first": 2}),
        "b": one(place, "add", {"first": "${{ a }}", "second": 5}),
    }
    result = await conductor.run(blueprint(nodes, output="${{ [a, b] }}"))
    assert (result.error, result.output) == (None, [3, 8])


@pytest.mark.parametrize("place", PLACES)
async def test_an_error_keeps_code_message_and_details(place, conductor):
    node = one(place, "fail", retry={"attempts": 3, "delay": "1ms"})
    result = await conductor.run(blueprint({"a": node}))
    error = result.error
    assert (error.code, error.message, error.retryable) == ("BUSY", "try later", False)
    assert error.details["after"] == 3
    assert error.attempt == 1  # not tried again, as it says


@pytest.mark.parametrize("place", STOPPED)
async def test_what_never_ends_is_cancelled_within_the_grace(place, conductor):
    run = await conductor.start(blueprint({"a": one(place, "spin")}))
    await asyncio.sleep(0.4)
    begun = time.monotonic()
    await conductor.cancel(run.id)
    result = await run.result()
    assert result.status == "cancelled"
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("place", STOPPED)
async def test_what_never_ends_runs_out_of_time(place, conductor):
    nodes = {
        "a": one(place, "spin", timeout="400ms", on_error="continue"),
        "b": one(place, "add", {"first": 1}, needs=["a"], join="settled"),
    }
    result = await conductor.run(blueprint(nodes, output="${{ [nodes.a.error.code, b] }}"))
    assert (result.error, result.output) == (None, ["TIMEOUT", 2])


@pytest.mark.parametrize("place", APART)
async def test_a_crash_fails_the_node_and_nothing_else(place, conductor):
    nodes = {
        "a": one(place, "crash", on_error="continue", retry={"attempts": 2, "delay": "1ms"}),
        "b": one(place, "add", {"first": 1}, needs=["a"], join="settled"),
    }
    given = "${{ [nodes.a.error.code, nodes.a.error.message, b] }}"
    result = await asyncio.wait_for(conductor.run(blueprint(nodes, output=given)), 20)
    code, message, after = result.output
    assert (result.error, code, after) == (None, "PROCESS_FAILED", 2)
    expected = {"process": "status 9", "program": "SIGKILL", "wasm": "unreachable"}
    assert expected[place] in message


@pytest.mark.parametrize("place", TOLD)
async def test_progress_log_and_key_are_handed_over(place, conductor):
    told, logged = [], []
    conductor._driver.on_progress = lambda _run, node, *said: told.append((node, *said))
    conductor._driver.on_log = lambda _run, node, *said: logged.append((node, *said))
    run = await conductor.start(blueprint({"a": one(place, "report")}))
    result = await run.result()
    assert (result.error, result.output) == (None, {"a": f"{run.id}/a"})
    assert told == [("a", 0.25, "begun"), ("a", 0.75, "")]
    assert logged == [("a", "warning", "at work")]


@pytest.mark.parametrize("place", PLACES)
async def test_many_at_once_come_back_in_order(place, conductor):
    node = one(place, "add", {"first": "${{ item }}"}, map="${{ inputs.all }}", concurrency=8)
    inputs = {"all": {"type": "array", "items": {"type": "integer"}}}
    result = await conductor.run(
        blueprint({"a": node}, inputs=inputs, output="${{ a }}"), {"all": list(range(40))}
    )
    assert (result.error, result.output) == (None, [n + 1 for n in range(40)])


ANSWERS = r"""
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"output\": {\"ok\": true}}\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 25))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


async def test_a_module_that_takes_too_many_steps(conductor):
    result = await conductor.run(blueprint({"a": {"uses": "wasm.short"}}))
    assert (result.error.code, "1000 steps" in result.error.message) == ("LIMIT_EXCEEDED", True)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"no module", "INVALID_INPUT", "is no module that can be run"),
        (b"\xff\xfe", "INVALID_INPUT", "is no module that can be run"),
        (b"(module)", "INVALID_INPUT", "has no '_start'"),
        (b'(module (func (export "_start")))', "PROCESS_FAILED", "without output or error"),
        (b'(module (func (export "_start") unreachable))', "PROCESS_FAILED", "unreachable"),
        (None, "NOT_FOUND", "there is no module"),
    ],
)
async def test_what_is_no_module_that_answers_is_told(content, code, message, tmp_path):
    manifest, module = tmp_path / "nodes.yaml", tmp_path / "it.wat"
    manifest.write_text("atomiton-nodes: 1\nnodes:\n  t.it: {module: it.wat}\n")
    if content is not None:
        module.write_bytes(content)
    async with Conductor("memory:", nodes=[manifest]) as conductor:
        error = (await conductor.run(blueprint({"a": {"uses": "t.it"}}))).error
        assert error.code == code, error
        assert message in error.message
        # Mended, it is read anew.
        module.write_text(ANSWERS)
        result = await conductor.run(blueprint({"a": {"uses": "t.it"}}))
        assert (result.error, result.output) == (None, {"a": {"ok": True}})


async def test_the_memory_of_a_module_is_bounded(conductor):
    result = await conductor.run(blueprint({"a": {"uses": "wasm.grow"}}))
    assert result.error is None
    assert 1 <= result.output["a"] < 24  # MiB; the module itself takes 8


async def test_a_module_has_no_files_and_no_variables(conductor):
    result = await conductor.run(blueprint({"a": {"uses": "wasm.open"}}))
    assert (result.error, result.output) == (None, {"a": {"opened": False, "variables": False}})
