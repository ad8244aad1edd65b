"""Node types that the tests of hooks use, and short ways to run them."""

from __future__ import annotations

import asyncio
import threading
import time

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_document
from atomiton.blueprint.model import Blueprint
from atomiton.conductor.result import RunResult
from atomiton.nodes.spec import Lambda

#: What the nodes did, in order.
DID: list[object] = []


@node("h.add")
async def _add(x: int = 0, y: int = 1) -> int:
    DID.append(("add", x, y))
    return x + y


@node("h.pure", effect="pure")
async def pure(x: int) -> int:
    return x + 1


@node("h.once", effect="once")
async def once(x: int) -> int:
    DID.append(("once", x))
    return x


@node("h.slow")
async def slow(seconds: float = 30.0) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@node("h.thread")
def in_thread(x: int, seconds: float = 0.0) -> dict[str, object]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.005)
    return {"x": x, "main": threading.current_thread() is threading.main_thread()}


@node("h.inline", runtime="inline")
def inline(x: int) -> int:
    return x * 2


@node("h.fail")
async def fail(times: int = 1_000, message: str = "broken") -> int:
    DID.append("fail")
    if DID.count("fail") <= times:
        raise NodeError(message, code="FLAKY", retryable=True)
    return DID.count("fail")


@node("h.keep", effect="pure")
async def keep(items: list[object], where: Lambda, least: int = 0) -> list[object]:
    return [item for n, item in enumerate(items) if where(item, n) and n >= least]


NODES = [_add, pure, once, slow, in_thread, inline, fail, keep]


def document(nodes: dict[str, object], **more: object) -> Blueprint:
    return read_document({"atomiton": 1, "id": "test", "nodes": nodes, **more})


def add(**more: object) -> dict[str, object]:
    """A node that adds 1 and 2."""
    return {"uses": "h.add", "with": {"x": 1, "y": 2}, **more}


async def kinds(conductor: Conductor, result: RunResult) -> list[str]:
    return [event.kind async for event in conductor.events(result.run)]
