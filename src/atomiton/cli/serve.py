"""``atomiton serve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import nodes_option, store_option

if TYPE_CHECKING:
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
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME[:PORT]", help="Another name.")
@click.option(
    "--drain",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds for nodes at work when it stops.",
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
    nodes: tuple[str, ...],
    store: str | None,
    *,
    no_port: bool,
) -> None:
    """Serve the runs and blueprints of a store, and drive its runs.

    Prints its address and a link that logs a browser in, once. SIGTERM or Ctrl-C stops it: runs
    that have not ended go on at the next start. A second signal stops it at once.
    """
    from atomiton.server.serve import Settings, run_server

    settings = Settings(
        store=store,
        host=None if no_port else host,
        port=port,
        uds=uds,
        nodes=nodes,
        folder=folder,
        allow=allow,
        hosts=hosts,
        drain=drain,
    )
    run_server(settings, _tell)
    click.echo("stopped", err=True)


def _tell(serving: Serving) -> None:
    """Say where the server is."""
    if serving.address is not None:
        click.echo(f"serving at {serving.address}")
        click.echo(f"log in at  {serving.login}")
    if serving.socket is not None:
        click.echo(f"socket     {serving.socket}")
    click.echo(f"token in   {serving.tokens.folder / 'token'}")
