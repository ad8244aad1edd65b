"""``atomiton runs step``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option
from atomiton.cli.output import note
from atomiton.cli.runs.opening import run_argument
from atomiton.cli.runs.steering import step


@click.command("step")
@run_argument
@store_option
def command(run: str, store: str | None) -> None:
    """Let a paused run start one more attempt."""
    note(f"asked {asyncio.run(step(run, store))} to take a step")
