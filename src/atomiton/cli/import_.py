"""``atomiton import``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import json_option
from atomiton.cli.status import COMPLETED, FAILED, REFUSED

if TYPE_CHECKING:
    from atomiton.interop import Imported, Report


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option(
    "--from",
    "format_",
    type=click.Choice(["n8n", "node-red", "serverless", "asl"]),
    help="What the file is; found out of its content by default.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write the blueprint.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@click.option("--strict", is_flag=True, help="Take differences as what is not mapped: end with 1.")
@json_option
def command(
    file: str,
    format_: str | None,
    output: str | None,
    *,
    overwrite: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Make a blueprint of a workflow of n8n, Node-RED, Serverless Workflow or AWS Step Functions.

    FILE is JSON or YAML, or - for standard input. The blueprint is written to standard output, the
    report to standard error: what is mapped, what with a difference, what not. What is not mapped
    is a node that fails, says why, and keeps what the file says of it under 'metadata'. With --json
    the report is printed, with the blueprint in it unless -o says where to write that.

    Exit status: 0 all is mapped, 1 something is not, 2 the file was refused.
    """
    from atomiton.cli.prepare import read_source
    from atomiton.cli.refusal import Refused, show_problems
    from atomiton.errors import BlueprintError, Problem
    from atomiton.interop import import_workflow

    try:
        text = sys.stdin.buffer.read() if file == "-" else read_source(file)
        name = "workflow" if file == "-" else file
        imported = import_workflow(text, format_, filename=name)
        if output is not None:
            _write(Path(output), imported.text, overwrite=overwrite)
    except (Refused, BlueprintError) as error:
        problems = error.problems
        if as_json:
            _print_refusal(problems)
        else:
            show_problems(problems, "" if file == "-" else file, err=True)
        return REFUSED
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        show_problems([Problem("NOT_FOUND", message)], "", err=True)
        return REFUSED
    _show(imported, output, as_json=as_json)
    report = imported.report
    done = report.exact if strict else report.complete
    return COMPLETED if done else FAILED


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    if not overwrite and path.exists():
        from atomiton.cli.refusal import Refused
        from atomiton.errors import Problem

        hint = "name another file, or give --overwrite"
        raise Refused([Problem("INVALID_INPUT", f"{path} is there already", hint=hint)])
    path.write_text(text, encoding="utf-8")


def _print_refusal(problems: object) -> None:
    from collections.abc import Sequence
    from typing import cast

    from atomiton.cli.output import print_json
    from atomiton.cli.refusal import problem_object
    from atomiton.errors import Problem

    found = [problem_object(problem) for problem in cast("Sequence[Problem]", problems)]
    print_json({"error": found[0], "problems": found})


def _show(imported: Imported, output: str | None, *, as_json: bool) -> None:
    from atomiton.cli.output import print_json

    if as_json:
        text = {"text": imported.text} if output is None else {"file": output}
        print_json({**imported.report.as_object(), **text})
        return
    if output is None:
        click.echo(imported.text.encode(), nl=False)
    _tell(imported.report, output)


def _tell(report: Report, output: str | None) -> None:
    """The report for people, what needs them last."""
    from atomiton.cli.output import note
    from atomiton.interop.report import WORDS

    counts = Counter(entry.status for entry in report.entries)
    width = min(40, max((len(entry.source) for entry in report.entries), default=0))
    for status, colour in (("mapped", "green"), ("different", "yellow"), ("not_mapped", "red")):
        for entry in report.entries:
            if entry.status != status:
                continue
            notes = f": {'; '.join(entry.notes)}" if entry.notes else ""
            word = (
                click.style(WORDS[entry.status], fg=colour)
                if sys.stderr.isatty()
                else WORDS[entry.status]
            )
            note(f"{entry.source:<{width}}  {entry.type}: {word}{notes}")
    said = ", ".join(f"{counts[status]} {word}" for status, word in WORDS.items())
    where = f"; written to {output}" if output else ""
    note(f"{report.format}: {said}{where}")
