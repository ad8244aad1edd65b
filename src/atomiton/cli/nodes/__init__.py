"""``atomiton nodes``: the node types."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "list": "List the node types.",
    "show": "Show the ports and an example of a node type.",
}


@click.group("nodes", cls=LazyGroup, package="atomiton.cli.nodes", verbs=VERBS)
def command() -> None:
    """Look up what a node can do."""
