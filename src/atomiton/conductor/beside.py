"""The ledger of a store, within reach of a conductor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from atomiton.store.ledger.base import Ledger, Steps

T = TypeVar("T")


class Beside:
    """What stands beside the runs, opened when it is first needed: most processes need none of it.

    Args:
        address: Of the store.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._opened: Ledger | None = None
        self._opening = asyncio.Lock()

    async def do(self, steps: Callable[[], Steps[T]]) -> T:
        """Do a transaction; ``StoreError`` if it cannot be done."""
        async with self._opening:
            if self._opened is None:
                from atomiton.store.ledger.open import open_ledger

                ledger = open_ledger(self._address)
                await ledger.open()
                self._opened = ledger
        return await self._opened.do(steps)

    async def close(self) -> None:
        """Close it, if it was opened."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()
