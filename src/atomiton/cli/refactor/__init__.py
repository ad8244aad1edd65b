"""``atomiton refactor``: changes of a blueprint that keep its meaning."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "rename": "Rename a node and every reference to it.",
}


@click.group("refactor", cls=LazyGroup, package="atomiton.cli.refactor", verbs=VERBS)
def command() -> None:
    """Change a blueprint without changing what it means."""
