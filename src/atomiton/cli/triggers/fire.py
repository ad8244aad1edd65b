"""``atomiton triggers fire``."""

from __future__ import annotations

import asyncio

import click

from atomiton.cli.options import blueprints_option, json_option, nodes_option, store_option
from atomiton.cli.prepare import given_inputs
from atomiton.cli.runs.again import Again, follow
from atomiton.cli.runs.opening import reached


@click.command("fire")
@click.argument("trigger", metavar="TRIGGER")
@click.option(
    "--input", "-i", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be repeated."
)
@click.option("--key", metavar="KEY", help="Fire only once under this key.")
@json_option
@nodes_option
@blueprints_option
@store_option
@click.option("--detach", is_flag=True, help="Leave the run on record once it only waits.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    trigger: str,
    given: tuple[str, ...],
    key: str | None,
    nodes: tuple[str, ...],
    blueprints: str | None,
    store: str | None,
    *,
    as_json: bool,
    detach: bool,
    quiet: bool,
) -> int:
    """Start the run of a trigger now, also of one that is paused, and follow it.

    Output and exit status are those of run.
    """
    asked = Again("", nodes, store, as_json, quiet, detach)
    return asyncio.run(_fire(trigger, given, key, asked, blueprints))


async def _fire(
    trigger: str, given: tuple[str, ...], key: str | None, asked: Again, blueprints: str | None
) -> int:
    async with reached(asked.store, asked.nodes, strict=True, blueprints=blueprints) as conductor:
        inputs: dict[str, object] = {}
        if given:
            from atomiton.blueprint.document import read_blueprint

            stored = await conductor.blueprint(trigger.partition(".")[0])
            inputs = given_inputs(read_blueprint(stored.text)[0].document, given)
        return await follow(
            conductor, asked, lambda: conductor.fire_trigger(trigger, inputs, key=key)
        )
