"""``atomiton runs prune``."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import click

from atomiton.blueprint.durations import parse_duration
from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import is_terminal, note, print_json
from atomiton.cli.runs.opening import opened
from atomiton.conductor import Conductor
from atomiton.conductor.pruning import give_back, prunable, prune
from atomiton.ports.retention import ENDINGS, Retention

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

#: Ids that are printed of what would be deleted.
_SHOWN = 20


def _duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> object:
    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("prune")
@click.option(
    "--older-than", callback=_duration, metavar="DURATION", help="Ended longer ago than this: 30d."
)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the newest N.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(ENDINGS), help="Only those of it."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@json_option
@store_option
def command(
    older_than: float | None,
    keep: int | None,
    statuses: tuple[str, ...],
    store: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete runs that have ended, by age and count, and give their space back.

    A run is deleted if everything asked for holds: it ended longer ago than --older-than and is not
    one of the newest --keep (of the --status). One of the two must be given. Unfinished runs are
    never touched. What only deleted runs needed goes with them: large values and blueprints.
    """
    if older_than is None and keep is None:
        raise click.UsageError("say what to delete: --older-than 30d, --keep 1000, or both")
    before = None if older_than is None else time.time() - older_than
    retention = Retention(ended_before=before, keep=keep or 0, statuses=statuses)
    if dry_run:
        _print_plan(asyncio.run(_plan(store, retention)), as_json=as_json)
        return
    runs, bytes_ = asyncio.run(_prune(store, retention))
    if as_json:
        print_json({"deleted": runs, "bytes": bytes_})
    else:
        note(f"{runs:,} runs deleted, {max(0, bytes_):,} bytes given back")


def _print_plan(runs: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"would_delete": runs})
        return
    for run in runs[:_SHOWN]:
        click.echo(run)
    if len(runs) > _SHOWN:
        click.echo(f"... and {len(runs) - _SHOWN:,} more")
    note(f"{len(runs):,} runs would be deleted")


async def _plan(store: str | None, retention: Retention) -> list[str]:
    async with opened(store) as conductor:
        return [run async for runs in prunable(conductor.journal, retention) for run in runs]


async def _prune(store: str | None, retention: Retention) -> tuple[int, int]:
    async with opened(store) as conductor:
        before = _size(conductor)
        total = sum([len(runs) async for runs in prunable(conductor.journal, retention)])
        with _bar(total, "deleting") as bar:
            count = await prune(
                conductor.journal, retention, lambda done: bar.update(done - bar.pos)
            )
        left: list[int] = []
        with _bar(100, "giving back") as bar:

            def told(bytes_: int) -> None:
                left.append(bytes_)
                share = 100 - round(100 * bytes_ / max(1, left[0]))
                bar.update(max(0, share - bar.pos))

            await give_back(conductor.journal, told)
        return count, before - _size(conductor)


def _bar(length: int, label: str) -> ProgressBar[int]:
    hidden = not is_terminal(sys.stderr) or not length
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden)


def _size(conductor: Conductor) -> int:
    """Bytes of the store with its log."""
    path = getattr(conductor.journal, "path", None)
    if path is None:
        return 0
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
