"""``atomiton worker``."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import nodes_option

if TYPE_CHECKING:
    from atomiton.conductor.temporal.worker import TemporalWorker, WorkerSettings


@click.command("worker")
@click.option(
    "--temporal",
    "server",
    required=True,
    metavar="HOST:PORT",
    help="The Temporal server; temporal://HOST:PORT/NAMESPACE?queue=NAME says all at once.",
)
@click.option("--queue", metavar="NAME", help="The task queue; by default atomiton.")
@click.option("--namespace", metavar="NAME", help="The namespace; by default default.")
@click.option("--tls", is_flag=True, help="Speak TLS; an API key is taken from TEMPORAL_API_KEY.")
@nodes_option
@click.option(
    "--attempts",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Most attempts at once.",
)
@click.option(
    "--cached",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="Runs kept in memory between their steps; others are replayed.",
)
@click.option(
    "--drain",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds for nodes at work when it stops.",
)
@click.option("--metrics", metavar="HOST:PORT", help="Serve numbers for Prometheus there.")
@click.option("--health", metavar="HOST:PORT", help="Serve /healthz and /readyz there.")
@click.option("--build", metavar="NAME", help="Version of the code, for a rolling upgrade.")
@click.option("--deployment", metavar="NAME", help="What it is a version of; by default the queue.")
def command(
    server: str,
    queue: str | None,
    namespace: str | None,
    nodes: tuple[str, ...],
    attempts: int,
    cached: int,
    drain: float,
    metrics: str | None,
    health: str | None,
    build: str | None,
    deployment: str | None,
    *,
    tls: bool,
) -> None:
    """Drive runs and run their nodes for a Temporal server.

    Any number of workers may share a task queue. SIGTERM or Ctrl-C stops it: it takes nothing new,
    and nodes at work have some time to end; others go on elsewhere. A second signal stops it at
    once.
    """
    from atomiton.conductor.places import SCHEME
    from atomiton.conductor.temporal.address import parse
    from atomiton.conductor.temporal.worker import WorkerSettings

    place = parse(server if server.startswith(SCHEME) else f"{SCHEME}{server}")
    settings = WorkerSettings(
        place.but(namespace=namespace, queue=queue, tls=tls or None),
        nodes=nodes,
        drain=drain,
        attempts=attempts,
        cached=cached,
        build=build or "",
        deployment=deployment or "",
        metrics=metrics or "",
    )
    asyncio.run(_work(settings, health))
    click.echo("stopped", err=True)


async def _work(settings: WorkerSettings, health: str | None) -> None:
    """Work until a signal comes."""
    from atomiton.conductor.temporal.worker import TemporalWorker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # a second one ends the process at once
        click.echo("stopping: nodes at work may end", err=True)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told)
    worker = TemporalWorker(settings)
    async with _looked_after(worker, health), worker:
        click.echo(f"working for {settings.place.address}")
        ended = asyncio.ensure_future(worker.stopped())
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if ended.done():
            await ended
        ended.cancel()


@asynccontextmanager
async def _looked_after(worker: TemporalWorker, health: str | None) -> AsyncGenerator[None]:
    """Say how the worker is, also while it stops, if somebody wants to know."""
    if health is None:
        yield
        return
    from atomiton.server.probes import probes

    async with probes(health, worker.ready) as address:
        click.echo(f"{address}/healthz says how it is", err=True)
        yield
