"""``atomiton secrets set``."""

from __future__ import annotations

import asyncio
import sys

import click

from atomiton.cli.mirrors import Elsewhere
from atomiton.cli.options import store_option
from atomiton.cli.output import is_terminal, note
from atomiton.cli.prepare import make_library
from atomiton.cli.runs.opening import lenient
from atomiton.conductor import Conductor
from atomiton.conductor.places import main_process


@click.command("set")
@click.argument("name", metavar="NAME")
@store_option
def command(name: str, store: str | None) -> None:
    """Keep a secret: asked for on a terminal, else read from standard input.

    It is never given on the command line, which others can see. One line break at its end is left
    out.
    """
    if is_terminal(sys.stdin):
        value: str = click.prompt(name, hide_input=True, confirmation_prompt=True)
    else:
        value = sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    asyncio.run(_set(name, value, store))
    note(f"kept {name}")


async def _set(name: str, value: str, store: str | None) -> None:
    address = main_process(store)
    if address is not None:
        async with Elsewhere(address, make_library((), lenient())) as main:
            await main.set_secret(name, value)
        return
    async with Conductor(store, resume=False) as conductor:
        await conductor.set_secret(name, value)
