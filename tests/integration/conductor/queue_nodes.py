"""Nodes that say when they begin and end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from atomiton import node
from atomiton.ports.capabilities import Attempt


def say(log: str, line: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


@node("q.act", effect="idempotent")
async def act(log: str, name: str, seconds: float = 0.0) -> str:
    say(log, f"begin {name}")
    try:
        await asyncio.sleep(seconds)
    finally:
        say(log, f"end {name}")
    return name


@node("q.mark", effect="idempotent")
async def mark(log: str, name: str, attempt: Attempt) -> str:
    await asyncio.sleep(0.02)
    say(log, f"mark {name} {attempt.run}")
    return name


@node("q.fail_once")
async def fail_once(file: str) -> str:
    if not Path(file).exists():
        Path(file).touch()
        raise RuntimeError("not yet")
    return "done"
