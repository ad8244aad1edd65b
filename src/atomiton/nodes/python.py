"""The ``python`` family: code that stands in a blueprint."""

from __future__ import annotations

import keyword
import os
import sys
from pathlib import Path
from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.programs.command import Limits, told_ending
from atomiton.nodes.programs.talk import Conversation, request
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, Log, Process, Progress, injected

_RUNNER = str(Path(__file__).parent / "programs" / "running.py")
#: Variables that code sees; none of them can hold a secret.
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ")
_MIB = 1024 * 1024


class Returned(TypedDict):
    """What code gave."""

    result: object


@node(
    "python.run",
    effect="once",
    title="Run Python",
    icon="code",
    plain=True,
    example="""
    atomiton: 1
    id: python-example
    nodes:
      add:
        uses: python.run
        with:
          inputs: {prices: [3, 4, 5]}
          code: |
            total = sum(prices)
            return {"total": total, "average": total / len(prices)}
    output: ${{ add.result.total }}
    """,
)
async def run(
    code: str,
    inputs: dict[str, object] = {},  # noqa: B006 - never changed
    *,
    memory: int = 512,
    cpu: int = 60,
    process: Process = injected,
    attempt: Attempt = injected,
    progress: Progress = injected,
    log: Log = injected,
) -> Returned:
    """Run Python code in a process of its own; `return` gives the result, as JSON.

    The code is the body of a function, and `inputs` are its variables. It sees no variables of the
    environment and no secrets, but may reach files and the network as the user can who runs it:
    it is refused on servers that allow no programs. What it prints goes to the log. It counts as
    not repeatable (`once`), as whatever runs programs does.

    Args:
        code: Python, such as `return a + b`.
        inputs: Values by name; each name is a variable of the code.
        memory: Most MiB of memory that it may take (Linux only).
        cpu: Most seconds of processor that it may take.
        process: The door to programs.
        attempt: Whom it is for.
        progress: Not used by the code yet.
        log: Where what it prints goes.
    """
    for name in inputs:
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"inputs: {name!r} cannot be a variable of Python"
            raise NodeError(message, code="INVALID_INPUT")
    if not 16 <= memory <= 1024 * 1024 or not 1 <= cpu <= 86400:
        message = "memory is 16 MiB or more, and cpu from 1 to 86400 seconds"
        raise NodeError(message, code="INVALID_INPUT")
    asked = {"code": code, "inputs": inputs, "memory": memory * _MIB, "cpu": cpu}
    talk = Conversation(progress=progress, log=log, attempt=attempt)
    ended = await process.run(
        [sys.executable, "-I", _RUNNER],
        stdin=request("python.run", asked, attempt),
        env={name: os.environ[name] for name in _PASSED if name in os.environ},
        clean=True,
        on_output=talk.take,
    )
    how = told_ending(ended, Limits(cpu=cpu))
    return {"result": talk.result(how, well=ended.exit_code == 0, stderr=ended.stderr)}
