"""``atomiton runs pause``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import run_argument
from atomiton.cli.runs.steering import pause


@click.command("pause")
@run_argument
@store_option
def command(run: str, store: str | None) -> None:
    """Let a run start nothing new until it is resumed or stepped; what runs goes on."""
    note(f"asked {asyncio.run(pause(run, store))} to pause")
