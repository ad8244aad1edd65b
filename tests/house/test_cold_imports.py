"""What is not needed is not loaded: counted in modules, which no busy machine can change."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
from tests.house.reading import ROOT

#: Loaded on first use only: extras, and what only some runs need.
HEAVY = {
    "aiohttp", "apsw", "httpx", "hypothesis", "IPython", "jsonschema", "multiprocessing", "numpy",
    "pandas", "pydantic", "pytest", "python_calamine", "sqlite3", "starlette",
    "temporalio", "unittest", "uvicorn", "uvloop", "xlsxwriter", "xml",
}  # fmt: skip

ONE_NODE = """
atomiton: 1
id: one-node
nodes:
  hello: {uses: data.value, with: {value: Hello}}
output: ${{ hello }}
"""


def command(*arguments: str) -> str:
    """The code of a command line, in a folder that holds a blueprint."""
    return f"""
import os, sys, tempfile
sys.argv = ["atomiton", *{arguments!r}]
from atomiton.cli import main
with tempfile.TemporaryDirectory() as folder:
    os.environ["ATOMITON_STORE"] = folder + "/runs.db"
    os.chdir(folder)
    open("one.yaml", "w").write({ONE_NODE!r})
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""


#: What a case needs of the heavy ones.
NEEDED = {"atomiton run": {"apsw"}}

#: What is run -> (its code, what it must not load besides the heavy, modules it may add in all).
CASES = {
    "import atomiton": ("import atomiton", {"click", "yaml"}, 200),
    "atomiton --help": (command("--help"), {"asyncio", "yaml"}, 150),
    "atomiton validate": (command("validate", "one.yaml"), set(), 310),
    "atomiton run in memory": (command("run", "one.yaml", "--durability", "none"), set(), 355),
    "atomiton run": (command("run", "one.yaml"), set(), 380),
}
#: Modules into which later Pythons have split what is one in 3.11.
LATER = 6 if sys.version_info >= (3, 12) else 0


def loaded_by(code: str) -> set[str]:
    """Modules that running some code in a fresh interpreter adds."""
    program = (
        "import sys\nbefore = set(sys.modules)\n"
        f"{code}\n"
        "print('\\n'.join(['--modules--', *sorted(set(sys.modules) - before)]))"
    )
    # Coverage, where it is measured, would load modules of its own into the new process.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("--modules--")[1].split())


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_needed_is_not_loaded(name: str) -> None:
    code, unneeded, _ = CASES[name]
    top = {module.split(".")[0] for module in loaded_by(code)}
    assert top & (HEAVY | unneeded) == NEEDED.get(name, set())


@pytest.mark.parametrize("name", CASES)
def test_no_more_modules_than_the_budget(name: str) -> None:
    code, _, budget = CASES[name]
    loaded = loaded_by(code)
    assert len(loaded) <= budget + LATER, sorted(loaded)


def test_a_loaded_module_is_seen() -> None:
    assert "json.decoder" in loaded_by("import json")
    assert "json" not in loaded_by("pass")


def test_the_heavy_modules_that_are_installed_can_be_seen() -> None:
    """A misspelt name in the list would never be found loaded."""
    expected = {"aiohttp", "apsw", "pydantic", "python_calamine", "xlsxwriter", "sqlite3"}
    assert expected <= HEAVY
    assert [name for name in expected if importlib.util.find_spec(name) is None] == []
