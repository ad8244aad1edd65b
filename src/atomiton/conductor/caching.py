"""Results of nodes, kept in the store beside the runs."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import partial

import msgspec

from atomiton.conductor.beside import Beside
from atomiton.errors import StoreError
from atomiton.ports.cache import Kept, KeptInfo
from atomiton.store.ledger import results

_encoder = msgspec.msgpack.Encoder()


class Results:
    """A ``Cache`` in the store, and what people do with it.

    Args:
        beside: What stands beside the runs.
        now: The clock; seconds since 1970, UTC.

    Example:
        >>> async def main(conductor):
        ...     await conductor.results.clear("http.request")
    """

    def __init__(self, beside: Beside, now: Callable[[], float]) -> None:
        self._beside = beside
        self._now = now

    async def find(self, key: bytes, since: float) -> Kept | None:
        """The result under a key, if it was kept after ``since`` and still counts."""
        row = await self._beside.do(partial(results.find, key, since, self._now()))
        if row is None:
            return None
        try:
            output: object = msgspec.msgpack.decode(row[0])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise StoreError(f"a kept result cannot be read: {error}") from error
        return Kept(output, row[1], row[2], row[3])

    async def keep(self, key: bytes, of: str, kept: Kept, until: float) -> None:
        """Keep a result until a moment; it takes the place of an older one."""
        made = (kept.run, kept.node, kept.kept_at)
        output = _encoder.encode(kept.output)
        await self._beside.do(partial(results.keep, key, of, output, made, until))

    async def list(self) -> builtins.list[KeptInfo]:
        """How much is kept of each node type; ``StoreError``."""
        rows = await self._beside.do(partial(results.told, self._now()))
        return [KeptInfo(*row) for row in rows]

    async def clear(self, of: str | None = None) -> int:
        """Keep no more what a node type gave, or what any did; how many results that were."""
        return await self._beside.do(partial(results.clear, of))
