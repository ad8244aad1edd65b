"""Plain functions on threads of this process.

Not ``concurrent.futures``: its interpreter waits at exit for every thread, so one blocked function
would keep a finished program alive. Here threads are daemons; a function that is stuck is left
behind and its slot given to a new thread.

One lock guards everything that the loop and the threads share. It is held for a few instructions
only, and never while a function runs or ``done`` is called.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from typing import Literal, TypeAlias

from atomiton.errors import NodeError
from atomiton.ports.runtime import Done
from atomiton.runtimes.outcome import CURRENT, as_error, call, checked_result

_State: TypeAlias = Literal["waiting", "running", "ended"]
_Work: TypeAlias = tuple[Context, Callable[..., object], Mapping[str, object]]


class Interrupted(BaseException):
    """Raised inside a function that was asked to stop; not for users to catch."""


_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exception.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exception.restype = ctypes.c_int


def _interrupt(thread: int) -> None:
    """Let another thread raise ``Interrupted`` as soon as it runs Python.

    Before Python 3.13 one flag says to all threads that one of them has an exception to raise, and
    only raising lowers it. Left up for a thread that blocks it would slow the others down for as
    long, and hang those that are traced, as soon as they enter a function. The blocked thread does
    not need it: each thread looks for its own exceptions when it wakes up. So this thread raises
    one too, at once and without entering a function in between.
    """
    own = threading.get_ident()
    exception = ctypes.py_object(Interrupted)
    try:
        _set_async_exception(thread, exception)
        _set_async_exception(own, exception)
        for _ in range(2):
            pass  # a jump back is where Python looks, if it has not looked after the call
    except Interrupted:
        return


def _absorb() -> None:
    """Take back an interrupt of this thread that has not arrived yet: raise and catch it here."""
    _interrupt(threading.get_ident())


class ThreadJob:
    """One call of a function on a thread.

    Attributes:
        cancelled: Whether the job was asked to stop; ``cancel_requested`` reads it.
        done: To be called at the end; None when it was called or never will be.
        left_behind: Whether the thread of the job counts no more and ends with it.
    """

    __slots__ = (
        "_interrupted",
        "_runtime",
        "_state",
        "_thread",
        "_work",
        "cancelled",
        "done",
        "left_behind",
    )

    def __init__(
        self,
        runtime: ThreadRuntime,
        function: Callable[..., object],
        arguments: Mapping[str, object],
        done: Done,
    ) -> None:
        self.cancelled = False
        self.left_behind = False
        self._runtime = runtime
        self._work: _Work | None = (copy_context(), function, arguments)
        self.done: Done | None = done
        self._state: _State = "waiting"
        self._interrupted = False
        self._thread = 0

    def cancel(self) -> None:
        """See ``Job.cancel``."""
        self._runtime.cancel(self)

    def abandon(self) -> None:
        """See ``Job.abandon``."""
        self._runtime.abandon(self)

    def begin(self) -> bool:
        """Mark as running on this thread; false if it ended before. Needs the lock."""
        if self._state != "waiting":
            return False
        self._state = "running"
        self._thread = threading.get_ident()
        return True

    def call(self) -> object:
        """Run the function, in the context of whoever started it."""
        assert self._work is not None
        context, function, arguments = self._work
        self._work = None  # the context will point to the job: no cycle, and no kept arguments
        context.run(CURRENT.set, self)
        return checked_result(context.run(function, **arguments))

    def settle(self) -> bool:
        """Mark as ended on this thread; returns whether it was interrupted. Needs the lock."""
        self._state = "ended"
        return self._interrupted

    def withdraw(self) -> bool:
        """Mark as ended before it began; false if it has begun. Needs the lock."""
        if self._state != "waiting":
            return False
        self._state = "ended"
        self._work = None
        return True

    def interrupt(self) -> bool:
        """Interrupt the function if it runs; returns whether it does. Needs the lock.

        At most once for a job: so a thread that met its interrupt cannot meet another one.
        """
        if self._state != "running":
            return False
        if not self._interrupted:
            self._interrupted = True
            _interrupt(self._thread)
        return True


class _Worker:
    """A thread that runs one job after another."""

    __slots__ = ("inbox",)

    def __init__(self) -> None:
        self.inbox: SimpleQueue[ThreadJob | None] = SimpleQueue()


class ThreadRuntime:
    """Runs plain functions on daemon threads.

    Args:
        limit: Most functions at a time; more wait in order.
        idle: Seconds after which a thread without work ends.
        grace: Seconds that ``close`` gives to running functions.

    Example:
        >>> async def main() -> object:
        ...     runtime = ThreadRuntime()
        ...     ended = asyncio.get_running_loop().create_future()
        ...     runtime.start(dict, {"a": 1}, lambda result, error: ended.set_result(result))
        ...     try:
        ...         return await ended
        ...     finally:
        ...         await runtime.close()
        >>> asyncio.run(main())
        {'a': 1}
    """

    def __init__(self, limit: int = 64, *, idle: float = 10.0, grace: float = 0.2) -> None:
        if limit < 1:
            raise ValueError(f"limit must be 1 or more, not {limit}")
        self._limit = limit
        self._idle_seconds = idle
        self._grace = grace
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._threads = 0
        self._numbers = itertools.count(1)
        self._idle: list[_Worker] = []  # last in, first out: the others get to expire
        self._waiting: OrderedDict[ThreadJob, None] = OrderedDict()
        self._running: set[ThreadJob] = set()  # begun or handed to a thread
        self._ended: deque[tuple[ThreadJob, object, BaseException | None]] = deque()
        self._waking = False
        self._empty = asyncio.Event()  # no thread is left, after ``close``

    def start(
        self, function: Callable[..., object], arguments: Mapping[str, object], done: Done
    ) -> ThreadJob:
        """See ``Runtime.start``."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("this runtime belongs to another event loop")
        if self._closed:
            raise RuntimeError("this runtime is closed")
        job = ThreadJob(self, function, arguments, done)
        with self._lock:
            if self._idle:
                self._running.add(job)
                self._idle.pop().inbox.put(job)
                return job
            self._waiting[job] = None
        self._grow()
        return job

    def cancel(self, job: ThreadJob) -> None:
        """See ``Job.cancel``."""
        job.cancelled = True
        with self._lock:
            withdrawn = not job.interrupt() and job.withdraw()
            if withdrawn:
                self._waiting.pop(job, None)
                self._running.discard(job)
        if withdrawn:
            self._post(job, None, asyncio.CancelledError("cancelled before it began"))

    def abandon(self, job: ThreadJob) -> None:
        """See ``Job.abandon``."""
        if job.done is not None:
            job.done = None
            self._leave_behind(job)

    async def close(self) -> None:
        """See ``Runtime.close``."""
        self._closed = True
        with self._lock:
            jobs = [*self._waiting, *self._running]
            for worker in self._idle:
                worker.inbox.put(None)
            self._idle.clear()
        for job in jobs:
            self.cancel(job)
        if self._threads:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self._grace)
        self._deliver()
        for job in jobs:
            if job.done is not None:
                self._leave_behind(job)
                self._report(job, None, asyncio.CancelledError("the runtime was closed"))

    def _leave_behind(self, job: ThreadJob) -> None:
        """Give the slot of a job to others, whatever the job does now."""
        job.cancelled = True
        with self._lock:
            if job.interrupt():
                job.left_behind = True
                self._threads -= 1
            elif job.withdraw():
                self._waiting.pop(job, None)
            self._running.discard(job)
        self._grow()

    def _grow(self) -> None:
        """Start a thread for a job that waits, if there may be one more."""
        with self._lock:
            if not self._waiting or self._threads >= self._limit:
                return
            self._threads += 1
            job, _ = self._waiting.popitem(last=False)
            self._running.add(job)
        worker = _Worker()
        worker.inbox.put(job)
        name = f"atomiton-{next(self._numbers)}"
        thread = threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as failure:  # the system has no more: wait for one of ours, if any
            with self._lock:
                self._threads -= 1
                self._running.discard(job)
                if self._threads:
                    self._waiting[job] = None
                    self._waiting.move_to_end(job, last=False)
                    return
                job.withdraw()
            error = NodeError(str(failure), code="LIMIT_EXCEEDED", retryable=True)
            self._post(job, None, error)

    def _work(self, worker: _Worker) -> None:
        """Run jobs until there is nothing to do for a while; the whole life of a thread."""
        while True:
            try:
                job = worker.inbox.get(timeout=self._idle_seconds)
            except Empty:
                with self._lock:
                    if worker not in self._idle:
                        continue  # it was given a job this very moment
                    self._idle.remove(worker)
                    self._retire()
                return
            if job is None:
                with self._lock:
                    self._retire()
                return
            if not self._run(job, worker):
                return
            del job  # an idle thread keeps nothing alive

    def _run(self, job: ThreadJob, worker: _Worker) -> bool:
        """Run one job and report it; false when the thread is not needed any more."""
        result: object = None
        error: BaseException | None = None
        begun = True
        try:
            with self._lock:
                begun = job.begin()
            # From here to the end of ``_absorb`` the one interrupt of this job may arrive at any
            # instruction; nowhere else. ``with`` on a lock is safe: CPython looks for interrupts
            # neither between acquiring and entering the body, nor before releasing.
            if begun:
                try:
                    result = job.call()
                except Interrupted:
                    raise
                except BaseException as raised:  # whatever ends a function is its outcome
                    error = as_error(raised)
                with self._lock:
                    interrupted = job.settle()
                if interrupted:
                    _absorb()  # it may not have arrived yet
        except Interrupted:
            result, error = None, asyncio.CancelledError("interrupted")
            with self._lock:
                job.settle()
        stays = self._release(job, worker)
        if begun:
            self._post(job, result, error)
        error = None  # its traceback points to this frame: no cycle
        return stays

    def _release(self, job: ThreadJob, worker: _Worker) -> bool:
        """Free the slot of a job, before it is reported so that ``done`` finds the thread idle.

        Returns:
            Whether the thread stays.
        """
        with self._lock:
            if job.left_behind:
                return False
            self._running.discard(job)
            if self._closed:
                self._retire()
                return False
            if self._waiting:
                following, _ = self._waiting.popitem(last=False)
                self._running.add(following)
                worker.inbox.put(following)
            else:
                self._idle.append(worker)
            return True

    def _retire(self) -> None:
        """Count a thread that ends as gone. Needs the lock."""
        self._threads -= 1
        if self._closed and not self._threads:
            self._call_soon(self._empty.set)

    def _post(self, job: ThreadJob, result: object, error: BaseException | None) -> None:
        """Hand an outcome to the loop; many of them wake it once."""
        self._ended.append((job, result, error))
        # No lock: ``_deliver`` clears the flag before it looks at the deque, so an outcome that
        # was added while the flag was still set is seen by that very call.
        if not self._waking:
            self._waking = True
            self._call_soon(self._deliver)

    def _call_soon(self, callback: Callable[[], None]) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback)

    def _deliver(self) -> None:
        """Report what has ended so far; on the loop."""
        self._waking = False
        for _ in range(len(self._ended)):
            self._report(*self._ended.popleft())

    def _report(self, job: ThreadJob, result: object, error: BaseException | None) -> None:
        # Forgotten first: what ``done`` stores the error in, the traceback would lead back to.
        done, job.done = job.done, None
        if done is not None:
            call(self._loop, done, result, error)
