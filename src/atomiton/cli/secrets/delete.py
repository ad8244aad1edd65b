"""``atomiton secrets delete``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import reached


@click.command("delete")
@click.argument("name", metavar="NAME")
@store_option
def command(name: str, store: str | None) -> None:
    """Keep a secret no more; runs under way keep what they began with."""
    asyncio.run(_delete(name, store))
    note(f"deleted {name}")


async def _delete(name: str, store: str | None) -> None:
    async with reached(store) as conductor:
        await conductor.delete_secret(name)
