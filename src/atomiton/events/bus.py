"""A typed bus inside this process.

Every fact of a run is announced once, in order, with its number: the cursor. Listeners are called
one after another; one that fails is reported and disturbs nobody. Asynchronous readers have a
queue of their own, and a slow one holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec

from atomiton.machine.events import Event

_log = logging.getLogger("atomiton.events")


class RunEvent(msgspec.Struct, frozen=True):
    """A fact, announced.

    Attributes:
        run: Id of the run.
        number: Its place among the facts of the run, from 1: the cursor.
        kind: Name of the fact, such as ``attempt_completed``.
        node: Path of the node it is about; None for the run itself.
        fact: The fact.
    """

    run: str
    number: int
    kind: str
    node: str | None
    fact: Event


Listener = Callable[[RunEvent], object]


class Bus:
    """Announces facts to whoever listens.

    Example:
        >>> from atomiton.machine.events import Paused
        >>> bus, heard = Bus(), []
        >>> stop = bus.listen(heard.append)
        >>> bus.publish(RunEvent("run_1", 1, "paused", None, Paused(0.0)))
        >>> [event.kind for event in heard]
        ['paused']
    """

    def __init__(self) -> None:
        self._listeners: dict[object, tuple[str | None, Listener]] = {}

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def hears(self, run: str) -> bool:
        """Whether somebody listens to this run and to no other."""
        return any(of == run for of, _ in self._listeners.values())

    def listen(self, listener: Listener, run: str | None = None) -> Callable[[], None]:
        """Call ``listener`` with every fact of one run, or of all.

        Returns:
            A function that ends the listening.
        """
        token = object()
        self._listeners[token] = (run, listener)
        return lambda: (self._listeners.pop(token, None), None)[1]

    def subscribe(self, run: str | None = None) -> Subscription:
        """Read facts as an asynchronous iterator, from now on."""
        return Subscription(self, run)

    def publish(self, event: RunEvent) -> None:
        """Announce a fact."""
        for run, listener in list(self._listeners.values()):
            if run is None or run == event.run:
                try:
                    listener(event)
                except Exception:  # a listener's failure is its own, and must not stop a run
                    _log.exception("a listener failed on %s of %s", event.kind, event.run)


class Subscription:
    """Facts as they are announced; ends when it is closed."""

    def __init__(self, bus: Bus, run: str | None) -> None:
        self._queue: deque[RunEvent] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._closed = False
        self._stop = bus.listen(self._receive, run)

    def _receive(self, event: RunEvent) -> None:
        self._queue.append(event)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def close(self) -> None:
        """Hear no more; what was heard already can still be read."""
        self._closed = True
        self._stop()
        self._wake()

    def __aiter__(self) -> Subscription:
        """Read from here on."""
        return self

    async def __anext__(self) -> RunEvent:
        """The next fact."""
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._queue.popleft()
