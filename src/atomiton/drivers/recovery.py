"""From stored facts back to where a run was, and to what has no answer yet."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.events import AttemptLost, AttemptStarted, Event


def replay(
    state: RunState, facts: Sequence[Event], now: float
) -> tuple[list[Event], list[Command]]:
    """Feed stored facts to a new run.

    Args:
        state: The run; changed in place.
        facts: All of them, in order.
        now: The time, for the facts that follow; seconds since 1970, UTC.

    Returns:
        The facts that follow (attempts that nobody saw the end of), and the timers to set.
    """
    acted: set[tuple[int, int, int]] = set()
    for fact in facts:
        apply(state, fact)
        if isinstance(fact, AttemptStarted):
            acted.add((fact.frame, fact.node, fact.attempt))
    lost: list[Event] = []
    timers: list[Command] = []
    for command in outstanding(state):
        if isinstance(command, StartAttempt):
            of = (command.frame, command.node, command.attempt)
            lost.append(AttemptLost(now, *of, acted=of in acted))
        else:
            timers.append(command)
    return lost, timers
