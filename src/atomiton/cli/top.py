"""``atomiton top``."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import duration, is_terminal, print_json
from atomiton.cli.runs.list import header_object
from atomiton.cli.runs.opening import reached
from atomiton.ports.admission import QueueSizes
from atomiton.ports.journal import RunHeader

_UNDER_WAY = ("running", "waiting", "paused", "queued")
_HOME, _BELOW = "\x1b[H", "\x1b[J"


@click.command("top")
@click.option(
    "--every", default=1.0, show_default=True, type=click.FloatRange(0.1), help="Seconds."
)
@click.option("--once", is_flag=True, help="Look once.")
@json_option
@store_option
def command(every: float, store: str | None, *, once: bool, as_json: bool) -> None:
    """Watch the runs that are under way, and the latest that ended, until Ctrl-C."""
    once = once or as_json or not is_terminal(sys.stdout)
    asyncio.run(_watch(store, every, once=once, as_json=as_json))


async def _watch(store: str | None, every: float, *, once: bool, as_json: bool) -> None:
    async with reached(store) as conductor:
        while True:
            sizes, counts, headers = await _look(conductor)
            if as_json:
                shown = [header_object(header) for header in headers]
                queue = {"waiting": sizes.waiting, "delayed": sizes.delayed}
                print_json({"counts": counts, "queue": queue, "runs": shown})
                return
            size = shutil.get_terminal_size()
            lines = _lines(sizes, counts, headers, 1000 if once else size.lines - 1)
            if once:
                click.echo("\n".join(lines))
                return
            text = "\n".join(f"{line[: size.columns - 1]}\x1b[K" for line in lines)
            sys.stdout.write(f"{_HOME}{text}\n{_BELOW}")
            sys.stdout.flush()
            await asyncio.sleep(every)


async def _look(conductor: Reached) -> tuple[QueueSizes, dict[str, int], list[RunHeader]]:
    under_way: list[RunHeader] = []
    counts: dict[str, int] = {}
    for status in _UNDER_WAY:
        found = await conductor.list(status=status, limit=1000)
        counts[status] = len(found)
        under_way += found
    under_way.sort(key=lambda header: header.run, reverse=True)
    latest = [of for of in await conductor.list(limit=50) if of.ended_at is not None]
    return await conductor.queue_sizes(), counts, [*under_way, *latest]


def _lines(
    sizes: QueueSizes, counts: dict[str, int], headers: list[RunHeader], most: int
) -> list[str]:
    now = time.time()
    total = "  ".join(f"{status} {number}" for status, number in counts.items())
    lines = [f"{time.strftime('%H:%M:%S')}  {total}  (in the queue {sizes.waiting})", ""]
    width = max([9, *(len(header.blueprint) for header in headers)])
    lines.append(f"{'RUN':30}  {'STATUS':9}  {'BLUEPRINT':{width}}  {'TIME':>8}  WHY")
    for header in headers:
        end = now if header.ended_at is None else header.ended_at
        took = duration(max(0.0, end - header.created_at))
        why = " ".join((header.error_message or header.reason or "").split())
        row = f"{header.run:30}  {header.status:9}  {header.blueprint:{width}}  {took:>8}  {why}"
        lines.append(row.rstrip())
    return lines[:most]
