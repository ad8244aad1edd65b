"""Starting coroutines at once, and giving a task only to those that wait.

A task for each node would cost more than most nodes do. A coroutine's first step is therefore made
right away, in the name of a spare task; if it ends there, the spare serves the next one. If it
waits, the spare task takes over the rest. To the coroutine this is one task in one context from
beginning to end, so time limits, task groups and context variables work as in any task.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import (
    _enter_task,  # pyright: ignore[reportPrivateUsage]  # documented for task implementations
    _leave_task,  # pyright: ignore[reportPrivateUsage]
)
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine
from typing import TypeVar, cast

T = TypeVar("T")
Work = Coroutine[object, object, None]


class Lane:
    """A spare task: parked until a coroutine is handed over."""

    __slots__ = ("base", "begun", "context", "first", "loop", "parked", "task", "work")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.begun = False
        self.base = copy_context()
        self.context = self.base.copy()
        self.work: Work | None = None
        self.first: object = None
        self.parked: asyncio.Future[None] | None = None
        self.task = loop.create_task(self._main(), context=self.context)

    def fits(self, context: Context) -> bool:
        """Whether a coroutine started here sees just what its starter sees."""
        return self.base == context and self.context == context and not self.task.done()

    def hand_over(self, work: Work, first: object) -> None:
        """Let the task make the rest of a coroutine whose first step gave ``first``."""
        self.work = work
        self.first = first
        if self.parked is not None and not self.parked.done():
            self.parked.set_result(None)

    def cancel(self) -> None:
        """Raise ``CancelledError`` where the coroutine waits.

        A task that is cancelled before its first step ends without it, and what it was given would
        never hear of it: so that step, which is due already, is made first.
        """
        if self.begun:
            self.task.cancel()
        else:
            self.loop.call_soon(self.task.cancel)

    async def _main(self) -> None:
        self.begun = True
        try:
            if self.work is None:
                await self._park()
        except asyncio.CancelledError as error:
            if self.work is not None:
                await _rest_after(self.work, error)
            return
        assert self.work is not None
        await _rest(self.work, self.first)

    async def _park(self) -> None:
        self.parked = asyncio.get_running_loop().create_future()
        await self.parked


@coroutine
def _rest(work: Coroutine[object, object, T], first: object) -> Generator[object, None, T]:
    """Go on with a coroutine that was started elsewhere and waits for ``first``."""
    try:
        yield first
    except BaseException as error:  # handed on to the coroutine, as a task would
        rest: T = yield from _rest_after(work, error).__await__()
        return rest
    given: T = yield from work.__await__()
    return given


async def _rest_after(work: Coroutine[object, object, T], error: BaseException) -> T:
    """Go on with a coroutine by raising ``error`` where it waits."""
    try:
        first = work.throw(error)
    except StopIteration as end:
        return cast("T", end.value)
    return await _rest(work, first)


def begin(work: Coroutine[object, object, T]) -> tuple[T] | asyncio.Task[T]:
    """Do what a coroutine can do at once; only if it waits, the rest is done by a task.

    Its first step is made as part of the caller: for work that asks for no task of its own.

    Returns:
        What it gave, in a tuple, or the task.

    Example:
        >>> async def add(a: int, b: int) -> int:
        ...     return a + b
        >>> begin(add(1, 2))
        (3,)
    """
    try:
        first = work.send(None)
    except StopIteration as end:
        return (cast("T", end.value),)

    async def rest() -> T:
        return await _rest(work, first)

    return asyncio.get_running_loop().create_task(rest())


class Starter:
    """Keeps a spare lane on one event loop, and lets work be done in its name.

    Attributes:
        bare_tasks: Whether the loop makes tasks in no way of its own.
    """

    __slots__ = ("_loop", "_spare", "bare_tasks")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.bare_tasks = False
        self._spare: Lane | None = None

    def refresh(self) -> None:
        """Take on the caller's context; called where a run begins."""
        self.bare_tasks = self._loop.get_task_factory() is None
        spare = self._spare
        if spare is not None and not spare.fits(copy_context()):
            spare.task.cancel()
            self._spare = None

    def run(self, function: Callable[[], T]) -> T:
        """Call a function in the name and the context of the spare lane.

        Coroutines whose first step it makes see the lane's task as their own. The lane stays
        spare unless ``hand_over`` gives it a coroutine; then the function must return soon.
        """
        loop = self._loop
        spare = self._spare
        if spare is None or spare.task.done():
            self._spare = spare = Lane(loop)
        try:
            current = asyncio.current_task(loop)
        except RuntimeError:
            current = None
        if current is not None:
            _leave_task(loop, current)
        _enter_task(loop, spare.task)
        try:
            return spare.context.run(function)
        finally:
            _leave_task(loop, spare.task)
            if current is not None:
                _enter_task(loop, current)

    def hand_over(self, work: Work, first: object) -> Lane:
        """Let the spare lane make the rest of a coroutine that waits for ``first``."""
        spare = self._spare
        assert spare is not None
        self._spare = None
        spare.hand_over(work, first)
        return spare

    def close(self) -> None:
        """Let the spare task end."""
        if self._spare is not None:
            self._spare.task.cancel()
            self._spare = None
