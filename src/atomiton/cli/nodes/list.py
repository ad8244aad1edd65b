"""``atomiton nodes list``."""

from __future__ import annotations

import click

from atomiton.cli.nodes.describe import first_line, type_object
from atomiton.cli.options import json_option, nodes_option
from atomiton.cli.output import print_json
from atomiton.cli.prepare import make_library


@click.command("list")
@click.argument("prefix", default="", metavar="[PREFIX]")
@json_option
@nodes_option
def command(prefix: str, nodes: tuple[str, ...], *, as_json: bool) -> None:
    """List the node types, all or those whose name begins with PREFIX."""
    registry = make_library(nodes).registry
    types = [registry.get(name) for name in registry.names() if name.startswith(prefix)]
    if as_json:
        print_json([type_object(type_) for type_ in types])
        return
    width = max((len(type_.name) for type_ in types), default=0)
    for type_ in types:
        click.echo(f"{type_.name:{width}}  {first_line(type_.description)}".rstrip())
