"""Runs of blueprints that are written as such, driven by the paths of their nodes."""

from __future__ import annotations

from collections.abc import Mapping

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.drivers.simulated_blueprints import SimulatedTypes
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState, apply
from atomiton.machine.commands import CancelAttempt, Command, StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    CancelRequested,
    Event,
    RunRequested,
    TimerFired,
)
from atomiton.machine.state import STATUS_NAMES, Frame

T0 = 1_000.0
CALL = "uses: sim.pure"


class Driven:
    """A run that has been requested.

    Args:
        nodes: The nodes, as they stand between braces; ``CALL`` calls a type that does nothing.
        more: What else stands in the blueprint.
        called: The nodes of the blueprints that it calls, by id.
        request: Its first fact.

    Attributes:
        run: Where it is.
        told: Paths of the attempts that have been started, with their numbers, and ``path~`` for
            those that were asked to stop, in order.
    """

    def __init__(
        self,
        nodes: str,
        more: str = "",
        *,
        called: Mapping[str, str] | None = None,
        request: RunRequested | None = None,
    ) -> None:
        others = {name: _blueprint(text, name) for name, text in (called or {}).items()}

        def resolve(_caller: Blueprint, name: str) -> Blueprint:
            return others[name]

        plan = compile_blueprint(_blueprint(nodes, "p", more), SimulatedTypes(), resolve=resolve)
        self.run = RunState(plan)
        self.told: list[str] = []
        self.feed(request or RunRequested(T0, "r", {}))

    def feed(self, event: Event) -> list[Command]:
        """Feed a fact."""
        commands = apply(self.run, event)
        for command in commands:
            if isinstance(command, StartAttempt):
                path = self.run.frames[command.frame].path(command.node)
                self.told.append(path if command.attempt == 1 else f"{path} {command.attempt}")
            elif isinstance(command, CancelAttempt):
                self.told.append(f"{self.run.frames[command.frame].path(command.node)}~")
        return commands

    def at(self, path: str) -> tuple[Frame, int]:
        """The frame and number of a node; of its latest body, if there were several."""
        for frame in reversed(self.run.frames.values()):
            for node in range(len(frame.status)):
                if frame.path(node) == path:
                    return frame, node
        raise LookupError(path)

    def ok(self, *paths: str, output: object = 1, time: float = T0) -> None:
        """The attempts of some nodes complete."""
        for path in paths:
            frame, node = self.at(path)
            self.feed(AttemptCompleted(time, frame.id, node, frame.attempts[node], output))

    def bad(
        self, *paths: str, code: str = "NODE_FAILED", retryable: bool = True, time: float = T0
    ) -> None:
        """The attempts of some nodes fail."""
        for path in paths:
            frame, node = self.at(path)
            error = ErrorInfo(code, "broken", retryable=retryable)
            self.feed(AttemptFailed(time, frame.id, node, frame.attempts[node], error))

    def cancel(self) -> None:
        """Somebody cancels the run."""
        self.feed(CancelRequested(T0))

    def fire(self) -> None:
        """The timer that is due first fires."""
        timers = self.run.timers
        first = min(timers, key=lambda number: timers[number].at)
        self.feed(TimerFired(timers[first].at, first))

    def status(self, *paths: str) -> list[str]:
        """What people see of some nodes."""
        return [STATUS_NAMES[frame.status[node]] for frame, node in map(self.at, paths)]

    def error(self, path: str) -> ErrorInfo:
        """The latest error of a node."""
        frame, node = self.at(path)
        return frame.errors[node]


def _blueprint(nodes: str, id_: str, more: str = "") -> Blueprint:
    text = f"{{atomiton: 1, id: {id_}, {more} nodes: {{{nodes}}}}}"
    return read_blueprint(text.replace("CALL", CALL))[0]
