"""Node types whose every act can be counted: a line in a file, synced, for each."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from atomiton import node
from atomiton.ports.capabilities import Attempt


def note(log: str, attempt: Attempt) -> None:
    """Append ``run node key`` in one write, and wait until it is on disk."""
    line = f"{attempt.run} {attempt.node} {attempt.key}\n".encode()
    stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(stream, line)
        os.fsync(stream)
    finally:
        os.close(stream)


@node("kill.act")
async def act(log: str, values: list[int], attempt: Attempt) -> int:
    """Act on the world, then take a moment more: a kill may come before, between or after."""
    note(log, attempt)
    await asyncio.sleep(0.01)
    return sum(values) + 1


@node("kill.think", effect="pure")
async def think(values: list[int]) -> int:
    """Compute only."""
    return sum(values) * 2


@node("kill.once", effect="once")
async def once(log: str, gate: str, attempt: Attempt) -> str:
    """Act, then wait until somebody opens the gate."""
    note(log, attempt)
    while not Path(gate).exists():
        await asyncio.sleep(0.02)
    return "done"
