"""From a fact of a run to what listeners and readers are given."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.blueprint.plan import Plan
from atomiton.drivers.answers import status_change
from atomiton.drivers.execution import Execution
from atomiton.errors import AtomitonError
from atomiton.events import Bus, RunEvent
from atomiton.machine import apply
from atomiton.machine.events import Event
from atomiton.machine.state import RunState
from atomiton.ports.journal import RunHeader


def run_event(state: RunState, number: int, fact: Event) -> RunEvent:
    """Name a fact: its kind, and the path of the node it is about."""
    return RunEvent(state.id, number, kind_of(fact), _path(state, fact), fact)


class Narrator:
    """Names the facts of a run that are read from the store, from the first one on.

    Args:
        plan: What the run is pinned to.
        run: Its id.
    """

    def __init__(self, plan: Plan, run: str) -> None:
        self._state = RunState(plan)
        self._state.id = run
        self._follows = True
        self.count = 0

    def tell(self, fact: Event) -> RunEvent:
        """Name the next fact."""
        self.count += 1
        event = run_event(self._state, self.count, fact)
        if self._follows:
            try:
                apply(self._state, fact)
            except AtomitonError:
                # Without its node types a run can be followed only so far; facts about nodes in
                # bodies that begin later have no path then.
                self._follows = False
        return event


def header_of(execution: Execution) -> RunHeader:
    """What a list of runs shows of one that is in memory only."""
    state = execution.state
    change = status_change(state)
    return RunHeader(
        run=state.id,
        blueprint=state.plan.id,
        blueprint_hash=state.plan.hash,
        created_at=state.started_at,
        version=state.plan.version,
        status=change.status,
        ended_at=change.ended_at,
        events=execution.saved,
        reason=change.reason,
        owner=None if state.ended else "memory",
        error_code=change.error_code,
        error_message=change.error_message,
    )


def kind_of(fact: Event) -> str:
    """The name of a kind of fact, such as ``attempt_completed``."""
    return str(type(fact).__struct_config__.tag)


def announce(bus: Bus, state: RunState, facts: Sequence[Event], first: int, last: int) -> None:
    """Publish facts ``first + 1`` to ``last``."""
    for number in range(first, last):
        bus.publish(run_event(state, number + 1, facts[number]))


def _path(state: RunState, fact: Event) -> str | None:
    node: int | None = getattr(fact, "node", None)
    frame = None if node is None else state.frames.get(getattr(fact, "frame", 0))
    return None if node is None or frame is None else frame.path(node)
