"""``atomiton runs resume``."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import click

from atomiton.cli.elsewhere import Reached, mirroring
from atomiton.cli.follow import Follower, Left
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.output import note, print_json, result_object
from atomiton.cli.perform import report
from atomiton.cli.runs.opening import find_run, opened, reached
from atomiton.cli.screen import Screen, make_screen
from atomiton.cli.signals import Signals
from atomiton.cli.status import COMPLETED, FAILED, WAITING, status_of
from atomiton.conductor import Conductor
from atomiton.conductor.core import TOGETHER
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError, RunBusy
from atomiton.machine.events import Resumed
from atomiton.machine.records import encode


class _Asked(NamedTuple):
    run: str | None
    lost: str | None
    nodes: tuple[str, ...]
    store: str | None
    as_json: bool
    quiet: bool
    detach: bool


@click.command("resume")
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--repeat-lost", "lost", flag_value="repeat", help="Make lost attempts again.")
@click.option("--fail-lost", "lost", flag_value="fail", help="Let lost attempts fail.")
@json_option
@nodes_option
@store_option
@click.option("--detach", is_flag=True, help="Leave the run on record once it only waits.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    run: str | None,
    lost: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    as_json: bool,
    detach: bool,
    quiet: bool,
) -> int:
    """Let a run go on from its last stored fact; without RUN all that were interrupted.

    A node with the effect 'once' whose attempt was lost waits for a decision: --repeat-lost or
    --fail-lost. Exit status: as of run; for several 0 if all completed, 1 if one failed, else 4.
    """
    asked = _Asked(run, lost, nodes, store, as_json, quiet, detach)
    if run is None:
        return asyncio.run(_resume_all(asked))
    return asyncio.run(_resume_one(asked, run))


async def _resume_one(asked: _Asked, name: str) -> int:
    async with reached(asked.store, asked.nodes, strict=True) as conductor:
        run = await find_run(conductor, name)
        there = mirroring(conductor)
        if there is not None:
            told = (await conductor.header(run)).events
            await there.follow(run, told=told)
            await conductor.resume(run, lost=asked.lost)
            await there.reacted(run, told)
        else:
            assert isinstance(conductor, Conductor)
            try:
                await conductor.resume(run, lost=asked.lost)
            except RunBusy:
                if (await conductor.header(run)).status != "paused":
                    raise
                await conductor.journal.post(run, encode(Resumed(time.time())))
                note(f"asked {run} to go on")
                return COMPLETED
        screen = make_screen(conductor, quiet=asked.quiet)
        try:
            with Signals(screen.restore) as signals:
                result, left = await _follow(conductor, run, screen, signals, asked)
        finally:
            screen.close()
    report(result, None, durable=True, as_json=asked.as_json, quiet=asked.quiet, left=left)
    return status_of(result.status) if left is None else WAITING


async def _resume_all(asked: _Asked) -> int:
    async with opened(asked.store, asked.nodes, strict=True) as conductor:
        screen = make_screen(conductor, quiet=asked.quiet, lines=True)
        turn = asyncio.Semaphore(TOGETHER)

        async def go_on(run: str) -> RunResult | None:
            try:
                async with turn:
                    await conductor.resume(run, lost=asked.lost)
            except AtomitonError as error:
                note(f"{run} cannot go on: {error.message} [{error.code}]", fg="red")
                return None
            return (await _follow(conductor, run, screen, signals, asked))[0]

        try:
            with Signals(screen.restore) as signals:
                found = await asyncio.gather(*map(go_on, await _abandoned(conductor)))
        finally:
            screen.close()
    results = [result for result in found if result is not None]
    failed = len(results) < len(found)
    if asked.as_json:
        print_json([result_object(result) for result in results])
    if not results and not failed:
        note("no runs were interrupted")
    for result in results:
        why = f": {result.error.message}" if result.error else ""
        why = f": {result.reason}" if result.reason else why
        note(f"{result.run} {result.blueprint} {result.status}{why}")
    statuses = {status_of(result.status) for result in results}
    if failed:
        statuses.add(FAILED)
    if statuses <= {COMPLETED}:
        return COMPLETED
    return FAILED if FAILED in statuses else WAITING


async def _abandoned(conductor: Conductor) -> list[str]:
    """All unfinished runs that nobody drives, oldest first."""
    found: list[str] = []
    while more := await conductor.journal.abandoned(after=found[-1] if found else ""):
        found += more
    return found


async def _follow(
    conductor: Reached, run: str, screen: Screen, signals: Signals, asked: _Asked
) -> tuple[RunResult, Left | None]:
    follower = Follower(conductor, run, screen, signals, durable=True)
    try:
        return await follower.follow(detach=asked.detach), None
    except Left as leaving:
        return leaving.result, leaving
