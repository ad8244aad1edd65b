"""``atomiton queue replay``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.mirrors import Elsewhere
from atomiton.cli.options import nodes_option, store_option
from atomiton.cli.output import note
from atomiton.cli.queue.dead import blueprint_option, code_option
from atomiton.cli.runs.opening import find_run, reached
from atomiton.cli.status import COMPLETED, FAILED


@click.command("replay")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--all", "every", is_flag=True, help="All of the list, as the other options filter it."
)
@blueprint_option
@code_option
@nodes_option
@store_option
def command(
    runs: tuple[str, ...],
    blueprint: str | None,
    code: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    every: bool,
) -> int:
    """Do what failed again, as new runs that keep what had completed.

    Prints the id of each new run. Without a main process they run here, and are waited for; exit
    status 1 if one fails again.
    """
    if every == bool(runs):
        raise click.UsageError("name runs, or give --all")
    return asyncio.run(_replay(runs, blueprint, code, nodes, store))


async def _replay(
    names: tuple[str, ...],
    blueprint: str | None,
    code: str | None,
    nodes: tuple[str, ...],
    store: str | None,
) -> int:
    async with reached(store, nodes, strict=True) as conductor:
        found = [await find_run(conductor, name) for name in names]
        if not names:
            letters = await conductor.dead_letters(blueprint=blueprint, code=code, limit=1000)
            found = [letter.run for letter in letters]
        again = [await conductor.replay(run) for run in found]
        for run in again:
            click.echo(run.id)
        note(f"{len(again)} replayed")
        if isinstance(conductor, Elsewhere):
            return COMPLETED
        results = await asyncio.gather(*(run.result() for run in again))
        return COMPLETED if all(result.ok for result in results) else FAILED
