"""The whole process: ``atomiton run`` of one node, beside a Python that only imports asyncio.

python benchmarks/startup.py
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure import Figure, Side, compare, header, line, turns

ONE_NODE = """
atomiton: 1
id: one-node
nodes:
  hello: {uses: data.value, with: {value: Hello}}
output: ${{ hello }}
"""
IN_PYTHON = """
from atomiton import node, run
from atomiton.blueprint.document import read_document
@node("text.hello")
async def hello() -> str: return "Hello"
nodes = {"hello": {"uses": "text.hello"}}
assert run(read_document({"atomiton": 1, "id": "one", "nodes": nodes}), nodes=[hello]).ok
"""


def process(arguments: Sequence[str], environment: Mapping[str, str]) -> Side:
    async def start() -> None:
        subprocess.run(  # noqa: ASYNC221 - it is all there is to do
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    return start


def main(*, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one-node.yaml")
        path.write_text(ONE_NODE)
        environment = {**os.environ, "ATOMITON_STORE": f"{folder}/runs.db"}
        # Coverage would be measured along, and so would compiling what an installed package has
        # compiled long since.
        for name in ("COVERAGE_PROCESS_START", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        command = ["-m", "atomiton", "run", str(path)]
        sides = {
            "asyncio": process(["-c", "import asyncio"], environment),
            "bare": process(["-c", "pass"], environment),
            "help": process(["-m", "atomiton", "--help"], environment),
            "validate": process(["-m", "atomiton", "validate", str(path)], environment),
            "run": process(command, environment),
            "memory": process([*command, "--durability", "none"], environment),
            "python": process(["-c", IN_PYTHON], environment),
        }
        taken = asyncio.run(turns(sides, 7 if quick else 25))
    against = 'python -c "import asyncio"'
    names = {
        "run": ("W6 atomiton run one-node.yaml", 5),
        "memory": ("W6 ... --durability none", 5),
        "python": ("W6 import, define and run one node", 3),
    }
    bare = {
        "help": ("atomiton --help", None),
        "validate": ("atomiton validate one-node.yaml", None),
    }
    return [
        *(
            compare(name, taken[key], taken["bare"], "python -c pass", goal=goal, unit="ms")
            for key, (name, goal) in bare.items()
        ),
        *(
            compare(name, taken[key], taken["asyncio"], against, goal=goal, unit="ms")
            for key, (name, goal) in names.items()
        ),
    ]


if __name__ == "__main__":
    print(header())
    for figure in main(quick=False):
        print(line(figure))
