"""``atomiton runs watch``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.perform import report
from atomiton.cli.runs.list import undriven
from atomiton.cli.runs.opening import find_run, reached, run_argument
from atomiton.cli.screen import Lines
from atomiton.cli.status import WAITING, status_of
from atomiton.conductor.result import RunResult

#: Seconds between looks whether somebody still drives the run.
_LOOK = 1.0


@click.command("watch")
@run_argument
@click.option("--timeout", metavar="TIME", help="Watch no longer than this, such as 5m.")
@json_option
@nodes_option
@store_option
def command(
    run: str, timeout: str | None, nodes: tuple[str, ...], store: str | None, *, as_json: bool
) -> int:
    """Follow a run until it ends, and print its output.

    With --json its facts, one object on each line. Ctrl-C ends the watching, not the run. Exit
    status: that of the run, or 4 if it has not ended.
    """
    from atomiton.blueprint.durations import parse_duration

    try:
        seconds = None if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from error
    try:
        result = asyncio.run(_watch(run, nodes, store, seconds, as_json=as_json))
    except (KeyboardInterrupt, TimeoutError):
        note("no longer watching; the run goes on")
        return WAITING
    if not as_json:
        report(result, None, durable=True)
    return status_of(result.status)


async def _watch(
    name: str,
    nodes: tuple[str, ...],
    store: str | None,
    seconds: float | None,
    *,
    as_json: bool,
) -> RunResult:
    async with reached(store, nodes) as conductor, asyncio.timeout(seconds):
        run = await find_run(conductor, name)
        telling = asyncio.create_task(_tell(conductor, run, as_json=as_json))
        try:
            while not telling.done():
                await asyncio.wait([telling], timeout=_LOOK)
                header = await conductor.header(run)
                if undriven(header):
                    await asyncio.wait([telling], timeout=_LOOK)
                    break
            if telling.done():
                telling.result()
        finally:
            telling.cancel()
        return await conductor.show(run)


async def _tell(conductor: Reached, run: str, *, as_json: bool) -> None:
    screen = Lines(conductor)
    async for event in conductor.events(run):
        if as_json:
            print_json(event, line=True)
        else:
            screen.hear(event)
    screen.close()
