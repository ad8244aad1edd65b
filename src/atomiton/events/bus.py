"""A typed bus inside this process.

Every fact of a run is announced once, in order, with its number: the cursor. Listeners are called
one after another; one that fails is reported and disturbs nobody. Asynchronous readers have a
queue of their own, and a slow one holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from secrets import token_hex

import msgspec

from atomiton.machine.events import Event

_log = logging.getLogger("atomiton.events")
#: How many other buses are known.
_ORIGINS = 1000


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


class Announcement(msgspec.Struct, frozen=True):
    """An event as it goes from one process to another.

    Attributes:
        domain: What the bus is about; buses of different domains do not hear each other.
        origin: Id of the bus that it was first announced on.
        sequence: Its place among those of that bus, from 1.
        event: What is announced.
    """

    domain: str
    origin: str
    sequence: int
    event: RunEvent


Listener = Callable[[RunEvent], object]
Relay = Callable[[Announcement], object]


class Bus:
    """Announces facts to whoever listens.

    Args:
        domain: What it is about; it takes announcements of the same domain only.

    Attributes:
        origin: Its id; what it relays from others keeps theirs.

    Example:
        >>> from atomiton.machine.events import Paused
        >>> bus, heard = Bus(), []
        >>> stop = bus.listen(heard.append)
        >>> bus.publish(RunEvent("run_1", 1, "paused", None, Paused(0.0)))
        >>> [event.kind for event in heard]
        ['paused']
    """

    def __init__(self, domain: str = "runs") -> None:
        self.domain = domain
        self.origin = token_hex(8)
        self._sequence = 0
        self._listeners: dict[object, tuple[str | None, Listener, bool]] = {}
        self._relays: dict[object, Relay] = {}
        #: The last one that was heard of each other origin.
        self._heard: OrderedDict[str, int] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners or self._relays)

    def hears(self, run: str) -> bool:
        """Whether somebody listens to this run and to no other."""
        return any(of == run for of, _, _ in self._listeners.values())

    def listen(
        self, listener: Listener, run: str | None = None, *, local: bool = False
    ) -> Callable[[], None]:
        """Call ``listener`` with every fact of one run, or of all.

        Args:
            listener: Is called.
            run: Whose facts; None for all.
            local: Whether what other processes have announced is left out.

        Returns:
            A function that ends the listening.
        """
        token = object()
        self._listeners[token] = (run, listener, local)
        return lambda: (self._listeners.pop(token, None), None)[1]

    def tap(self, relay: Relay) -> Callable[[], None]:
        """Call ``relay`` with everything that is announced here, with its origin.

        Returns:
            A function that ends it.
        """
        token = object()
        self._relays[token] = relay
        return lambda: (self._relays.pop(token, None), None)[1]

    def subscribe(self, run: str | None = None) -> Subscription:
        """Read facts as an asynchronous iterator, from now on."""
        return Subscription(self, run)

    def publish(self, event: RunEvent) -> None:
        """Announce a fact."""
        self._sequence += 1
        if self._relays:
            self._pass_on(Announcement(self.domain, self.origin, self._sequence, event))
        self._tell(event, relayed=False)

    def relay(self, announcement: Announcement) -> bool:
        """Announce what another bus has announced; once, and never what began here.

        Returns:
            Whether it was new.
        """
        origin, sequence = announcement.origin, announcement.sequence
        if announcement.domain != self.domain or origin == self.origin:
            return False
        if sequence <= self._heard.get(origin, 0):
            return False
        self._heard[origin] = sequence
        self._heard.move_to_end(origin)
        if len(self._heard) > _ORIGINS:
            self._heard.popitem(last=False)
        self._pass_on(announcement)
        self._tell(announcement.event, relayed=True)
        return True

    def _pass_on(self, announcement: Announcement) -> None:
        for relay in list(self._relays.values()):
            try:
                relay(announcement)
            except Exception:  # a listener's failure is its own, and must not stop a run
                _log.exception("a relay failed on %s", announcement.event.kind)

    def _tell(self, event: RunEvent, *, relayed: bool) -> None:
        for run, listener, local in list(self._listeners.values()):
            if (run is None or run == event.run) and not (relayed and local):
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
