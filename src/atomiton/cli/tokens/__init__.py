"""``atomiton tokens``: who may use a server."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "add": "Make a token.",
    "list": "List the tokens.",
    "remove": "Let a token open nothing any more.",
    "login": "Make a link that logs a browser in, once.",
}


@click.group("tokens", cls=LazyGroup, package="atomiton.cli.tokens", verbs=VERBS)
def command() -> None:
    """Say who may use the server of a store.

    A viewer may look, an operator may also start and steer runs of kept blueprints, an owner may do
    everything. A server that runs heeds changes at once.
    """
