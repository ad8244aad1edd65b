"""``atomiton triggers sync``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import blueprints_option, json_option, nodes_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.runs.opening import opened
from atomiton.cli.status import REFUSED
from atomiton.ports.triggers import Synced


@click.command("sync")
@click.option("--prune", is_flag=True, help="Remove those of blueprints that are not kept here.")
@click.option("--again", is_flag=True, help="Put those there again that have not changed, too.")
@json_option
@nodes_option
@blueprints_option
@store_option
def command(
    nodes: tuple[str, ...],
    blueprints: str | None,
    store: str | None,
    *,
    prune: bool,
    again: bool,
    as_json: bool,
) -> int:
    """Let a Temporal server know the schedules of kept blueprints: new, changed and removed ones.

    What was paused stays paused. The exit status is 2 if a schedule starts nothing, because its
    blueprint cannot be run or Temporal cannot keep to it; the others are synced all the same.
    """
    done = asyncio.run(_sync(store, nodes, blueprints, prune=prune, again=again))
    if as_json:
        print_json(done)
    else:
        _show(done)
    return REFUSED if done.problems else 0


async def _sync(
    store: str | None, nodes: tuple[str, ...], blueprints: str | None, *, prune: bool, again: bool
) -> Synced:
    async with opened(store, nodes, strict=True, blueprints=blueprints) as conductor:
        return await conductor.sync_triggers(prune=prune, again=again)


def _show(done: Synced) -> None:
    for what in ("created", "updated", "removed"):
        for trigger in getattr(done, what):
            click.echo(f"{what}  {trigger}")
    for trigger in done.left:
        note(f"left alone  {trigger}: its blueprint is not kept here; --prune removes it")
    for trigger, problem in done.problems.items():
        note(f"starts nothing  {trigger}: {problem}", fg="red")
    if done.unchanged:
        note(f"unchanged: {len(done.unchanged)}", dim=True)
