"""``atomiton secrets list``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import print_json
from atomiton.cli.runs.list import moment
from atomiton.cli.runs.opening import reached
from atomiton.ports.secrets import SecretInfo


@click.command("list")
@json_option
@store_option
def command(store: str | None, *, as_json: bool) -> None:
    """Name the secrets, with when they were set; never what they are."""
    found = asyncio.run(_secrets(store))
    if as_json:
        print_json([{"name": of.name, "updated_at": moment(of.updated_at)} for of in found])
        return
    for secret in found:
        at = datetime.fromtimestamp(secret.updated_at, UTC).astimezone()
        click.echo(f"{secret.name}  {at:%Y-%m-%d %H:%M}")


async def _secrets(store: str | None) -> list[SecretInfo]:
    async with reached(store) as conductor:
        return await conductor.secrets()
