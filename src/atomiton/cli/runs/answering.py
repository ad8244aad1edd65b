"""Telling a run what it waits for, and following it while it goes on here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from atomiton.cli.elsewhere import Reached, driven, mirroring
from atomiton.cli.follow import Follower, Left
from atomiton.cli.output import note, print_json, result_object
from atomiton.cli.perform import report
from atomiton.cli.runs.opening import find_run, reached
from atomiton.cli.screen import make_screen
from atomiton.cli.signals import Signals
from atomiton.cli.status import COMPLETED, WAITING, status_of


class Answer(NamedTuple):
    """How a verb was called that answers a run."""

    run: str
    nodes: tuple[str, ...]
    store: str | None
    as_json: bool
    quiet: bool


async def answer(asked: Answer, tell: Callable[[Reached, str], Awaitable[None]]) -> int:
    """Tell a run something.

    When another process than the main one drives the run, that is all. Else it is followed until it
    ends or waits again; then the exit status is that of ``run --detach``.
    """
    async with reached(asked.store, asked.nodes, strict=True) as conductor:
        run = await find_run(conductor, asked.run)
        screen = make_screen(conductor, quiet=asked.quiet)
        left: Left | None = None
        try:
            with Signals(screen.restore) as signals:
                there = mirroring(conductor)
                if there is not None:
                    told = (await conductor.header(run)).events
                    await there.follow(run, told=told)
                    await tell(conductor, run)
                    await there.reacted(run, told)
                else:
                    await tell(conductor, run)
                if driven(conductor, run) is None:
                    result = await conductor.show(run)
                    if asked.as_json:
                        print_json(result_object(result))
                    note(f"told {run}")
                    return COMPLETED
                follower = Follower(conductor, run, screen, signals, durable=True)
                try:
                    result = await follower.follow(detach=True)
                except Left as leaving:
                    left, result = leaving, leaving.result
        finally:
            screen.close()
    report(result, None, durable=True, as_json=asked.as_json, quiet=asked.quiet, left=left)
    return status_of(result.status) if left is None else WAITING
