"""``atomiton graph``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint
    from atomiton.cli.drawing import Drawing


@click.command("graph")
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    help="What to write; Mermaid by default.",
)
@click.option(
    "--direction",
    type=click.Choice(["LR", "TD"]),
    default="LR",
    show_default=True,
    help="Of Mermaid: left to right, or top down.",
)
@click.option("--compensation", is_flag=True, help="Show what is undone on failure, in order.")
@json_option
@nodes_option
def command(
    file: str,
    direction: str,
    form: str | None,
    nodes: tuple[str, ...],
    *,
    as_json: bool,
    compensation: bool,
) -> int:
    """Draw a blueprint, as a Mermaid diagram or as an SVG image.

    A solid line is a reference, with the field that it reads; a dashed line is an order without
    data ('needs'), with the route of a branch that it takes.

    With --compensation, list what would be undone if the run failed, the first first; with
    --format, draw it.
    """
    from atomiton.cli.drawing import drawing_of
    from atomiton.cli.output import print_json
    from atomiton.cli.prepare import make_library
    from atomiton.cli.refusal import Refused, show_problems

    if form == "svg" and direction != "LR":
        raise click.UsageError("--direction is for Mermaid: an SVG image goes from left to right")
    if as_json and form is not None:
        raise click.UsageError("give --json or --format, not both")
    try:
        library = make_library(nodes)
        blueprint = _read(file)
        drawing = drawing_of(blueprint, library.registry)
    except Refused as refused:
        show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    if compensation:
        _show_compensation(blueprint, drawing, form, direction, as_json=as_json)
    elif as_json:
        print_json(drawing)
    else:
        _draw(drawing, form, direction)
    return COMPLETED


def _draw(drawing: Drawing, form: str | None, direction: str) -> None:
    if form == "svg":
        from atomiton.cli.svg import draw_svg

        click.echo(draw_svg(drawing).encode(), nl=False)
    else:
        from atomiton.cli.drawing import draw

        click.echo(draw(drawing, direction))


def _show_compensation(
    blueprint: Blueprint, drawing: Drawing, form: str | None, direction: str, *, as_json: bool
) -> None:
    from atomiton.cli.compensation import draw_undone, undone
    from atomiton.cli.output import note, print_json

    found = undone(blueprint, drawing)
    if as_json:
        on = list(blueprint.compensate_on)
        print_json({"blueprint": blueprint.id, "compensate_on": on, "compensation": found})
    elif form is not None:
        _draw(draw_undone(drawing, found), form, direction)
    elif not found:
        note("no node has 'compensate': nothing is undone")
    else:
        width = max(len(undo.node) for undo in found)
        for number, undo in enumerate(found, 1):
            more = [
                *(["for each item or turn"] if undo.repeated else []),
                *(["also when it failed itself"] if undo.when_failed else []),
            ]
            said = f"  ({', '.join(more)})" if more else ""
            click.echo(f"{number:>3}  {undo.node:<{width}}  {undo.by}{said}")
        note(f"on {' and '.join(blueprint.compensate_on) or 'no end at all'}, of what completed")


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
