"""``atomiton tokens list``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from atomiton.cli.options import json_option, store_option


@click.command("list")
@json_option
@store_option
def command(store: str | None, *, as_json: bool) -> None:
    """List the tokens: their names and roles, not what they are."""
    from atomiton.cli.output import print_json
    from atomiton.cli.tokens.opening import tokens_of

    tokens = tokens_of(store).all()
    if as_json:
        names = ("name", "role", "created_at")
        print_json([{name: getattr(token, name) for name in names} for token in tokens])
        return
    width = max(4, *(len(token.name) for token in tokens))
    click.echo(f"{'NAME':{width}}  {'ROLE':8}  MADE")
    for token in tokens:
        made = datetime.fromtimestamp(token.created_at, UTC).astimezone()
        click.echo(f"{token.name:{width}}  {token.role:8}  {made:%Y-%m-%d %H:%M}")
