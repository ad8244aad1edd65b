"""``atomiton validate``."""

from __future__ import annotations

import click

from atomiton.cli.options import json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@nodes_option
def command(files: tuple[str, ...], nodes: tuple[str, ...], *, as_json: bool) -> int:
    """Check blueprints and print every problem.

    Nothing of a blueprint is run. Exit status: 0 if all files are valid, 2 if not.
    """
    from atomiton.cli.output import print_json
    from atomiton.cli.prepare import make_library
    from atomiton.cli.refusal import Refused, problem_object, problems_of, show_problems
    from atomiton.errors import AtomitonError

    try:
        library = make_library(nodes)
    except Refused as refused:
        if as_json:
            found = [problem_object(problem) for problem in refused.problems]
            print_json({"valid": False, "problems": found})
        else:
            show_problems(refused.problems, refused.file, err=False)
        return REFUSED
    listed: list[dict[str, object]] = []
    for file in files:
        try:
            library.load(file)
        except AtomitonError as error:
            problems = problems_of(error)
            name = {"file": file} if len(files) > 1 else {}
            listed += [{**name, **problem_object(problem)} for problem in problems]
            if not as_json:
                show_problems(problems, file, err=False)
        else:
            if not as_json:
                click.echo(f"{file}: valid")
    if as_json:
        print_json({"valid": not listed, "problems": listed})
    return REFUSED if listed else COMPLETED
