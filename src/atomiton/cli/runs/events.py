"""``atomiton runs events``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import (
    is_within,
    json_option,
    node_option,
    nodes_option,
    store_option,
)
from atomiton.cli.output import print_json, to_json
from atomiton.cli.runs.list import moment
from atomiton.cli.runs.opening import find_run, reached, run_argument
from atomiton.events import RunEvent

#: Longest text of a fact that is shown on its line.
_WIDTH = 100


@click.command("events")
@run_argument
@click.option("--after", default=0, type=click.IntRange(0), help="Only facts after this number.")
@node_option
@json_option
@nodes_option
@store_option
def command(
    run: str,
    after: int,
    node: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the facts of a run that are on record.

    With --json one object on each line; its number can be given to --after the next time.
    """
    asyncio.run(_print(run, after, node, nodes, store, as_json=as_json))


async def _print(
    name: str,
    after: int,
    node: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
) -> None:
    async with reached(store, nodes) as conductor:
        run = await find_run(conductor, name)
        last = (await conductor.header(run)).events
        if after >= last:
            return
        async for event in conductor.events(run, after):
            if not is_within(event.node, node):
                pass
            elif as_json:
                print_json(event, line=True)
            else:
                click.echo(_line(event))
            if event.number >= last:
                return


def _line(event: RunEvent) -> str:
    fact = event.fact
    time = f"{moment(fact.time).astimezone():%H:%M:%S.%f}"[:-3]
    said = ""
    for name in ("inputs", "output", "error", "reason", "parameters", "amount"):
        value = getattr(fact, name, None)
        if value is not None and value not in ("", {}):
            said = f"  {to_json(value).decode()}"
    cached = getattr(fact, "cached", "")
    given = f"  as {cached} gave it" if cached else ""
    attempt = getattr(fact, "attempt", 0)
    again = f" (attempt {attempt})" if attempt > 1 else ""
    about = f"  {event.node}{again}" if event.node else ""
    return f"{event.number:>5}  {time}  {event.kind:17}{about}{said[:_WIDTH]}{given}".rstrip()
