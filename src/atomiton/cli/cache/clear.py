"""``atomiton cache clear``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.runs.opening import opened


@click.command("clear")
@click.argument("type_", metavar="[TYPE]", required=False)
@json_option
@store_option
def command(type_: str | None, store: str | None, *, as_json: bool) -> None:
    """Keep no more what nodes of a TYPE gave, such as http.request, or what any did.

    The next attempt of each calls its node again. Runs are not touched.
    """
    cleared = asyncio.run(_clear(type_, store))
    if as_json:
        print_json({"cleared": cleared})
    else:
        note(f"cleared {cleared:,} kept result{'' if cleared == 1 else 's'}")


async def _clear(of: str | None, store: str | None) -> int:
    async with opened(store) as conductor:
        return await conductor.results.clear(of)
