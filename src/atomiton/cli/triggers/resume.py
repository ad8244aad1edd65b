"""``atomiton triggers resume``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import blueprints_option, store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import reached


@click.command("resume")
@click.argument("trigger", metavar="TRIGGER")
@blueprints_option
@store_option
def command(trigger: str, blueprints: str | None, store: str | None) -> None:
    """Let a paused trigger start runs again; what passed meanwhile was not missed."""
    asyncio.run(_resume(trigger, store, blueprints))
    note(f"resumed {trigger}")


async def _resume(trigger: str, store: str | None, blueprints: str | None) -> None:
    async with reached(store, blueprints=blueprints) as conductor:
        await conductor.pause_trigger(trigger, paused=False)
