"""Programs as nodes: what they are given, what they may say and use, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from atomiton import BlueprintError, Conductor
from atomiton.blueprint.document import read_document
from atomiton.nodes.guard import Capabilities
from atomiton.testing import FakeProcess

MANIFEST = "atomiton-nodes: 1\nnodes:\n  t.it:\n    command: [sh, -c, {script}]\n"


@pytest.fixture
def run(tmp_path):
    """Runs a script of a shell as a node type."""

    async def run(script, given=None, *, more="", **settings):
        manifest = tmp_path / "nodes.yaml"
        manifest.write_text(MANIFEST.format(script=json.dumps(script)) + more)
        document = {"atomiton": 1, "id": "t", "nodes": {"a": {"uses": "t.it", "with": given or {}}}}
        async with Conductor("memory:", nodes=[manifest], **settings) as conductor:
            return await conductor.run(read_document({**document, "output": "${{ a }}"}))

    return run


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_a_program_reads_one_line_that_says_what_is_asked(run):
    script = """read -r line; printf '{"output": %s}\\n' "$line" """
    result = await run(script, {"x": 1}, more="    inputs: {x: integer, y: {default: [2]}}\n")
    asked = result.output
    assert asked["inputs"] == {"x": 1, "y": [2]}
    assert (asked["atomiton"], asked["type"], asked["node"], asked["attempt"]) == (
        1,
        "t.it",
        "a",
        1,
    )
    assert asked["key"] == f"{asked['run']}/a"
    assert asked["seconds"] is None


async def test_plain_values_are_variables_too(run):
    more = "    inputs: {text: string, count: integer, yes: boolean, list: array}\n"
    script = (
        'printf \'{"output": "%s|%s|%s|%s"}\' "$ATOMITON_INPUT_TEXT" "$ATOMITON_INPUT_COUNT" '
        '"$ATOMITON_INPUT_YES" "${ATOMITON_INPUT_LIST-none}"'
    )
    result = await run(script, {"text": "a b", "count": 3, "yes": True, "list": [1]}, more=more)
    assert result.output == "a b|3|true|none"


async def test_a_program_sees_no_variables_but_those_it_is_passed(run, monkeypatch):
    monkeypatch.setenv("ATOMITON_SECRET_TOKEN", "hush")
    monkeypatch.setenv("SEEN", "passed")
    script = """printf '{"output": "%s"}' "$(env | sort | cut -d= -f1 | tr '\\n' ' ')" """
    result = await run(script, more="    env: {MINE: x}\n    pass_env: [SEEN]\n")
    names = set(result.output.split())
    assert {"MINE", "SEEN", "PATH", "ATOMITON_KEY"} <= names
    assert "ATOMITON_SECRET_TOKEN" not in names


@pytest.mark.parametrize(
    ("script", "code", "message", "retryable"),
    [
        ("exit 0", "PROCESS_FAILED", "ended with status 0 without output or error", False),
        ("echo no >&2; exit 3", "PROCESS_FAILED", "status 3 without output or error: no", True),
        ("echo '{\"output\": 1}'; exit 3", "PROCESS_FAILED", "status 3 after its output", True),
        ("echo hello", "PROCESS_FAILED", "is no message", False),
        ("echo '{\"outptu\": 1}'", "PROCESS_FAILED", "unknown field `outptu`", False),
        ('echo \'{"output": 1, "log": "x"}\'', "PROCESS_FAILED", "exactly one of", False),
        ('echo \'{"output": 1}\'; echo \'{"log": "x"}\'', "PROCESS_FAILED", "nothing may", False),
        ('echo \'{"error": {"message": "x", "code": "MINE"}}\'; exit 1', "MINE", "x", True),
        ("printf '{\"output\": '; kill -9 $$", "PROCESS_FAILED", "was killed by SIGKILL", True),
    ],
)
async def test_what_a_program_may_not_do_is_told(run, script, code, message, retryable):
    error = (await run(script)).error
    assert (error.code, error.retryable) == (code, retryable), error
    assert message in error.message


async def test_an_error_carries_standard_error(run):
    error = (await run("echo why >&2; exit 1")).error
    assert error.details == {"stderr": "why"}


async def test_values_are_held_against_the_declaration(run):
    more = "    inputs: {n: {type: integer, minimum: 3}}\n    output: {type: integer}\n"
    async with asyncio.timeout(10):
        error = (await run("true", {"n": "${{ 1 + 1 }}"}, more=more)).error
    assert (error.code, error.message) == ("INVALID_INPUT", "n: expected at least 3, got 2")
    error = (await run('echo \'{"output": "x"}\'', {"n": 3}, more=more)).error
    assert error.code == "TYPE_MISMATCH"
    assert "expected integer, got text 'x'" in error.message


async def test_a_program_that_says_too_much_is_ended(run):
    begun = time.monotonic()
    error = (await run('yes \'{"log": "x"}\'', more="    limits: {output: 64KiB}\n")).error
    assert (error.code, error.retryable) == ("LIMIT_EXCEEDED", False)
    assert "65536 bytes" in error.message
    assert time.monotonic() - begun < 5


async def test_the_processor_is_bounded(run):
    error = (await run("while :; do :; done", more="    limits: {cpu: 1s}\n")).error
    assert (error.code, error.message) == (
        "LIMIT_EXCEEDED", "the program used more than 1 s of the processor",
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory cannot be bounded so")
async def test_the_memory_is_bounded(run):
    script = f"exec {sys.executable} -I -S -c 'x = bytearray(10**9); print(\"{{}}\")'"
    error = (await run(script, more="    limits: {memory: 200MiB}\n")).error
    assert error.code == "PROCESS_FAILED"
    assert "MemoryError" in error.message


@pytest.mark.parametrize("more", ["", "    limits: {cpu: 5s}\n"], ids=["bare", "bounded"])
async def test_a_program_that_is_not_there(tmp_path, more):
    manifest = tmp_path / "nodes.yaml"
    manifest.write_text('atomiton-nodes: 1\nnodes:\n  t.it:\n    command: ["{here}/no"]\n' + more)
    async with Conductor("memory:", nodes=[manifest]) as conductor:
        document = {"atomiton": 1, "id": "t", "nodes": {"a": {"uses": "t.it"}}}
        error = (await conductor.run(read_document(document))).error
    assert error.code == "NOT_FOUND"
    assert f"there is no program '{tmp_path}/no'" in error.message


async def test_a_cancelled_program_is_asked_and_its_children_are_killed(run, tmp_path):
    manifest = tmp_path / "nodes.yaml"
    mark, child = tmp_path / "asked", tmp_path / "child"
    script = f"trap 'touch {mark}' TERM; sleep 60 & echo $! > {child}; while :; do sleep 0.05; done"
    manifest.write_text(MANIFEST.format(script=json.dumps(script)))
    document = {"atomiton": 1, "id": "t", "nodes": {"a": {"uses": "t.it"}}}
    async with Conductor("memory:", nodes=[manifest]) as conductor:
        started = await conductor.start(read_document(document))
        async with asyncio.timeout(10):
            while not (child.exists() and child.read_text()):
                await asyncio.sleep(0.01)
        await started.cancel()
        assert (await started.result()).status == "cancelled"
    assert mark.exists()
    async with asyncio.timeout(5):
        while alive(int(child.read_text())):
            await asyncio.sleep(0.02)


async def test_a_fake_stands_in_for_a_program(run):
    fake = FakeProcess({"sh": '{"log": "x"}\n{"output": 7}\n'})
    result = await run("exit 1", capabilities=Capabilities(process=fake))
    assert (result.error, result.output) == (None, 7)
    assert b'"type":"t.it"' in fake.commands[0].stdin


BAD = """
atomiton-nodes: 2
nodes:
  count: {command: [x]}
  t.both: {command: [x], module: y}
  t.neither: {titel: x}
  t.beside: {command: [./x]}
  t.words: {command: count --all}
  t.input: {command: [x], inputs: {Text: str}}
  t.bounds: {command: [x], limits: {memory: lots, fuel: 3, cpu: 500ms}}
  t.module: {module: x.wasm, env: {A: b}}
"""


def test_everything_wrong_with_a_declaration_is_told_at_once(tmp_path):
    manifest = tmp_path / "nodes.yaml"
    manifest.write_text(BAD)
    with pytest.raises(BlueprintError) as raised:
        Conductor("memory:", nodes=[manifest])
    found = [(p.line, p.message, p.hint) for p in raised.value.problems]
    assert found == [
        (2, "'atomiton-nodes' is the version of the format, 1, got integer 2",
         "write 'atomiton-nodes: 1'"),
        (4, "'count' cannot be the name of a node type", "family.name in small letters"),
        (5, "a node type needs exactly one of command or module", None),
        (6, "a node type needs exactly one of command or module", None),
        (6, "a node type has no key 'titel'", "did you mean 'title'?"),
        (7, "'./x' would depend on the folder in which a run is started",
         "write '{here}/x': beside this file"),
        (8, "'command' must list a program and its arguments, got text 'count --all'",
         'write ["{here}/program", argument]'),
        (9, "'Text' cannot be the name of an input",
         "a small letter, then small letters, digits and _"),
        (9, "there is no type 'str'", "write 'string'"),
        (10, "'memory' must be a number of bytes, got text 'lots'", "such as 64MiB"),
        (10, "a program has no limit 'fuel'", None),
        (10, "'cpu' must be whole seconds, got text '500ms'", None),
        (11, "a module has no 'env'", None),
    ]  # fmt: skip


async def test_a_program_has_no_other_runtime(tmp_path):
    manifest = tmp_path / "nodes.yaml"
    manifest.write_text(MANIFEST.format(script="exit"))
    node = {"uses": "t.it", "runtime": "process"}
    async with Conductor("memory:", nodes=[manifest]) as conductor:
        with pytest.raises(BlueprintError, match=r"'t\.it' is a program"):
            await conductor.run(read_document({"atomiton": 1, "id": "t", "nodes": {"a": node}}))


def test_reading_declarations_runs_nothing(tmp_path):
    assert os.listdir(tmp_path) == []
    manifest = tmp_path / "nodes.yaml"
    manifest.write_text(MANIFEST.format(script=f"touch {tmp_path}/made"))
    conductor = Conductor("memory:", nodes=[manifest])
    assert "t.it" in [info.name for info in conductor.library.registry]
    assert os.listdir(tmp_path) == ["nodes.yaml"]
