"""The blueprints that a worker runs: compiled once, found by the workflows of its task queue."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from atomiton.drivers.program import Program
from atomiton.errors import StoreError

Restore = Callable[[dict[str, object]], Program]
"""Compiles and binds a blueprint of what is on record of it."""

#: How many compiled blueprints a worker keeps.
KEPT = 256


class Programs:
    """Blueprints by their content hash.

    Workflows run on threads of their own beside the event loop of the activities, so there is a
    lock.

    Args:
        restore: Compiles what is not kept.
        secrets: Gives the values of the secrets of a program, by name.
    """

    def __init__(self, restore: Restore, secrets: Callable[[Program], Mapping[str, str]]) -> None:
        self._restore = restore
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Program] = OrderedDict()
        self.secrets = secrets

    def known(self, digest: str) -> Program | None:
        """The program of a hash, if it is kept."""
        with self._lock:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
            return found

    def get(self, digest: str, record: dict[str, object]) -> Program:
        """The program of a hash, compiled of its record if it is not kept.

        Raises:
            BlueprintError: The worker cannot run it, as it lacks a node type.
            StoreError: The record is of something else.
        """
        found = self.known(digest)
        if found is not None:
            return found
        with self._lock:
            program = self._restore(record)
            if program.plan.hash != digest:
                message = f"blueprint {digest} is damaged: it is not what the run started with"
                raise StoreError(message)
            self._kept[digest] = program
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return program


_served: dict[tuple[str, str], Programs] = {}


def serve(namespace: str, queue: str, programs: Programs) -> Callable[[], None]:
    """Let the workflows of a task queue that run in this process find their blueprints.

    Returns:
        A function that ends it.
    """
    _served[namespace, queue] = programs
    return lambda: (_served.pop((namespace, queue), None), None)[1]


def served(namespace: str, queue: str) -> Programs:
    """The blueprints of the worker of a task queue in this process."""
    return _served[namespace, queue]
