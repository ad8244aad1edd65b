"""Dask: ``delayed`` on its threads, as many as a fan of naps is wide; it keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence

import dask
from common import Peer, Run, Step, main


class Dask(Peer):
    name = "Dask"
    package = "dask"

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")

        def run(value: object) -> object:
            given = value
            for step in steps:
                given = dask.delayed(step.blocking)(given)
            return given.compute()

        return run

    def fan(self, width: int, step: Step, *, durable: bool) -> Run:
        if durable:
            raise NotImplementedError("keeps nothing")
        how = {"num_workers": width} if step.sleep else {}

        def run(value: object) -> object:
            every = [dask.delayed(step.blocking, pure=False)(value) for _ in range(width)]
            return dask.delayed(len)(every).compute(**how)

        return run


if __name__ == "__main__":
    main(Dask)
