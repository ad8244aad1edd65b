"""Node types of these tests, each with something that can be told from outside."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from temporalio import activity

from atomiton import NodeError, node
from atomiton.ports.capabilities import Attempt


@node("t.add", effect="pure")
async def add(x: int, y: int = 1) -> int:
    return x + y


@node("t.touch")
async def touch(log: str, value: object = None, seconds: float = 0.0) -> object:
    """Say that it was here, and give back what it was given."""
    with Path(log).open("a") as out:
        out.write(f"{value}\n")
    await asyncio.sleep(seconds)
    return value


@node("t.once", effect="once")
async def once(log: str, attempt: Attempt, seconds: float = 0.0) -> int:
    with Path(log).open("a") as out:
        out.write(f"{attempt.key} {attempt.attempt}\n")
    await asyncio.sleep(seconds)
    return attempt.attempt


@node("t.blocking")
def blocking(log: str, seconds: float) -> str:
    """Sleep on a thread, and say how that ended."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(0.01)
    except BaseException as error:
        with Path(log).open("a") as out:
            out.write(f"{type(error).__name__}\n")
        raise
    return "slept"


@node("t.slow", effect="pure")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


@node("t.flaky")
async def flaky(attempt: Attempt, times: int = 1) -> int:
    if attempt.attempt <= times:
        raise NodeError("not yet", code="FLAKY", retryable=True)
    return attempt.attempt


@node("t.keep")
async def keep(token: str, header: str = "") -> dict[str, object]:
    """Give back a secret, which must not be kept."""
    return {"token": token, "header": header, "length": len(token)}


@node("t.die")
async def die(log: str, attempt: Attempt) -> str:
    """End the process the first time."""
    path = Path(log)
    if not path.exists():
        path.write_text("died")
        os._exit(9)
    return f"attempt {attempt.attempt}"


@node("t.big", effect="idempotent")
async def big(size: int) -> str:
    return "x" * size


@node("t.range")
async def numbers(n: int) -> list[int]:
    return list(range(n))


@node("t.queue", effect="pure")
async def queue() -> str:
    """Say whose workers run this."""
    return activity.info().task_queue


@node("t.spend")
async def spend(amount: float, attempt: Attempt, *, fails: bool = False) -> None:
    attempt.spend(amount)
    if fails:
        raise NodeError("no", code="NO", retryable=True)


NODES = [numbers, spend, queue, add, touch, once, blocking, slow, flaky, keep, die, big]
