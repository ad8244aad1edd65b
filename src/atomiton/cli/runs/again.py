"""New runs that begin with what others did, followed until they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from atomiton.cli.elsewhere import Reached, mirroring
from atomiton.cli.follow import Follower, Left
from atomiton.cli.perform import report
from atomiton.cli.runs.opening import find_run, reached
from atomiton.cli.screen import make_screen
from atomiton.cli.signals import Signals
from atomiton.cli.status import WAITING, status_of
from atomiton.conductor.run import Run


class Again(NamedTuple):
    """How a verb was called that makes a new run of another one."""

    run: str
    nodes: tuple[str, ...]
    store: str | None
    as_json: bool
    quiet: bool
    detach: bool


async def again(asked: Again, start: Callable[[Reached, str], Awaitable[Run]]) -> int:
    """Start the new run, show it and print what it gave; the exit status is that of ``run``."""
    async with reached(asked.store, asked.nodes, strict=True) as conductor:
        earlier = await find_run(conductor, asked.run)
        return await follow(conductor, asked, lambda: start(conductor, earlier))


async def follow(conductor: Reached, asked: Again, start: Callable[[], Awaitable[Run]]) -> int:
    """Start a run, show it and print what it gave; the exit status is that of ``run``."""
    screen = make_screen(conductor, quiet=asked.quiet)
    left: Left | None = None
    try:
        with Signals(screen.restore) as signals:
            run = (await start()).id
            there = mirroring(conductor)
            if there is not None:
                await there.follow(run)
            follower = Follower(conductor, run, screen, signals, durable=True)
            try:
                result = await follower.follow(detach=asked.detach)
            except Left as leaving:
                left, result = leaving, leaving.result
    finally:
        screen.close()
    report(result, None, durable=True, as_json=asked.as_json, quiet=asked.quiet, left=left)
    return status_of(result.status) if left is None else WAITING
