"""A program that speaks the Model Context Protocol: a message a line, in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.mcp_session import Data, Hears, Session, data_of
from atomiton.ports.capabilities import Process, ProcessResult

T = TypeVar("T")

#: Most bytes of one message.
LARGEST: Final = 16 * 1024 * 1024
#: Seconds that a program has to end by itself once its input has ended.
GRACE: Final = 2.0
_KEPT = 4000  # characters of standard error that an error carries


class Program(Session):
    """A conversation with a program.

    Args:
        process: The door to programs.
        command: The program and its arguments.
        env: Variables to set.
        cwd: Folder it starts in.
        hears: Who hears what it says besides answers.
    """

    def __init__(
        self,
        process: Process,
        command: Sequence[str],
        env: Mapping[str, str] | None,
        cwd: str | None,
        hears: Hears,
    ) -> None:
        super().__init__()
        self._process = process
        self._command = command
        self._env = env
        self._cwd = cwd
        self._hears = hears
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._answers: dict[object, asyncio.Future[Data]] = {}
        self._rest = b""

    async def talk(self, what: Callable[[], Awaitable[T]]) -> T:
        """Start the program, talk with it, and end it.

        Raises:
            NodeError: It could not be started, ended before the talk did, or the talk failed; the
                end of its standard error is among the details.
        """
        running = asyncio.ensure_future(
            self._process.run(
                self._command, stdin=self._input(), cwd=self._cwd, env=self._env,
                on_output=self._take,
            )
        )  # fmt: skip
        talking = asyncio.ensure_future(what())
        try:
            await asyncio.wait({running, talking}, return_when=asyncio.FIRST_COMPLETED)
            if not talking.done():
                raise self._gone(running.result())
            ended = await self._leave(running)
            try:
                return talking.result()
            except NodeError as error:
                raise _with_stderr(error, ended) from error
        finally:
            for task in (running, talking):
                task.cancel()
            await asyncio.gather(running, talking, return_exceptions=True)

    async def tell(self, message: Data) -> None:
        """Send what needs no answer."""
        self._said.put_nowait(json.encode(message) + b"\n")

    async def answer(self, asked: Data) -> Data:
        """Send a question, and give the answer to it."""
        waiting = self._answers.setdefault(asked["id"], asyncio.Future())
        await self.tell(asked)
        return await waiting

    async def _input(self) -> AsyncIterator[bytes]:
        while (line := await self._said.get()) is not None:
            yield line

    async def _leave(self, running: asyncio.Future[ProcessResult]) -> ProcessResult | None:
        """End the program's input, and give how it ended; None if it does not end by itself."""
        self._said.put_nowait(None)
        done, _ = await asyncio.wait({running}, timeout=GRACE)
        return None if not done or running.exception() is not None else running.result()

    def _gone(self, ended: ProcessResult) -> NodeError:
        how = f"killed by signal {ended.signal}" if ended.signal else f"status {ended.exit_code}"
        stderr = ended.stderr.decode(errors="replace")
        last = stderr.strip().rpartition("\n")[2][:500]
        message = f"{self._command[0]!r} ended with {how} before it had answered"
        details = {"exit_code": ended.exit_code, "signal": ended.signal, "stderr": stderr[-_KEPT:]}
        return NodeError(
            message + (f": {last}" if last else ""), code="PROCESS_FAILED", details=details
        )

    def _take(self, data: bytes) -> None:
        """Take what the program writes, as it comes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LARGEST:
            message = f"the program wrote a message of more than {LARGEST} bytes"
            raise NodeError(message, code="LIMIT_EXCEEDED", retryable=False)
        for line in lines:
            if line.strip():
                self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            message = data_of(json.decode(line, unique=False))
        except ValueError:
            message = {}
        if message.get("jsonrpc") != "2.0":  # some greet whoever started them
            self._hears.stray(line.decode(errors="replace"))
        elif "method" not in message:
            waiting = self._answers.setdefault(message.get("id"), asyncio.Future())
            if not waiting.done():
                waiting.set_result(message)
        elif "id" in message:
            self._refuse(message)
        else:
            self._hears(message)

    def _refuse(self, asked: Data) -> None:
        """Answer what the program asks of us: we are there, and can do nothing for it."""
        answer: Data = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "ping":
            answer["result"] = {}
        else:
            answer["error"] = {"code": -32601, "message": "this client offers nothing"}
        self._said.put_nowait(json.encode(answer) + b"\n")


def _with_stderr(error: NodeError, ended: ProcessResult | None) -> NodeError:
    """The error, with what the program wrote to its standard error."""
    stderr = "" if ended is None else ended.stderr.decode(errors="replace")[-_KEPT:]
    details = {**(error.details or {}), **({"stderr": stderr} if stderr else {})}
    return NodeError(
        error.message, code=error.code, retryable=error.retryable, details=details or None
    )
