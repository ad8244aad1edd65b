"""``atomiton doctor``."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.output import is_terminal, note, print_json
from atomiton.cli.status import COMPLETED, FAILED
from atomiton.cli.version import own_version
from atomiton.errors import AtomitonError

if TYPE_CHECKING:
    from atomiton.store.finding import Finding

#: A requirement of an extra, as the package's own metadata has it.
_REQUIRED = re.compile(r"([\w.-]+).*extra == [\"'](?!all\b)(\w+)[\"']")
#: Findings of one kind that are printed one by one.
_SHOWN = 10
_COLOURS = {"damage": "red", "attention": "yellow"}


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Do what can be done without touching a fact.")
@click.option("--every", is_flag=True, help="Replay the runs that have ended too.")
@nodes_option
@json_option
@store_option
def command(
    store: str | None, nodes: tuple[str, ...], *, every: bool, fix: bool, as_json: bool
) -> int:
    """Check the installation and the store, and say what to do.

    Every record, the list of runs, blueprints, messages, the log and the disk are looked at; every
    unfinished run is replayed. Nothing is changed without --fix.

    Exit status: 0 if all is well, 1 if something is damaged or needs somebody.
    """
    import apsw

    from atomiton.store.finding import Finding

    extras = _extras()
    path: Path | None = None
    done: list[str] = []
    try:
        path = _place(store)
        if fix and path is not None and path.exists():
            from atomiton.store.checkup import mend

            done = mend(path)
        findings = asyncio.run(_examine(path, nodes, every=every))
    except AtomitonError as error:
        findings = [Finding("UNREADABLE", "damage", error.message)]
    problems = [finding for finding in findings if finding.severity != "note"]
    found: dict[str, object] = {
        "ok": not problems,
        "atomiton": own_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "sqlite": apsw.sqlite_lib_version(),
        "store": str(path or store or os.environ.get("ATOMITON_STORE", "")) or "memory:",
        "store_exists": path is None or path.exists(),
        "size": _size(path),
        "extras": extras,
        "fixed": done,
        "findings": findings,
        "problems": [finding.message for finding in problems],
    }
    if as_json:
        print_json(found)
    else:
        _print(found, extras, done, findings)
    return FAILED if problems else COMPLETED


def _place(store: str | None) -> Path | None:
    """Where the store is; None if it is in memory."""
    from atomiton.store.open import open_journal

    address = os.environ.get("ATOMITON_STORE", "") if store is None else store
    path: object = getattr(open_journal(address), "path", None)
    return path if isinstance(path, Path) else None


def _creatable(path: Path) -> list[Finding]:
    from atomiton.store.finding import Finding

    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK):
        return []
    message = f"The store cannot be created: {folder} is not writable."
    return [Finding("READ_ONLY", "attention", message, "name another place with --store")]


async def _examine(path: Path | None, nodes: tuple[str, ...], *, every: bool) -> list[Finding]:
    if path is None:
        return []
    if not await asyncio.to_thread(path.exists):
        return _creatable(path)
    from atomiton.cli.prepare import make_library
    from atomiton.cli.runs.opening import lenient
    from atomiton.conductor.examining import examine_store

    library = make_library(nodes, lenient())
    counter = _Counter()
    try:
        return await examine_store(path, library, every=every, told=counter.count)
    finally:
        counter.close()
        await library.capabilities.aclose()


class _Counter:
    """Tells a person who waits how many runs have been replayed."""

    def __init__(self) -> None:
        self._number = 0
        self._shows = is_terminal(sys.stderr)

    def count(self, _header: object) -> None:
        self._number += 1
        if self._shows and self._number % 100 == 0:
            click.echo(f"\r\x1b[2K{self._number} runs replayed", nl=False, err=True)

    def close(self) -> None:
        if self._shows and self._number >= 100:
            click.echo("\r\x1b[2K", nl=False, err=True)


def _size(path: Path | None) -> int:
    """Bytes of the store with its log."""
    if path is None:
        return 0
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _extras() -> dict[str, bool]:
    """The extras of the package, and whether all that each needs is installed."""
    from importlib.metadata import PackageNotFoundError, distribution, requires

    try:
        lines = requires("atomiton") or []
    except PackageNotFoundError:  # run from a folder that was never installed
        lines = []
    found: dict[str, bool] = {}
    for line in lines:
        if needed := _REQUIRED.match(line):
            name, extra = needed.groups()
            try:
                distribution(name)
                here = True
            except PackageNotFoundError:
                here = False
            found[extra] = found.get(extra, True) and here
    return dict(sorted(found.items()))


def _print(
    found: dict[str, object], extras: dict[str, bool], done: list[str], findings: list[Finding]
) -> None:
    where = f"{found['store']} ({found['size']:,} bytes)"
    if not found["store_exists"]:
        where = f"{found['store']} (not there yet)"
    click.echo(f"atomiton  {found['atomiton']}")
    click.echo(f"python    {found['python']} at {sys.executable}")
    click.echo(f"platform  {found['platform']}")
    click.echo(f"sqlite    {found['sqlite']}")
    click.echo(f"store     {where}")
    have = [name for name, here in extras.items() if here]
    lack = [f"{name} (not installed)" for name, here in extras.items() if not here]
    click.echo(f"extras    {', '.join([*have, *lack])}")
    for what in done:
        click.echo(f"fixed     {what}")
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= _SHOWN:
            note(f"{finding.severity:9} {finding.message}", fg=_COLOURS.get(finding.severity))
            if finding.fix:
                note(f"          -> {finding.fix}")
    for code, count in counts.items():
        if count > _SHOWN:
            note(f"          and {count - _SHOWN} more {code}; --json has all")
    if found["ok"]:
        click.echo("all is well")
