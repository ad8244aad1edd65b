"""``atomiton triggers pause``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import blueprints_option, store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import reached


@click.command("pause")
@click.argument("trigger", metavar="TRIGGER")
@blueprints_option
@store_option
def command(trigger: str, blueprints: str | None, store: str | None) -> None:
    """Let a trigger start nothing until it is resumed."""
    asyncio.run(_pause(trigger, store, blueprints))
    note(f"paused {trigger}")


async def _pause(trigger: str, store: str | None, blueprints: str | None) -> None:
    async with reached(store, blueprints=blueprints) as conductor:
        await conductor.pause_trigger(trigger, paused=True)
