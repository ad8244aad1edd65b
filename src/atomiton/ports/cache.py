"""Results of nodes that are kept, so that a node is not called on the same again."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Kept(msgspec.Struct, frozen=True):
    """A result that a node has given.

    Attributes:
        output: What it gave.
        run: Id of the run in which it did.
        node: Path of the node there.
        kept_at: When, seconds since 1970, UTC.
    """

    output: object
    run: str
    node: str
    kept_at: float


class KeptInfo(msgspec.Struct, frozen=True):
    """What is told of kept results: those of one node type together.

    Attributes:
        type: Name of the node type.
        results: How many there are.
        bytes: How much they take.
        kept_at: When the latest was kept, seconds since 1970, UTC.
    """

    type: str
    results: int
    bytes: int
    kept_at: float


class Cache(Protocol):
    """Where results are kept. Both methods may raise ``StoreError``."""

    async def find(self, key: bytes, since: float) -> Kept | None:
        """The result under a key, if it was kept after ``since`` and still counts."""
        ...

    async def keep(self, key: bytes, of: str, kept: Kept, until: float) -> None:
        """Keep a result of the node type ``of`` until a moment; it takes the place of an older."""
        ...
