"""``atomiton triggers resume``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import reached


@click.command("resume")
@click.argument("trigger", metavar="TRIGGER")
@store_option
def command(trigger: str, store: str | None) -> None:
    """Let a paused trigger start runs again; what passed meanwhile was not missed."""
    asyncio.run(_resume(trigger, store))
    note(f"resumed {trigger}")


async def _resume(trigger: str, store: str | None) -> None:
    async with reached(store) as conductor:
        await conductor.pause_trigger(trigger, paused=False)
