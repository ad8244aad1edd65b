"""No engine: plain coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from common import Peer, Run, Step, main


class Asyncio(Peer):
    name = "bare asyncio"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")

        async def run(value: object) -> object:
            for step in steps:
                value = await step(value)
            return value

        return run

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")

        async def run(value: object) -> object:
            return len(await asyncio.gather(*(step(value) for _ in range(width))))

        return run


if __name__ == "__main__":
    main(Asyncio)
