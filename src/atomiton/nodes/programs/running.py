"""What the process of ``python.run`` is: reads code and its inputs, runs it, writes what it gives.

Run as a file by a fresh interpreter that sees no variables (``-I``); it imports nothing of ours, so
that it starts in the time that Python takes. It speaks as any program of ``talk`` does.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import traceback
from datetime import date
from typing import Any, TextIO, cast

_NAME = "<code>"
_FUNCTION = "_code"


class Printed:
    """Where ``print`` writes: each line is something to log."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rest = ""

    def write(self, text: str) -> int:
        """Take some text."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            say(self._out, {"log": line})
        return len(text)

    def flush(self) -> None:
        """Nothing is held back but a line that has not ended."""

    def finish(self) -> None:
        """Log what has no end of a line."""
        if self._rest:
            self.write("\n")


def main() -> None:
    """Serve one request."""
    asked = json.loads(sys.stdin.buffer.readline())["inputs"]
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what programs started by the code print is no message
    printed = Printed(out)
    sys.stdout = printed  # it writes, and that is all print needs
    bound(asked["memory"], asked["cpu"])
    line = told(asked["code"], asked["inputs"])
    printed.finish()
    say(out, line)


def bound(memory: int, cpu: int) -> None:
    """Bound the memory (bytes) and the processor (seconds) of this process, for good."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    if sys.platform == "linux":  # others refuse it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def told(code: str, inputs: dict[str, object]) -> dict[str, object]:
    """Run code and give the line that tells of it: its output or its error."""
    try:
        function = compiled(code, inputs)
    except SyntaxError as error:
        return failed("INVALID_INPUT", f"line {error.lineno}: {error.msg}", None, retryable=False)
    try:
        result = function(**inputs)
        line = json.dumps({"output": result}, allow_nan=False, default=plain)
        return cast("dict[str, object]", json.loads(line))
    except MemoryError:
        return failed("LIMIT_EXCEEDED", "the code used more memory than it may", None)
    except BaseException as error:  # whatever ends the code is its outcome
        return raised(error)


def compiled(code: str, inputs: dict[str, object]) -> Any:  # noqa: ANN401 - whatever it returns
    """The code as the body of a function of its inputs, so that ``return`` gives the result."""
    tree = ast.parse(code, _NAME)
    body = tree.body or [ast.Pass()]
    frame = ast.parse(f"def {_FUNCTION}({', '.join(inputs)}): pass", _NAME)
    function = frame.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = body
    names: dict[str, Any] = {"__name__": "__code__"}
    exec(compile(frame, _NAME, "exec"), names)  # noqa: S102 - to run it is what it is for
    return names[_FUNCTION]


def plain(value: object) -> object:
    """What JSON writes for a value that it does not know."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"the result holds a {type(value).__name__}, which JSON cannot")


def raised(error: BaseException) -> dict[str, object]:
    """The line for an exception: where in the code it was raised, and its traceback."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename == _NAME]
    kind = type(error).__name__
    at = f"line {steps[-1].lineno}: " if steps else ""
    text = f"{at}{kind}: {error}" if str(error) else f"{at}{kind}"
    if not steps and isinstance(error, TypeError | ValueError):  # the result, not the code
        return failed("TYPE_MISMATCH", str(error), None, retryable=False)
    trace = "".join(
        f"  line {step.lineno}, in {'the code' if step.name == _FUNCTION else step.name}\n"
        for step in steps
    )
    return failed("NODE_FAILED", text, {"type": kind, "traceback": trace})


def failed(
    code: str, message: str, details: dict[str, object] | None, *, retryable: bool | None = None
) -> dict[str, object]:
    """The line for a failure."""
    error: dict[str, object] = {"code": code, "message": message}
    if retryable is not None:
        error["retryable"] = retryable
    if details is not None:
        error["details"] = details
    return {"error": error}


def say(out: TextIO, line: dict[str, object]) -> None:
    """Write one line."""
    out.write(json.dumps(line) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
