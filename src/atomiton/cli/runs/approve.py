"""``atomiton runs approve``."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Sequence

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.options import json_option, nodes_option, store_option
from atomiton.cli.prepare import typed
from atomiton.cli.runs.answering import Answer, answer
from atomiton.cli.runs.opening import run_argument
from atomiton.conductor.waits import Wait


@click.command("approve")
@run_argument
@click.option("--node", metavar="PATH", help="The node that asks, when several do.")
@click.option("--deny", is_flag=True, help="Say no.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field to fill in.")
@click.option("--comment", default="", metavar="TEXT", help="Why; kept with the run.")
@click.option("--by", default=None, metavar="WHO", help="Who decides; by default you.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@json_option
@nodes_option
@store_option
def command(
    run: str,
    node: str | None,
    fields: tuple[str, ...],
    comment: str,
    by: str | None,
    nodes: tuple[str, ...],
    store: str | None,
    *,
    deny: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Answer an approval that a run waits for: yes, or with --deny no.

    A run that nobody drives goes on here until it ends (exit status as of run) or waits again (4).
    """

    async def tell(conductor: Reached, id_: str) -> None:
        waits = [wait for wait in await conductor.waits(id_) if node in (None, wait.node)]
        given = dict(_field(text, waits) for text in fields)
        who = _me() if by is None else by
        await conductor.approve(id_, node, approved=not deny, by=who, comment=comment, fields=given)

    return asyncio.run(answer(Answer(run, nodes, store, as_json, quiet), tell))


def _field(text: str, waits: Sequence[Wait]) -> tuple[str, object]:
    """A field as it was typed, read as its type needs it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"give a field as name=value, not {text!r}", param_hint="--field")
    schema = next((wait.fields[name] for wait in waits if name in wait.fields), None)
    if schema is None:
        return name, value  # the conductor says which fields there are
    try:
        return name, typed(schema, value)
    except ValueError as error:
        raise click.BadParameter(f"{name}: {error}", param_hint="--field") from error


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody has this user id
        return ""
