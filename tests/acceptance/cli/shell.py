"""Running the command line in a folder of its own, and what the folder holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

BLUEPRINTS = {
    "hello": """
atomiton: 1
id: hello
inputs:
  name: {type: string, default: world}
  count: {type: integer, default: 1}
  tags: {type: array, default: []}
nodes:
  greet:
    uses: data.value
    with:
      value: "Hello, ${{ inputs.name }}"
output: ${{ greet }}
""",
    "echo": """
atomiton: 1
id: echo
inputs:
  text: {type: string, default: ""}
  number: {type: number, default: 0}
  flag: {type: boolean, default: false}
  items: {type: array, default: []}
  any: {default: null}
nodes:
  all:
    uses: data.value
    with:
      value: ${{ inputs }}
output: ${{ all }}
""",
    "broken": """
atomiton: 1
id: broken
nodes:
  a:
    uses: data.valu
    with:
      value: 1
  b:
    uses: data.value
    with:
      value: ${{ nobody.x }}
""",
    "fails": """
atomiton: 1
id: fails
nodes:
  first: {uses: data.value, with: {value: 1}}
  charge:
    uses: flow.fail
    needs: [first]
    with: {message: the card was refused, code: CARD_REFUSED}
    retry: {attempts: 2, delay: 10ms}
""",
    "waits": """
atomiton: 1
id: waits
nodes:
  first: {uses: data.value, with: {value: 1}}
  nap: {wait: {for: 1m}, needs: [first]}
  last: {uses: data.value, with: {value: late}, needs: [nap]}
output: ${{ last }}
""",
    "naps": """
atomiton: 1
id: naps
nodes:
  first: {uses: data.value, with: {value: 1}}
  nap: {wait: {for: 2s}, needs: [first]}
  last: {uses: data.value, with: {value: late}, needs: [nap]}
output: ${{ last }}
""",
    "once": """
atomiton: 1
id: once
inputs: {file: string, seconds: {type: number, default: 0}}
nodes:
  act: {uses: mine.act, with: {file: "${{ inputs.file }}", seconds: "${{ inputs.seconds }}"}}
output: ${{ act }}
""",
}

NODES = '''
import time
from atomiton import node


@node("mine.act", effect="once", runtime="thread")
def act(file: str, seconds: float) -> str:
    """Act once."""
    with open(file, "a") as out:
        out.write("acted")
    time.sleep(seconds)
    return "acted"
'''


class Done(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict:
        return json.loads(self.out)


class Shell:
    """A folder with blueprints and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **os.environ,
            "ATOMITON_STORE": str(folder / "runs.db"),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *arguments: str, input_: str | None = None, **env: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "atomiton", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            input=input_ or "",
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "atomiton", *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def listed(self) -> list[dict]:
        return json.loads(self.run("runs", "list", "--json").out)


def eventually(true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read standard error up to the line that holds a text."""
    assert process.stderr is not None
    seen = ""
    while text not in seen:
        line = process.stderr.readline()
        assert line, f"it ended without {text!r}: {seen}"
        seen += line
    return seen
