"""A process is killed while a node acts on a changed input: the next one acts on the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from atomiton import Conductor

NODES = """
import os
import secrets
import signal
from pathlib import Path

from atomiton import Hooks, NodeEvent, node

LOG = Path(__file__).with_name("log.txt")
hooks = Hooks()


@node("kill.act", effect="{effect}")
async def act(x: str) -> str:
    first = not LOG.exists()
    with LOG.open("a") as log:
        log.write(x + chr(10))
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


@hooks.input(node="pay")
def other_each_time(event: NodeEvent) -> dict[str, object]:
    return {{"x": secrets.token_hex(8)}}
"""
BLUEPRINT = """
atomiton: 1
id: pay
nodes:
  read: {uses: data.value, with: {value: 1}}
  pay: {uses: kill.act, with: {x: "${{ string(read) }}"}}
output: ${{ pay }}
"""
WORKER = """
import asyncio, sys
from atomiton import Conductor

async def main() -> None:
    async with Conductor("runs.db", nodes=["nodes.py"]) as conductor:
        await conductor.run("pay.yaml")

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["idempotent", "once"])
def test_a_killed_process_leaves_what_was_changed_on_record(tmp_path: Path, effect: str) -> None:
    (tmp_path / "nodes.py").write_text(NODES.format(effect=effect), encoding="utf-8")
    (tmp_path / "pay.yaml").write_text(BLUEPRINT, encoding="utf-8")
    killed = subprocess.run([sys.executable, "-c", WORKER], cwd=tmp_path, timeout=60, check=False)
    assert killed.returncode == -9

    async def go_on() -> object:
        store = str(tmp_path / "runs.db")
        async with Conductor(store, nodes=[tmp_path / "nodes.py"]) as conductor:
            (header,) = await conductor.list()
            if effect == "once":
                await conductor.resume(header.run, lost="repeat")
            return (await asyncio.wait_for(conductor.result(header.run), 20)).output

    output = asyncio.run(go_on())
    first, second = (tmp_path / "log.txt").read_text().split()
    assert first == second == output
    assert len(first) == 16
