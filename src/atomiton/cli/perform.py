"""One run from its start to what is printed of it."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass

from atomiton.cli.elsewhere import Reached, driven, mirroring
from atomiton.cli.failure import show_failure
from atomiton.cli.follow import Follower, Left
from atomiton.cli.output import duration, is_terminal, note, print_json, print_output, result_object
from atomiton.cli.prepare import Prepared
from atomiton.cli.refusal import print_refusal, problems_of, show_problems
from atomiton.cli.screen import Screen, make_screen
from atomiton.cli.signals import Signals
from atomiton.cli.status import REFUSED, WAITING, status_of
from atomiton.conductor import Conductor, Run
from atomiton.conductor.conductor import conductor_at
from atomiton.conductor.inputs import check_options
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError
from atomiton.machine.events import Breakpoint


@dataclass(frozen=True)
class Wishes:
    """How a run is to be made and shown."""

    file: str
    store: str | None
    key: str | None
    as_json: bool
    step: bool
    detach: bool
    quiet: bool
    main: str | None = None  # the main process that it is to be made in
    stops: tuple[str, ...] = ()  # nodes to stop before, each perhaps with a condition
    turn: tuple[int, str, float] = (0, "", 0.0)  # priority, lane, seconds before it begins

    @property
    def asks(self) -> bool:
        """Whether somebody is asked before attempts."""
        return self.step or bool(self.stops)


class _Unstarted(Exception):
    """The run could not even be started."""

    def __init__(self, error: AtomitonError) -> None:
        super().__init__(str(error))
        self.error = error


def perform(prepared: Prepared, wishes: Wishes) -> int:
    """Run a prepared blueprint, show it and print what it gave.

    Returns:
        The exit status.
    """
    try:
        result, left, on_record = asyncio.run(_perform(prepared, wishes))
    except _Unstarted as unstarted:
        problems = problems_of(unstarted.error)
        if wishes.as_json:
            print_refusal(problems, prepared.blueprint.id)
        else:
            show_problems(problems, "", err=True)
        return REFUSED
    report(
        result,
        wishes.file,
        durable=on_record,
        as_json=wishes.as_json,
        quiet=wishes.quiet,
        left=left,
    )
    if left is not None:
        return WAITING
    return status_of(result.status)


async def _perform(prepared: Prepared, wishes: Wishes) -> tuple[RunResult, Left | None, bool]:
    if wishes.main is not None and prepared.durability != "none":
        from atomiton.cli.mirrors import Elsewhere  # few find a main process

        async with Elsewhere(wishes.main, prepared.library) as main:
            return *await _follow(main, prepared, wishes, durable=True), True
    conductor = await _open(prepared, wishes)
    durable = not conductor.in_memory
    try:
        result, left = await _follow(conductor, prepared, wishes, durable=durable)
        if durable and not wishes.quiet:
            await hint_at_others(conductor)
        return result, left, durable
    finally:
        await conductor.__aexit__(None, None, None)


async def _open(prepared: Prepared, wishes: Wishes) -> Conductor:
    store = "memory:" if prepared.durability == "none" else wishes.store
    try:
        check_options(prepared.durability, wishes.key)  # before a store is made
        conductor = conductor_at(store)
        in_memory = conductor.in_memory
        option = _needs_record(wishes)
        if in_memory and option:
            message = f"{option} needs a run on record, but this one is kept in memory only"
            raise AtomitonError(message, code="INVALID_INPUT")
        conductor.library = prepared.library
        conductor.capabilities = prepared.library.capabilities  # closed with the conductor
        await conductor.__aenter__()
    except AtomitonError as error:
        raise _Unstarted(error) from error
    return conductor


def _needs_record(wishes: Wishes) -> str:
    """The first option that means nothing for a run in memory; empty if there is none."""
    priority, lane, delay = wishes.turn
    asked = {
        "--detach": wishes.detach,
        "--key": wishes.key,
        "--priority": priority,
        "--lane": lane,
        "--delay": delay,
    }
    return next((option for option, given in asked.items() if given), "")


async def _follow(
    conductor: Reached, prepared: Prepared, wishes: Wishes, *, durable: bool
) -> tuple[RunResult, Left | None]:
    screen = _screen(conductor, wishes)
    stepping: asyncio.Task[None] | None = None
    try:
        with Signals(screen.restore) as signals:
            run = await _start(conductor, prepared, wishes)
            there = mirroring(conductor)
            if there is not None:
                await there.follow(run.id)
            follower = Follower(conductor, run.id, screen, signals, durable=durable)
            if wishes.asks:
                stepping = _serve_steps(conductor, run.id)
            try:
                return await follower.follow(detach=wishes.detach), None
            except Left as leaving:
                return leaving.result, leaving
    finally:
        if stepping is not None:
            stepping.cancel()
        screen.close()


def _screen(conductor: Reached, wishes: Wishes) -> Screen:
    if not wishes.asks:
        return make_screen(conductor, quiet=wishes.quiet)
    from atomiton.cli.stepping import Steps

    return Steps(conductor)


def _serve_steps(conductor: Reached, run: str) -> asyncio.Task[None]:
    from atomiton.cli.stepping import Stepper

    return asyncio.create_task(Stepper(conductor, run).serve())


async def _start(conductor: Reached, prepared: Prepared, wishes: Wishes) -> Run:
    priority, lane, delay = wishes.turn
    try:
        run = await conductor.start(
            prepared.blueprint.id if prepared.kept else prepared.blueprint,
            prepared.inputs,
            durability=prepared.durability,
            key=wishes.key,
            paused=wishes.step,
            priority=priority,
            lane=lane,
            delay=delay,
            breakpoints=[_breakpoint(text) for text in wishes.stops] if wishes.asks else None,
        )
        if wishes.key is not None and driven(conductor, run.id) is None:
            # An earlier run of this key, which nobody may be driving any more.
            header = await conductor.header(run.id)
            if header.ended_at is None and header.owner is None:
                await conductor.resume(run.id)
    except AtomitonError as error:
        raise _Unstarted(error) from error
    return run


def _breakpoint(text: str) -> Breakpoint:
    """What is meant by ``NODE``, or ``NODE if CONDITION``."""
    node, _, condition = text.partition(" if ")
    return Breakpoint(node.strip(), condition.strip())


async def hint_at_others(conductor: Conductor) -> None:
    """Tell a person of runs that were interrupted and that nobody drives."""
    if not is_terminal(sys.stderr):
        return
    others = await conductor.journal.abandoned(limit=100)
    if others:
        count = "1 interrupted run waits" if len(others) == 1 else f"{len(others)} runs wait"
        note(f"{count} to go on: atomiton runs resume", dim=True)


def report(
    result: RunResult,
    file: str | None,
    *,
    durable: bool,
    as_json: bool = False,
    quiet: bool = False,
    left: Left | None = None,
) -> None:
    """Print what a run gave, and how it fared.

    Args:
        result: The run.
        file: Its blueprint's file, when that is known.
        durable: Whether it is on record, so that it can be looked at again.
        as_json: Print all of it as JSON instead of its output.
        quiet: Say nothing of a run that completed.
        left: Why it was left, when it has not ended.
    """
    if as_json:
        print_json(result_object(result))
    elif result.status == "completed":
        print_output(result.output)
    taken = duration(result.duration_ms / 1000)
    if result.status == "completed":
        if not quiet:
            note(f"completed in {taken}", fg="green")
    elif result.error is None:
        note(f"left {result.status}" + (f": {result.reason}" if result.reason else ""))
        if left is not None and left.lost:  # nothing that hangs on it goes on before that
            way = f"resume {result.run} with --repeat-lost or --fail-lost"
        else:
            way = _way_on(result)
        note(f"go on with: atomiton runs {way}")
    else:
        show_failure(result, file, taken)
        if durable and result.status == "failed":
            note(f"look at it with: atomiton runs show {result.run}", dim=True)


def _way_on(result: RunResult) -> str:
    """The verb of ``runs`` that a run which waits is waiting for, and what it is given."""
    reason = result.reason or ""
    if "waits for an approval" in reason:
        return f"approve {result.run}"
    if signal := re.search("waits for the signal '(.+)'", reason):
        import shlex  # few runs are left waiting

        return f"signal {result.run} {shlex.quote(signal[1])}"
    return f"resume {result.run}"
