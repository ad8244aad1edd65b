"""Mutation testing of the machine: are its tests able to fail?

A mutant is the source with one small fault in it: a comparison turned round, a number off by one, a
condition negated, a statement or a result left out, a status taken for the next one. The fast tests
of the machine are run against each; a mutant that they let pass has *survived*: nobody would notice
that fault.

    python scripts/mutate.py                       # every mutant; takes as long as it takes
    python scripts/mutate.py --sample 300 --seed 7 # some of them, the same ones each time

Each mutant runs in a process of its own, forked from one that has loaded everything but our code,
so that most are dead within a second. Nothing is written to the source. Needs ``os.fork``.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple, cast

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "atomiton" / "machine"
#: Where the numbers that stand for a status, a kind or a join get their names.
NAMED = (SOURCES / "state.py", ROOT / "src" / "atomiton" / "blueprint" / "plan.py")
#: What is run against each mutant, the quickest first; what is not there is left out.
TESTS = (
    "tests/unit/machine",
    "tests/simulation/test_walks.py",
    "tests/acceptance/rules",
    "tests/acceptance/test_patterns.py",
    "tests/property/test_passing.py",
)
#: Seconds that a mutant may take at least; one that takes longer hangs, and so is found out.
PATIENCE = 10.0
#: Seconds that one test may take; the slowest takes less than one.
ONE_TEST = 10
#: Tests that are about speed: too slow here, and about no fault that others would not see.
TOO_SLOW = "hundred_thousand"

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
#: Functions are gone through by themselves; assertions are there for type checkers.
_ONCE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Assert)
#: ``strict=True`` of a ``zip`` asserts too: what is zipped is of one length.
_ASSERTS = "strict"
#: What is no part of how a program works. Of an error only whether it is raised matters.
_LEFT_ALONE: dict[type[ast.AST], tuple[str, ...]] = {
    ast.FunctionDef: ("returns", "decorator_list"), ast.Raise: ("exc", "cause"),
    ast.arguments: ("args", "kwonlyargs"),
}  # fmt: skip
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        path: The file that it is in.
        number: Its number among those of the file.
        line, column: Where, both from 1.
        what: The source before and after, in short.
    """

    path: Path
    number: int
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        """Where and what."""
        return f"{self.path.relative_to(ROOT)}:{self.line}:{self.column}  {self.what}"


# -- making mutants ------------------------------------------------------------------------------


def mutants(path: Path, tree: ast.Module, numbers: frozenset[str]) -> Iterator[Mutant]:
    """Every mutant of a file; while one is looked at, the tree is that of the mutant.

    Args:
        path: The file.
        tree: What it holds.
        numbers: Names of whole numbers that stand for something.
    """
    number = 0
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node, put in _parts(function):
                for at, what in _faults(node, put, numbers):
                    yield Mutant(path, number, at.lineno, at.col_offset + 1, what)
                    number += 1


Put = Callable[[ast.AST], object]


def _parts(node: ast.AST) -> Iterator[tuple[ast.AST, Put]]:
    """The nodes right below a node, each with what puts another in its place."""
    for name, value in ast.iter_fields(node):
        if name in _LEFT_ALONE.get(type(node), ("annotation", "ctx")):
            continue
        if isinstance(value, list):
            for place, part in enumerate(cast("list[object]", value)):
                if isinstance(part, ast.AST):
                    yield part, partial(value.__setitem__, place)
        elif isinstance(value, ast.AST):
            yield value, partial(setattr, node, name)


def _faults(
    node: ast.AST, put: Put, numbers: frozenset[str]
) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Put one fault after another in the place of a node, and of what is below it."""
    if isinstance(node, _ONCE) or (isinstance(node, ast.keyword) and node.arg == _ASSERTS):
        return
    if isinstance(node, ast.stmt | ast.expr):
        for changed in _changed(node, numbers):
            put(ast.fix_missing_locations(ast.copy_location(changed, node)))
            yield node, f"{_short(node)}  ->  {_short(changed)}"
            put(node)
    for part, put_part in _parts(node):
        yield from _faults(part, put_part, numbers)


def _changed(node: ast.stmt | ast.expr, numbers: frozenset[str]) -> Iterator[ast.stmt | ast.expr]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.stmt):
        yield from _changed_statement(node)
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            turned = copy.copy(node)
            turned.ops = list(node.ops)
            turned.ops[place] = _TURNED[type(operator)]()
            yield turned
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
        yield ast.BinOp(node.left, _OTHER[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in numbers:
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _changed_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Return):
        value = node.value
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Pass()
        elif not (isinstance(value, ast.Constant) and isinstance(value.value, bool)):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.If | ast.While) and not isinstance(
        node.test, ast.Compare | ast.UnaryOp | ast.BoolOp
    ):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield negated
    elif isinstance(node, ast.AugAssign | ast.Delete | ast.Raise | ast.Continue) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield ast.Pass()
    elif isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple):
        yield ast.Pass()  # a name that is not set is an error anywhere: no fault worth finding


def _short(node: ast.AST) -> str:
    lines = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()
    text = lines[0] + (" ..." if len(lines) > 1 else "")
    return text if len(text) <= 60 else f"{text[:57]}..."


def named_numbers() -> frozenset[str]:
    """Names of the whole numbers that stand for a status, a kind or a join."""
    return frozenset(
        statement.targets[0].id
        for path in NAMED
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
        and type(statement.value.value) is int
    )


def chosen(only: Sequence[str], sample: int, seed: int) -> list[Mutant]:
    """The mutants to try: of some files or all, all or a sample that a seed decides."""
    numbers = named_numbers()
    found = [
        mutant
        for path in sorted(SOURCES.glob("*.py"))
        if not only or path.stem in only
        for mutant in mutants(path, ast.parse(path.read_text(encoding="utf-8")), numbers)
    ]
    if 0 < sample < len(found):
        places = sorted(random.Random(seed).sample(range(len(found)), sample))
        found = [found[place] for place in places]
    return found


def code_of(mutant: Mutant) -> CodeType:
    """The faulty module."""
    tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
    for found in mutants(mutant.path, tree, named_numbers()):
        if found.number == mutant.number:
            return compile(tree, str(mutant.path), "exec")
    raise LookupError(f"there is no such mutant any more: {mutant}")


# -- trying them ---------------------------------------------------------------------------------


class _Finder(MetaPathFinder):
    """Finds one module as its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = f"atomiton.machine.{mutant.path.stem}"

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002 - its signature there
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module, if it is asked for."""
        if fullname != self._name:
            return None
        file = str(self._mutant.path)
        loader = _Loader(fullname, file, code_of(self._mutant))
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        """The code of the mutant."""
        return self._code


def run_tests(tests: Sequence[str]) -> int:
    """Run tests in this process, place after place; the exit status of the first to fail."""
    import pytest

    options = [
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--assert=plain",
        f"--timeout={ONE_TEST}",
    ]
    which = ["-m", "not slow and not campaign", "-k", f"not {TOO_SLOW}"]
    for place in tests:
        status = int(pytest.main([*options, *which, place]))
        if status:
            return status
    return 0


def fork(mutant: Mutant | None, tests: Sequence[str], report: Path | None = None) -> int:
    """Run the tests against a mutant in a process of its own; returns its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        with open(os.devnull if report is None else report, "w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        status = run_tests(tests)
        if mutant is None and not status:
            sys.stdout.write(json.dumps(["MODULES", *sys.modules]) + "\n")
        sys.stdout.flush()
    finally:
        os._exit(status)


def baseline(tests: Sequence[str]) -> tuple[float, list[str]]:
    """Run the tests against the source as it is.

    Returns:
        Seconds that they take, and the modules that they load.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "said"
        began = time.monotonic()
        _, status = os.waitpid(fork(None, tests, report), 0)
        text = report.read_text(encoding="utf-8", errors="replace")
        if os.waitstatus_to_exitcode(status):
            sys.exit(f"{text[-3000:]}\nThe tests fail without any mutant.")
    line = next(line for line in text.splitlines() if line.startswith('["MODULES"'))
    return time.monotonic() - began, json.loads(line)[1:]


def load(modules: Sequence[str]) -> None:
    """Load what the tests need of other people, once, before the processes fork off."""
    for name in modules:
        if name.partition(".")[0] not in ("atomiton", "tests", "examples", "__main__", "conftest"):
            try:
                importlib.import_module(name)
            except Exception:  # it is only loaded early: who needs it will say so
                continue


def survivors(
    found: Sequence[Mutant], tests: Sequence[str], jobs: int, patience: float
) -> list[Mutant]:
    """Try mutants, so many at once; those that no test has failed for."""
    todo = list(reversed(found))
    out: dict[int, tuple[Mutant, float]] = {}
    alive: list[Mutant] = []
    try:
        while todo or out:
            while todo and len(out) < jobs:
                mutant = todo.pop()
                out[fork(mutant, tests)] = (mutant, time.monotonic() + patience)
            time.sleep(0.01)
            for child, (mutant, end) in list(out.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if not ended and time.monotonic() > end:
                    os.killpg(child, signal.SIGKILL)
                    ended, status = os.waitpid(child, 0)
                    print(f"hung, so found: {mutant}", flush=True)
                if ended:
                    del out[child]
                    if status == 0:
                        alive.append(mutant)
                        print(f"survived: {mutant}", flush=True)
    finally:
        for child in out:
            os.killpg(child, signal.SIGKILL)
    return alive


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants and say which survived; 1 if they are too many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="*", help="files of the machine, such as joining; else all")
    parser.add_argument("--sample", type=int, default=0, help="how many to try; else all")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--least", type=float, default=90.0, help="percent that must be killed")
    wishes = parser.parse_args(arguments)
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    found = chosen(wishes.only, wishes.sample, wishes.seed)
    tests = [name for name in TESTS if (ROOT / name).exists()]
    seconds, modules = baseline(tests)
    load(modules)
    began = time.monotonic()
    patience = max(PATIENCE, 3 * seconds)
    alive = survivors(found, tests, wishes.jobs, patience)
    share = 100 * (1 - len(alive) / len(found)) if found else 0.0
    print(
        f"{len(found) - len(alive)} of {len(found)} mutants killed, {share:.1f} %, "
        f"in {time.monotonic() - began:.0f} s; at least {wishes.least:g} % must be"
    )
    return 0 if share >= wishes.least else 1


if __name__ == "__main__":
    sys.exit(main())
