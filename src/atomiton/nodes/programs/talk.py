"""How a node talks with a program that is no Python: one JSON object a line.

The program reads one line, what it is asked; it writes lines: how far it is, what it has to say,
and at last its output or its error. The page ``docs/reference/programs.md`` is the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, cast

import msgspec

from atomiton.errors import NodeError
from atomiton.ports.capabilities import Attempt, Log, Progress

#: The version of the protocol.
PROTOCOL: Final = 1
#: Most bytes that a program may write, unless it is declared with more.
LARGEST: Final = 16 * 1024 * 1024
_SHOWN = 120  # characters of a bad line that a message shows
_KEPT = 4000  # characters of standard error that an error carries


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program says of its error; fields are those of ``NodeError``."""

    message: str
    code: str = "NODE_FAILED"
    retryable: bool | None = None
    details: dict[str, object] | None = None


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a program: exactly one of output, error, progress, log and cost."""

    output: object = msgspec.UNSET
    error: Failure | msgspec.UnsetType = msgspec.UNSET
    progress: float | msgspec.UnsetType = msgspec.UNSET
    log: str | msgspec.UnsetType = msgspec.UNSET
    cost: Annotated[float, msgspec.Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET
    message: str = ""
    level: Literal["debug", "info", "warning", "error"] = "info"


_decoder = msgspec.json.Decoder(Line)
_KINDS: Final = ("output", "error", "progress", "log", "cost")


def request(type_: str, inputs: Mapping[str, object], attempt: Attempt) -> bytes:
    """The line that a program is given.

    Args:
        type_: Name of the node type.
        inputs: Values of its ports; bytes become base64, moments ISO 8601.
        attempt: Whom the call is for.

    Raises:
        NodeError: If a value has no place in JSON.
    """
    asked = {
        "atomiton": PROTOCOL,
        "type": type_,
        "run": attempt.run,
        "node": attempt.node,
        "attempt": attempt.attempt,
        "key": attempt.key,
        "seconds": attempt.remaining(),
        "inputs": inputs,
    }
    try:
        return msgspec.json.encode(asked) + b"\n"
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        message = f"the inputs cannot be handed to a program: {error}"
        raise NodeError(message, code="TYPE_MISMATCH") from error


class Conversation:
    r"""Takes what a program writes, as it comes.

    Args:
        largest: Most bytes in all.
        progress: Is told how far the program is.
        log: Is told what it has to say.
        attempt: Is told what it has cost.

    Example:
        >>> talk = Conversation(1000)
        >>> talk.take(b'{"progress": 0.5}\n{"output"')
        >>> talk.take(b': {"words": 3}}\n')
        >>> talk.result("ended with status 0")
        {'words': 3}
    """

    def __init__(
        self,
        largest: int = LARGEST,
        progress: Progress | None = None,
        log: Log | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        self._largest = largest
        self._progress = progress
        self._log = log
        self._attempt = attempt
        self._size = 0
        self._rest = bytearray()
        self._last: Line | None = None

    def take(self, data: bytes) -> None:
        """Take a portion of what the program writes.

        Raises:
            NodeError: If it is too much (LIMIT_EXCEEDED), or a line is none of the protocol.
        """
        self._size += len(data)
        if self._size > self._largest:
            raise NodeError(
                f"the program wrote more than {self._largest} bytes; "
                "a greater 'limits: {output: ...}' of its declaration allows more",
                code="LIMIT_EXCEEDED",
            )
        begun = len(self._rest)
        self._rest += data
        end = self._rest.rfind(b"\n", begun)
        if end < 0:
            return
        whole, self._rest = bytes(self._rest[:end]), self._rest[end + 1 :]
        for line in whole.split(b"\n"):
            self._line(line)

    def result(self, how: str, *, well: bool = True, stderr: bytes = b"") -> object:
        """What the program gave, once it has ended.

        Args:
            how: How it ended, in words.
            well: Whether that is how a program ends that has succeeded.
            stderr: What it wrote to standard error.

        Raises:
            NodeError: What it says of its error; PROCESS_FAILED if it ended without a word.
        """
        rest, self._rest = bytes(self._rest), bytearray()
        if well or _is_whole(rest):  # of a program that died the last line may be cut off
            self._line(rest)
        said = stderr.decode(errors="replace").strip()
        last = self._last
        if last is not None and isinstance(last.error, Failure):
            told = last.error
            details = dict(told.details or {})
            if said:
                details.setdefault("stderr", said[-_KEPT:])
            raise NodeError(
                told.message, code=told.code, retryable=told.retryable, details=details or None
            )
        if last is None or not well:
            kept: dict[str, object] | None = {"stderr": said[-_KEPT:]} if said else None
            without = " without output or error" if last is None else " after its output"
            about = f": {said.rpartition(chr(10))[2][:500]}" if said else ""
            retryable = not well  # a program that ends well and says nothing never will
            message = f"the program {how}{without}{about}"
            raise NodeError(message, code="PROCESS_FAILED", retryable=retryable, details=kept)
        return last.output

    def _line(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            said = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _broken(line, str(error)) from error
        given = [kind for kind in _KINDS if getattr(said, kind) is not msgspec.UNSET]
        if len(given) != 1:
            raise _broken(line, f"it must have exactly one of {', '.join(_KINDS)}")
        if self._last is not None:
            raise _broken(line, "nothing may follow the output or the error")
        if given[0] in ("output", "error"):
            self._last = said
        elif given[0] == "progress" and self._progress is not None:
            self._progress.report(cast("float", said.progress), said.message)
        elif given[0] == "log" and self._log is not None:
            self._log.log(said.level, cast("str", said.log))
        elif given[0] == "cost" and self._attempt is not None:
            self._attempt.spend(cast("float", said.cost))


def _is_whole(line: bytes) -> bool:
    try:
        _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _broken(line: bytes, why: str) -> NodeError:
    shown = line[:_SHOWN].decode(errors="replace") + ("..." if len(line) > _SHOWN else "")
    return NodeError(
        f"a line of the program's standard output is no message: {why}: {shown}",
        code="PROCESS_FAILED",
        retryable=False,
        details={"hint": "what is meant for people goes to standard error, or into 'log'"},
    )
