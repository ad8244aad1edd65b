"""Real stores and runtimes on a loop of virtual time: while they work, time does not jump."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar, cast

from atomiton.ports.runtime import Done, Job, Runtime
from atomiton.testing.virtual_time import VirtualLoop

T = TypeVar("T")


def held(inner: T, loop: VirtualLoop) -> T:
    """An object whose asynchronous methods hold the time while they are awaited.

    Args:
        inner: The object, such as a ``Journal``.
        loop: The loop on which it is used.
    """
    return cast("T", _Held(inner, loop))


class _Held:
    def __init__(self, inner: object, loop: VirtualLoop) -> None:
        self._inner = inner
        self._loop = loop

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(found):
            return found
        method = cast("Callable[..., Awaitable[object]]", found)

        async def work(*args: object, **settings: object) -> object:
            with self._loop.hold():
                return await method(*args, **settings)

        async def call(*args: object, **settings: object) -> object:
            # A task of its own: the caller's context may change between two steps.
            return await self._loop.create_task(work(*args, **settings))

        setattr(self, name, call)
        return call


class HeldRuntime:
    """A ``Runtime`` that holds the time while functions run in it."""

    def __init__(self, inner: Runtime, loop: VirtualLoop) -> None:
        self._inner = inner
        self._loop = loop

    def start(
        self, function: Callable[..., object], arguments: Mapping[str, object], done: Done
    ) -> Job:
        """See ``Runtime.start``."""
        release = self._loop.begin_hold()

        def ended(result: object, error: BaseException | None) -> None:
            release()
            done(result, error)

        try:
            # What the runtime opens for good, such as a pipe to a worker, holds nothing by itself.
            with self._loop.hold():
                return _HeldJob(self._inner.start(function, arguments, ended), release)
        except BaseException:
            release()
            raise

    async def close(self) -> None:
        """See ``Runtime.close``."""
        with self._loop.hold():
            await self._inner.close()


class _HeldJob:
    def __init__(self, inner: Job, release: Callable[[], None]) -> None:
        self._inner = inner
        self._release = release

    def cancel(self) -> None:
        """See ``Job.cancel``."""
        self._inner.cancel()

    def abandon(self) -> None:
        """See ``Job.abandon``; what is left behind holds nothing."""
        self._release()
        self._inner.abandon()
