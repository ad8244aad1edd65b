"""Going on with a run from its stored facts."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.events import AttemptLost, AttemptStarted, Event


def rebuild(
    state: RunState, facts: Sequence[Event], now: float
) -> tuple[list[AttemptLost], list[Command]]:
    """Feed stored facts to a new run.

    Returns:
        The attempts that nobody saw end, as facts to be fed; and the commands that have no answer
        yet, to be performed.
    """
    acted: set[tuple[int, int, int]] = set()
    for fact in facts:
        apply(state, fact)
        if isinstance(fact, AttemptStarted):
            acted.add((fact.frame, fact.node, fact.attempt))
    if state.notices:
        state.notices.clear()  # those who want to know were told then
    lost: list[AttemptLost] = []
    commands: list[Command] = []
    for command in outstanding(state):
        if isinstance(command, StartAttempt):
            of = (command.frame, command.node, command.attempt)
            lost.append(AttemptLost(now, *of, acted=of in acted))
        else:
            commands.append(command)
    return lost, commands
