"""Programs that do what a test says, and are never started."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from typing import cast

import msgspec

from atomiton.errors import NodeError, NotAllowed
from atomiton.ports.capabilities import ProcessResult
from atomiton.testing.results import InTurn, is_error, raised

__all__ = ["Command", "FakeProcess"]


class Command(msgspec.Struct, frozen=True):
    """A program that a node has run."""

    command: list[str]
    stdin: bytes | None
    cwd: str | None
    env: dict[str, str]


class FakeProcess:
    """``Process`` without programs.

    Args:
        programs: What is run to what comes of it. A key is a beginning of a command, as a shell
            would read it; the longest that fits counts. A value is what the program prints (text
            or bytes), its exit status (an integer), a ``ProcessResult``, an error to raise, a
            function of the ``Command``, or several ``in_turn``.

    Attributes:
        commands: What was run, in order.

    Example:
        >>> import asyncio
        >>> process = FakeProcess({"git": 1, "git status": "clean"})
        >>> asyncio.run(process.run(["git", "status", "-s"])).stdout
        b'clean'
    """

    def __init__(self, programs: Mapping[str, object] | None = None) -> None:
        self.commands: list[Command] = []
        self._programs = {tuple(shlex.split(key)): it for key, it in (programs or {}).items()}
        self._ran: dict[tuple[str, ...], int] = {}

    def reset(self) -> None:
        """Forget what was run."""
        self.commands.clear()
        self._ran.clear()

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes | AsyncIterable[bytes] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        clean: bool = False,  # noqa: ARG002 - no program is there to see variables
        on_output: Callable[[bytes], None] | None = None,
    ) -> ProcessResult:
        """Give what the test says; ``NotAllowed`` when it says nothing of such a command."""
        given = None if isinstance(stdin, AsyncIterable) else stdin
        asked = Command(list(command), given, cwd, dict(env or {}))
        self.commands.append(asked)
        fitting = [key for key in self._programs if tuple(command[: len(key)]) == key]
        if not fitting:
            known = ", ".join(map(shlex.join, self._programs))
            hint = f"; it knows {known}" if known else ""
            raise NotAllowed(f"the test does not say what {shlex.join(command)!r} does{hint}")
        key = max(fitting, key=len)
        result = self._programs[key]
        if isinstance(result, InTurn):
            result = result.at(self._ran.get(key, 0))
        self._ran[key] = self._ran.get(key, 0) + 1
        if callable(result) and not is_error(result):
            result = cast("Callable[[Command], object]", result)(asked)
            if inspect.isawaitable(result):
                result = await cast("Awaitable[object]", result)
        if is_error(result):
            raise raised(result)
        ended = _ended(result)
        if on_output is not None:
            on_output(ended.stdout)
        return ended


def _ended(result: object) -> ProcessResult:
    if isinstance(result, ProcessResult):
        return result
    if isinstance(result, str | bytes):
        printed = result.encode() if isinstance(result, str) else result
        return ProcessResult(0, printed, b"", None, timed_out=False)
    if isinstance(result, int) and not isinstance(result, bool):
        signal = -result if result < 0 else None
        return ProcessResult(result, b"", b"", signal, timed_out=False)
    message = f"what a program does is text, a status or a ProcessResult, not {result!r}"
    raise NodeError(message, code="INVALID_INPUT")
