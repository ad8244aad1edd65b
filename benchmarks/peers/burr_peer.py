"""Burr: an application for each run; kept by ``SQLitePersister``.

Its fans need its tracking, which keeps every sub-application in files of its own, and are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from burr.core import ApplicationBuilder, State, action
from burr.core.persistence import SQLitePersister
from common import Peer, Run, Step, main


class Burr(Peer):
    name = "Burr"
    package = "apache-burr"

    async def open(self) -> None:
        self.persister = SQLitePersister(db_path=str(self.folder / "burr.db"))
        self.persister.initialize()
        self.numbers = itertools.count()

    async def close(self) -> None:
        self.persister.cleanup()

    def chain(self, steps: Sequence[Step], *, durable: bool) -> Run:
        names = [f"n{place}" for place in range(len(steps))]
        actions = {name: _action(step) for name, step in zip(names, steps, strict=True)}
        transitions = list(itertools.pairwise(names))

        def run(value: object) -> object:
            builder = (
                ApplicationBuilder()
                .with_actions(**actions)
                .with_transitions(*transitions)
                .with_state(value=value)
                .with_entrypoint(names[0])
            )
            if durable:
                number = str(next(self.numbers))
                builder = builder.with_identifiers(app_id=number).with_state_persister(
                    self.persister
                )
            _, _, state = builder.build().run(halt_after=[names[-1]])
            return state["value"]

        return run


def _action(step: Step) -> object:
    @action(reads=["value"], writes=["value"])
    def work(state: State) -> State:
        return state.update(value=step.blocking(state["value"]))

    return work


if __name__ == "__main__":
    main(Burr)
