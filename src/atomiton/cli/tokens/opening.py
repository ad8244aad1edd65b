"""Finding the tokens of a store's server."""

from __future__ import annotations

from atomiton.conductor.places import server_folder
from atomiton.server.access import OWNER, Tokens
from atomiton.server.audit import FILE, Audit


def tokens_of(store: str | None) -> Tokens:
    """The tokens of the server of a store."""
    tokens = Tokens(server_folder(store))
    tokens.prepare()
    return tokens


def write_down(tokens: Tokens, verb: str) -> None:
    """Write into the log of who did what that the owner of the tokens has changed them here.

    Args:
        tokens: Those of the server.
        verb: What was done, such as ``tokens remove guest``.
    """
    Audit(tokens.folder / FILE).note(OWNER, "owner", "CLI", verb, 200)
