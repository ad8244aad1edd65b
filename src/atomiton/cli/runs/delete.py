"""``atomiton runs delete``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.runs.opening import find_run, opened, run_argument


@click.command("delete")
@run_argument
@json_option
@store_option
def command(run: str, store: str | None, *, as_json: bool) -> None:
    """Delete a run that has ended, with everything that is kept of it.

    Its space is used by later runs; `runs prune` gives it back to the disk.
    """
    deleted = asyncio.run(_delete(run, store))
    if as_json:
        print_json({"deleted": deleted})
    else:
        note(f"{deleted} is deleted")


async def _delete(name: str, store: str | None) -> str:
    from atomiton.conductor.pruning import delete

    async with opened(store) as conductor:
        run = await find_run(conductor, name)
        await delete(conductor.journal, run)
        return run
