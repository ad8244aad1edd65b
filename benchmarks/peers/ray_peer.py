"""Ray: remote functions on the processors of this machine. It keeps nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from common import Peer, Run, Step, main

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
import ray

HERE = Path(__file__).resolve().parent


class Ray(Peer):
    name = "Ray"
    package = "ray"

    async def open(self) -> None:
        ray.init(
            num_cpus=os.cpu_count(), include_dashboard=False, logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": str(HERE)}},
        )  # fmt: skip

    async def close(self) -> None:
        ray.shutdown()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")
        called = [ray.remote(_called(step)) for step in steps]

        async def run(value: object) -> object:
            for step in called:
                value = step.remote(value)
            return await value

        return run

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")
        # What only sleeps takes next to nothing of a processor, and Ray is told so.
        called = ray.remote(_called(step)).options(num_cpus=0.02 if step.sleep else 1)
        every = ray.remote(lambda *values: len(values))

        async def run(value: object) -> object:
            return await every.remote(*(called.remote(value) for _ in range(width)))

        return run


def _called(step: Step) -> object:
    def work(value: object) -> object:
        return step.blocking(value)

    return work


if __name__ == "__main__":
    main(Ray)
