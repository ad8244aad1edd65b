"""Triggers of kept blueprints for runs on Temporal: schedules are the server's own.

What the others have done (pauses, what was handled) is on record beside the blueprints, if those
are in a database, else in a file of this user, under names of this server and task queue.
"""

from __future__ import annotations

import builtins
import hashlib
import os
from datetime import UTC, datetime
from types import TracebackType

import msgspec
from msgspec.structs import replace
from temporalio.client import ScheduleActionStartWorkflow, ScheduleState
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from atomiton.conductor.beside import Beside
from atomiton.conductor.conductor import Conductor
from atomiton.conductor.temporal.address import Place
from atomiton.conductor.temporal.journal import TemporalJournal
from atomiton.conductor.temporal.schedules import Schedules, Standing, when
from atomiton.drivers.temporal.wire import (
    BY_BLUEPRINT,
    MEMO_RUN,
    WORKFLOW,
    About,
    Options,
    Start,
)
from atomiton.errors import AtomitonError, StoreError
from atomiton.machine.events import RunRequested
from atomiton.ports.triggers import Kind, Synced, Trigger, records_of
from atomiton.store.open import default_path

#: The input of a blueprint that takes the moment of a schedule, and a moment to check it with.
_MOMENT, _SOME = "scheduled_at", "2000-01-01T00:00:00Z"
#: How much of the name of a blueprint's text is noted.
_ETAG = 16


class TemporalTriggers(Conductor):
    """What a conductor does with triggers whose runs are on a Temporal server."""

    _place: Place
    _temporal: TemporalJournal
    _options: Options
    #: Where blueprints are kept.
    _kept_at: object

    fires_schedules = False

    async def _begin_beside(self) -> None:
        await super()._begin_beside()
        kept = str(self._kept_at)
        if kept.partition(":")[0] not in ("sqlite", "postgresql", "postgres"):
            kept = f"sqlite:{default_path().with_name(f'{self._place.name}.db')}"
        self._noted, self._mark = Beside(kept), f"{self._place.address} "
        self._schedules = Schedules(self._temporal)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what was opened; runs and schedules go on."""
        await super().__aexit__(kind, error, trace)
        await self._noted.close()

    def secret(self, name: str) -> str | None:
        """The value of a secret in the environment, for webhooks; nodes have those of workers."""
        return os.environ.get(f"ATOMITON_SECRET_{name}")

    async def triggers(self, kind: Kind | None = None) -> builtins.list[Trigger]:
        """The triggers of all kept blueprints; arguments are those of ``Conductor``.

        What a schedule has done, and when it fires next, is what the server says.
        """
        found = await super().triggers(kind)
        schedules = [of.id for of in found if of.kind == "schedule"]
        standing = await self._schedules.of(schedules) if schedules else {}
        return [
            self._as_on_server(of, standing.get(of.id)) if of.kind == "schedule" else of
            for of in found
        ]

    def _as_on_server(self, trigger: Trigger, standing: Standing | None) -> Trigger:
        """A schedule, with what is known of it on the server."""
        why = trigger.invalid or _refused(trigger)
        if standing is None:
            problem = None if why else "not on the server yet: atomiton triggers sync"
            return replace(
                trigger, invalid=why, fired=replace(trigger.fired, problem=problem), next_at=None
            )
        problem = None
        if standing.etag != self._etag(trigger.blueprint):
            problem = "the server has it as it was before: atomiton triggers sync"
        fired = replace(standing.fired, problem=problem)
        return replace(trigger, invalid=why, fired=fired, next_at=standing.next_at)

    def _etag(self, blueprint: str) -> str:
        return self._triggered[blueprint][0][:_ETAG] if blueprint in self._triggered else ""

    async def pause_trigger(self, trigger: str, *, paused: bool = True) -> None:
        """Let a trigger start nothing, or something again; ``NotFound`` if there is none."""
        found = await self._trigger(trigger)
        if found.kind == "schedule":
            await self._schedules.pause(trigger, paused=paused)
        else:
            await super().pause_trigger(trigger, paused=paused)

    async def _note_fired(self, trigger: Trigger, run: str) -> None:
        if trigger.kind != "schedule":  # of those the server counts what it has fired
            await super()._note_fired(trigger, run)

    # -- making the server fire them -----------------------------------------------------------

    async def sync_triggers(self, *, prune: bool = False, again: bool = False) -> Synced:
        """Let the server know the schedules of the kept blueprints.

        One that has changed is changed there, one that is no more is removed, and a pause that
        somebody has made stays. A schedule that Temporal could not keep to, or whose blueprint is
        not valid, fires no more; the others are synced all the same.

        Args:
            prune: Whether those of blueprints that are not kept here are removed too.
            again: Whether those that are as they should be are put there again, as after a new key.

        Raises:
            Unavailable: The server cannot be reached.
        """
        wanted = [of for of in await self._all_triggers() if of.kind == "schedule"]
        standing = await self._schedules.all(of.id for of in wanted)
        by_record = {of.record: of for of in standing.values()}
        records = records_of(wanted, by_record)
        done = Synced()
        for trigger in wanted:
            old, record = records[trigger.id]
            there, state = standing.get(trigger.id), None
            if old != (there.record if there else ""):  # it stood elsewhere, or is new
                state = by_record[old].state if old in by_record else ScheduleState()
            elif old == record and again:
                there = None if there is None else replace(there, digest="")
            await self._sync(trigger, record, there, state, done)
        await self._remove(standing.keys() - {of.id for of in wanted}, done, prune=prune)
        return done

    async def _sync(
        self,
        trigger: Trigger,
        record: str,
        there: Standing | None,
        state: ScheduleState | None,
        done: Synced,
    ) -> None:
        """Make one schedule what it should be.

        Args:
            trigger: What it is of.
            record: The name of its record.
            there: What is on the server.
            state: Whether it is to be paused; None for as it is.
            done: What was done is noted here.
        """
        etag = self._etag(trigger.blueprint)
        try:
            if trigger.invalid is not None:
                raise AtomitonError(trigger.invalid, code="INVALID_BLUEPRINT")
            when(trigger.settings, datetime.now(UTC))
            action, digest = await self._action(trigger)
            if there is not None and state is None and _same(there, record, digest, etag):
                done.unchanged.append(trigger.id)
                return
            await self._schedules.put(trigger, record, digest, etag, action, state)
        except StoreError:
            raise
        except AtomitonError as error:
            if error.code == "UNAVAILABLE":
                raise
            done.problems[trigger.id] = error.message
            if there is not None and not _same(there, record, "refused", etag):
                await self._schedules.empty(trigger.id, record, "refused", etag)
                done.updated.append(trigger.id)
            return
        (done.created if there is None else done.updated).append(trigger.id)

    async def _action(self, trigger: Trigger) -> tuple[ScheduleActionStartWorkflow, str]:
        """What a schedule starts, and a digest of it and of when it does."""
        blueprint = await self._kept(trigger.blueprint)
        ready = self.library.ready(blueprint)
        takes = _MOMENT if _MOMENT in blueprint.inputs else ""
        inputs = ready.inputs({takes: _SOME} if takes else {})
        plan = ready.program.plan
        start = Start(
            dict(ready.program.record),
            plan.hash,
            self._driven,
            RunRequested(0.0, "", inputs),
            scheduled_at=takes,
        )
        action = ScheduleActionStartWorkflow(
            WORKFLOW,
            start,
            id=self._schedules.run_id(trigger.id),
            task_queue=self._place.queue,
            memo={MEMO_RUN: About(plan.id, plan.hash, 0.0, plan.version, trigger=trigger.id)},
            typed_search_attributes=self._found_by(plan.id),
            static_summary=plan.id,
        )
        told = [trigger.id, trigger.settings, plan.hash, plan.version, inputs, self._driven]
        encoded = msgspec.json.encode(told, order="sorted")
        return action, hashlib.sha256(encoded).hexdigest()[:16]

    @property
    def _driven(self) -> Options:
        """How runs are driven that are started here."""
        return replace(self._options, attributes=self._temporal.attributes, shared=True)

    def _found_by(self, blueprint: str) -> TypedSearchAttributes:
        key = SearchAttributeKey.for_keyword(BY_BLUEPRINT)
        pairs = [SearchAttributePair(key, blueprint)] if self._temporal.attributes else []
        return TypedSearchAttributes(pairs)

    async def _remove(self, ids: builtins.set[str], done: Synced, *, prune: bool) -> None:
        """Remove schedules of triggers that are no more, if their blueprints are known here."""
        ours = set[str]() if prune or not ids else await self._known_blueprints()
        for id_ in sorted(ids):
            if prune or id_.partition(".")[0] in ours:
                await self._schedules.delete(id_)
                done.removed.append(id_)
            else:
                done.left.append(id_)

    async def _known_blueprints(self) -> builtins.set[str]:
        """Ids of all blueprints that are kept, or were and are deleted."""
        found = set(self._triggered)
        after: str | None = None
        while True:
            page = await self.blueprints(deleted=True, after=after, limit=1000)
            found.update(info.id for info in page.items)
            after = page.next
            if after is None:
                return found


def _same(there: Standing, record: str, digest: str, etag: str) -> bool:
    return (there.record, there.digest, there.etag) == (record, digest, etag)


def _refused(trigger: Trigger) -> str | None:
    """Why a schedule cannot be one of Temporal's."""
    try:
        when(trigger.settings, datetime.now(UTC))
    except AtomitonError as error:
        return error.message
    return None
