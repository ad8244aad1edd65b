"""``atomiton cache list``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.runs.list import moment
from atomiton.cli.runs.opening import opened
from atomiton.ports.cache import KeptInfo


@click.command("list")
@json_option
@store_option
def command(store: str | None, *, as_json: bool) -> None:
    """Say how many results are kept of each node type, their size, and when the latest was."""
    found = asyncio.run(_list(store))
    if as_json:
        print_json([_object(of) for of in found])
    elif not found:
        note("no results are kept: a node keeps its own when it says 'cache'")
    else:
        _print(found)


def _object(of: KeptInfo) -> dict[str, object]:
    at = moment(of.kept_at)
    return {"type": of.type, "results": of.results, "bytes": of.bytes, "kept_at": at}


def _print(found: list[KeptInfo]) -> None:
    width = max(len(of.type) for of in found)
    for of in found:
        at = datetime.fromtimestamp(of.kept_at, UTC).astimezone()
        what = f"{of.results:>9,} kept  {of.bytes:>13,} bytes"
        click.echo(f"{of.type:<{width}}  {what}  {at:%Y-%m-%d %H:%M:%S}")


async def _list(store: str | None) -> list[KeptInfo]:
    async with opened(store) as conductor:
        return await conductor.results.list()
