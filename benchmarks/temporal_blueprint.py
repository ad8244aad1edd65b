"""The ten steps as a blueprint, and its worker."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from temporal_by_hand import STEPS

from atomiton import node


@node("bench.step")
async def step(x: int) -> int:
    return x + 1


@node("bench.pure", effect="pure")
async def pure(x: int) -> int:
    return x + 1


NODES = [step, pure]


def document(*, near: bool) -> dict[str, object]:
    """The steps, which are pure if they are to be near."""
    uses = "bench.pure" if near else "bench.step"
    nodes: dict[str, object] = {"n1": {"uses": uses, "with": {"x": "${{ inputs.x }}"}}}
    for n in range(2, STEPS + 1):
        nodes[f"n{n}"] = {"uses": uses, "with": {"x": f"${{{{ n{n - 1} }}}}"}}
    given: dict[str, object] = {"inputs": {"x": "integer"}, "output": f"${{{{ n{STEPS} }}}}"}
    return {"atomiton": 1, "id": "bench", "nodes": nodes, **given}


async def main(address: str) -> None:
    from atomiton.conductor.temporal.address import parse
    from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings

    async with TemporalWorker(WorkerSettings(parse(address), nodes=NODES)) as worker:
        print("ready", flush=True)
        await worker.stopped()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
