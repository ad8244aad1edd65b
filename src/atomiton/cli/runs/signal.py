"""``atomiton runs signal``."""

from __future__ import annotations

import asyncio
import json

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.runs.answering import Answer, answer
from atomiton.cli.runs.opening import run_argument


@click.command("signal")
@run_argument
@click.argument("name", metavar="NAME")
@click.argument("payload", metavar="[PAYLOAD]", required=False)
@click.option("--by", default="", metavar="WHO", help="Who sends it; kept with the run.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@json_option
@nodes_option
@store_option
def command(
    run: str,
    name: str,
    payload: str | None,
    by: str,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Send a run the signal NAME; PAYLOAD is JSON, or else taken as text.

    The wait that has waited longest and whose condition holds takes it; if there is none yet, it is
    kept. A run that nobody drives goes on here until it ends (exit status as of run) or waits again
    (4).
    """
    value: object = None
    if payload is not None:
        try:
            value = json.loads(payload)
        except ValueError:
            value = payload

    async def tell(conductor: Reached, id_: str) -> None:
        await conductor.signal(id_, name, value, by)

    return asyncio.run(answer(Answer(run, nodes, store, as_json, quiet), tell))
