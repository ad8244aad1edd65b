"""From the address of a store to its ledger."""

from __future__ import annotations

from pathlib import Path

from atomiton.store.ledger.base import Ledger
from atomiton.store.open import missing, open_journal


def open_ledger(address: str) -> Ledger:
    """Make the ledger of the store that an address names, as for ``open_journal``.

    Raises:
        StoreError: The address names no kind of store.
    """
    from atomiton.store.ledger.sqlite import SqliteLedger

    if address == "memory:":
        return SqliteLedger(None)
    if address.partition(":")[0] in ("postgresql", "postgres"):
        try:
            from atomiton.store.ledger.postgres import PostgresLedger
        except ModuleNotFoundError as error:
            raise missing(error, "a store in Postgres", "postgres") from error
        return PostgresLedger(address)
    path: object = getattr(open_journal(address), "path", None)
    assert isinstance(path, Path)
    return SqliteLedger(path)
