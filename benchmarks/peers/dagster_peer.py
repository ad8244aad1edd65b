"""Dagster: jobs of ops, in process; kept in an instance of its own on SQLite."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from common import Peer, Run, Step, main
from dagster import DagsterInstance, DynamicOut, DynamicOutput, In, Nothing, job, op


class Dagster(Peer):
    name = "Dagster"
    package = "dagster"

    async def open(self) -> None:
        logging.disable(logging.CRITICAL)
        os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
        self.kept = DagsterInstance.local_temp(str(self.folder))
        self.brief = DagsterInstance.ephemeral()

    async def close(self) -> None:
        self.kept.dispose()
        self.brief.dispose()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        ops = []
        for place, step in enumerate(steps):

            def work(value, step=step):
                return step.blocking(value)

            ops.append(op(name=f"n{place}", ins={"value": In()})(work))
        start = self._start()

        @job
        def chain() -> None:
            value = start()
            for one in ops:
                value = one(value)

        return self._running(chain, f"n{len(steps) - 1}", durable=durable)

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        @op(out=DynamicOut())
        def spread(value):
            for place in range(width):
                yield DynamicOutput(value, mapping_key=str(place))

        @op
        def work(value):
            return step.blocking(value)

        @op
        def every(values):
            return len(values)

        start = self._start()

        @job
        def fan() -> None:
            every(spread(start()).map(work).collect())

        return self._running(fan, "every", durable=durable)

    def _start(self):
        @op(ins={"go": In(Nothing)})
        def start():
            return self.given

        return start

    def _running(self, of, last: str, *, durable: bool) -> Run:
        instance = self.kept if durable else self.brief

        def run(value: object) -> object:
            self.given = value
            return of.execute_in_process(instance=instance).output_for_node(last)

        return run


if __name__ == "__main__":
    main(Dagster)
