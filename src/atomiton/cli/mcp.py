"""``atomiton mcp``: blueprints as tools of an assistant, over standard input and output."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from atomiton.cli.options import nodes_option, store_option


@click.command("mcp")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    metavar="DIR",
    help="What nodes may read and write; the current folder by default.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["shell", "files"]),
    help="Let nodes run programs, or reach every file; may be given again.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=30.0,
    metavar="SECONDS",
    help="How long a tool waits for a run before it tells only its id; 30 by default.",
)
@nodes_option
@store_option
def command(
    folder: Path, allow: tuple[str, ...], wait: float, nodes: tuple[str, ...], store: str | None
) -> None:
    """Serve the kept blueprints as tools of an assistant (Model Context Protocol).

    The assistant starts this command and speaks with it over standard input and output. It can
    run kept blueprints, look at runs, and write and check blueprints; needs atomiton[mcp].
    """
    from atomiton.cli.mcp_server import serve_tools
    from atomiton.conductor import Conductor
    from atomiton.server.policy import server_library

    library = server_library(nodes, folder=folder.resolve(), allow=allow)

    async def main() -> None:
        conductor = Conductor(store)
        conductor.library = library
        conductor.capabilities = library.capabilities  # closed with the conductor
        async with conductor:
            await serve_tools(conductor, wait)

    asyncio.run(main())
