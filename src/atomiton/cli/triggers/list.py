"""``atomiton triggers list``."""

from __future__ import annotations

import asyncio
from datetime import datetime

import click

from atomiton.cli.options import blueprints_option, json_option, store_option
from atomiton.cli.output import print_json, to_json
from atomiton.cli.runs.list import moment
from atomiton.cli.runs.opening import reached
from atomiton.ports.triggers import Trigger


@click.command("list")
@json_option
@blueprints_option
@store_option
def command(blueprints: str | None, store: str | None, *, as_json: bool) -> None:
    """List the triggers of kept blueprints, with when they fired and fire next."""
    triggers = asyncio.run(_triggers(store, blueprints))
    if as_json:
        print_json([_object(trigger) for trigger in triggers])
        return
    if not triggers:
        click.echo("no triggers", err=True)
        return
    width = max(len(trigger.id) for trigger in triggers)
    for trigger in triggers:
        fired = trigger.fired
        state = "paused" if fired.paused else "on" if trigger.invalid is None else "invalid"
        last = "" if fired.fired_at is None else f"  fired {_at(fired.fired_at)} ({fired.count})"
        following = "" if trigger.next_at is None else f"  next {_at(trigger.next_at)}"
        wrong = trigger.invalid or fired.problem
        problem = f"  {wrong}" if wrong else ""
        settings = to_json(trigger.settings).decode()
        click.echo(
            f"{trigger.id:{width}}  {state:7}  {settings}{last}{following}{problem}".rstrip()
        )


async def _triggers(store: str | None, blueprints: str | None) -> list[Trigger]:
    async with reached(store, blueprints=blueprints) as conductor:
        return await conductor.triggers()


def _at(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def _object(trigger: Trigger) -> dict[str, object]:
    fired = trigger.fired
    return {
        "id": trigger.id,
        "blueprint": trigger.blueprint,
        "kind": trigger.kind,
        "settings": trigger.settings,
        "paused": fired.paused,
        "fired_at": None if fired.fired_at is None else moment(fired.fired_at),
        "count": fired.count,
        "run": fired.run,
        "invalid": trigger.invalid,
        "problem": fired.problem,
        "next_at": None if trigger.next_at is None else moment(trigger.next_at),
    }
