"""Coroutines that wait, as jobs that can be stopped."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec

from atomiton.drivers.eager import Lane, Work
from atomiton.machine.commands import StartAttempt


class TaskJob(msgspec.Struct, eq=False):
    """A coroutine that waits; the job's face of its task.

    Attributes:
        start: The attempt that it makes.
        task: Its task.
        work: The coroutine.
        lane: What the task was before the coroutine came to it; None when it was made for it.
    """

    start: StartAttempt
    task: asyncio.Task[None]
    work: Work
    lane: Lane | None = None

    def cancel(self) -> None:
        """Raise ``CancelledError`` where the coroutine waits."""
        (self.task if self.lane is None else self.lane).cancel()

    def abandon(self) -> None:
        """End a coroutine that refuses to be cancelled, where it waits."""
        with suppress(RuntimeError, ValueError):  # it waits again while it is ended: let it be
            self.work.close()
        self.task.cancel()
        self.task.add_done_callback(_look_away)


def _look_away(task: asyncio.Task[None]) -> None:
    """Nobody wants to know how the task of an ended coroutine ends."""
    if not task.cancelled():
        task.exception()
