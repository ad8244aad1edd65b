"""What becomes of attempts that were lost and must not be repeated unasked."""

from __future__ import annotations

from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine import RunState
from atomiton.machine.events import AttemptFailed, AttemptRepeated
from atomiton.machine.state import LOST


def decide_lost(
    state: RunState, decision: str, by: str, now: float
) -> list[AttemptRepeated | AttemptFailed]:
    """The facts that follow from a decision, one for each lost attempt of a run.

    Args:
        state: The run.
        decision: ``repeat`` to make the attempts again, ``fail`` to fail them.
        by: Who decided.
        now: Seconds since 1970, UTC.
    """
    if decision not in ("repeat", "fail"):
        raise AtomitonError("lost attempts can be repeated or failed", code="INVALID_INPUT")
    error = ErrorInfo("ATTEMPT_LOST", "the attempt was lost, and it was decided to fail it")
    decided: list[AttemptRepeated | AttemptFailed] = []
    for frame in state.frames.values():
        for node, status in enumerate(frame.status):
            if status != LOST:
                continue
            attempt = frame.attempts[node]
            if decision == "repeat":
                decided.append(AttemptRepeated(now, frame.id, node, attempt, by))
            else:
                decided.append(AttemptFailed(now, frame.id, node, attempt, error))
    return decided
