"""``atomiton runs fork``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.prepare import given_inputs
from atomiton.cli.runs.again import Again, again
from atomiton.cli.runs.opening import run_argument
from atomiton.conductor.run import Run


@click.command("fork")
@run_argument
@click.argument("node", metavar="NODE")
@click.option(
    "--input", "-i", "given", multiple=True, metavar="NAME=VALUE", help="An input to change."
)
@click.option("--key", metavar="KEY", help="Make the new run only once under this key.")
@json_option
@nodes_option
@store_option
@click.option("--detach", is_flag=True, help="Leave the run on record once it only waits.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    run: str,
    node: str,
    given: tuple[str, ...],
    key: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
    detach: bool,
    quiet: bool,
) -> int:
    """Start a new run that begins where another one came to NODE.

    Results of before are kept; NODE and what waits for it runs, with the inputs that are changed.
    The other run stays as it is. Output and exit status are those of run.
    """

    async def start(conductor: Reached, id_: str) -> Run:
        document = await conductor.document(id_) if given else {}
        return await conductor.fork(id_, node, given_inputs(document, given), key=key)

    return asyncio.run(again(Again(run, nodes, store, as_json, quiet, detach), start))
