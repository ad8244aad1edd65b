"""Temporal: its development server on SQLite, one worker.

Steps are local activities, as its docs advise for what is short.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

with workflow.unsafe.imports_passed_through():
    from common import Peer, Run, Step, main
    from temporalio.testing import WorkflowEnvironment

STEPS: dict[str, Step] = {}
HOW = {
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}


@activity.defn
async def work(name: str, value: Any) -> Any:
    return await STEPS[name](value)


@workflow.defn(sandboxed=False)
class Chain:
    @workflow.run
    async def run(self, names: list[str], value: Any) -> Any:
        for name in names:
            value = await workflow.execute_local_activity(work, args=[name, value], **HOW)
        return value


@workflow.defn(sandboxed=False)
class Fan:
    @workflow.run
    async def run(self, name: str, width: int, value: Any) -> int:
        one = [
            workflow.execute_local_activity(work, args=[name, value], **HOW) for _ in range(width)
        ]
        return len(await asyncio.gather(*one))


class Temporal(Peer):
    name = "Temporal"
    package = "temporalio"

    async def open(self) -> None:
        self.server = await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(Path(sys.executable).with_name("temporal")),
            dev_server_database_filename=str(self.folder / "temporal.db"),
            dev_server_log_level="error",
        )
        self.worker = Worker(
            self.server.client, task_queue="bench", workflows=[Chain, Fan], activities=[work],
            workflow_runner=UnsandboxedWorkflowRunner(), max_concurrent_local_activities=1000,
        )  # fmt: skip
        self.task = asyncio.create_task(self.worker.run())
        self.numbers = itertools.count()

    async def close(self) -> None:
        await self.worker.shutdown()
        await self.task
        await self.server.shutdown()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        STEPS.update({step.name: step for step in steps})
        return self._running(Chain.run, [step.name for step in steps])

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        STEPS[step.name] = step
        return self._running(Fan.run, step.name, width)

    def _running(self, of: object, *given: object) -> Run:
        async def run(value: Any) -> Any:
            return await self.server.client.execute_workflow(
                of, args=[*given, value], id=f"run-{next(self.numbers)}", task_queue="bench"
            )

        return run


if __name__ == "__main__":
    main(Temporal)
