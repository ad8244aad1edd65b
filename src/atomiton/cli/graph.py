"""``atomiton graph``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import complete_file, json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint
    from atomiton.cli.compensation import Find
    from atomiton.cli.drawing import Drawing
    from atomiton.nodes.registry import Registry


@click.command("graph")
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg", "json"]),
    help="What to write; Mermaid by default. json is the same as --json.",
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
    as_json, form = as_json or form == "json", None if form == "json" else form
    try:
        library = make_library(nodes)
        blueprint = _read(file)
        drawing = drawing_of(blueprint, library.registry)
    except Refused as refused:
        show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    if compensation:
        _show_compensation(file, blueprint, library.registry, form, direction, as_json=as_json)
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
    file: str,
    blueprint: Blueprint,
    registry: Registry,
    form: str | None,
    direction: str,
    *,
    as_json: bool,
) -> None:
    from atomiton.cli.compensation import draw_undone, undone, whole
    from atomiton.cli.drawing import drawing_of
    from atomiton.cli.output import note, print_json

    drawing = drawing_of(blueprint, registry)
    found = undone(whole(blueprint, drawing, _called(file, blueprint, registry)))
    on = list(blueprint.compensate_on)
    if as_json:
        print_json({"blueprint": blueprint.id, "compensate_on": on, "compensation": found})
    elif form is not None:
        _draw(draw_undone(drawing, found), form, direction)
    elif not found:
        note("no node has 'compensate': nothing is undone")
    elif not on:
        note("'compensate_on' is empty: nothing is undone")
    else:
        width = max(len(undo.node) for undo in found)
        for number, undo in enumerate(found, 1):
            more = [
                *(["for each item or turn"] if undo.repeated else []),
                *(["also when it failed itself"] if undo.when_failed else []),
            ]
            said = f"  ({', '.join(more)})" if more else ""
            click.echo(f"{number:>3}  {undo.node:<{width}}  {undo.by}{said}")
        note(f"on {' and '.join(on)}, of what completed")


def _called(file: str, blueprint: Blueprint, registry: Registry) -> Find:
    """Finds the files of blueprints that are called; what cannot be read is not gone into."""
    from pathlib import Path

    from atomiton.cli.drawing import drawing_of
    from atomiton.cli.refusal import Refused
    from atomiton.conductor.calls import Calls
    from atomiton.errors import AtomitonError

    files = {id(blueprint): Path(file).resolve()}

    def read(path: Path) -> Blueprint:
        made = _read(str(path))
        files[id(made)] = path
        return made

    calls = Calls(
        read, lambda caller: files.get(id(caller)), lambda _caller, _name: None, blueprint
    )

    def find(caller: Blueprint, name: str) -> tuple[Blueprint, Drawing] | None:
        try:
            called = calls.resolve(caller, name)
        except (AtomitonError, Refused):
            return None
        return called, drawing_of(called, registry)

    return find


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
