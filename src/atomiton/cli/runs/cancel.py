"""``atomiton runs cancel``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.output import note, print_json, result_object
from atomiton.cli.runs.opening import find_run, reached, run_argument
from atomiton.cli.status import COMPLETED, WAITING
from atomiton.conductor.result import RunResult


@click.command("cancel")
@run_argument
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the run.")
@click.option(
    "--wait",
    "patience",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds to wait for the run to end.",
)
@json_option
@nodes_option
@store_option
def command(
    run: str,
    reason: str,
    patience: float,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
) -> int:
    """Cancel a run, whichever process drives it, and wait until it has ended.

    Exit status: 0 if it has ended, 4 if it is still stopping.
    """
    result, ended = asyncio.run(_cancel(run, reason, patience, nodes, store))
    if as_json:
        print_json(result_object(result))
    note(f"{result.run} " + (f"has ended: {result.status}" if ended else "is still stopping"))
    return COMPLETED if ended else WAITING


async def _cancel(
    name: str, reason: str, patience: float, nodes: tuple[str, ...], store: str | None
) -> tuple[RunResult, bool]:
    async with reached(store, nodes) as conductor:
        run = await find_run(conductor, name)
        await conductor.cancel(run, reason)
        try:
            async with asyncio.timeout(patience):
                return await conductor.result(run), True
        except TimeoutError:
            return await conductor.show(run), False
