"""``atomiton validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import complete_file, json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint
    from atomiton.conductor.library import Library


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
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
    warnings: list[str] = []
    for file in files:
        try:
            blueprint = library.load(file)
        except AtomitonError as error:
            problems = problems_of(error)
            name = {"file": file} if len(files) > 1 else {}
            listed += [{**name, **problem_object(problem)} for problem in problems]
            if not as_json:
                show_problems(problems, file, err=False)
        else:
            if not as_json:
                click.echo(f"{file}: valid")
            for note in _notes(library, blueprint):
                warnings.append(note)
                if not as_json:
                    click.echo(f"{file}: note: {note}")
    if as_json:
        more = {"warnings": warnings} if warnings else {}
        print_json({"valid": not listed, "problems": listed, **more})
    return REFUSED if listed else COMPLETED


def _notes(library: Library, blueprint: Blueprint) -> list[str]:
    """What is right, but will not stay so: node types that are not to be used any more."""
    from atomiton.nodes.spec import NodeType

    uses = library.program(blueprint).plan.uses
    return [
        f"node '{node.id}': '{node.type.name}@{node.type.version}' is deprecated: "
        f"{node.type.deprecated}"
        for node in uses
        if isinstance(node.type, NodeType) and node.type.deprecated
    ]
