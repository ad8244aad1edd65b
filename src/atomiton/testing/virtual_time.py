"""Virtual time: waits take none, and everything still happens in its order.

The event loop is the real one of asyncio; only its selector and its clock differ. When nothing is
ready and nothing of the world outside is being waited for, time jumps to the next timer. While a
thread, a worker process, a program or an open connection is at work, time passes as it really does,
so a time limit on such work holds as it always does.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack, cast

from atomiton.errors import AtomitonError

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["START", "Moment", "Stuck", "VirtualLoop", "virtual_run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_Protocol = TypeVar("_Protocol", bound=asyncio.SubprocessProtocol)
_Started = tuple[asyncio.SubprocessTransport, _Protocol]
_Starting = Coroutine[object, object, _Started[_Protocol]]
_Starter = Callable[..., _Starting[_Protocol]]
Moment = float | str | datetime
"""Seconds since 1970, ISO 8601 text such as ``2026-03-29T01:30:00Z``, or a date-time."""

#: When virtual time begins unless said otherwise: 2026-01-01, midnight UTC.
START = 1_767_225_600.0
#: Real seconds after which a silent connection of a node's own counts as idle, and after which a
#: loop that waits for nothing that could come is stuck.
PATIENCE = 5.0
#: Seconds since 1970 are known to a quarter of a millionth: timers that close are due together.
_RESOLUTION = 1e-6

#: Whether what is opened here is waited for by somebody who holds the time anyway.
_covered: ContextVar[bool] = ContextVar("atomiton_time_is_held", default=False)


class Stuck(AtomitonError):
    """Somebody waits for what can never come: no timer is set and nothing is at work."""

    code = "TIMEOUT"


class _Selector(selectors.DefaultSelector):
    """Waits for the world if the world is being waited for; else lets time jump.

    Attributes:
        now: Virtual time, in seconds since 1970.
        holds: How many wait for something outside of the event loop.
    """

    def __init__(self, start: float, patience: float) -> None:
        super().__init__()
        self.now = start
        self.holds = 0
        self.patience = patience
        self._open: set[object] = set()
        self._own: object = None
        self._stirred = 0.0

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: object = None
    ) -> selectors.SelectorKey:
        """See ``selectors``; the first is the pipe that wakes the loop itself."""
        key = super().register(fileobj, events, data)
        if self._own is None:
            self._own = key.fd
        elif not _covered.get():
            self._open.add(key.fd)
            self._stirred = time.monotonic()
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        """See ``selectors``."""
        key = super().unregister(fileobj)
        self._open.discard(key.fd)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give what is ready; when nothing is, wait for the world or let time jump."""
        ready = super().select(0)
        if ready:
            self._stirred = time.monotonic()
            return ready
        if timeout is not None and timeout <= 0:
            return ready
        if self.holds:
            return self._really(timeout)
        silent = time.monotonic() - self._stirred
        if self._open and silent < self.patience:
            left = self.patience - silent
            return self._really(left if timeout is None else min(timeout, left))
        if timeout is None:
            ready = self._really(self.patience)  # a thread that nobody told us of may still come
            if not ready:
                raise Stuck("nothing is left to happen, but somebody still waits")
            return ready
        self.now += timeout
        return ready

    def _really(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        ready = super().select(timeout)
        self._stirred = time.monotonic() if ready else self._stirred
        passed = time.monotonic() - began
        self.now += passed if timeout is None or ready else timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when nothing else can happen.

    ``loop.time()`` is in seconds since 1970, so it also serves as the wall clock.

    Args:
        start: When time begins.
        patience: Real seconds to wait for what the loop cannot know of: a silent connection that a
            node opened by itself, a thread that it started by itself.

    Example:
        >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ...     runner.run(asyncio.sleep(365 * 24 * 3600))
    """

    def __init__(self, start: Moment = START, *, patience: float = PATIENCE) -> None:
        self._virtual = _Selector(seconds(start), patience)
        super().__init__(self._virtual)
        self._clock_resolution = _RESOLUTION

    def time(self) -> float:
        """Virtual time, in seconds since 1970."""
        return self._virtual.now

    @contextmanager
    def hold(self) -> Generator[None]:
        """Within it time does not jump: something outside of the loop is being waited for."""
        token = _covered.set(True)
        self._virtual.holds += 1
        try:
            yield
        finally:
            self._virtual.holds -= 1
            _covered.reset(token)

    def begin_hold(self) -> Callable[[], None]:
        """Let time not jump until the function that is given back is called."""
        self._virtual.holds += 1
        held = [True]

        def release() -> None:
            if held:
                held.clear()
                self._virtual.holds -= 1

        return release

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """See asyncio; time does not jump while the function runs."""
        release = self.begin_hold()
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            release()
            raise
        future.add_done_callback(lambda _future: release())
        return future

    async def subprocess_exec(  # type: ignore[override]
        self, protocol_factory: Callable[[], _Protocol], *args: object, **settings: object
    ) -> tuple[asyncio.SubprocessTransport, _Protocol]:
        """See asyncio; time does not jump while the program runs."""
        start = cast("_Starter[_Protocol]", super().subprocess_exec)
        return await self._started(start(protocol_factory, *args, **settings))

    async def subprocess_shell(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, protocol_factory: Callable[[], _Protocol], *args: object, **settings: object
    ) -> tuple[asyncio.SubprocessTransport, _Protocol]:
        """See asyncio; time does not jump while the program runs."""
        start = cast("_Starter[_Protocol]", super().subprocess_shell)
        return await self._started(start(protocol_factory, *args, **settings))

    async def _started(self, starting: _Starting[_Protocol]) -> _Started[_Protocol]:
        release = self.begin_hold()
        try:
            transport, protocol = await starting
        except BaseException:
            release()
            raise
        tell = protocol.process_exited

        def exited() -> None:
            release()
            tell()

        protocol.process_exited = exited  # type: ignore[method-assign]
        if transport.get_returncode() is not None:
            release()
        return transport, protocol

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as asyncio has it
    ) -> None:
        """See asyncio; the threads are really waited for."""
        with self.hold():
            await super().shutdown_default_executor(*(() if timeout is None else (timeout,)))


def seconds(moment: Moment) -> float:
    """A moment in seconds since 1970; one without a time zone is meant in UTC.

    Example:
        >>> seconds("2026-01-01T00:00:00Z") == seconds(datetime(2026, 1, 1)) == START
        True
    """
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError as error:
            message = f"{moment!r} is not a moment such as 2026-03-29T01:30:00Z"
            raise AtomitonError(message, code="INVALID_INPUT") from error
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return aware.timestamp()
    return float(moment)


def virtual_run(
    main: Coroutine[object, object, T],
    *,
    start: Moment = START,
    why: Callable[[], Coroutine[object, object, str]] | None = None,
) -> T:
    """Run a coroutine to its end in virtual time, as ``asyncio.run`` does in real time.

    Args:
        main: The coroutine.
        start: When time begins.
        why: Says what is waited for when nothing is left to happen, for the error.

    Returns:
        What the coroutine gives.

    Raises:
        Stuck: It waits for what can never come.

    Example:
        >>> async def main() -> str:
        ...     await asyncio.sleep(30 * 24 * 3600)
        ...     return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC).isoformat()
        >>> virtual_run(main())
        '2026-01-31T00:00:00+00:00'
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        main.close()
        raise AtomitonError(
            "there is an event loop already: virtual time needs one of its own, so call this from "
            "a test that is not asynchronous",
            code="NOT_ALLOWED",
        )
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
        try:
            return runner.run(main)
        except Stuck as stuck:
            if why is None:
                raise
            raise Stuck(runner.run(why()) or stuck.message) from None
