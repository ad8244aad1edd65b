"""``atomiton cache``: the results of nodes that are kept."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "list": "Say how much is kept, by node type.",
    "clear": "Keep results no more.",
}


@click.group("cache", cls=LazyGroup, package="atomiton.cli.cache", verbs=VERBS)
def command() -> None:
    """Look at the results of nodes that say 'cache', and forget them."""
