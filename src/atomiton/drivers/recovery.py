"""What a dead process has left of a run: its state, and what had no answer."""

from __future__ import annotations

from collections.abc import Sequence

from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import Command, StartAttempt
from atomiton.machine.events import AttemptLost, AttemptStarted, Event


def replay(state: RunState, facts: Sequence[Event]) -> None:
    """Bring a new state to where the facts have left the run."""
    for fact in facts:
        apply(state, fact)
    if state.notices:
        state.notices.clear()  # those who want to know were told then


def left_open(
    state: RunState, facts: Sequence[Event], now: float
) -> tuple[list[Event], list[Command]]:
    """What was asked for and has no answer.

    Args:
        state: Where the run is.
        facts: What has led there: an attempt whose start is not among them never acted.
        now: Seconds since 1970, UTC.

    Returns:
        The facts that attempts were lost, and the commands to be performed again.
    """
    acted = {(of.frame, of.node, of.attempt) for of in facts if isinstance(of, AttemptStarted)}
    lost: list[Event] = []
    again: list[Command] = []
    for command in outstanding(state):
        if isinstance(command, StartAttempt):
            of = (command.frame, command.node, command.attempt)
            lost.append(AttemptLost(now, *of, acted=of in acted))
        else:
            again.append(command)
    return lost, again
