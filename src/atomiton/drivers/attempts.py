"""What a node is told of the attempt that it is called for; attempts that are never made."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from atomiton.machine.commands import CancelAttempt, StartAttempt
from atomiton.machine.events import AttemptCompleted, AttemptFailed, AttemptLost, CostSpent, Event
from atomiton.ports.calls import Attempt

if TYPE_CHECKING:
    from atomiton.drivers.execution import Execution
    from atomiton.drivers.recorder import Recorder


def new_attempt(execution: Execution, command: StartAttempt) -> Attempt:
    """The attempt of a command; what the node reports of it goes to the driver."""
    driver, state = execution.driver, execution.state
    frame, node = command.frame, command.node
    path = state.frames[frame].path(node)

    def report(fraction: float, message: str) -> None:
        execution.meter.report(frame, node, fraction)
        driver.progressed(execution, path, fraction, message)

    def log(level: str, message: str) -> None:
        driver.log(execution, path, level, message)

    def spent(amount: float) -> None:
        if not (execution.stopped or state.ended):  # else it comes too late
            fact = CostSpent(driver.now(), frame, node, command.attempt, amount)
            execution.feed(fact)

    def spend(amount: float) -> None:
        try:
            here = asyncio.get_running_loop() is driver.loop
        except RuntimeError:  # a function in a thread
            here = False
        if here:
            spent(amount)
        else:
            driver.loop.call_soon_threadsafe(spent, amount)

    return Attempt(
        state.id,
        path,
        command.attempt,
        command.deadline,
        driver.now,
        report,
        log,
        state.secrets,
        (frame, node),
        spend,
    )


def withdrawn(
    cancels: Sequence[CancelAttempt],
    starts: deque[StartAttempt],
    inbox: Iterable[Event],
    recorder: Recorder | None,
) -> list[CancelAttempt]:
    """Let attempts that are to be stopped, and do not act yet, never act.

    They are taken together, because a wide map that is stopped may hold very many.

    Args:
        cancels: The wishes to stop them.
        starts: Attempts that are about to be made; those to be stopped are taken out.
        inbox: Facts that have come in and are not fed yet.
        recorder: Holds attempts back as well; None in memory.

    Returns:
        Those that have no end yet, not even one that has come in.
    """
    keys = {(of.frame, of.node) for of in cancels}
    if recorder is not None:
        recorder.drop(keys)
    kept = [start for start in starts if (start.frame, start.node) not in keys]
    starts.clear()  # in place: a lane is going through them
    starts.extend(kept)
    ended = {
        (event.frame, event.node, event.attempt)
        for event in inbox
        if isinstance(event, AttemptCompleted | AttemptFailed | AttemptLost)
    }
    return [of for of in cancels if (of.frame, of.node, of.attempt) not in ended]
