"""Schedules of blueprints as schedules of a Temporal server: it fires them, and no process here."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from atomiton.conductor.temporal.calendars import Calendars, calendars, never
from atomiton.conductor.temporal.journal import TemporalJournal
from atomiton.conductor.temporal.told import told
from atomiton.drivers.temporal.scheduled import shown_id
from atomiton.errors import AtomitonError, NotFound
from atomiton.ports.triggers import Fired, Trigger

_T = TypeVar("_T")
_OVERLAP = {
    "skip": ScheduleOverlapPolicy.SKIP,
    "queue": ScheduleOverlapPolicy.BUFFER_ALL,
    "allow": ScheduleOverlapPolicy.ALLOW_ALL,
}
#: Seconds after which a moment was missed, as everywhere.
_LATE = 60.0
#: Most questions to the server at once.
_TOGETHER = 10


class Standing(msgspec.Struct, frozen=True):
    """A schedule as it is on the server.

    Attributes:
        trigger: Id of the trigger that it is of.
        record: The name of the trigger's record: its id, and what its settings are.
        digest: Of what was put there.
        etag: Of the blueprint that it was made of.
        state: Whether it is paused, with a note.
        fired: What it has done.
        next_at: When it fires next.
    """

    trigger: str
    record: str
    digest: str
    etag: str
    state: ScheduleState
    fired: Fired
    next_at: float | None


class When(msgspec.Struct, frozen=True):
    """When a schedule fires, and what it does when it cannot."""

    found: Calendars
    overlap: ScheduleOverlapPolicy
    window: float


def when(settings: Mapping[str, object], since: datetime) -> When:
    """What the settings of a schedule mean to Temporal.

    Args:
        settings: As the blueprint writes them.
        since: From when on they are to hold.

    Raises:
        AtomitonError: Temporal would do something else; says what, and what to write instead.

    Example:
        >>> when({"cron": "@hourly", "overlap": "queue", "catch_up": 2}, datetime.now(UTC)).window
        7260.0
    """
    found = calendars(str(settings["cron"]), str(settings.get("timezone", "UTC")), since)
    overlap, given = str(settings.get("overlap", "skip")), settings.get("catch_up", 0)
    catch_up = given if isinstance(given, int) else 0
    problem = ""
    if catch_up and overlap == "skip":
        problem = (
            "'catch_up' with `overlap: skip`: Temporal would drop what is caught up while a run "
            "has not ended; write `overlap: queue` or `overlap: allow`, or leave 'catch_up' out"
        )
    elif catch_up and found.apart is None:
        problem = (
            "'catch_up' needs moments that are always equally far apart, since Temporal catches up "
            "over a length of time: a time zone without changed clocks such as UTC, and no days "
            "left out but all but one of the week; or leave 'catch_up' out"
        )
    if problem:
        raise AtomitonError(problem, code="NOT_SUPPORTED")
    return When(found, _OVERLAP[overlap], _LATE + catch_up * (found.apart or 0.0))


class Schedules:
    """The schedules of a task queue.

    Args:
        journal: The way to the server.
    """

    def __init__(self, journal: TemporalJournal) -> None:
        self._journal = journal
        self._begin = f"atomiton.{journal.place.queue}."
        self._few = asyncio.Semaphore(_TOGETHER)

    def run_id(self, trigger: str) -> str:
        """How ids of runs of a trigger begin; the server puts the moment behind it."""
        queue = self._journal.place.queue
        if queue == "atomiton":
            return f"run_{trigger}"
        return f"run_{trigger}.{hashlib.sha256(queue.encode()).hexdigest()[:8]}"

    async def all(self, wanted: Iterable[str] = ()) -> dict[str, Standing]:
        """The schedules there are, by id of their triggers.

        Args:
            wanted: Triggers that are asked for by themselves: the server's list may be behind.
        """
        begin = self._begin.replace("'", "''")
        names = {self._begin + trigger for trigger in wanted}
        async with told(""):
            listed = await self._journal.client.list_schedules(
                f"ScheduleId STARTS_WITH '{begin}'", page_size=1000
            )
            async for entry in listed:
                names.add(entry.id)
        found = await self._together(map(self._describe, sorted(names)))
        return {of.trigger: of for of in found if of is not None}

    async def of(self, triggers: Iterable[str]) -> dict[str, Standing]:
        """The schedules of some triggers, of those that have one."""
        found = await self._together(self._describe(self._begin + of) for of in triggers)
        return {of.trigger: of for of in found if of is not None}

    async def _together(self, asked: Iterable[Awaitable[_T]]) -> list[_T]:
        async def ask(one: Awaitable[_T]) -> _T:
            async with self._few:
                return await one

        return await asyncio.gather(*map(ask, asked))

    async def _describe(self, name: str) -> Standing | None:
        try:
            async with told(""):
                described = await self._journal.client.get_schedule_handle(name).describe()
        except NotFound:
            return None
        return _standing(name.removeprefix(self._begin), described)

    async def put(
        self,
        trigger: Trigger,
        record: str,
        digest: str,
        etag: str,
        action: ScheduleActionStartWorkflow,
        state: ScheduleState | None,
    ) -> None:
        """Make a schedule, or change the one that there is.

        Args:
            trigger: What it is of.
            record, digest, etag: What is noted of it.
            action: What it starts.
            state: Whether it is paused; None for as it is.

        Raises:
            AtomitonError: Temporal would do something else than the trigger says.
        """
        words = when(trigger.settings, datetime.now(UTC))
        made = Schedule(
            action=action,
            spec=_spec(words.found, record, digest, etag),
            policy=SchedulePolicy(
                overlap=words.overlap, catchup_window=timedelta(seconds=words.window)
            ),
            state=state or ScheduleState(),
        )
        name, client = self._begin + trigger.id, self._journal.client
        async with _said(trigger.id):
            try:
                await self._change(name, made, keep=state is None)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                try:
                    await client.create_schedule(name, made)
                except ScheduleAlreadyRunningError:  # by another process, in this moment
                    await self._change(name, made, keep=state is None)

    async def _change(self, name: str, made: Schedule, *, keep: bool) -> None:
        def change(found: ScheduleUpdateInput) -> ScheduleUpdate:
            if keep:
                made.state = found.description.schedule.state
            return ScheduleUpdate(made)

        await self._handle(name).update(change)

    def _handle(self, name: str) -> ScheduleHandle:
        return self._journal.client.get_schedule_handle(name)

    async def empty(self, trigger: str, record: str, digest: str, etag: str) -> None:
        """Let a schedule fire no more, for what it is of cannot be; a pause stays."""

        def change(found: ScheduleUpdateInput) -> ScheduleUpdate:
            made = found.description.schedule
            made.spec = _spec(never(), record, digest, etag)
            return ScheduleUpdate(made)

        async with _said(trigger):
            await self._handle(self._begin + trigger).update(change)

    async def pause(self, trigger: str, *, paused: bool) -> None:
        """Let a schedule start nothing, or something again; ``NotFound`` if there is none."""
        handle = self._handle(self._begin + trigger)
        async with _said(trigger):
            await (handle.pause(note="paused") if paused else handle.unpause(note=""))

    async def delete(self, trigger: str) -> None:
        """Remove a schedule; one that is not there is removed."""
        with contextlib.suppress(NotFound):
            async with _said(trigger):
                await self._handle(self._begin + trigger).delete()


@contextlib.asynccontextmanager
async def _said(trigger: str) -> AsyncGenerator[None]:
    """Turn what the server refuses of a schedule into an error that names it."""
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            message = f"the Temporal server refuses the schedule of {trigger}: {error.message}"
            raise AtomitonError(message, code="NOT_SUPPORTED") from error
        if error.status is RPCStatusCode.NOT_FOUND:
            message = (
                f"the server has no schedule of {trigger} yet; atomiton triggers sync makes it"
            )
            raise NotFound(message) from error
        async with told(""):
            raise


def _spec(found: Calendars, *notes: str) -> ScheduleSpec:
    """When a schedule fires, with what is noted of it: a comment is kept as it is, and found."""
    marked = [dataclasses.replace(of, comment=" ".join(notes)) for of in found.found]
    return ScheduleSpec(calendars=marked, time_zone_name=found.zone)


def _standing(trigger: str, described: ScheduleDescription) -> Standing:
    schedule, info = described.schedule, described.info
    comments = [of.comment for of in schedule.spec.calendars if of.comment]
    record, digest, etag = (*(comments[0].split(" ") if comments else ()), "", "", "")[:3]
    last = info.recent_actions[-1] if info.recent_actions else None
    run = None
    if last is not None and isinstance(last.action, ScheduleActionExecutionStartWorkflow):
        run = shown_id(last.action.workflow_id)
    following = next(iter(info.next_action_times), None)
    return Standing(
        trigger,
        record,
        digest,
        etag,
        schedule.state,
        Fired(
            paused=schedule.state.paused,
            fired_at=None if last is None else last.started_at.timestamp(),
            count=info.num_actions,
            run=run,
        ),
        None if following is None or schedule.state.paused else following.timestamp(),
    )
