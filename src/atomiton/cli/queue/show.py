"""``atomiton queue show``."""

from __future__ import annotations

import asyncio

import click
from msgspec import to_builtins

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import print_json
from atomiton.cli.runs.opening import reached
from atomiton.ports.admission import QueueSizes


@click.command("show")
@json_option
@store_option
def command(store: str | None, *, as_json: bool) -> None:
    """Tell how many runs wait for their turn or their time, and how many are under way."""
    sizes = asyncio.run(_sizes(store))
    if as_json:
        print_json(to_builtins(sizes))
        return
    click.echo(f"waiting  {sizes.waiting}")
    click.echo(f"delayed  {sizes.delayed}")
    click.echo(f"running  {sizes.running}")


async def _sizes(store: str | None) -> QueueSizes:
    async with reached(store) as conductor:
        return await conductor.queue_sizes()
