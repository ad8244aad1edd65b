"""Showing what was refused before anything ran: every problem, with its place in the text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import click

from atomiton.errors import AtomitonError, BlueprintError, Problem

#: Longest part of a source line that is shown.
_WIDTH = 100


class Refused(Exception):
    """A run, or a file, that was refused.

    Attributes:
        problems: Everything that is wrong.
        file: Name of the file that the places are in; empty when there is none.
        blueprint: Id of the blueprint, once known.
    """

    def __init__(
        self, problems: Sequence[Problem], file: str = "", blueprint: str | None = None
    ) -> None:
        super().__init__(str(problems[0]))
        self.problems = problems
        self.file = file
        self.blueprint = blueprint


def problems_of(error: AtomitonError) -> Sequence[Problem]:
    """What is wrong, in the form of problems."""
    if isinstance(error, BlueprintError):
        return error.problems
    return [Problem(error.code, error.message)]


def problem_object(problem: Problem) -> dict[str, object]:
    """A problem as ``--json`` shows it, with every field."""
    return {
        "code": problem.code,
        "message": problem.message,
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "hint": problem.hint,
    }


def print_refusal(problems: Sequence[Problem], blueprint: str | None = None) -> None:
    """Print a refused run as JSON: the object of a run, with its problems."""
    from atomiton.cli.output import print_json

    found = [problem_object(problem) for problem in problems]
    print_json(
        {
            "run": None,
            "blueprint": blueprint,
            "status": "refused",
            "output": None,
            "error": found[0],
            "nodes": {},
            "compensation": {"completed": [], "failed": []},
            "duration_ms": None,
            "problems": found,
        }
    )


def show_problems(problems: Sequence[Problem], file: str, *, err: bool) -> None:
    """Write problems for people, each with the line of the file that it is about."""
    lines = _lines(file) if any(problem.line for problem in problems) else []
    for problem in problems:
        if not file:
            click.echo(f"error: {problem}", err=err)
        elif problem.line is None:
            click.echo(f"{file}: {problem}", err=err)
        else:
            click.echo(f"{file}:{problem}", err=err)
            for line in excerpt(lines, problem.line, problem.column or 1):
                click.echo(line, err=err)


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def excerpt(lines: Sequence[str], line: int, column: int) -> list[str]:
    r"""A line of a text and a caret below the column; empty if there is no such line.

    Example:
        >>> print(*excerpt(["id: x", "nodez: {}"], 2, 1), sep="\n")
            2 | nodez: {}
              | ^
    """
    if not 1 <= line <= len(lines):
        return []
    text = lines[line - 1]
    start = max(0, column - _WIDTH // 2) if len(text) > _WIDTH else 0
    shown = "".join(" " if char == "\t" else char for char in text[start : start + _WIDTH])
    before = shown[: column - 1 - start]
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in before)
    caret = " " * (max(0, column - 1 - start) + wide) + "^"
    return [f"{line:>5} | {shown.rstrip()}", f"      | {caret}"]
