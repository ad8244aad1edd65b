"""Every error of Atomiton, on one page.

AtomitonError                what this package raises on purpose; has a stable ``code``
├── BlueprintError           the blueprint cannot be run; carries every problem found
│   └── TracingError         a function that builds a blueprint asked for what only a run knows
├── InputError               the inputs do not fit the blueprint; carries every problem found
├── ExpressionError          an expression is malformed or cannot be evaluated
├── NodeError                raised by a node to say why it failed
│   └── NotAllowed           a node asked for something its surroundings refuse
├── RunFailed                a run ended as failed or cancelled and its result was asked for
├── StoreError               the store cannot be used or its content is damaged
│   └── RunBusy              another living process drives this run
├── Conflict                 somebody else has changed meanwhile what was to be changed
├── NotFound                 no run, blueprint or node type of that name
├── Unavailable              the server cannot be reached, or takes nothing in just now
└── IllegalEvent             the machine was fed an event that cannot happen now (a bug)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

#: Codes the engine itself uses. Node types may add their own, in the same form.
CODES: Mapping[str, str] = {
    "INVALID_BLUEPRINT": "The document is not a blueprint: syntax, an unknown key, a wrong type.",
    "INVALID_INPUT": "An input or a parameter is missing, unknown, or of the wrong type.",
    "CIRCULAR_DEPENDENCY": "Nodes wait for each other around a cycle.",
    "UNKNOWN_REFERENCE": "An expression names something that does not exist in its scope.",
    "UNKNOWN_NODE_TYPE": "No node type of that name is registered.",
    "TYPE_MISMATCH": "A value of one type is given where another is declared.",
    "EXPRESSION_ERROR": "An expression is malformed, or failed when it was evaluated.",
    "NODE_FAILED": "A node raised an error that names no code of its own.",
    "TIMEOUT": "An attempt, a node, a wait or a run took longer than it may.",
    "CANCELLED": "The work was cancelled.",
    "LIMIT_EXCEEDED": "A limit of the run or of an evaluation was reached.",
    "LOOP_LIMIT": "A loop reached its largest number of turns.",
    "NOT_ALLOWED": "The surroundings do not permit what was asked for.",
    "NOT_FOUND": "What was asked for does not exist.",
    "NOT_SUPPORTED": "The format allows it, but this version cannot run it yet.",
    "AUTHENTICATION": "Another system refused the credentials.",
    "HTTP_STATUS": "A server answered with a status of 400 or more.",
    "CONNECTION": "Another system could not be reached.",
    "PROCESS_FAILED": "A program ended with a non-zero exit status or was killed.",
    "SQL_ERROR": "A database refused a statement, or could not do it.",
    "SQL_CONSTRAINT": "A change would break a rule of the database, such as a unique key.",
    "MAIL_REFUSED": "A mail server refused a message, or everybody it was for.",
    "MODEL_ANSWER": "A language model refused to answer, or not as it was told to.",
    "TOOL_FAILED": "A tool of another system failed, or its server refused to call it.",
    "HOOK_FAILED": "A strict hook failed, and with it what it was called for.",
    "ATTEMPT_LOST": "The process that ran an attempt died; nobody saw how the attempt ended.",
    "STORE_ERROR": "The store cannot be used, or its content is damaged.",
    "RUN_BUSY": "Another living process drives this run.",
    "CONFLICT": "Somebody else has changed it meanwhile.",
    "UNAUTHENTICATED": "The server knows nobody by these credentials, or was given none.",
    "UNAVAILABLE": "The server cannot be reached, or takes nothing in just now.",
    "INTERNAL": "A bug in Atomiton.",
}

#: Errors that cannot get better by trying again, unless a retry rule names them.
NOT_RETRIED: frozenset[str] = frozenset(
    {
        "INVALID_BLUEPRINT",
        "INVALID_INPUT",
        "CIRCULAR_DEPENDENCY",
        "UNKNOWN_REFERENCE",
        "UNKNOWN_NODE_TYPE",
        "TYPE_MISMATCH",
        "EXPRESSION_ERROR",
        "CANCELLED",
        "TOOL_FAILED",
        "LIMIT_EXCEEDED",
        "LOOP_LIMIT",
        "NOT_ALLOWED",
        "NOT_FOUND",
        "NOT_SUPPORTED",
        "AUTHENTICATION",
        "SQL_ERROR",
        "SQL_CONSTRAINT",
        "ATTEMPT_LOST",
        "CONFLICT",
        "UNAUTHENTICATED",
        "INTERNAL",
    }
)


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as it is stored, announced and shown.

    Attributes:
        code: Stable code, see ``CODES``.
        message: What the node said, unchanged.
        node: Path of the node that failed, such as ``group.inner``; None when no node did.
        attempt: Number of the attempt that failed, from 1; None when no node did.
        retryable: Whether trying again may help.
        details: Anything else, as plain data.
    """

    code: str
    message: str
    node: str | None = None
    attempt: int | None = None
    retryable: bool = False
    details: dict[str, object] | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a document, and where.

    Attributes:
        code: Stable code, see ``CODES``.
        message: What is wrong, in one sentence.
        path: Keys from the top, such as ``nodes.read.with.path``; empty for the document.
        line: Line of the place, from 1; None when there is no text.
        column: Column of the place, from 1; None when there is no text.
        hint: How to mend it, such as the nearest right name.
    """

    code: str
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """Show as ``line:column: message (hint) [CODE]``."""
        return f"{_said(self)} [{self.code}]"


def _said(problem: Problem) -> str:
    place = "" if problem.line is None else f"{problem.line}:{problem.column}: "
    return f"{place}{problem.message}" + (f" ({problem.hint})" if problem.hint else "")


class AtomitonError(Exception):
    """Base of every error that Atomiton raises on purpose.

    Attributes:
        code: Stable code, see ``CODES``.
        message: What went wrong, in one sentence.
        details: Anything else, as plain data.
    """

    code = "INTERNAL"

    def __init__(
        self, message: str, *, code: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = dict(details) if details else None


#: So many problems are told by the message of an error.
_TOLD = 10


class BlueprintError(AtomitonError):
    """The blueprint cannot be run; ``problems`` holds everything found, in document order."""

    code = "INVALID_BLUEPRINT"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first}{more}", code=first.code)
        self.problems = tuple(problems)
        # Whoever shows a message shows the code beside it, and may not show the problems.
        rest = len(problems) - _TOLD
        more = f"; and {rest} more" if rest > 0 else ""
        self.message = "; ".join(map(_said, self.problems[:_TOLD])) + more


class TracingError(BlueprintError):
    """A function that builds a blueprint did what only a run could do, or built it wrongly.

    Attributes:
        file: The user's file; None when there is none.
        line: Line in it, from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        column = None if line is None else 1
        super().__init__([Problem(self.code, message, line=line, column=column, hint=hint)])
        self.file = file
        self.line = line
        place = "" if file is None else f"{file}:{line}: "
        self.message = f"{place}{message}" + (f"; {hint}" if hint else "")
        self.args = (self.message,)


class InputError(BlueprintError):
    """The inputs do not fit what the blueprint declares."""

    code = "INVALID_INPUT"


class ExpressionError(AtomitonError):
    """An expression is malformed, or failed when it was evaluated.

    Attributes:
        source: Text of the expression.
        offset: Index in ``source`` of the place, from 0.
    """

    code = "EXPRESSION_ERROR"

    def __init__(self, message: str, *, source: str, offset: int, code: str | None = None) -> None:
        super().__init__(message, code=code, details={"expression": source, "offset": offset})
        self.source = source
        self.offset = offset


class NodeError(AtomitonError):
    """Raised by a node to say why it failed.

    Args:
        message: What went wrong; shown to users unchanged.
        code: Stable code in capitals, the node type's own or one of ``CODES``.
        retryable: Whether trying again may help; by default decided by the code.
        details: Anything else, as plain data.

    Example:
        >>> error = NodeError("no such account", code="NOT_FOUND")
        >>> error.retryable
        False
    """

    code = "NODE_FAILED"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retryable: bool | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.retryable = self.code not in NOT_RETRIED if retryable is None else retryable


class NotAllowed(NodeError):
    """A node asked for something its surroundings refuse."""

    code = "NOT_ALLOWED"


class RunFailed(AtomitonError):
    """A run ended as failed or cancelled, and its result was asked for.

    Attributes:
        info: The error that ended the run.
    """

    code = "NODE_FAILED"

    def __init__(self, run: str, info: ErrorInfo) -> None:
        super().__init__(f"run {run}: {info.message}", code=info.code, details=info.details)
        self.info = info


class StoreError(AtomitonError):
    """The store cannot be used, or its content is damaged."""

    code = "STORE_ERROR"


class RunBusy(StoreError):
    """Another living process drives this run."""

    code = "RUN_BUSY"


class Conflict(AtomitonError):
    """Somebody else has changed meanwhile what was to be changed; look again and decide."""

    code = "CONFLICT"


class NotFound(AtomitonError):
    """There is no run, blueprint or node type of that name."""

    code = "NOT_FOUND"


class Unavailable(AtomitonError):
    """The server cannot be reached, or takes nothing in just now."""

    code = "UNAVAILABLE"


class IllegalEvent(AtomitonError):
    """The machine was fed an event that cannot happen now: a bug in a driver."""

    code = "INTERNAL"
