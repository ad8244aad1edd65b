"""Deleting runs that have ended, by age and count, and giving their space back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.ports.journal import Journal
from atomiton.ports.retention import Forgetting, Retention

#: Runs deleted in one commit: others write in between.
BATCH = 200


async def prunable(journal: Journal, retention: Retention) -> AsyncIterator[Sequence[str]]:
    """Ids of the runs that may be deleted, oldest first, some at a time."""
    store, after = _forgetting(journal), ""
    while runs := await store.prunable(retention, after, BATCH):
        after = runs[-1]
        yield runs


async def prune(
    journal: Journal, retention: Retention, told: Callable[[int], None] = lambda _: None
) -> int:
    """Delete what may be deleted; unfinished runs are never touched.

    Args:
        journal: The store.
        retention: What may be deleted.
        told: Called with the number of runs deleted so far.

    Returns:
        How many runs are gone. Their space is given back by ``journal.compact``.
    """
    store, count = _forgetting(journal), 0
    async for runs in prunable(journal, retention):
        count += await store.delete(runs)
        told(count)
    return count


async def delete(journal: Journal, run: str) -> None:
    """Delete one run that has ended.

    Raises:
        NotFound: There is none.
        AtomitonError: It has not ended, or somebody goes on with it.
    """
    header = await journal.header(run)
    if header.ended_at is None:
        message = f"run {run} has not ended ({header.status}); cancel it first"
        raise AtomitonError(message, code="NOT_ALLOWED")
    if not await _forgetting(journal).delete([run]):
        try:
            await journal.header(run)
        except NotFound:
            return  # somebody else was quicker
        raise AtomitonError(f"run {run} is being gone on with", code="NOT_ALLOWED")


async def give_back(journal: Journal, told: Callable[[int], None] = lambda _: None) -> None:
    """Give the space of deleted runs back to the disk; ``told`` gets the bytes still to go."""
    await _forgetting(journal).compact(told)


def _forgetting(journal: Journal) -> Forgetting:
    if not hasattr(journal, "prunable"):
        raise StoreError(f"a store of the kind {type(journal).__name__} keeps its runs for ever")
    return cast("Forgetting", journal)
