"""``atomiton runs show``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import cast

import click
from msgspec import to_builtins

from atomiton.blueprint.problems import nearest
from atomiton.cli.options import (
    is_within,
    json_option,
    node_option,
    nodes_option,
    store_option,
)
from atomiton.cli.output import duration, print_json, result_object, shown
from atomiton.cli.runs.list import undriven
from atomiton.cli.runs.opening import find_run, reached, run_argument
from atomiton.conductor.result import NodeResult, RunResult
from atomiton.conductor.waits import Wait
from atomiton.errors import IllegalEvent, NotFound, StoreError
from atomiton.ports.journal import RunHeader

Nodes = dict[str, object]


@click.command("show")
@run_argument
@node_option
@json_option
@nodes_option
@store_option
def command(
    run: str, node: str | None, nodes: tuple[str, ...], store: str | None, *, as_json: bool
) -> None:
    """Show one run: its nodes, its error, its output."""
    header, result, waits = asyncio.run(_show(run, nodes, store))
    if node is not None:
        _print_node(result, node, as_json=as_json)
    elif as_json:
        print_json({**result_object(result), "waits": [to_builtins(wait) for wait in waits]})
    else:
        _print(header, result, waits)


async def _show(
    name: str, nodes: tuple[str, ...], store: str | None
) -> tuple[RunHeader, RunResult, list[Wait]]:
    async with reached(store, nodes) as conductor:
        run = await find_run(conductor, name)
        header = await conductor.header(run)
        try:
            return header, await conductor.show(run), await conductor.waits(run)
        except IllegalEvent as error:
            message = f"run {run} cannot be told from its facts without its node types"
            raise StoreError(f"{message}; give them with --nodes") from error


def _asked(wait: Wait, run: str) -> str:
    """What a run waits for, and how to answer."""
    until = ""
    if wait.until is not None:
        until = f" until {datetime.fromtimestamp(wait.until).astimezone():%Y-%m-%d %H:%M:%S}"
    if wait.kind == "signal":
        return f"the signal '{wait.signal}' at {wait.node}{until}: runs signal {run} {wait.signal}"
    if wait.kind == "approval":
        fields = "".join(f" --field {name}=..." for name in wait.fields)
        title = f" ({wait.title})" if wait.title else ""
        return f"an approval at {wait.node}{title}{until}: runs approve {run}{fields}"
    if wait.kind == "queue":
        why = wait.title.removeprefix("waits in the queue").lstrip(":; ").removeprefix("for ")
        return f"{why}{until}"
    return f"{wait.kind} at {wait.node}{until}"


def _print_node(result: RunResult, node: str, *, as_json: bool) -> None:
    """One node, and what is in it."""
    found = {path: of for path, of in result.nodes.items() if is_within(path, node)}
    if not found:
        near = nearest(node, result.nodes)
        near = f" ({near})" if near else ""
        message = f"run {result.run} shows no node '{node}'{near}"
        more = f"atomiton runs events {result.run} --node '{node}'"
        raise NotFound(f"{message}; what is on record of it: {more}")
    if as_json:
        shown = result_object(result)["nodes"]
        print_json({path: of for path, of in cast("Nodes", shown).items() if path in found})
    else:
        _print_nodes(found)


def _print_nodes(nodes: Mapping[str, NodeResult]) -> None:
    width = max((len(path) for path in nodes), default=0)
    for path, node in nodes.items():
        took = "" if node.duration_ms is None else f"  {duration(node.duration_ms / 1000)}"
        tries = f"  {node.attempts} attempts" if node.attempts > 1 else ""
        error = "" if node.error is None else f"  {node.error.message} [{node.error.code}]"
        click.echo(f"  {path:{width}}  {node.status:9}{took}{tries}{error}".rstrip())


def _print(header: RunHeader, result: RunResult, waits: list[Wait]) -> None:
    status: str = result.status
    # What has not begun, or rests until somebody answers or a moment comes, needs no driver.
    if undriven(header) and status not in ("queued", "waiting"):
        status += ", driven by nobody"
    started = datetime.fromtimestamp(header.created_at).astimezone()
    version = f" {header.version}" if header.version else ""
    click.echo(f"run        {result.run}")
    click.echo(f"blueprint  {result.blueprint}{version}")
    click.echo(f"status     {status}" + (f": {result.reason}" if result.reason else ""))
    click.echo(f"started    {started:%Y-%m-%d %H:%M:%S}")
    click.echo(f"took       {duration(result.duration_ms / 1000)}")
    if result.cost:
        click.echo(f"cost       {result.cost:g}")
    if header.key is not None:
        click.echo(f"key        {header.key}")
    for wait in waits:
        click.echo(f"waits for  {_asked(wait, result.run)}")
    click.echo("nodes")
    _print_nodes(result.nodes)
    for key in ("completed", "failed"):
        for path in result.compensation[key]:
            what = "compensated" if key == "completed" else "could not be compensated"
            click.echo(f"{what:10} {path}")
    if result.error is not None:
        where = f"{result.error.node}: " if result.error.node else ""
        click.echo(f"error      {where}{result.error.message} [{result.error.code}]")
    elif result.status == "completed":
        click.echo(f"output     {shown(result.output)}")
    if undriven(header) and not waits:
        click.echo(f"go on with: atomiton runs resume {result.run}")
