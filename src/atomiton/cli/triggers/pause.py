"""``atomiton triggers pause``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import reached


@click.command("pause")
@click.argument("trigger", metavar="TRIGGER")
@store_option
def command(trigger: str, store: str | None) -> None:
    """Let a trigger start nothing until it is resumed."""
    asyncio.run(_pause(trigger, store))
    note(f"paused {trigger}")


async def _pause(trigger: str, store: str | None) -> None:
    async with reached(store) as conductor:
        await conductor.pause_trigger(trigger, paused=True)
