"""The one API: start runs, watch them, steer them.

A ``Conductor`` composes what the other rooms of the house provide: it reads blueprints, checks
inputs, picks durable or in-memory driving, and keeps what ended. It decides nothing about how a
run moves; that is the machine's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from atomiton.conductor.secrets import Secrets


class Conductor(Secrets):
    """Runs blueprints in this process.

    Args:
        store: ``memory:``, ``sqlite:PATH``, a path, or ``postgresql://USER@HOST/DATABASE``; by
            default ``ATOMITON_STORE``, else a file in the user's data folder. Runs in a file or
            a database survive the death of the process.
        blueprints: Where the blueprints are that people keep, an address as for
            ``create_storage``; by default beside the runs.
        nodes: Node functions, or files of them, beside the library's.
        capabilities: What nodes reach the world with; by default the real thing.
        secrets: Values by name; by default environment variables ``ATOMITON_SECRET_<NAME>`` and
            those that are kept in the store.
        hooks: Functions to be called around nodes, runs and compensation; more can be registered
            with ``conductor.hooks``. Those in files of ``nodes`` are taken up as well.
        admission: Bounds on the runs that are under way; more wait in the queue of the store.
        resume: Whether runs that a dead process left unfinished go on by themselves.
        grace: Seconds between asking an attempt to stop and giving it up.

    Example:
        >>> async def main() -> None:
        ...     async with Conductor(store="memory:") as conductor:
        ...         result = await conductor.run("hello.yaml", {"name": "Ada"})
        ...         print(result.output)
    """


def conductor_at(
    store: str | None, nodes: Sequence[object] = (), blueprints: str | None = None
) -> Conductor:
    """A conductor that looks at runs and starts some, and takes up none that others left.

    Args:
        store: Where the runs are: an address as for ``Conductor``, or ``temporal://...`` of a
            Temporal server; by default ATOMITON_STORE.
        nodes: Node functions, or files of them, beside the library's.
        blueprints: Where the blueprints are that people keep, as for ``Conductor``.

    Raises:
        StoreError: It is no address, or what it needs is not installed.
    """
    address = os.environ.get("ATOMITON_STORE", "") if store is None else store
    if not address.startswith("temporal://"):
        return Conductor(store, nodes=nodes, blueprints=blueprints, resume=False)
    try:
        from atomiton.conductor.temporal.conductor import TemporalConductor
    except ModuleNotFoundError as error:
        from atomiton.store.open import missing

        raise missing(error, "Temporal", "temporal") from error
    return TemporalConductor(address, nodes=nodes, blueprints=blueprints)
