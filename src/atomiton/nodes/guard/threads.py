"""A few threads for blocking work on files.

They are daemons: a read that never ends, as of a pipe nobody writes to, cannot keep the program
from ending, which the threads of ``asyncio.to_thread`` would.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from atomiton.nodes.guard.outside import outside

T = TypeVar("T")

#: Work on more bytes or characters than this goes into a thread.
LARGE = 64 * 1024
#: More than that many reads at once make no disk faster.
LIMIT = 16


class _Pool:
    """Threads that are started as they are needed and then stay."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0

    def submit(self, work: Callable[[], object]) -> None:
        with self._lock:
            self._busy += 1
            starts = self._busy > self._started and self._started < LIMIT
            if starts:
                self._started += 1
        self._work.put(work)
        if starts:
            name = f"atomiton-files-{self._started}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            try:
                work()
            finally:
                with self._lock:
                    self._busy -= 1
            del work  # or it would be kept until the next


_pool = _Pool()


def _forget() -> None:
    """After a fork there are no threads."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run blocking work beside the event loop.

    Args:
        function: What to run; not started when the caller is cancelled before its turn.
        arguments: What it is given.

    Returns:
        Its result.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        if future.cancelled():
            return
        result: T | None = None
        failed: BaseException | None = None
        try:
            result = context.run(function, *arguments)
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            failed = error
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:
            return  # the loop has been closed: nobody waits any more

    with outside():
        _pool.submit(work)
        return await future


async def aside(size: int, function: Callable[..., T], *arguments: object) -> T:
    """Compute beside the event loop if there is much to do, else at once: a thread costs more.

    Args:
        size: How many bytes or characters the work is on.
        function: What to run.
        arguments: What it is given.

    Returns:
        Its result.
    """
    if size > LARGE:
        return await in_thread(function, *arguments)
    return function(*arguments)
