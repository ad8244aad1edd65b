"""Other programs, each in a process group of its own that is killed as a whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, SubprocessStreamProtocol
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.family import Family
from atomiton.ports.capabilities import ProcessResult

#: Most bytes of standard output, and of standard error, that are kept.
LARGEST = 16 * 1024 * 1024
#: Seconds between asking a program to end and ending it.
GRACE = 0.4
#: Seconds that pipes may stay open after the program itself has ended: a child it left behind
#: may hold them for ever.
LINGER = 0.5


class _Protocol(SubprocessStreamProtocol):
    """Tells of a program's end at once: ``Process.wait`` also waits for all pipes to close."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=1 << 16, loop=loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        """The program has ended, and was reaped."""
        self.exited.set()
        super().process_exited()


class Child:
    """A program that was started.

    Attributes:
        pid: Its id, which is also that of its session and process group.
        exited: Set when it has ended.
    """

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol) -> None:
        self._transport = transport
        self.pid = transport.get_pid()
        self.exited = protocol.exited
        self.stdin = protocol.stdin
        self.stdout = protocol.stdout
        self.stderr = protocol.stderr

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._transport.get_returncode()

    def close(self) -> None:
        """Close our ends of the pipes, also when somebody else still holds the other ends."""
        self._transport.close()


class ProcessGuard:
    """``Process`` of this machine.

    Args:
        largest: Most bytes of each of the two outputs.
        grace: Seconds between SIGTERM and SIGKILL.
    """

    def __init__(self, *, largest: int = LARGEST, grace: float = GRACE) -> None:
        self._largest = largest
        self._grace = grace

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes | AsyncIterable[bytes] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        clean: bool = False,
        on_output: Callable[[bytes], None] | None = None,
    ) -> ProcessResult:
        """Run a program to its end; when cancelled, it and all its children are killed.

        Args:
            command: The program and its arguments; no shell reads them.
            stdin: What it reads, at once or piece by piece; nothing by default.
            cwd: Folder it starts in.
            env: Variables added to those of this process.
            clean: Whether it sees no others than those of ``env``.
            on_output: Called with standard output as it comes, which is then not kept; what it
                raises ends the program.

        Raises:
            NodeError: The program cannot be started, or says too much.
        """
        seen = None if not env and not clean else {**({} if clean else os.environ), **(env or {})}
        pipe = DEVNULL if stdin is None else PIPE
        starting = asyncio.ensure_future(_start(command, pipe, cwd, seen))
        try:
            # Cancelled halfway, asyncio would kill the program alone, not what it has started.
            child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            await _undisturbed(self._kill_at_once(starting))
            raise
        work = asyncio.ensure_future(self._talk(child, stdin, on_output))
        try:
            stdout, stderr = await asyncio.shield(work)
        except BaseException:
            # Cancellation too: whatever the reason, nothing of the program may stay behind.
            await _undisturbed(self._kill(child, work))
            raise
        child.close()
        code = child.returncode if child.returncode is not None else -1
        number = -code if code < 0 else None
        return ProcessResult(
            exit_code=code, stdout=stdout, stderr=stderr, signal=number, timed_out=False
        )

    async def _talk(
        self,
        child: Child,
        stdin: bytes | AsyncIterable[bytes] | None,
        on_output: Callable[[bytes], None] | None,
    ) -> tuple[bytes, bytes]:
        """Feed and read a program until it has ended and its pipes are closed."""
        outputs = (bytearray(), bytearray())
        assert child.stdout is not None
        assert child.stderr is not None
        out = (
            self._read(child.stdout, outputs[0])
            if on_output is None
            else _hand_on(child.stdout, on_output)
        )
        tasks = [_task(out), _task(self._read(child.stderr, outputs[1]))]
        feed = _task(_feed(child, stdin))
        try:
            ended = _task(child.exited.wait())
            tasks.append(ended)
            # An error of a reader, such as too much output, must not wait for the end.
            pending = set(tasks)
            while pending and not ended.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            if pending:
                done, pending = await asyncio.wait(pending, timeout=LINGER)
                for task in done:
                    task.result()
        finally:
            for task in (*tasks, feed):
                task.cancel()
            await asyncio.gather(*tasks, feed, return_exceptions=True)
        return bytes(outputs[0]), bytes(outputs[1])

    async def _read(self, stream: asyncio.StreamReader, kept: bytearray) -> None:
        while portion := await stream.read(1 << 16):
            if len(kept) + len(portion) > self._largest:
                raise NodeError(
                    f"the program wrote more than {self._largest} bytes; "
                    "let it write to a file instead",
                    code="LIMIT_EXCEEDED",
                )
            kept += portion

    async def _kill_at_once(self, starting: asyncio.Future[Child]) -> None:
        """End a program that is just being started."""
        try:
            child = await starting
        except (NodeError, NotAllowed):  # it never began
            return
        await self._kill(child, asyncio.ensure_future(self._talk(child, None, None)))

    async def _kill(self, child: Child, work: asyncio.Future[tuple[bytes, bytes]]) -> None:
        """End a whole process group: politely, then surely; leave no zombie and no pipe."""
        try:
            await self._end_family(Family(child.pid))
            work.cancel()
            with contextlib.suppress(BaseException):  # its error, if any, was raised already
                await work
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.exited.wait(), self._grace)
        finally:
            child.close()

    async def _end_family(self, family: Family) -> None:
        # Its output is still read meanwhile: a program that cannot write cannot end well.
        if not family.signal(signal.SIGTERM):
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._grace
        pause = 0.005
        try:
            while family.signal(0) and loop.time() < deadline:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.1)
        finally:
            # Also when the event loop ends first: nobody else would do it then. More than once,
            # because what starts between the look and the signal is only seen by the next.
            for _ in range(_ROUNDS):
                if not family.signal(_KILL):
                    break


#: How often those who are still there are killed.
_ROUNDS = 5
_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)


async def _start(
    command: Sequence[str], pipe: int, cwd: str | None, env: Mapping[str, str] | None
) -> Child:
    if not command or not command[0]:
        raise NodeError("the command is empty", code="INVALID_INPUT")
    if any("\0" in part for part in command):
        raise NodeError("the command holds a NUL character", code="INVALID_INPUT")
    try:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(loop),
            *command,
            stdin=pipe,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        return Child(transport, protocol)
    except FileNotFoundError as error:
        if cwd is not None and not _is_folder(cwd):
            raise NodeError(f"there is no folder {cwd!r}", code="NOT_FOUND") from error
        raise NodeError(f"there is no program {command[0]!r}", code="NOT_FOUND") from error
    except PermissionError as error:
        raise NotAllowed(f"the system does not permit running {command[0]!r}") from error
    except (OSError, ValueError) as error:
        raise NodeError(f"{command[0]!r}: {error}", code="PROCESS_FAILED") from error


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)


async def _hand_on(stream: asyncio.StreamReader, on_output: Callable[[bytes], None]) -> None:
    while portion := await stream.read(1 << 16):
        on_output(portion)


async def _feed(child: Child, stdin: bytes | AsyncIterable[bytes] | None) -> None:
    if child.stdin is None:
        return
    # A program need not read all that it is given.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if isinstance(stdin, AsyncIterable):
            async for part in stdin:
                child.stdin.write(part)
                await child.stdin.drain()
        else:
            child.stdin.write(stdin or b"")
            await child.stdin.drain()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.close()
        await child.stdin.wait_closed()


def _task(work: Coroutine[object, object, object]) -> asyncio.Future[object]:
    return asyncio.ensure_future(work)


async def _undisturbed(work: Coroutine[object, object, object]) -> None:
    """Wait for some work to the end, however often we are cancelled meanwhile."""
    task = _task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
