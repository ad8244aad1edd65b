"""The facts of a run as they are noted while it runs, some of them in short.

To make a fact takes longer than to note what it says. Most facts of a run that is kept in memory
only are never looked at, so those that come most often are noted in short, and made when somebody
asks for them.
"""

from __future__ import annotations

from atomiton.machine import RunState
from atomiton.machine.commands import StartAttempt
from atomiton.machine.events import AttemptCompleted, AttemptStarted, Event

Log = list[Event | StartAttempt | int]
"""Facts, some of them in short.

A ``StartAttempt`` stands for the fact that this attempt has started, at the moment of the fact
before it that led to it. A number stands for the fact that the first attempt of the node of that
number, in the top body, has completed: the state knows when, and what it gave.
"""


def write_out(log: Log, first: int, state: RunState) -> None:
    """Put facts in the place of what stands for them.

    Args:
        log: Changed in place.
        first: How many of its first facts are there already.
        state: Where these facts have led.
    """
    top = state.top
    before = log[first - 1] if first else None
    time = 0.0 if before is None or isinstance(before, StartAttempt | int) else before.time
    for place in range(first, len(log)):
        entry = log[place]
        if isinstance(entry, StartAttempt):
            log[place] = AttemptStarted(time, entry.frame, entry.node, entry.attempt)
            continue
        if isinstance(entry, int):
            node = entry
            entry = AttemptCompleted(top.ended[node], 0, node, 1, top.outputs[node])
            log[place] = entry
        time = entry.time
