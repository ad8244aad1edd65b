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
    from atomiton.cli.tokens.opening import tokens_of, write_down

    tokens = tokens_of(store)
    tokens.remove(name)
    write_down(tokens, f"tokens remove {name}")
    note(f"removed {name}")
