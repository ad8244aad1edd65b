"""``atomiton run`` as a process that is stopped, and what it left behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.acceptance.cli.shell import eventually
from tests.acceptance.processes import programs

NODES = Path(__file__).with_name("stop_nodes.py")
ATOMITON = [sys.executable, "-m", "atomiton"]
OPTIONS = ["--store", "runs.db", "--nodes", str(NODES)]


def uses(type_: str, more: str = "") -> str:
    """A node of one of our types, in braces."""
    return f"{{uses: {type_}, with: {{log: '${{{{ inputs.log }}}}'}}{more}}}"


CLEAN = "{uses: stop.note, with: {log: '${{ inputs.log }}', text: clean}}"

#: A node is done and can be undone, ``it`` runs, one would follow, one cleans up.
BLUEPRINT = """
atomiton: 1
id: stop
inputs: {{log: string, many: {{type: array, default: []}}}}
nodes:
  done:
    uses: stop.note
    with: {{log: "${{{{ inputs.log }}}}", text: done}}
    compensate: {{uses: stop.note, with: {{log: "${{{{ inputs.log }}}}", text: undone}}}}
  work:
    needs: done
    nodes: {{it: {body}}}
  after: {{uses: stop.note, needs: work, with: {{log: "${{{{ inputs.log }}}}", text: after}}}}
  clean: {clean}
"""

CHILD = """
atomiton: 1
id: child
inputs: {log: string}
nodes:
  a: {uses: stop.block, with: {log: "${{ inputs.log }}"}}
  b: {uses: stop.sleep, with: {log: "${{ inputs.log }}"}}
"""


class Started:
    """``atomiton run`` as a process in a session of its own, and what it left behind.

    Args:
        folder: Where it runs.
        body: What it does until it is stopped: a node, in braces.
        clean: What it does then: a node, in braces.
        terminal: Whether its standard streams are a terminal, whose Ctrl-C key is pressed.
    """

    def __init__(
        self, folder: Path, body: str, clean: str = CLEAN, *, terminal: bool = False
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.mark = f"STOP_TEST_{os.getpid()}_{time.monotonic_ns()}"
        self.said = b""
        (folder / "stop.yaml").write_text(_blueprint(body, clean))
        (folder / "child.yaml").write_text(CHILD)
        inputs = {"log": str(self.log), "many": list(range(10_000))}
        (folder / "inputs.json").write_text(json.dumps(inputs))
        self._key, theirs = pty.openpty() if terminal else (None, None)
        self._errors = (folder / "errors").open("w+b")
        self.process = subprocess.Popen(
            [*ATOMITON, "run", "stop.yaml", "--inputs", "inputs.json", *OPTIONS],
            cwd=folder,
            env={**os.environ, "MARK": self.mark, "NO_COLOR": "1", "TERM": "xterm"},
            stdin=subprocess.DEVNULL if theirs is None else theirs,
            stdout=subprocess.DEVNULL if theirs is None else theirs,
            stderr=self._errors if theirs is None else theirs,
            preexec_fn=(lambda: os.login_tty(0)) if terminal else None,
            start_new_session=not terminal,
        )
        if theirs is not None:
            os.close(theirs)
            assert self._key is not None
            os.set_blocking(self._key, False)

    def wait_until_it_runs(self, sign: int | str) -> None:
        def seen() -> bool:
            assert self.process.poll() is None, self.text()
            if isinstance(sign, str):
                return sign in self.text()
            return self.log.read_bytes().count(b"runs") >= sign

        eventually(seen, 30)

    def press(self) -> None:
        """Press Ctrl-C: the terminal sends the signal to the whole group."""
        if self._key is None:
            os.killpg(self.process.pid, signal.SIGINT)
        else:
            os.write(self._key, b"\x03")

    def end(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.text()  # a terminal that nobody reads from would hold it up
            time.sleep(0.002)
        return self.process.wait(0.1)

    def text(self) -> str:
        """What it has said on standard error, or on the terminal, so far."""
        if self._key is None:
            return (self.folder / "errors").read_text()
        try:
            while part := os.read(self._key, 65536):
                self.said += part
        except (BlockingIOError, OSError):  # nothing now, or nobody at the other end any more
            pass
        return self.said.decode(errors="replace")

    def marks(self) -> list[str]:
        """What nodes left in the log, without those that only ran."""
        lines = self.log.read_text().split()
        return [line for line in lines if line not in ("runs", "refused")]

    def atomiton(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line beside it."""
        options = OPTIONS[:2] if arguments[1] == "list" else OPTIONS
        return subprocess.run(
            [*ATOMITON, *arguments, *options], cwd=self.folder, capture_output=True, text=True
        )

    def shown(self) -> dict:
        done = self.atomiton("runs", "show", "last", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def close(self) -> None:
        for process in programs(self.mark):
            os.kill(process, signal.SIGKILL)
        self.process.wait(5)
        self._errors.close()
        if self._key is not None:
            os.close(self._key)


def _blueprint(body: str, clean: str) -> str:
    tidy = clean[:-1] + ", needs: work, join: settled}"
    return BLUEPRINT.format(body=body, clean=tidy)
