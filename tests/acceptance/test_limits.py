"""Bounds hold: time, places, programs, and the value semantics between nodes."""

from __future__ import annotations

import asyncio
import collections
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.acceptance.processes import linux, programs

from atomiton import Conductor, RunResult
from atomiton.errors import StoreError

NODES = Path(__file__).with_name("limit_nodes.py")


async def run_text(
    folder: Path, text: str, inputs: Mapping[str, object] | None = None
) -> RunResult:
    """Run a blueprint, given without its first two lines, in memory."""
    path = folder / "blueprint.yaml"
    path.write_text("atomiton: 1\nid: limits\n" + text)
    async with Conductor("memory:", nodes=[NODES]) as conductor:
        return await conductor.run(path, inputs)


def nodes(count: int, body: str) -> str:
    return "nodes:\n" + "".join(f"  n{number}: {body}\n" for number in range(count))


# -- time ---------------------------------------------------------------------------------------


async def timed(folder: Path, text: str) -> tuple[RunResult, float]:
    started = time.perf_counter()
    result = await run_text(folder, text)
    return result, time.perf_counter() - started


@pytest.mark.parametrize(
    "body", ["{wait: {for: 200ms}}", "{uses: limit.nap, with: {seconds: 0.2}}",
             "{uses: limit.block, with: {seconds: 0.2}}"],
)  # fmt: skip
async def test_what_is_independent_waits_together(tmp_path: Path, body: str) -> None:
    result, seconds = await timed(tmp_path, nodes(5, body))
    assert result.ok
    assert 0.2 <= seconds < 0.4


async def test_no_more_nodes_at_once_than_allowed(tmp_path: Path) -> None:
    text = "limits: {concurrency: 4}\n" + nodes(20, "{uses: limit.busy}")
    result = await run_text(tmp_path, text)
    assert result.ok
    assert isinstance(result.output, dict)
    assert max(result.output.values()) == 4


async def test_a_thread_that_is_deaf_holds_up_nothing(tmp_path: Path) -> None:
    body = "{uses: limit.block, timeout: 200ms, with: {seconds: 30}}"
    result, seconds = await timed(tmp_path, nodes(1, body))
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert seconds < 1.5


@linux
async def test_a_program_out_of_time_ends_with_all_its_children(tmp_path: Path) -> None:
    mark = f"LIMIT_TEST_{os.getpid()}_{time.monotonic_ns()}"
    body = (
        f"{{uses: shell.run, timeout: 200ms, with: "
        f"{{command: [sh, -c, 'sleep 7 & sleep 7'], env: {{MARK: {mark}}}}}}}"
    )
    running = asyncio.create_task(timed(tmp_path, nodes(1, body)))
    while len(programs(mark)) < 2 and not running.done():
        await asyncio.sleep(0.01)
    assert not running.done()  # the shell and its child were seen
    result, seconds = await running
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert seconds < 3
    assert programs(mark) == []


# -- values -------------------------------------------------------------------------------------


async def test_a_node_that_changes_its_input_changes_nobody_elses(tmp_path: Path) -> None:
    text = """
nodes:
  rows: {uses: data.value, with: {value: [{numbers: [1]}]}}
  spoil: {uses: limit.spoil, with: {rows: "${{ rows }}"}}
  again: {uses: limit.spoil, needs: [spoil], with: {rows: "${{ rows }}"}}
output: ["${{ rows }}", "${{ again }}"]
"""
    assert (await run_text(tmp_path, text)).output == [[{"numbers": [1]}], 1]


async def test_a_run_changes_neither_its_inputs_nor_its_blueprint(tmp_path: Path) -> None:
    text = """
inputs: {rows: array}
variables: {rows: [{numbers: [2]}]}
nodes:
  spoil: {uses: limit.spoil, with: {rows: "${{ inputs.rows }}"}}
  spoil_constant: {uses: limit.spoil, with: {rows: "${{ vars.rows }}"}}
  see:
    uses: data.value
    needs: [spoil, spoil_constant]
    with: {value: "${{ [inputs.rows, vars.rows] }}"}
output: ${{ see }}
"""
    given = [{"numbers": [1]}]
    result = await run_text(tmp_path, text, {"rows": given})
    assert result.output == [[{"numbers": [1]}], [{"numbers": [2]}]]
    assert given == [{"numbers": [1]}]


async def test_what_was_given_can_no_longer_be_changed(tmp_path: Path) -> None:
    text = """
nodes:
  late: {uses: limit.spoil_late, with: {value: 1}}
  later: {wait: {for: 50ms}, needs: [late]}
  see: {uses: data.value, needs: [later], with: {value: "${{ late.numbers }}"}}
output: ${{ see }}
"""
    assert (await run_text(tmp_path, text)).output == [1, 2]


# -- those who listen ---------------------------------------------------------------------------


async def test_a_listener_that_fails_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "chain.yaml"
    path.write_text(
        "atomiton: 1\nid: heard\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n"
        "  b: {uses: data.value, with: {value: '${{ a + 1 }}'}}\noutput: ${{ b }}\n"
    )
    heard: list[str] = []

    def fail(_event: object) -> None:
        raise RuntimeError("the listener is broken")

    async with Conductor("memory:") as conductor:
        conductor.bus.listen(fail)
        conductor.bus.listen(lambda event: heard.append(event.kind))
        with caplog.at_level(logging.CRITICAL, "atomiton.events"):
            result = await conductor.run(path)
    assert result.output == 2
    assert heard[0] == "run_requested"
    assert heard.count("attempt_completed") == 2


# -- two processes, one store -------------------------------------------------------------------

WORKER = """
import asyncio, sys
from atomiton import Conductor

async def main(store, nodes, blueprint, name, folder):
    async with Conductor(store, nodes=[nodes]) as conductor:
        runs = [
            await conductor.start(blueprint, {"path": f"{folder}/{number}"}, key=f"order-{number}")
            for number in range(20)
        ]
        results = [await run.result() for run in runs]
        print(*sorted(result.run for result in results if result.ok))

asyncio.run(main(*sys.argv[1:]))
"""

TWICE = """
atomiton: 1
id: twice
inputs: {path: string}
nodes:
  a: {uses: limit.act, with: {path: "${{ inputs.path }}"}}
  b: {uses: limit.act, with: {path: "${{ a }}"}}
  c: {uses: limit.act, with: {path: "${{ b }}"}}
"""


def test_two_processes_never_run_the_same_run(tmp_path: Path) -> None:
    blueprint, acts = tmp_path / "twice.yaml", tmp_path / "acts"
    blueprint.write_text(TWICE)
    acts.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, tmp_path / "runs.db", NODES, blueprint, name, acts],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    said = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(said[0]) == 20
    assert said[0] == said[1]  # the same keys are the same runs, whoever made them
    counted = collections.Counter(path.read_text() for path in acts.iterdir())
    assert counted == {"ran\n" * 3: 20}


async def test_many_runs_at_once_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "square.yaml"
    path.write_text(
        "atomiton: 1\nid: square\ninputs: {n: integer}\nnodes:\n"
        "  nap: {uses: limit.nap, with: {seconds: 0.01}}\n"
        "  square: {uses: data.value, needs: [nap], with: {value: '${{ inputs.n * inputs.n }}'}}\n"
        "output: ${{ square }}\n"
    )
    async with Conductor(str(tmp_path / "runs.db"), nodes=[NODES]) as conductor:
        results = await asyncio.gather(*(conductor.run(path, {"n": n}) for n in range(50)))
    assert [result.output for result in results] == [n * n for n in range(50)]


# -- what cannot be put on record -----------------------------------------------------------------


@pytest.mark.parametrize("store", ["memory:", "runs.db"])
@pytest.mark.parametrize(
    ("what", "code"),
    [("text", "TYPE_MISMATCH"), ("message", "NODE_FAILED"), ("details", "NODE_FAILED")],
)
async def test_what_cannot_be_stored_ends_the_run_and_hangs_nobody(
    tmp_path: Path, what: str, code: str, store: str
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        f"atomiton: 1\nid: odd\nnodes:\n  a: {{uses: limit.odd, with: {{what: {what}}}}}\n"
    )
    address = store if store == "memory:" else str(tmp_path / store)
    async with Conductor(address, nodes=[NODES]) as conductor:
        result = await asyncio.wait_for(conductor.run(path), 5)
    assert result.error is not None
    assert result.error.code == code
    assert "\\udcff" in result.error.message or what != "message"


async def test_a_broken_promise_fails_the_node(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("atomiton: 1\nid: odd\nnodes:\n  a: {uses: limit.broken_promise}\n")
    async with Conductor(str(tmp_path / "runs.db"), nodes=[NODES]) as conductor:
        error = (await conductor.run(path)).error
    assert error is not None
    assert (error.node, error.code) == ("a", "TYPE_MISMATCH")


async def test_a_fact_that_cannot_be_stored_hangs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomiton.nodes.call.checked", lambda value: value)
    path = tmp_path / "odd.yaml"
    path.write_text("atomiton: 1\nid: odd\nnodes:\n  a: {uses: limit.broken_promise}\n")
    async with Conductor(str(tmp_path / "runs.db"), nodes=[NODES]) as conductor:
        with pytest.raises(StoreError, match="cannot be put on record"):
            await asyncio.wait_for(conductor.run(path), 5)
