"""The tests of the machine can fail: most of the faults that are put into it are found by them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.mutate import ROOT, chosen, code_of, mutants

#: Percent of a sample of 40 that must be found.
LEAST = 65
SOURCE = '''
def f(a: int = 1) -> list[int] | None:
    """Says 3."""
    assert a
    if a and not a < 2:
        a.x = 3
        raise ValueError("4" + str(5))
    for b in a:
        g(b, key=DONE)
    return [c for c in a if c is None]
'''
FAULTS = [
    "1  ->  2",
    "a and (not a < 2)  ->  a or not a < 2",
    "not a < 2  ->  a < 2",
    "a < 2  ->  a <= 2",
    "2  ->  3",
    "a.x = 3  ->  pass",
    "3  ->  4",
    "raise ValueError('4' + str(5))  ->  pass",
    "g(b, key=DONE)  ->  pass",
    "DONE  ->  DONE + 1",
    "return [c for c in a if c is None]  ->  return None",
    "c is None  ->  c is not None",
]


def test_faults_are_put_in_one_at_a_time() -> None:
    tree = ast.parse(SOURCE)
    before = ast.dump(tree)
    made = [
        (mutant.what, ast.unparse(tree))
        for mutant in mutants(ROOT / "x.py", tree, frozenset({"DONE"}))
    ]
    assert [what for what, _ in made] == FAULTS
    assert len({text for _, text in made} | {ast.unparse(ast.parse(SOURCE))}) == len(FAULTS) + 1
    assert ast.dump(tree) == before


def test_a_seed_chooses_the_same_mutants_again() -> None:
    sample = chosen([], 30, 5)
    assert sample == chosen([], 30, 5) != chosen([], 30, 6)
    assert len(sample) == len({str(mutant) for mutant in sample}) == 30
    assert len(chosen(["joining"], 0, 0)) > 30
    for mutant in sample[:3]:
        assert code_of(mutant).co_filename == str(mutant.path)


def mutate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script, as ``make mutate`` does; without measuring the coverage of mutants."""
    environment = {name: value for name, value in os.environ.items() if "COV" not in name}
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "mutate.py", *arguments],
        env=environment,
        cwd=Path("/"),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.slow
def test_most_faults_in_the_machine_are_found() -> None:
    """A sample, which is quick; ``make mutate`` tries all of them and is stricter."""
    done = mutate("--sample", "40", "--seed", "2026", "--jobs", "2", "--least", f"{LEAST}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ of 40 mutants killed", done.stdout)


@pytest.mark.slow
def test_too_many_survivors_are_a_failure() -> None:
    done = mutate("timers", "--sample", "2", "--least", "100.1")
    assert done.returncode == 1
    assert "of 2 mutants killed" in done.stdout
