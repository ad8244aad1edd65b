"""``atomiton graph``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint


@click.command("graph")
@click.argument("file", metavar="FILE")
@click.option(
    "--direction",
    type=click.Choice(["LR", "TD"]),
    default="LR",
    show_default=True,
    help="Left to right, or top down.",
)
@json_option
@nodes_option
def command(file: str, direction: str, nodes: tuple[str, ...], *, as_json: bool) -> int:
    """Draw a blueprint as a Mermaid diagram.

    A solid line is a reference, with the field that it reads; a dashed line is an order without
    data ('needs').
    """
    from atomiton.cli.drawing import draw, drawing_of
    from atomiton.cli.output import print_json
    from atomiton.cli.prepare import make_library
    from atomiton.cli.refusal import Refused, show_problems

    try:
        library = make_library(nodes)
        drawing = drawing_of(_read(file), library.registry)
    except Refused as refused:
        show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    if as_json:
        print_json(drawing)
    else:
        click.echo(draw(drawing, direction))
    return COMPLETED


def _read(file: str) -> Blueprint:
    """Read the shape of a blueprint; what it cannot run, or refers to in vain, is still drawn."""
    from atomiton.blueprint.document import read_blueprint
    from atomiton.cli.prepare import read_source
    from atomiton.cli.refusal import Refused, problems_of
    from atomiton.errors import AtomitonError

    try:
        return read_blueprint(read_source(file), filename=file)[0]
    except AtomitonError as error:
        raise Refused(problems_of(error), file) from error
