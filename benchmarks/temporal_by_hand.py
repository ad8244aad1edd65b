"""What one would write for ten steps on Temporal without Atomiton, and its worker."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

STEPS = 10


@activity.defn
async def step(x: int) -> int:
    return x + 1


@workflow.defn
class ByHand:
    """Each step an activity."""

    @workflow.run
    async def run(self, x: int) -> int:
        """Do the steps."""
        for _ in range(STEPS):
            x = await workflow.execute_activity(
                step,
                x,
                start_to_close_timeout=timedelta(seconds=60),
                heartbeat_timeout=timedelta(seconds=20),
            )
        return x


@workflow.defn
class ByHandNear:
    """Each step a local activity."""

    @workflow.run
    async def run(self, x: int) -> int:
        """Do the steps."""
        for _ in range(STEPS):
            x = await workflow.execute_local_activity(
                step, x, start_to_close_timeout=timedelta(seconds=5)
            )
        return x


async def main(target: str, queue: str) -> None:
    client = await Client.connect(target)
    async with Worker(client, task_queue=queue, workflows=[ByHand, ByHandNear], activities=[step]):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
