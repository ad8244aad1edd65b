"""``atomiton nodes show``."""

from __future__ import annotations

from typing import cast

import click

from atomiton.cli.nodes.describe import output_line, port_line, type_object, words
from atomiton.cli.options import json_option, nodes_option
from atomiton.cli.output import print_json
from atomiton.cli.prepare import make_library
from atomiton.nodes.spec import NodeType


@click.command("show")
@click.argument("name", metavar="TYPE")
@json_option
@nodes_option
def command(name: str, nodes: tuple[str, ...], *, as_json: bool) -> None:
    """Show the ports and an example of a node type, such as file.read."""
    type_ = make_library(nodes).registry.get(name)
    if as_json:
        print_json(type_object(type_))
    else:
        _print(type_)


def _print(type_: NodeType) -> None:
    click.echo(f"{type_.name}@{type_.version}  {type_.title}")
    if type_.description:
        click.echo(type_.details or type_.description)
    if type_.deprecated:
        click.echo(f"deprecated: {type_.deprecated}")
    click.echo(f"\neffect: {type_.effect}, runs: {type_.runtime}")
    click.echo("\ntakes")
    for parameter in type_.parameters:
        click.echo(f"  {port_line(parameter)}")
    if not type_.parameters:
        click.echo("  nothing")
    click.echo("\ngives")
    properties = type_.result.get("properties")
    if isinstance(properties, dict) and properties:
        for port, schema in cast("dict[str, object]", properties).items():
            click.echo(f"  {output_line(port, schema)}")
    else:
        click.echo(f"  {words(type_.result)}")
    if type_.example:
        click.echo("\nexample\n")
        for line in type_.example.rstrip().splitlines():
            click.echo(f"  {line}".rstrip())
