"""The blueprints and node types that are measured, and the same work in plain Python."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from atomiton import Blueprint, node
from atomiton.blueprint.document import read_document


@node("bench.step")
async def step(x: int) -> int:
    return x + 1


@node("bench.pure_step", effect="pure")
async def pure_step(x: int) -> int:
    return x + 1


@node("bench.yielding")
async def yielding(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@node("bench.nap")
async def nap(seconds: float) -> None:
    await asyncio.sleep(seconds)


@node("bench.join", plain=True)
async def join(values: list[int]) -> int:
    return len(values)


NODES = (step, pure_step, yielding, nap, join)


def blueprint(id_: str, nodes: dict[str, object], **more: object) -> Blueprint:
    return read_document({"atomiton": 1, "id": id_, "nodes": nodes, **more})


def chain(length: int, uses: str = "bench.step", mark: int = 0) -> Blueprint:
    """``x -> x + 1``, one after the other; another mark makes it another blueprint."""
    nodes: dict[str, object] = {"n0": {"uses": uses, "with": {"x": "${{ inputs.x }}"}}}
    for number in range(1, length):
        nodes[f"n{number}"] = {"uses": uses, "with": {"x": f"${{{{ n{number - 1} }}}}"}}
    return blueprint(
        f"chain-{length}-{mark}", nodes, inputs={"x": "integer"}, output=f"${{{{ n{length - 1} }}}}"
    )


def fan(width: int, uses: str = "bench.step", mark: int = 0) -> Blueprint:
    """One, many, and one that joins them; another mark makes it another blueprint."""
    nodes: dict[str, object] = {"source": {"uses": uses, "with": {"x": "${{ inputs.x }}"}}}
    names = [f"n{number}" for number in range(width)]
    for name in names:
        nodes[name] = {"uses": uses, "with": {"x": "${{ source }}"}}
    nodes["joined"] = {
        "uses": "bench.join",
        "with": {"values": [f"${{{{ {name} }}}}" for name in names]},
    }
    return blueprint(f"fan-{width}-{mark}", nodes, inputs={"x": "integer"}, output="${{ joined }}")


def naps(count: int, seconds: float) -> Blueprint:
    """Waiting at once."""
    nodes: dict[str, object] = {
        f"n{number}": {"uses": "bench.nap", "with": {"seconds": seconds}} for number in range(count)
    }
    return blueprint(f"naps-{count}", nodes, output=count)


async def awaits(length: int) -> int:
    x = 0
    for _ in range(length):
        x = await step.function(x)
    return x


async def tasks(length: int) -> int:
    x = 0
    for _ in range(length):
        x = await asyncio.create_task(step.function(x))
    return x


async def gather(width: int, *, yields: bool = False) -> int:
    function = yielding.function if yields else step.function
    x = await function(0)
    values: Sequence[int] = await asyncio.gather(*(function(x) for _ in range(width)))
    return await join.function(list(values))


async def gather_naps(count: int, seconds: float) -> None:
    await asyncio.gather(*(nap.function(seconds) for _ in range(count)))
