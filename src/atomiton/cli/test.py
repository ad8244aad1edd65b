"""``atomiton test``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import complete_file, json_option
from atomiton.cli.status import COMPLETED, FAILED, REFUSED

if TYPE_CHECKING:
    from atomiton.testing.declared.model import Suite
    from atomiton.testing.declared.running import Outcome


@click.command("test")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE.test.yaml...", shell_complete=complete_file
)
@click.option("--only", metavar="TEXT", help="Run the tests only whose name holds this.")
@json_option
def command(files: tuple[str, ...], only: str | None, *, as_json: bool) -> int:
    """Run the tests beside blueprints.

    Each runs in virtual time, with its own files and without a network. All files are checked
    before the first test runs. Exit status: 0 all passed, 1 some failed, 2 a file was refused.
    """
    suites, refused = _load(files, as_json=as_json)
    if refused:
        if as_json:
            _print(passed=0, failed=0, tests=[], problems=refused)
        return REFUSED
    outcomes = _run(suites, only, as_json=as_json)
    failed = sum(not outcome.passed for _, outcome in outcomes)
    passed = len(outcomes) - failed
    if as_json:
        tests = [{"file": file, **_object(outcome)} for file, outcome in outcomes]
        _print(passed=passed, failed=failed, tests=tests, problems=[])
    else:
        from atomiton.cli.output import duration

        taken = duration(sum(outcome.took for _, outcome in outcomes))
        click.echo(f"{f'{failed} failed, ' if failed else ''}{passed} passed in {taken}")
    return FAILED if failed else COMPLETED


def _load(files: tuple[str, ...], *, as_json: bool) -> tuple[list[Suite], list[dict[str, object]]]:
    """Read all files; gives those that can be used, and all problems of the others."""
    from atomiton.cli.refusal import problem_object, show_problems
    from atomiton.testing.declared.running import Unusable, load_suite

    suites: list[Suite] = []
    refused: list[dict[str, object]] = []
    for file in files:
        try:
            suites.append(load_suite(Path(file)))
        except Unusable as error:
            at = error.file or file
            refused += [{"file": at, **problem_object(problem)} for problem in error.problems]
            if not as_json:
                show_problems(error.problems, error.file, err=False)
    return suites, refused


def _run(suites: list[Suite], only: str | None, *, as_json: bool) -> list[tuple[str, Outcome]]:
    """Run the tests, and show each as it ends; gives their files and outcomes."""
    from atomiton.errors import NotFound
    from atomiton.testing.declared.running import run_test

    outcomes: list[tuple[str, Outcome]] = []
    for suite in suites:
        tests = [test for test in suite.tests if only is None or only in test.name]
        if tests and not as_json:
            click.echo(suite.path)
        for test in tests:
            outcome = run_test(suite, test)
            outcomes.append((str(suite.path), outcome))
            if not as_json:
                _show(outcome)
    if not outcomes:
        raise NotFound(f"no test has a name with {only!r}")
    return outcomes


def _print(**said: object) -> None:
    from atomiton.cli.output import print_json

    print_json(said)


def _object(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.name,
        "passed": outcome.passed,
        "duration_ms": round(outcome.took * 1000, 3),
        "error": outcome.error,
        "differences": [
            {"path": it.path, "kind": it.kind, "expected": it.expected, "given": it.given}
            for it in outcome.differences
        ],
    }


def _show(outcome: Outcome) -> None:
    from atomiton.cli.output import duration

    if outcome.passed:
        click.echo(f"  passed  {outcome.name} ({duration(outcome.took)})")
        return
    click.echo(f"  FAILED  {outcome.name} ({duration(outcome.took)})")
    for difference in outcome.differences:
        click.echo(f"            {difference}")
    if outcome.error is not None:
        click.echo(f"            error: {outcome.error}")
