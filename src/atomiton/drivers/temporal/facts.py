"""What attempts are called, and how their ends are told, in facts."""

from __future__ import annotations

from atomiton.drivers.temporal.wire import Outcome
from atomiton.machine.commands import CancelAttempt, StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    Event,
)

_Of = StartAttempt | CancelAttempt | AttemptStarted | AttemptCompleted | AttemptFailed | AttemptLost


def place_of(of: _Of) -> tuple[int, int, int]:
    """The attempt that something is about: frame, number of the node, number of the attempt."""
    return of.frame, of.node, of.attempt


def end_fact(start: StartAttempt, answer: Outcome | None, now: float) -> Event:
    """How an attempt ended, as a fact; None is that nobody saw it."""
    if answer is None:
        return AttemptLost(now, *place_of(start))
    if answer.error is not None:
        return AttemptFailed(now, *place_of(start), answer.error)
    return AttemptCompleted(now, *place_of(start), answer.output)
