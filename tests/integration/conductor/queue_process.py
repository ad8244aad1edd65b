"""Queues some more of a number of runs under keys and drives them, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.integration.conductor.queue_nodes import say

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.ports.admission import Admission


async def main(store: str, log: str, ids: str, number: int, most: int) -> None:
    nodes = {"a": {"uses": "q.mark", "with": {"log": log, "name": "${{ inputs.name }}"}}}
    inputs = {"name": "string"}
    work = read_document({"atomiton": 1, "id": "w", "inputs": inputs, "nodes": nodes})
    known = {line.split()[0] for line in Path(ids).read_text().splitlines()}
    types = [str(Path(__file__).with_name("queue_nodes.py"))]
    async with Conductor(store, nodes=types, admission=Admission(concurrency=8)) as conductor:

        async def put(name: str) -> None:
            run = await conductor.start(work, {"name": name}, key=name)
            say(ids, f"{name} {run.id}")

        names = [f"n{n}" for n in range(number) if f"n{n}" not in known][:most]
        for first in range(0, len(names), 10):
            await asyncio.gather(*map(put, names[first : first + 10]))
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
