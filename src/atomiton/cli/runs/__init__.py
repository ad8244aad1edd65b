"""``atomiton runs``: runs on record."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "list": "List runs, newest first.",
    "show": "Show one run: its nodes, its error, its output.",
    "events": "Print the facts of a run.",
    "export": "Write a run down, as a test of its blueprint.",
    "watch": "Follow a run until it ends.",
    "resume": "Let interrupted or paused runs go on.",
    "cancel": "Cancel a run.",
    "signal": "Send a run a signal.",
    "approve": "Answer an approval that a run waits for.",
    "pause": "Let a run start nothing new.",
    "step": "Let a paused run start one more attempt.",
}


@click.group("runs", cls=LazyGroup, package="atomiton.cli.runs", verbs=VERBS)
def command() -> None:
    """Look at runs on record, and steer them.

    A run is named by its id, by any beginning or end of it that no other run has, or by 'last'.
    """
