"""``atomiton test``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import json_option
from atomiton.cli.status import COMPLETED, FAILED, REFUSED

if TYPE_CHECKING:
    from atomiton.testing.declared.model import Suite
    from atomiton.testing.declared.running import Outcome


@click.command("test")
@click.argument("files", nargs=-1, required=True, metavar="FILE.test.yaml...")
@click.option("--only", metavar="TEXT", help="Run the tests only whose name holds this.")
@json_option
def command(files: tuple[str, ...], only: str | None, *, as_json: bool) -> int:
    """Run the tests beside blueprints.

    Each runs in virtual time, with its own files and without a network. All files are checked
    before the first test runs. Exit status: 0 all passed, 1 some failed, 2 a file was refused.
    """
    from atomiton.cli.output import print_json
    from atomiton.cli.refusal import problem_object, show_problems
    from atomiton.testing.declared.running import Unusable, load_suite, run_test

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
    if refused:
        if as_json:
            print_json({"passed": 0, "failed": 0, "tests": [], "problems": refused})
        return REFUSED
    listed: list[dict[str, object]] = []
    outcomes: list[Outcome] = []
    for suite in suites:
        if not as_json:
            click.echo(suite.path)
        for test in suite.tests:
            if only is not None and only not in test.name:
                continue
            outcome = run_test(suite, test)
            outcomes.append(outcome)
            listed.append({"file": str(suite.path), **_object(outcome)})
            if not as_json:
                _show(outcome)
    failed = sum(not outcome.passed for outcome in outcomes)
    if as_json:
        passed = len(outcomes) - failed
        print_json({"passed": passed, "failed": failed, "tests": listed, "problems": []})
    else:
        _sum_up(outcomes, failed)
    return FAILED if failed else COMPLETED


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


def _sum_up(outcomes: list[Outcome], failed: int) -> None:
    from atomiton.cli.output import duration

    taken = duration(sum(outcome.took for outcome in outcomes))
    passed = f"{len(outcomes) - failed} passed"
    click.echo(f"{f'{failed} failed, ' if failed else ''}{passed} in {taken}")
