"""``atomiton serve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import nodes_option, store_option

if TYPE_CHECKING:
    from atomiton.ports.admission import Rate
    from atomiton.server.serve import Serving


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8750,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free one.",
)
@click.option("--no-port", is_flag=True, help="Only the socket for clients of this user.")
@click.option("--uds", type=click.Path(path_type=Path), help="Path of that socket, if not its own.")
@click.option(
    "--folder",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="What nodes may read and write.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["shell", "files"]),
    help="Let nodes run programs, or reach every file of this user.",
)
@click.option("--public-only", is_flag=True, help="Requests of nodes reach public addresses only.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME[:PORT]", help="Another name.")
@click.option(
    "--drain",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds for nodes at work when it stops.",
)
@click.option(
    "--log",
    type=click.Choice(["text", "json"]),
    help="Write a line for each run that ends, and each warning, to standard error.",
)
@click.option(
    "--concurrency", type=click.IntRange(1), metavar="N", help="Runs at once; others wait."
)
@click.option(
    "--per-blueprint",
    "blueprints",
    multiple=True,
    metavar="[ID=]N",
    help="Runs of a blueprint at once; may be repeated.",
)
@click.option(
    "--per-lane", "lane", type=click.IntRange(1), metavar="N", help="Runs of a lane at once."
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="[ID=]N/TIME",
    help="Runs of a blueprint that begin in a time, as in 10/1m; may be repeated.",
)
@click.option(
    "--blueprints",
    "kept",
    metavar="URL",
    help="Where blueprints are kept: a folder, sqlite:PATH, postgresql://... or s3://... "
    "By default beside the runs.",
)
@nodes_option
@store_option
def command(
    host: str,
    port: int,
    uds: Path | None,
    folder: Path,
    allow: tuple[str, ...],
    hosts: tuple[str, ...],
    drain: float,
    log: str | None,
    concurrency: int | None,
    blueprints: tuple[str, ...],
    lane: int | None,
    rates: tuple[str, ...],
    kept: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    no_port: bool,
    public_only: bool,
) -> None:
    """Serve the runs and blueprints of a store, and drive its runs.

    Prints its address and a link that logs a browser in, once. SIGTERM or Ctrl-C stops it: runs
    that have not ended go on at the next start. A second signal stops it at once.
    """
    from atomiton.ports.admission import Admission
    from atomiton.server.serve import Settings, run_server

    settings = Settings(
        store=store,
        host=None if no_port else host,
        port=port,
        uds=uds,
        nodes=nodes,
        folder=folder,
        allow=allow,
        public_only=public_only,
        hosts=hosts,
        drain=drain,
        blueprints=kept,
        admission=Admission(
            concurrency, dict(map(_number, blueprints)), lane, dict(map(_rate, rates))
        ),
    )
    if log is not None:
        from atomiton.server.logs import set_up

        set_up(log)
    run_server(settings, _tell)
    click.echo("stopped", err=True)


def _number(text: str) -> tuple[str, int]:
    """``ID=N``, or ``N`` for every blueprint that is not named."""
    found = _named_number(text)
    if found is None:
        message = f"give [BLUEPRINT=]N, a number from 1 on, as in 10 or mail=10, not {text!r}"
        raise click.BadParameter(message, param_hint="--per-blueprint")
    return found


def _named_number(text: str) -> tuple[str, int] | None:
    name, _, number = text.rpartition("=")
    if not (number.isascii() and number.isdecimal() and int(number)):
        return None
    return name or "*", int(number)


def _rate(text: str) -> tuple[str, Rate]:
    """``ID=N/TIME``, or ``N/TIME``."""
    from atomiton.blueprint.durations import parse_duration
    from atomiton.ports.admission import Rate

    given, _, time = text.rpartition("/")
    found = _named_number(given)
    if found is None:
        message = f"give [BLUEPRINT=]N/TIME, as in 10/1m or mail=10/1m, not {text!r}"
        raise click.BadParameter(message, param_hint="--rate")
    name, number = found
    try:
        seconds = parse_duration(time)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rate") from error
    if seconds <= 0:
        raise click.BadParameter("the time must be more than 0", param_hint="--rate")
    return name, Rate(number, seconds)


def _tell(serving: Serving) -> None:
    """Say where the server is."""
    if serving.address is not None:
        click.echo(f"serving at {serving.address}")
        click.echo(f"log in at  {serving.login}")
    if serving.socket is not None:
        click.echo(f"socket     {serving.socket}")
    click.echo(f"token in   {serving.tokens.folder / 'token'}")
