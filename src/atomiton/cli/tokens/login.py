"""``atomiton tokens login``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import store_option


@click.command("login")
@store_option
def command(store: str | None) -> None:
    """Print a link that logs a browser in to the server that runs, once.

    It works for 15 minutes, with the rights of the owner.
    """
    click.echo(asyncio.run(_link(store)))


async def _link(store: str | None) -> str:
    from atomiton.client import connect
    from atomiton.conductor.places import main_process
    from atomiton.conductor.wire import LoginLink
    from atomiton.errors import Unavailable

    address = main_process(store)
    if address is None:
        raise Unavailable("no server serves this store here: atomiton serve starts one")
    async with connect(address) as server:
        link = await server.calls.post("/logins", None, LoginLink)
    if link.address is None:
        message = "the server has a socket only, and no port that a browser could come to"
        raise Unavailable(f"{message}; start it without --no-port")
    return link.address + link.path
