"""``atomiton queue``: runs that wait for their turn."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "show": "Tell how full the queue is.",
    "dead": "List queued runs that have failed.",
    "replay": "Do what failed again, as new runs.",
}


@click.group("queue", cls=LazyGroup, package="atomiton.cli.queue", verbs=VERBS)
def command() -> None:
    """Look at runs that wait for their turn, and do again what failed.

    Runs wait where a server has bounds, see the options of serve; runs show says what for.
    """
