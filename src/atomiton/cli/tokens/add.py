"""``atomiton tokens add``."""

from __future__ import annotations

from typing import Literal

import click

from atomiton.cli.options import store_option


@click.command("add")
@click.argument("name", metavar="NAME")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator", "owner"]),
    default="viewer",
    show_default=True,
    help="What it lets do.",
)
@store_option
def command(name: str, role: Literal["viewer", "operator", "owner"], store: str | None) -> None:
    """Make a token and print it: it is shown now, and never again."""
    from atomiton.cli.tokens.opening import tokens_of, write_down

    tokens = tokens_of(store)
    secret = tokens.add(name, role)
    write_down(tokens, f"tokens add {name} --role {role}")
    click.echo(secret)
