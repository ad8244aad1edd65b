"""The laws of signals: each is taken once, by whom it is for, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from atomiton.blueprint.plan import WAIT_SIGNAL, ItemScope, Waiting
from atomiton.drivers.simulated_people import signal_id
from atomiton.drivers.simulated_world import demand
from atomiton.errors import AtomitonError
from atomiton.machine import RunState
from atomiton.machine.events import Event, SignalReceived
from atomiton.machine.state import COMPLETED, WAITING, Frame

Changed = tuple[Frame, int, int, int]
"""A frame, a node, what it was, what it is."""


class _Wait(NamedTuple):
    since: int
    frame: Frame
    node: int

    def takes(self, signal: SignalReceived) -> bool:
        wait = self.frame.nodes[self.node].detail
        assert isinstance(wait, Waiting)
        if wait.signal != signal.name:
            return False
        if wait.match is None:
            return True
        try:
            scope = ItemScope(self.frame.scope(self.node), signal.payload)
            return wait.match(scope) is True
        except AtomitonError:
            return False


class Mail:
    """Keeps its own account of what was sent, and who waits for what."""

    def __init__(self) -> None:
        self._kept: list[SignalReceived] = []
        self._waits: list[_Wait] = []
        self._place = 0

    def enter(self, run: RunState, fact: Event, changes: Sequence[Changed]) -> None:
        """Go on by one fact."""
        self._place += 1
        if isinstance(fact, SignalReceived):
            self._kept.append(fact)
        for frame, node, before, after in changes:
            if frame.nodes[node].kind == WAIT_SIGNAL and after == COMPLETED:
                self._taken(frame, node, before)
        self._waits = [wait for wait in self._waits if wait.frame.status[wait.node] == WAITING]
        for frame, node, _, after in changes:
            if frame.nodes[node].kind == WAIT_SIGNAL and after == WAITING:
                self._waits.append(_Wait(self._place, frame, node))
        for wait, signal in self._fits():
            name = wait.frame.path(wait.node)
            demand(run.ended, "signals", f"{name} does not get {signal}")

    def _fits(self) -> Iterator[tuple[_Wait, SignalReceived]]:
        for wait in self._waits:
            for signal in self._kept:
                if wait.takes(signal):
                    yield wait, signal

    def _taken(self, frame: Frame, node: int, before: int) -> None:
        """A wait has been given a signal: the first that nobody had taken, and that is for it."""
        wait = _Wait(self._place, frame, node)
        name, payload = frame.path(node), frame.outputs[node]
        fitting = [signal for signal in self._kept if wait.takes(signal)]
        first = signal_id(fitting[0].payload) if fitting else None
        demand(first is not None, "signals", f"{name} got {payload}, which is not for it")
        if before == WAITING:
            demand(signal_id(payload) == first, "signals", f"{name} got {payload}, not {first}")
            self._waited_longest(frame, node, fitting[0])
        of = signal_id(payload)
        places = [n for n, signal in enumerate(self._kept) if signal_id(signal.payload) == of]
        demand(places, "signals", f"{name} got {payload}, which was not sent, or to another")
        del self._kept[places[0]]

    def _waited_longest(self, frame: Frame, node: int, signal: SignalReceived) -> None:
        since = next(w.since for w in self._waits if w.frame is frame and w.node == node)
        for wait in self._waits:
            if wait.since < since and wait.takes(signal):
                name = wait.frame.path(wait.node)
                demand(wait.frame.status[wait.node] != WAITING, "signals", f"{name} came first")
