"""What mypy and pyright say of blueprints built in Python, right ones and wrong ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIGHT = ROOT / "tests" / "typing" / "builder.py"

HEAD = """\
from pathlib import Path
from atomiton import blueprint, branch, call, each, node, repeat, wait_for
from atomiton.nodes import file
@node
async def convert(total: float, currency: str = "EUR") -> str:
    return currency
@node("x.read")
def read(path: Path) -> list[float]:
    return []
@blueprint(id="x")
def report(path: Path, limit: int = 5) -> list[str]:
    return each(read(path), convert)
"""
#: A wrong line, and words of what mypy and pyright say of it.
WRONG = [
    ("convert('a')", 'incompatible type "str"; expected "float"', '"float"'),
    ("convert(1, curency='EUR')", "Unexpected keyword argument", 'No parameter named "curency"'),
    ("convert()", "Missing positional argument", 'missing for parameter "total"'),
    ("convert(1).total", '"str" has no attribute "total"', 'attribute "total" for class "str"'),
    ("convert.with_(timout=5)", "Unexpected keyword", 'No parameter named "timout"'),
    ("convert.with_(runtime='gpu')", 'Argument "runtime"', '"runtime" of type "RuntimeName'),
    ("convert.with_(timeout=5)('a')", 'incompatible type "str"; expected "float"', '"float"'),
    ("a: int = convert(1)", "Incompatible types in assignment", 'to declared type "int"'),
    (
        "b: str = convert.function(1)",
        'has type "Coroutine\\[object, object, str\\]"',
        '"CoroutineType|"Coroutine',
    ),
    ("report.run(5)", 'incompatible type "int"; expected "Path"', '"Path"'),
    ("report.run(Path(), limt=5)", "Unexpected keyword", 'No parameter named "limt"'),
    ("c: int = report.run(Path())", "Incompatible types in assignment", 'declared type "int"'),
    ("report(path='a')", 'incompatible type "str"; expected "Path"', '"Path"'),
    (
        "call(report, 5)",
        "No overload variant",
        'parameter "path" of type "Path"',
    ),
    ("each(['a'], convert)", "incompatible type|No overload variant|Cannot infer", '"str"|"float"'),
    (
        "d: list[int] = each([1.0], convert)",
        'expected "Callable\\[\\[float\\], int\\]"',
        '"list\\[int\\]"',
    ),
    ("each([1.0], convert, concurrency='a')", "No overload variant", "No overloads"),
    ("repeat(lambda n: n + 1, 0, untl=1, times='a')", "No overload variant", "No overloads"),
    (
        "branch(convert(1), then=lambda: 1)",
        "No overload variant",
        'parameter "condition" of type "bool"',
    ),
    ("e: int = branch(True, then=lambda: 1)", "int \\| None|Incompatible", '"int \\| None"|"None"'),
    ("wait_for(signal=5)", "No overload variant", 'parameter "signal" of type "str"'),
    ("file.read('a', as_='xml')", 'Argument "as_"', "xml"),
    (
        "file.read('a')['contents']",
        '"contents" is not a valid TypedDict key',
        '"contents" is not a defined key',
    ),
    (
        "@node(effect='pur')\ndef f() -> None: ...",
        "No overload variant|Argument",
        "No overloads|pur",
    ),
    ("@blueprint(name=5)\ndef g() -> None: ...", "No overload variant", 'parameter "name" of type'),
]


def wrong_file(folder: Path) -> tuple[Path, list[int]]:
    """A file of everything that is wrong, and the first line of each."""
    text = HEAD
    lines = []
    for code, _, _ in WRONG:
        lines.append(text.count("\n") + 1)
        text += f"{code}\n"
    path = folder / "wrong.py"
    path.write_text(text, encoding="utf-8")
    return path, lines


def run(*command: str | Path) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return ended.stdout + ended.stderr


def misses(said: dict[int, str], lines: list[int], words: list[str]) -> list[str]:
    """Wrong lines of which a checker does not say what it should, and right ones it refuses."""
    found = []
    known: set[int] = set()
    for place, (code, start, pattern) in enumerate(
        zip((code for code, _, _ in WRONG), lines, words, strict=True)
    ):
        end = lines[place + 1] if place + 1 < len(lines) else start + 2
        known |= set(range(start, end))
        message = " ".join(said.get(line, "") for line in range(start, end))
        if not re.search(pattern, message):
            found.append(f"{code}: {message!r}")
    return found + [f"line {line}: {text}" for line, text in said.items() if line not in known]


@pytest.mark.slow
def test_mypy_finds_what_is_wrong(tmp_path: Path) -> None:
    path, lines = wrong_file(tmp_path)
    said: dict[int, str] = {}
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context", path)
    for line, text in re.findall(r"wrong\.py:(\d+): (?:error|note): (.*)", output):
        said[int(line)] = said.get(int(line), "") + " " + text
    assert said, output
    assert misses(said, lines, [words for _, words, _ in WRONG]) == []


@pytest.mark.slow
def test_pyright_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    path, lines = wrong_file(tmp_path)
    output = run("pyright", "--outputjson", path, RIGHT)
    report = json.loads(output[output.index("{") :])["generalDiagnostics"]
    said: dict[int, str] = {}
    right = []
    for problem in report:
        if Path(problem["file"]).name != "wrong.py":
            right.append(problem["message"])
        elif not problem.get("rule", "").startswith(("reportUnused", "reportUnknown")):
            line = problem["range"]["start"]["line"] + 1
            said[line] = said.get(line, "") + " " + problem["message"]
    assert right == []
    assert misses(said, lines, [words for _, _, words in WRONG]) == []
