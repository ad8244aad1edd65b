"""Calling hooks: one after the other, and no failure of theirs is anybody else's."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from atomiton.drivers.answers import error_info, without_secrets
from atomiton.errors import NodeError
from atomiton.ports.hooks import CompensationEvent, Hook, NodeEvent, RunHookEvent

HookEvent = NodeEvent | RunHookEvent | CompensationEvent

_log = logging.getLogger("atomiton.hooks")


def being_cancelled() -> bool:
    """Whether the current task was asked to stop, and the error is not a hook's own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def report(hook: Hook, event: HookEvent, error: BaseException, secrets: object) -> None:
    """Log the failure of a hook, without the values of secrets."""
    text = "".join(traceback.format_exception(error))
    head = f"hook {hook.name} failed {_occasion(event)} of {event.run}: {_words(error)}"
    _log.error("%s", without_secrets(f"{head}\n{text}", secrets).rstrip())


def hook_failure(hook: Hook, event: HookEvent, error: BaseException) -> NodeError:
    """The error of what a strict hook was called for."""
    info = error_info(error)
    return NodeError(
        f"hook {hook.name} failed {_occasion(event)}: {_words(error)}",
        code="HOOK_FAILED",
        retryable=info.retryable,
        details={"hook": hook.name, "code": info.code, "type": type(error).__name__},
    )


def _occasion(event: HookEvent) -> str:
    node = getattr(event, "node", None)
    return f"at '{event.moment}' of '{node}'" if node else f"at '{event.moment}'"


def _words(error: BaseException) -> str:
    message = error_info(error).message
    name = type(error).__name__
    return message if message == name else f"{name}: {message}"


async def within(hook: Hook, work: Awaitable[object], grace: float) -> object:
    """Await what a hook does, for as long as it may take.

    Args:
        hook: The hook.
        work: What it does.
        grace: Seconds between asking it to stop and leaving it behind.

    Raises:
        TimeoutError: If it took longer.
    """
    task = asyncio.ensure_future(_outcome(work))
    try:
        await asyncio.wait([task], timeout=hook.timeout)
    except asyncio.CancelledError:
        await _stop(task, grace)
        close(work, ended=task.done())
        raise
    if not task.done():
        await _stop(task, grace)
        close(work, ended=task.done())
        raise TimeoutError(f"it took longer than {hook.timeout:g} s")
    result, error = await task
    if error is not None:
        raise error
    return result


async def _outcome(work: Awaitable[object]) -> tuple[object, BaseException | None]:
    """What came of a hook: a task that ended with ``SystemExit`` would end the event loop."""
    try:
        return await work, None
    except (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError):
        raise
    except BaseException as error:  # whatever a hook raises is its own
        return None, error


def close(work: Awaitable[object], *, ended: bool) -> None:
    """Close a coroutine that may never have begun: Python warns of those that nobody awaited."""
    if ended and inspect.iscoroutine(work):
        work.close()


async def _stop(task: asyncio.Task[tuple[object, BaseException | None]], grace: float) -> None:
    """Cancel a task; nobody wants to know how it ends."""
    task.cancel()
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait([task], timeout=grace)


class Relay:
    """Calls the hooks that no attempt waits for: in order, those that wait in a task.

    Args:
        loop: The event loop.
        grace: Seconds between asking a hook to stop and leaving it behind.
        secrets: Gives what must not stand in a report.
        rest: Called when a task of hooks has come to its end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        grace: float,
        secrets: Callable[[], object],
        rest: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._grace = grace
        self._secrets = secrets
        self._rest = rest
        self._calls: deque[tuple[Hook, HookEvent]] = deque()
        self._calling = False
        self.task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a hook has still to be called, or has not ended."""
        return self.task is not None or self._calling or bool(self._calls)

    def add(self, hook: Hook, event: HookEvent) -> None:
        """Call a hook after those before it: at once, if none of them is still at work."""
        self._calls.append((hook, event))
        if self.task is None and not self._calling:
            self._calling = True  # a hook may lead to another
            try:
                self._call()
            finally:
                self._calling = False

    def _call(self) -> None:
        while self._calls:
            hook, event = self._calls.popleft()
            try:
                answer = hook.function(event)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever a hook raises is its own
                report(hook, event, error, self._secrets())
                continue
            if inspect.isawaitable(answer):
                work = cast("Awaitable[object]", answer)
                self.task = self._loop.create_task(self._go_on(hook, event, work))
                self.task.add_done_callback(partial(self._ended, work))
                return

    async def _go_on(self, hook: Hook, event: HookEvent, work: Awaitable[object]) -> None:
        await self._await(hook, event, work)
        while self._calls:
            hook, event = self._calls.popleft()
            await self._await(hook, event, ask(hook, event))

    def _ended(self, work: Awaitable[object], _task: asyncio.Task[None]) -> None:
        """The task has ended, perhaps before its first step."""
        close(work, ended=True)
        self.task = None
        self._call()
        if self.task is None:
            self._rest()

    async def _await(self, hook: Hook, event: HookEvent, work: Awaitable[object]) -> None:
        try:
            await within(hook, work, self._grace)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # whatever a hook raises is its own
            if isinstance(error, asyncio.CancelledError) and being_cancelled():
                raise
            report(hook, event, error, self._secrets())

    def cancel(self) -> None:
        """Call no more hooks, and stop the one that is at work."""
        self._calls.clear()
        if self.task is not None:
            self.task.cancel()


async def ask(hook: Hook, event: HookEvent) -> object:
    """Call a hook, and await what it gives if that can be awaited."""
    answer = hook.function(event)
    if inspect.isawaitable(answer):
        return await cast("Awaitable[object]", answer)
    return answer
