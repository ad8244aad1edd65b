"""What a place where plain functions run must do.

A runtime is told to start a function and calls back when it ended. It decides nothing: retries,
timeouts and what an error means are the machine's. Everything here is called on one event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

Done: TypeAlias = Callable[[object, BaseException | None], None]
"""Called with the result and None, or with None and the error."""


class Job(Protocol):
    """One call of a function that was started and may be stopped."""

    def cancel(self) -> None:
        """Ask the function to stop; ``done`` still follows when it ends.

        A job that waits for a slot ends at once. A running one is interrupted if that is possible;
        its error is then ``asyncio.CancelledError``. May be called at any time, any number of
        times.
        """
        ...

    def abandon(self) -> None:
        """Stop waiting: ``done`` is never called after this, and the slot is free again.

        What cannot be stopped from outside, such as a blocked thread, is left behind.
        """
        ...


class Runtime(Protocol):
    """A place where plain functions run beside the event loop.

    Example:
        >>> import asyncio
        >>> from atomiton.runtimes import ThreadRuntime
        >>> async def main() -> object:
        ...     runtime: Runtime = ThreadRuntime()
        ...     ended = asyncio.get_running_loop().create_future()
        ...     runtime.start(dict, {"a": 1}, lambda result, error: ended.set_result(result))
        ...     return await ended
    """

    def start(
        self, function: Callable[..., object], arguments: Mapping[str, object], done: Done
    ) -> Job:
        """Start ``function(**arguments)``; called on the event loop.

        Args:
            function: A plain function; one that returns a coroutine or a generator fails.
            arguments: Its arguments by name.
            done: Called on the event loop, after this call returned, exactly once unless the job
                is abandoned.

        Raises:
            NodeError: If the function or its arguments cannot be taken to where it would run.
            RuntimeError: If the runtime is closed or belongs to another event loop.
        """
        ...

    async def close(self) -> None:
        """Stop everything soon; what does not stop in time ends as ``asyncio.CancelledError``."""
        ...
