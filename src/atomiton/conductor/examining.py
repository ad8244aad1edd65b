"""Going through the runs of a store: does every record follow from those before it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from atomiton.conductor.library import Library
from atomiton.errors import AtomitonError, IllegalEvent, StoreError
from atomiton.machine import RunState, apply
from atomiton.machine.records import decode
from atomiton.machine.state import LOST
from atomiton.ports.journal import RunHeader
from atomiton.store.checkup import Checkup
from atomiton.store.finding import RESTORE, Finding

_PAGE = 1000


async def examine_store(
    path: Path,
    library: Library,
    *,
    every: bool = False,
    told: Callable[[RunHeader], None] | None = None,
) -> list[Finding]:
    """Examine a store and replay its runs; nothing is changed.

    Args:
        path: The file of the store.
        library: Knows the node types; one that does not know all makes do.
        every: Whether runs that have ended are replayed too.
        told: Called with each run before it is replayed.

    Raises:
        StoreError: It cannot be opened as a store at all.
    """
    async with Checkup(path) as checkup:
        found = await checkup.findings()
        named = {finding.run for finding in found if finding.severity == "damage"}
        async for header in _headers(checkup):
            if header.ended_at is not None and not every:
                continue
            if told is not None:
                told(header)
            if header.run not in named:
                finding = await _replay(checkup, library, header)
                if finding is not None:
                    found.append(finding)
    return found


async def _headers(checkup: Checkup) -> AsyncIterator[RunHeader]:
    before: str | None = None
    while page := await checkup.headers(before, _PAGE):
        before = page[-1].run
        for header in page:
            yield header


async def _replay(checkup: Checkup, library: Library, header: RunHeader) -> Finding | None:
    """Replay a run; gives what is wrong with it, if anything is."""
    run = header.run
    try:
        program = await library.stored(checkup, header)
    except AtomitonError as error:
        message = f"The blueprint of run {run} cannot be read: {error.message}."
        return Finding("DAMAGED_BLUEPRINT", "damage", message, RESTORE, run)
    state, number = RunState(program.plan), 0
    try:
        for number, record in enumerate(await checkup.read(run), 1):  # noqa: B007 - told below
            apply(state, decode(record))
    except (StoreError, IllegalEvent) as error:
        message = f"Run {run} cannot be replayed beyond record {number}: {error.message}."
        return Finding("NO_REPLAY", "damage", message, RESTORE, run)
    return _compared(state, header)


def _compared(state: RunState, header: RunHeader) -> Finding | None:
    """Compare what the facts say with what the list of runs shows."""
    run, failure = header.run, state.failure if state.ended else None
    if header.ended_at is None:
        if state.ended:
            message = f"Run {run} has ended by its facts, and is not closed yet."
            return Finding("NOT_CLOSED", "attention", message, "`atomiton runs resume`", run)
        return _stuck(state, header)
    facts = (state.public_status(), state.ended_at, failure and failure.code)
    shown = (header.status, header.ended_at, header.error_code)
    if facts == shown and (failure is None or failure.message == header.error_message):
        return None
    message = f"Run {run} is {state.public_status()} by its facts, and listed as {header.status}."
    if facts[0] == shown[0]:
        message = f"How run {run} has ended is listed otherwise than in its facts."
    return Finding("WRONG_LIST", "damage", message, RESTORE, run)


def _stuck(state: RunState, header: RunHeader) -> Finding | None:
    """Why a run that nobody drives goes no further by itself."""
    run, reason = header.run, header.reason or ""
    if header.owner is not None:
        return None
    # Without the node types of its blueprint the facts alone do not tell that it must not go on.
    if any(LOST in frame.status for frame in state.frames.values()) or " was lost: " in reason:
        fix = f"`atomiton runs resume {run}` with --repeat-lost or --fail-lost decides"
        message = f"Run {run} waits for a decision: {reason or state.reason()}."
        return Finding("UNDECIDED", "attention", message, fix, run)
    if reason.startswith("cannot go on here"):
        message = f"Run {run} is stuck: {reason}."
        fix = "resume it with the node types it needs (--nodes FILE)"
        return Finding("STUCK", "attention", message, fix, run)
    return None
