"""Waiting for a run: when the waiting is cancelled, so is the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from atomiton.drivers.execution import Execution
from atomiton.machine.events import CancelRequested


async def accepted(
    accepting: asyncio.Task[Execution | None], now: Callable[[], float]
) -> Execution | None:
    """Wait until a run is accepted; None if another one has its key.

    Args:
        accepting: Puts it on record.
        now: The clock; seconds since 1970, UTC.
    """
    try:
        return await asyncio.shield(accepting)
    except asyncio.CancelledError:
        # Half accepted it would be on record, with nobody to drive it.
        done = (await asyncio.wait([accepting]))[0].pop()
        if not done.cancelled() and done.exception() is None:
            await _withdraw(done.result(), now)
        raise


async def ended(execution: Execution, now: Callable[[], float]) -> None:
    """Wait until a run has ended; raises what kept it from being driven to its end.

    Args:
        execution: The run.
        now: The clock; seconds since 1970, UTC.
    """
    try:
        await execution.wait()
    except asyncio.CancelledError:
        await _withdraw(execution, now)
        raise


async def _withdraw(started: Execution | None, now: Callable[[], float]) -> None:
    """End a run whose caller was cancelled before it could know of it."""
    if started is not None and not started.stopped:
        started.feed(CancelRequested(now(), "the caller was cancelled"))
        await asyncio.shield(started.wait())
