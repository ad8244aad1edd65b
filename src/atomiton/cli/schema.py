"""``atomiton schema``."""

from __future__ import annotations

import click

from atomiton.cli.options import nodes_option


@click.command("schema")
@click.option("--plain", is_flag=True, help="The format only, without the node types.")
@nodes_option
def command(nodes: tuple[str, ...], *, plain: bool) -> None:
    """Print the JSON Schema of blueprints, for editors that check and complete.

    Save it and write on top of a blueprint:
    # yaml-language-server: $schema=blueprint.schema.json
    """
    from atomiton.blueprint.schema import format_schema
    from atomiton.cli.output import print_json
    from atomiton.cli.prepare import make_library

    types = [] if plain else make_library(nodes).registry.types()
    print_json(format_schema(types))
