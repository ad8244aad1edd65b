"""``atomiton doctor``."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import sys
from pathlib import Path

import click

from atomiton.cli.options import json_option, store_option
from atomiton.cli.output import note, print_json
from atomiton.cli.status import COMPLETED, FAILED
from atomiton.cli.version import own_version
from atomiton.conductor import Conductor
from atomiton.errors import StoreError

_EXTRAS = {
    "http": ("aiohttp",),
    "sheets": ("python_calamine", "xlsxwriter"),
    "speed": ("uvloop",),
}


@click.command("doctor")
@json_option
@store_option
def command(store: str | None, *, as_json: bool) -> int:
    """Check the installation and every record of the store.

    Nothing is repaired or changed. Exit status: 0 if all is well, 1 if not.
    """
    import apsw

    path, exists, problems = asyncio.run(_examine(store))
    extras = {name: all(map(_installed, parts)) for name, parts in _EXTRAS.items()}
    found: dict[str, object] = {
        "ok": not problems,
        "atomiton": own_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "sqlite": apsw.sqlite_lib_version(),
        "store": path,
        "store_exists": exists,
        "extras": extras,
        "problems": problems,
    }
    if as_json:
        print_json(found)
    else:
        _print(found, extras, problems)
    return FAILED if problems else COMPLETED


async def _examine(store: str | None) -> tuple[str, bool, list[str]]:
    """Where the store is, whether it is there, and what is wrong with it."""
    try:
        conductor = Conductor(store, resume=False)
    except StoreError as error:
        return str(store or os.environ.get("ATOMITON_STORE")), False, [error.message]
    path = getattr(conductor.journal, "path", None)
    check = getattr(conductor.journal, "check", None)
    if not isinstance(path, Path) or check is None:
        return "memory:", True, []
    if not path.exists():
        return str(path), False, _unwritable(path)
    try:
        async with conductor:
            return str(path), True, list(await check())
    except StoreError as error:
        return str(path), True, [error.message]


def _unwritable(path: Path) -> list[str]:
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK):
        return []
    return [f"The store cannot be created: {folder} is not writable."]


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _print(found: dict[str, object], extras: dict[str, bool], problems: list[str]) -> None:
    where = found["store"] if found["store_exists"] else f"{found['store']} (not there yet)"
    click.echo(f"atomiton  {found['atomiton']}")
    click.echo(f"python    {found['python']} at {sys.executable}")
    click.echo(f"platform  {found['platform']}")
    click.echo(f"sqlite    {found['sqlite']}")
    click.echo(f"store     {where}")
    have = [name for name, here in extras.items() if here]
    lack = [f"{name} (not installed)" for name, here in extras.items() if not here]
    click.echo(f"extras    {', '.join([*have, *lack])}")
    for problem in problems:
        note(f"problem   {problem}", fg="red")
    if not problems:
        click.echo("all is well")
