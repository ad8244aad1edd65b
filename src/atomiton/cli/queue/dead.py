"""``atomiton queue dead``."""

from __future__ import annotations

import asyncio

import click
from msgspec import to_builtins

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import print_json
from atomiton.cli.runs.list import moment
from atomiton.cli.runs.opening import reached
from atomiton.ports.admission import DeadLetter

blueprint_option = click.option("--blueprint", metavar="ID", help="Only runs of this blueprint.")
code_option = click.option("--code", metavar="CODE", help="Only those that this error ended.")


@click.command("dead")
@blueprint_option
@code_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
@store_option
def command(
    blueprint: str | None, code: str | None, limit: int, store: str | None, *, as_json: bool
) -> None:
    """List queued runs that have failed and were not replayed, newest first."""
    letters = asyncio.run(_letters(store, blueprint, code, limit))
    if as_json:
        shown = [to_builtins(letter) for letter in letters]
        print_json([{**of, "ended_at": moment(of["ended_at"])} for of in shown])
        return
    if not letters:
        click.echo("no dead letters", err=True)
    for letter in letters:
        message = " ".join(letter.message.split())[:60]
        click.echo(f"{letter.run}  {letter.blueprint}  {message} [{letter.code}]")


async def _letters(
    store: str | None, blueprint: str | None, code: str | None, limit: int
) -> list[DeadLetter]:
    async with reached(store) as conductor:
        return await conductor.dead_letters(blueprint=blueprint, code=code, limit=limit)
