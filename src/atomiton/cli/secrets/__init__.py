"""``atomiton secrets``: what blueprints may use and nobody may see."""

from __future__ import annotations

import click

from atomiton.cli.group import LazyGroup

VERBS = {
    "set": "Keep a secret.",
    "list": "Name the secrets.",
    "delete": "Keep a secret no more.",
}


@click.group("secrets", cls=LazyGroup, package="atomiton.cli.secrets", verbs=VERBS)
def command() -> None:
    """Keep secrets in the store, sealed; blueprints that name them can use them.

    The key is in the folder beside the store, or in ATOMITON_SECRETS_KEY (Base64 of 32 bytes).
    """
