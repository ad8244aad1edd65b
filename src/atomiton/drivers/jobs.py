"""Coroutines that wait, as jobs that can be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from atomiton.machine.commands import StartAttempt


class TaskJob:
    """A coroutine that waits; the job's face of its task."""

    __slots__ = ("_cancel", "kill", "start", "task")

    def __init__(
        self,
        start: StartAttempt,
        task: asyncio.Task[None],
        kill: Callable[[], None],
        cancel: Callable[[], object],
    ) -> None:
        self.start = start
        self.task = task
        self.kill = kill
        self._cancel = cancel

    def cancel(self) -> None:
        """Raise ``CancelledError`` where the coroutine waits."""
        self._cancel()

    def abandon(self) -> None:
        """End a coroutine that refuses to be cancelled, where it waits."""
        with suppress(RuntimeError, ValueError):  # it waits again while it is ended: let it be
            self.kill()
        self.task.cancel()
        self.task.add_done_callback(_look_away)


def _look_away(task: asyncio.Task[None]) -> None:
    """Nobody wants to know how the task of an ended coroutine ends."""
    if not task.cancelled():
        task.exception()
