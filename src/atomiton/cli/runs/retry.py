"""``atomiton runs retry``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.runs.again import Again, again
from atomiton.cli.runs.opening import run_argument
from atomiton.conductor.run import Run


@click.command("retry")
@run_argument
@click.option("--key", metavar="KEY", help="Make the new run only once under this key.")
@json_option
@nodes_option
@store_option
@click.option("--detach", is_flag=True, help="Leave the run on record once it only waits.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    run: str,
    key: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
    detach: bool,
    quiet: bool,
) -> int:
    """Do what a failed or cancelled run did not, as a new run.

    What had completed is not run again. Output and exit status are those of run.
    """

    async def start(conductor: Reached, id_: str) -> Run:
        return await conductor.retry(id_, key=key)

    return asyncio.run(again(Again(run, nodes, store, as_json, quiet, detach), start))
