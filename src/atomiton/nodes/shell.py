"""The ``shell`` family: other programs."""

from __future__ import annotations

from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Process, injected


class Ended(TypedDict):
    """How a program ended.

    Attributes:
        exit_code: 0 if all went well, as a rule; below 0 if a signal ended it.
        stdout: What it wrote, as text.
        stderr: What it wrote of errors, as text.
        signal: The signal that ended it; null without one.
        timed_out: Whether its time was over.
    """

    exit_code: int
    stdout: str
    stderr: str
    signal: int | None
    timed_out: bool


@node(
    "shell.run",
    effect="once",
    title="Run program",
    icon="terminal",
    plain=True,
    example="""
    atomiton: 1
    id: shell-example
    nodes:
      hello:
        uses: shell.run
        with:
          command: [echo, Hello]
    output: ${{ hello.stdout }}
    """,
)
async def run(
    command: list[str],
    *,
    stdin: str | bytes | None = None,
    cwd: str | None = None,
    env: dict[str, str] | None = None,
    check: bool = True,
    process: Process = injected,
) -> Ended:
    """Run a program and wait for its end. No shell is between: the arguments arrive as they are.

    The node counts as not repeatable (`once`): an attempt that was lost is not run again unasked.
    When it is cancelled or runs out of time, the program and its children are ended. An attempt
    that runs out of its `timeout` fails the node with TIMEOUT, also with `check: false`, and gives
    no result: in a result `timed_out` is false. To go on, give the node `on_error`.

    Args:
        command: The program and its arguments, one item each.
        stdin: What the program reads.
        cwd: Folder it starts in.
        env: Variables to set besides those of this process.
        check: Whether an exit status other than 0 fails the node.
        process: The door to programs.
    """
    given = stdin.encode() if isinstance(stdin, str) else stdin
    ended = await process.run(command, stdin=given, cwd=cwd, env=env)
    stdout, stderr = ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace")
    if check and ended.exit_code != 0:
        how = f"killed by signal {ended.signal}" if ended.signal else f"status {ended.exit_code}"
        last = stderr.strip().rpartition("\n")[2][:500]
        raise NodeError(
            f"{command[0]!r} ended with {how}" + (f": {last}" if last else ""),
            code="PROCESS_FAILED",
            details={
                "exit_code": ended.exit_code,
                "signal": ended.signal,
                "stdout": stdout[-4000:],
                "stderr": stderr[-4000:],
            },
        )
    return {
        "exit_code": ended.exit_code,
        "stdout": stdout,
        "stderr": stderr,
        "signal": ended.signal,
        "timed_out": ended.timed_out,
    }
