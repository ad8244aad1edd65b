"""Plain functions in processes of their own, which may crash alone and can be killed.

Workers are fresh interpreters: forking a process that has threads is not safe. Each of them runs
one function at a time, so whatever becomes of a worker concerns one job only. When nobody waits for
a job any more its worker is killed, together with every process it has started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

import msgspec

from atomiton.errors import NodeError
from atomiton.ports.runtime import Done
from atomiton.runtimes.frames import CANCEL, HEADER, Answer, Failure, Request, encode
from atomiton.runtimes.outcome import call
from atomiton.runtimes.target import locate

_Target: TypeAlias = tuple[str, str | None, str]
_decoder = msgspec.msgpack.Decoder(Answer)
_NOTHING = memoryview(b"")
_REAP_AGAIN = 0.005  # seconds
_REAPED_SURELY = 2.0  # a killed process that lives longer hangs in the kernel


class ProcessJob:
    """One call of a function in another process."""

    __slots__ = ("_runtime", "done", "frame", "interrupted", "worker")

    def __init__(self, runtime: ProcessRuntime, frame: bytearray, done: Done) -> None:
        self._runtime = runtime
        self.frame: bytearray | None = frame
        self.done: Done | None = done  # None when it was called or never will be
        self.worker: _Worker | None = None
        self.interrupted = False

    def cancel(self) -> None:
        """See ``Job.cancel``."""
        self._runtime.cancel(self)

    def abandon(self) -> None:
        """See ``Job.abandon``."""
        self._runtime.abandon(self)


class _Worker:
    """A process and the line to it.

    Args:
        loop: The event loop.
        answered: Called with each answer; the first one says that the worker is ready.
        ended: Called once, when the process has ended by itself.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        answered: Callable[[_Worker, Answer], None],
        ended: Callable[[_Worker], None],
    ) -> None:
        self.job: ProcessJob | None = None
        self.path: list[str] = []
        self.ready = False
        self.alive = True
        self._loop = loop
        self._answered = answered
        self._ended = ended
        self._head = bytearray(HEADER.size)
        self._body: bytearray | None = None
        self._rest = memoryview(self._head)
        self._outgoing = _NOTHING
        self._signals = False
        self._line, theirs = socket.socketpair()
        try:
            self._line.setblocking(False)
            number = theirs.fileno()
            # -P: a file of the user beside which the engine was started, such as ``queue.py``,
            # must not stand in for a module of Python's library.
            command = [sys.executable, "-P", "-m", "atomiton.runtimes.worker", str(number)]
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()
        self.reaped: asyncio.Future[None] = loop.create_future()
        self._exit = _exit_descriptor(self.process.pid)
        loop.add_reader(self._line, self._read)
        if self._exit is not None:
            loop.add_reader(self._exit, self._gone)

    def send(self, frame: bytes | bytearray) -> None:
        """Send a frame after what is still to be sent; what the line does not take now follows."""
        waits = bool(self._outgoing)
        self._outgoing = memoryview(bytes(self._outgoing) + frame if waits else frame)
        if not waits:
            self._write()
            if self._outgoing:
                self._loop.add_writer(self._line, self._write)

    def interrupt(self) -> None:
        """Ask the running function to stop."""
        self._signals = True
        self.send(CANCEL)

    def kill(self) -> None:
        """End the process and all it has started; ``ended`` is not called."""
        if self.alive:
            self.alive = False
            self._disconnect()
            self._reap()

    def _write(self) -> None:
        while self._outgoing:
            try:
                count = self._line.send(self._outgoing)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # the worker is gone; reading finds out what became of it
                count = len(self._outgoing)
            self._outgoing = self._outgoing[count:]
        self._outgoing = _NOTHING
        self._loop.remove_writer(self._line)
        if self._signals:  # only now: a signal counts when there is something to read with it
            self._signals = False
            self.process.send_signal(signal.SIGINT)

    def _read(self) -> None:
        """Take what the line holds; called by the loop."""
        expects_head = self._body is None
        taken = self._take()
        if taken and expects_head and self._body is not None:
            taken = self._take()  # most often the body came with its head
        if taken is False:
            self._gone()

    def _take(self) -> bool | None:
        """Read once; false at the end of the line, None if there is nothing now."""
        try:
            count = self._line.recv_into(self._rest)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            count = 0
        if not count:
            return False
        self._rest = self._rest[count:]
        if self._rest:
            return True
        if self._body is None:
            (size,) = HEADER.unpack(self._head)
            self._body = bytearray(size)
            self._rest = memoryview(self._body)
            return True
        body, self._body = self._body, None
        self._rest = memoryview(self._head)
        try:
            answer = _decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            answer = Answer(failure=Failure(type(error).__name__, str(error), code="TYPE_MISMATCH"))
        self._answered(self, answer)
        return True

    def _gone(self) -> None:
        """The process ended by itself, or closed its line."""
        if not self.alive:
            return
        self.alive = False  # so that nobody gives it another job
        while self._take():  # it may have answered before it ended
            pass
        self._disconnect()
        self._reap(by_itself=True)

    def _disconnect(self) -> None:
        self._loop.remove_reader(self._line)
        self._loop.remove_writer(self._line)
        self._line.close()
        if self._exit is not None:
            self._loop.remove_reader(self._exit)
            os.close(self._exit)
            self._exit = None

    def _reap(self, *, by_itself: bool = False) -> None:
        """Kill the whole group, then take the exit status without blocking the loop."""
        if self.process.returncode is None:
            # The number of the group cannot be another's before its leader is reaped.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.poll() is None:
            self._loop.call_later(_REAP_AGAIN, lambda: self._reap(by_itself=by_itself))
            return
        self.reaped.set_result(None)
        if by_itself:
            self._ended(self)


class ProcessRuntime:
    """Runs plain functions in worker processes.

    A function is found in a worker by its name, so it must stand at the top level of a module.
    Arguments and results are copied as plain data: text, numbers of at most 64 bits, booleans,
    bytes, lists, dictionaries and datetimes with a time zone, which arrive as UTC. A worker keeps
    the modules it has loaded; a new runtime sees files as they are then.

    Args:
        workers: Most functions at a time; more wait in order. By default the number of processors.
        files: Files whose functions are always loaded from their path, never imported by name.
        grace: Seconds that ``close`` gives to running functions.

    Example:
        >>> from statistics import mean
        >>> async def main() -> object:
        ...     runtime = ProcessRuntime(1)
        ...     ended = asyncio.get_running_loop().create_future()
        ...     runtime.start(mean, {"data": [1, 3]}, lambda mean, error: ended.set_result(mean))
        ...     try:
        ...         return await ended
        ...     finally:
        ...         await runtime.close()
        >>> asyncio.run(main())
        2
    """

    def __init__(
        self, workers: int | None = None, files: Sequence[Path] = (), *, grace: float = 0.2
    ) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be 1 or more, not {workers}")
        self._limit = workers or os.cpu_count() or 1
        self._files = frozenset(str(file.resolve()) for file in files)
        self._grace = grace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._workers: set[_Worker] = set()  # those that count: not killed, not ended
        self._unreaped: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._starting = 0
        self._waiting: OrderedDict[ProcessJob, None] = OrderedDict()
        self._targets: WeakKeyDictionary[Callable[..., object], _Target] = WeakKeyDictionary()

    def start(
        self, function: Callable[..., object], arguments: Mapping[str, object], done: Done
    ) -> ProcessJob:
        """See ``Runtime.start``."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("this runtime belongs to another event loop")
        if self._closed:
            raise RuntimeError("this runtime is closed")
        job = ProcessJob(self, self._frame(function, arguments), done)
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                self._assign(worker, job)
                return job
        self._waiting[job] = None
        try:
            self._grow()
        except NodeError:
            self._waiting.pop(job, None)
            raise
        return job

    def cancel(self, job: ProcessJob) -> None:
        """See ``Job.cancel``."""
        if job in self._waiting:
            del self._waiting[job]
            job.frame = None
            assert self._loop is not None
            error = asyncio.CancelledError("cancelled before it began")
            self._loop.call_soon(self._report, job, None, error)
        elif job.worker is not None and job.worker.alive and not job.interrupted:
            job.interrupted = True
            job.worker.interrupt()

    def abandon(self, job: ProcessJob) -> None:
        """See ``Job.abandon``."""
        if job.done is None:
            return
        job.done = None
        self._waiting.pop(job, None)
        worker = job.worker
        if worker is not None:
            job.worker = worker.job = None
            self._workers.discard(worker)
            worker.kill()
            self._grow_later()

    async def close(self) -> None:
        """See ``Runtime.close``."""
        self._closed = True
        jobs = list(self._waiting)
        for worker in list(self._workers):
            if worker.job is None:
                worker.kill()
            else:
                jobs.append(worker.job)
        for job in jobs:
            self.cancel(job)
        await self._until_reaped(self._grace)
        for job in jobs:
            done = job.done
            if done is not None:
                self.abandon(job)
                call(self._loop, done, None, asyncio.CancelledError("the runtime was closed"))
        for worker in list(self._workers):
            worker.kill()
        await self._until_reaped(_REAPED_SURELY)

    async def _until_reaped(self, seconds: float) -> None:
        """Wait until every process has ended, but not longer."""
        await asyncio.sleep(0)  # lets what was cancelled while waiting be reported
        if self._unreaped:
            await asyncio.wait([worker.reaped for worker in self._unreaped], timeout=seconds)

    def _frame(self, function: Callable[..., object], arguments: Mapping[str, object]) -> bytearray:
        """Encode a request; also takes the arguments as they are now."""
        try:
            target = self._targets.get(function)
            if target is None:
                target = self._targets[function] = locate(function, self._files)
        except TypeError:  # cannot be hashed or weakly referenced
            target = locate(function, self._files)
        try:
            return encode(Request(*target, dict(arguments)))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise NodeError(
                f"the arguments of {target[2]} cannot be handed to a process: {error}",
                code="TYPE_MISMATCH",
            ) from error

    def _grow(self) -> None:
        """Start workers for the jobs that wait, as far as there may be more."""
        assert self._loop is not None
        while len(self._waiting) > self._starting and len(self._workers) < self._limit:
            if self._closed:
                return
            try:
                worker = _Worker(self._loop, self._answered, self._ended)
            except OSError as error:
                raise NodeError(
                    f"no process could be started: {error}", code="PROCESS_FAILED"
                ) from error
            self._starting += 1
            self._workers.add(worker)
            self._unreaped.add(worker)
            worker.reaped.add_done_callback(partial(self._reaped, worker))

    def _grow_later(self) -> None:
        """Grow where nobody could be told that it fails: the first job that waits is."""
        try:
            self._grow()
        except NodeError as error:
            if not self._workers and self._waiting:
                job, _ = self._waiting.popitem(last=False)
                self._report(job, None, error)
                assert self._loop is not None
                self._loop.call_soon(self._grow_later)

    def _assign(self, worker: _Worker, job: ProcessJob) -> None:
        assert job.frame is not None
        job.worker, worker.job = worker, job
        if worker.path != sys.path:
            worker.path = list(sys.path)
            worker.send(encode(Request("", None, "", {}, worker.path)))
        worker.send(job.frame)
        job.frame = None

    def _answered(self, worker: _Worker, answer: Answer) -> None:
        """Take an answer; the worker gets its next job before this one is reported."""
        job, worker.job = worker.job, None
        if not worker.ready:
            worker.ready = True
            self._starting -= 1
        if self._closed:
            worker.kill()
        elif worker.alive and self._waiting:
            following, _ = self._waiting.popitem(last=False)
            self._assign(worker, following)
        elif worker.alive:
            self._idle.append(worker)
        if job is not None:
            job.worker = None
            failure = answer.failure
            self._report(job, answer.result, _rebuilt(failure) if failure else None)

    def _ended(self, worker: _Worker) -> None:
        """Replace a worker that ended by itself, and fail its job."""
        self._workers.discard(worker)
        job, worker.job = worker.job, None
        if not worker.ready:
            self._starting -= 1
            if self._waiting:  # else workers that cannot start would be replaced for ever
                job, _ = self._waiting.popitem(last=False)
        if job is not None:
            job.worker = None
            self._report(job, None, _crash(worker.process.returncode))
        self._grow_later()

    def _reaped(self, worker: _Worker, _future: object) -> None:
        self._unreaped.discard(worker)

    def _report(self, job: ProcessJob, result: object, error: BaseException | None) -> None:
        done, job.done = job.done, None
        if done is not None:
            call(self._loop, done, result, error)


def _exit_descriptor(process: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends, where there is such a thing.

    The end of the line tells as much, except when a child of the worker still holds it open.
    """
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:  # an old kernel, or a sandbox
        return None


def _crash(status: int) -> NodeError:
    if status < 0:
        try:
            how = f"was killed by {signal.Signals(-status).name}"
        except ValueError:
            how = f"was killed by signal {-status}"
    else:
        how = f"ended with exit status {status}"
    return NodeError(
        f"the process that ran the function {how}",
        code="PROCESS_FAILED",
        retryable=True,
        details={"status": status},
    )


def _rebuilt(failure: Failure) -> BaseException:
    """Return the error that a worker described."""
    if failure.cancelled:
        return asyncio.CancelledError(failure.message)
    details = {**(failure.details or {}), "type": failure.type, "traceback": failure.traceback}
    return NodeError(
        failure.message, code=failure.code, retryable=failure.retryable, details=details
    )
