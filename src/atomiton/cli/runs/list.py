"""``atomiton runs list``."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import duration, note, print_json
from atomiton.cli.runs.opening import find_run, reached
from atomiton.errors import NotFound
from atomiton.ports.journal import RunHeader

_STATUSES = ("queued", "running", "waiting", "paused", "completed", "failed", "cancelled")


@click.command("list")
@click.option("--status", type=click.Choice(_STATUSES), help="Only runs of this status.")
@click.option("--blueprint", metavar="ID", help="Only runs of this blueprint.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most.")
@click.option("--before", metavar="RUN", help="Only runs that are older than this one.")
@json_option
@store_option
def command(
    status: str | None,
    blueprint: str | None,
    limit: int,
    before: str | None,
    store: str | None,
    *,
    as_json: bool,
) -> None:
    """List runs, newest first.

    A run whose process has died, and that nobody drives now, is shown as interrupted.
    """
    headers = asyncio.run(_headers(store, status, blueprint, before, limit + 1))
    more, headers = len(headers) > limit, headers[:limit]
    if as_json:
        print_json([header_object(header) for header in headers])
        return
    if not headers:
        click.echo("no runs", err=True)
        return
    width = max(9, *(len(header.blueprint) for header in headers))
    click.echo(f"{'RUN':30}  {'STATUS':11}  {'BLUEPRINT':{width}}  {'STARTED':19}  TOOK")
    for header in headers:
        click.echo(_row(header, width))
    if more:
        note(f"older ones: --before {headers[-1].run}", dim=True)


async def _headers(
    store: str | None, status: str | None, blueprint: str | None, before: str | None, limit: int
) -> list[RunHeader]:
    try:
        async with reached(store) as conductor:
            if before is not None:
                before = await find_run(conductor, before)
            return await conductor.list(
                status=status, blueprint=blueprint, before=before, limit=limit
            )
    except NotFound:
        if before is not None:
            raise
        return []  # no store: nothing was ever run


def undriven(header: RunHeader) -> bool:
    """Whether a run has not ended and no living process drives it."""
    return header.ended_at is None and header.owner is None


def _row(header: RunHeader, width: int) -> str:
    status = header.status
    if status == "running" and undriven(header):
        status = "interrupted"
    started = datetime.fromtimestamp(header.created_at).astimezone()
    end = time.time() if header.ended_at is None else header.ended_at
    took = duration(max(0.0, end - header.created_at))
    why = header.error_message or header.reason or ""
    more = f"  {' '.join(why.split())[:60]}" if why else ""
    return (
        f"{header.run:30}  {status:11}  {header.blueprint:{width}}  "
        f"{started:%Y-%m-%d %H:%M:%S}  {took}{more}"
    )


def header_object(header: RunHeader) -> dict[str, object]:
    """A run as a list shows it in JSON."""
    error = None
    if header.error_code is not None:
        error = {"code": header.error_code, "message": header.error_message}
    return {
        "run": header.run,
        "blueprint": header.blueprint,
        "version": header.version,
        "status": header.status,
        "driven": header.owner is not None,
        "created_at": moment(header.created_at),
        "ended_at": None if header.ended_at is None else moment(header.ended_at),
        "events": header.events,
        "key": header.key,
        "reason": header.reason,
        "error": error,
    }


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a moment that JSON shows in full."""
    return datetime.fromtimestamp(seconds, UTC)
