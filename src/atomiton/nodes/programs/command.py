"""A program as the function of a node type: started for each call, asked one thing, ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final, cast

import msgspec

from atomiton.errors import NodeError
from atomiton.nodes.programs.checking import Ports
from atomiton.nodes.programs.talk import LARGEST, Conversation, request
from atomiton.ports.capabilities import Attempt, Log, Process, ProcessResult, Progress

#: Parameters by which a program gets its capabilities; no port is called so.
DOORS: Final[Mapping[str, str]] = {
    "_process": "programs",
    "_attempt": "attempt",
    "_progress": "progress",
    "_log": "log",
}
#: Variables of this process that every program sees.
PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
#: Longest text that is given as a variable too; standard input has it in any case.
_LONGEST: Final = 32 * 1024
#: Sets bounds, then becomes the program: ``exec`` keeps its process id.
_BOUNDED: Final = '{bounds}exec "$0" "$@"'


class Limits(msgspec.Struct, frozen=True):
    """What a program or a module may use.

    Attributes:
        memory: Bytes of memory; None for no bound of ours.
        cpu: Seconds of processor, for programs.
        fuel: Steps, for modules.
        output: Bytes that it may write to standard output.
    """

    memory: int | None = None
    cpu: int | None = None
    fuel: int | None = None
    output: int = LARGEST


class Command(msgspec.Struct, frozen=True):
    """How a program is started.

    Attributes:
        words: The program and its arguments.
        env: Variables it sees besides ``PASSED``.
        passed: Names of variables of this process that it sees too.
        limits: What it may use.
    """

    words: Sequence[str]
    env: Mapping[str, str] = {}
    passed: Sequence[str] = ()
    limits: Limits = Limits()


def command_function(
    name: str, command: Command, ports: Ports
) -> Callable[..., Coroutine[object, object, object]]:
    """The function of a node type that is a program.

    Args:
        name: Name of the node type.
        command: How it is started.
        ports: Checks what it is given and gives.
    """
    words = bounded(command.words, command.limits)

    async def run(**given: object) -> object:
        process = cast("Process", given.pop("_process"))
        attempt = cast("Attempt", given.pop("_attempt"))
        progress = cast("Progress", given.pop("_progress"))
        log = cast("Log", given.pop("_log"))
        inputs = ports.inputs(given)
        talk = Conversation(command.limits.output, progress, log, attempt)
        ended = await process.run(
            words,
            stdin=request(name, inputs, attempt),
            env=_variables(command, inputs, attempt),
            clean=True,
            on_output=talk.take,
        )
        _refuse_missing(ended, command)
        how, well = told_ending(ended, command.limits), ended.exit_code == 0
        return ports.output(talk.result(how, well=well, stderr=ended.stderr))

    run.__name__ = run.__qualname__ = name
    return run


def bounded(words: Sequence[str], limits: Limits) -> list[str]:
    """The command that starts a program within bounds.

    Example:
        >>> bounded(["count", "-w"], Limits(cpu=2))[2]
        'ulimit -H -t 3; ulimit -S -t 2; exec "$0" "$@"'
    """
    bounds = ""
    if limits.memory is not None:
        bounds += f"ulimit -v {max(1, limits.memory // 1024)}; "
    if limits.cpu is not None:  # the soft one tells the program, a second later the hard one kills
        bounds += f"ulimit -H -t {limits.cpu + 1}; ulimit -S -t {limits.cpu}; "
    if not bounds:
        return list(words)
    return ["/bin/sh", "-c", _BOUNDED.format(bounds=bounds), *words]


def _variables(command: Command, inputs: Mapping[str, object], attempt: Attempt) -> dict[str, str]:
    """What a program sees: of this process little, of its call what a shell can read."""
    names = (*PASSED, *command.passed)
    seen = {name: os.environ[name] for name in names if name in os.environ}
    seen.update(command.env)
    seen["ATOMITON_KEY"] = attempt.key
    seen["ATOMITON_ATTEMPT"] = str(attempt.attempt)
    for name, value in inputs.items():
        text = _plain_text(value)
        if text is not None and len(text) <= _LONGEST and "\0" not in text:
            seen[f"ATOMITON_INPUT_{name.upper()}"] = text
    return seen


def _plain_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _refuse_missing(ended: ProcessResult, command: Command) -> None:
    """Tell a program that is not there as one, also when a shell was to become it."""
    limits = command.limits
    wrapped = limits.memory is not None or limits.cpu is not None
    if wrapped and ended.exit_code in (126, 127) and not ended.stdout:
        said = ended.stderr.decode(errors="replace")
        if "not found" in said or "No such file" in said:
            raise NodeError(f"there is no program {command.words[0]!r}", code="NOT_FOUND")


def told_ending(ended: ProcessResult, limits: Limits) -> str:
    """How a program ended, in words; ``NodeError`` if it has used too much of the processor."""
    if ended.signal is None:
        return f"ended with status {ended.exit_code}"
    if ended.signal == getattr(signal, "SIGXCPU", None) and limits.cpu is not None:
        raise NodeError(
            f"the program used more than {limits.cpu} s of the processor", code="LIMIT_EXCEEDED"
        )
    try:
        return f"was killed by {signal.Signals(ended.signal).name}"
    except ValueError:
        return f"was killed by signal {ended.signal}"
