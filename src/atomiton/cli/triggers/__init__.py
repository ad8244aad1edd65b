"""``atomiton triggers``: what starts runs by itself."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "list": "List the triggers of kept blueprints.",
    "pause": "Let a trigger start nothing.",
    "resume": "Let a paused trigger start runs again.",
    "fire": "Start the run of a trigger now.",
    "sync": "Let a Temporal server know the schedules of kept blueprints.",
}


@click.group("triggers", cls=LazyGroup, package="atomiton.cli.triggers", verbs=VERBS)
def command() -> None:
    """Look at the triggers of kept blueprints, pause them and fire them.

    Schedules and watched folders fire while a server runs; webhooks and events are told to one.
    Schedules of runs on Temporal are fired by its server, once they are synced.
    """
