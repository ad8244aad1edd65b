"""``atomiton tokens remove``."""

from __future__ import annotations

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note


@click.command("remove")
@click.argument("name", metavar="NAME")
@store_option
def command(name: str, store: str | None) -> None:
    """Let a token open nothing any more, nor the sessions that it has opened."""
    from atomiton.cli.tokens.opening import tokens_of

    tokens_of(store).remove(name)
    note(f"removed {name}")
