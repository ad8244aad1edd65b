"""What ``pause`` and ``step`` have in common: a wish for a run that another process drives."""

from __future__ import annotations

from atomiton.cli.elsewhere import Reached
from atomiton.cli.runs.opening import find_run, reached
from atomiton.errors import AtomitonError


async def driven_elsewhere(conductor: Reached, name: str) -> str:
    """The id of a run, if a living process drives it.

    Raises:
        AtomitonError: It has ended, or nobody drives it.
    """
    run = await find_run(conductor, name)
    header = await conductor.header(run)
    if header.ended_at is not None:
        raise AtomitonError(f"run {run} has ended: {header.status}", code="NOT_ALLOWED")
    if header.owner is None:
        message = f"nobody drives run {run}; it stays as it is until it is resumed"
        raise AtomitonError(message, code="NOT_ALLOWED")
    return run


async def pause(name: str, store: str | None) -> str:
    """Ask whoever drives a run to pause it."""
    async with reached(store) as conductor:
        run = await driven_elsewhere(conductor, name)
        await conductor.pause(run)
        return run


async def step(name: str, store: str | None) -> str:
    """Ask whoever drives a run to start one more attempt."""
    async with reached(store) as conductor:
        run = await driven_elsewhere(conductor, name)
        await conductor.step(run)
        return run
