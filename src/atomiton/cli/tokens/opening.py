"""Finding the tokens of a store's server."""

from __future__ import annotations

from atomiton.conductor.places import store_path, tokens_folder
from atomiton.server.access import Tokens


def tokens_of(store: str | None) -> Tokens:
    """The tokens of the server of a store."""
    tokens = Tokens(tokens_folder(store_path(store)))
    tokens.prepare()
    return tokens
