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
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine

Done = Callable[[object, BaseException | None], None]
Work = Coroutine[object, object, object]


class _Lane:
    """A spare task: parked until a coroutine is handed over."""

    __slots__ = ("base", "context", "done", "first", "parked", "task", "work")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.base = copy_context()
        self.context = self.base.copy()
        self.work: Work | None = None
        self.first: object = None
        self.done: Done | None = None
        self.parked: asyncio.Future[None] | None = None
        self.task = loop.create_task(self._main(), context=self.context)

    def fits(self, context: Context) -> bool:
        """Whether a coroutine started here sees just what its starter sees."""
        return self.base == context and self.context == context and not self.task.done()

    def hand_over(self, work: Work, first: object, done: Done) -> None:
        """Let the task make the rest of a coroutine whose first step gave ``first``."""
        self.work = work
        self.first = first
        self.done = done
        if self.parked is not None and not self.parked.done():
            self.parked.set_result(None)

    async def _main(self) -> None:
        if self.work is None:
            self.parked = asyncio.get_running_loop().create_future()
            try:
                await self.parked
            except asyncio.CancelledError as error:
                if self.work is None:
                    return
                await self._run(_rest_after(self.work, error))
                return
        assert self.work is not None
        await self._run(_rest(self.work, self.first))

    async def _run(self, rest: Awaitable[object]) -> None:
        done = self.done
        assert done is not None
        try:
            result = await rest
        except (KeyboardInterrupt, SystemExit) as error:
            done(None, error)
        except BaseException as error:  # whatever a node raises is that node's end
            done(None, error)
        else:
            done(result, None)


@coroutine
def _rest(work: Work, first: object) -> Generator[object, object, object]:
    """Go on with a coroutine that was started elsewhere and waits for ``first``."""
    try:
        yield first
    except BaseException as error:  # handed on to the coroutine, as a task would
        return (yield from _rest_after(work, error).__await__())
    return (yield from work)  # type: ignore[misc]  # a coroutine can be delegated to here


async def _rest_after(work: Work, error: BaseException) -> object:
    """Go on with a coroutine by raising ``error`` where it waits."""
    try:
        first = work.throw(error)
    except StopIteration as stop:
        return stop.value
    return await _rest(work, first)


class Starter:
    """Starts coroutines on one event loop."""

    __slots__ = ("_loop", "_spare")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._spare: _Lane | None = None

    def refresh(self) -> None:
        """Take on the caller's context; called where a run begins."""
        spare = self._spare
        if spare is not None and not spare.fits(copy_context()):
            spare.task.cancel()
            self._spare = None

    def start(self, work: Work, done: Done) -> asyncio.Task[None] | None:
        """Make the first step of a coroutine.

        Args:
            work: The coroutine.
            done: Called with its result or its error: before this returns if it does not wait.

        Returns:
            The task that makes the rest; None if there is no rest.
        """
        loop = self._loop
        spare = self._spare
        if spare is None or spare.task.done():
            self._spare = spare = _Lane(loop)
        current = asyncio.current_task(loop)
        if current is not None:
            _leave_task(loop, current)
        _enter_task(loop, spare.task)
        try:
            first = spare.context.run(work.send, None)
        except StopIteration as stop:
            result, error = stop.value, None
        except BaseException as raised:  # whatever a node raises is that node's end
            result, error = None, raised
        else:
            self._spare = None
            spare.hand_over(work, first, done)
            return spare.task
        finally:
            _leave_task(loop, spare.task)
            if current is not None:
                _enter_task(loop, current)
        done(result, error)
        return None

    def close(self) -> None:
        """Let the spare task end."""
        if self._spare is not None:
            self._spare.task.cancel()
            self._spare = None
