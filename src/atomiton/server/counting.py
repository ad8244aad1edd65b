"""What is counted of a conductor and of the requests to its server, whoever wants the numbers."""

from __future__ import annotations

from typing import Protocol

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    Event,
    RunRequested,
)

#: How attempts end.
OUTCOMES: dict[type[Event], str] = {
    AttemptCompleted: "completed",
    AttemptFailed: "failed",
    AttemptLost: "lost",
}
#: Bounds of histograms, in seconds.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
#: So many blueprints have numbers of their own; others are counted together.
_MOST = 500


class Numbers(Protocol):
    """Takes what was counted."""

    def started(self, blueprint: str) -> None:
        """A run has begun here."""
        ...

    def ended(self, blueprint: str, status: str, seconds: float) -> None:
        """A run has ended here, so long after it was asked for."""
        ...

    def attempts(self, outcome: str, number: int) -> None:
        """So many attempts of nodes have ended."""
        ...

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        ...


class Counting:
    """Counts what a conductor does.

    Args:
        conductor: Whose runs.
        numbers: Takes what was counted.
    """

    def __init__(self, conductor: Conductor, numbers: Numbers) -> None:
        self._numbers = numbers
        self._blueprints: set[str] = set()
        conductor.on_facts.append(self._note)
        conductor.on_ended.append(self._end)

    def _note(self, execution: Execution, first: int, last: int) -> None:
        facts = execution.facts
        kinds = [type(fact) for fact in facts[first:last]]
        for kind, outcome in OUTCOMES.items():  # together: runs end by the thousand
            if number := kinds.count(kind):
                self._numbers.attempts(outcome, number)
        if not first and isinstance(facts[0], RunRequested):
            self._numbers.started(self._named(execution.state.plan.id))

    def _end(self, execution: Execution) -> None:
        state = execution.state
        if state.ended:  # else it goes on elsewhere
            seconds = max(0.0, state.ended_at - state.started_at)
            self._numbers.ended(self._named(state.plan.id), state.status, seconds)

    def _named(self, blueprint: str) -> str:
        if blueprint not in self._blueprints:
            if len(self._blueprints) >= _MOST:
                return "(others)"
            self._blueprints.add(blueprint)
        return blueprint
