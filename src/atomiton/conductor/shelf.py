"""The blueprints that people keep, within reach of a conductor."""

from __future__ import annotations

import asyncio

from atomiton.ports.blueprints import BlueprintStore
from atomiton.store.blueprints.open import create_storage


class Shelf:
    """A store of blueprints, opened when it is first needed.

    Most runs need none: their blueprints are files, or built in Python.

    Args:
        store: The store, or its address as for ``create_storage``.
    """

    def __init__(self, store: str | BlueprintStore) -> None:
        self._store = store
        self._opened: BlueprintStore | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> BlueprintStore:
        """Give the store, open; ``StoreError`` if it cannot be opened."""
        async with self._opening:
            if self._opened is None:
                store = create_storage(self._store) if isinstance(self._store, str) else self._store
                await store.open()
                self._opened = store
        return self._opened

    async def close(self) -> None:
        """Close the store, if it was opened."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
