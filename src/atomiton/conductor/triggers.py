"""Triggers of kept blueprints: listing, pausing, firing. Servers make them fire by themselves."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.narrow import as_list, as_object
from atomiton.conductor.inputs import check_options
from atomiton.conductor.keeping import FRESH
from atomiton.conductor.run import DrivenRun, Run
from atomiton.conductor.starting import Starting
from atomiton.errors import AtomitonError, BlueprintError, NotFound, StoreError
from atomiton.ports.admission import ALONE
from atomiton.ports.triggers import (
    RUN_EVENTS,
    Fired,
    Kind,
    Synced,
    Trigger,
    records_of,
    triggers_of,
)
from atomiton.store.ledger import triggers as ledger

_log = logging.getLogger("atomiton.triggers")

_PAGE = 1000


class Triggers(Starting):
    """What a conductor does with triggers.

    Attributes:
        fires_schedules: Whether its server is to fire schedules; else they are synced with one that
            does.
    """

    fires_schedules = True

    async def _begin_beside(self) -> None:
        await super()._begin_beside()
        #: Triggers of kept blueprints, by id, with the etag that they were read at.
        self._triggered: dict[str, tuple[str, Sequence[Trigger]]] = {}
        #: Under which name it is on record what a trigger has done, by its id.
        self._records: dict[str, str] = {}
        #: Where that is on record, and what all of its names begin with there.
        self._noted, self._mark = self._beside, ""

    async def triggers(self, kind: Kind | None = None) -> builtins.list[Trigger]:
        """The triggers of all kept blueprints, by blueprint.

        Those of a blueprint that is not valid are among them, with the reason: they start nothing.

        Args:
            kind: Only those that wait for this.
        """
        noted, mark = await self._noted.do(ledger.states), self._mark
        known = {name.removeprefix(mark): of for name, of in noted.items() if name.startswith(mark)}
        triggers = [of for of in await self._all_triggers() if kind in (None, of.kind)]
        records = records_of(triggers, known)
        self._records.update((id_, name) for id_, (_, name) in records.items())
        moved = [(mark + old, mark + new) for old, new in records.values() if old and old != new]
        if moved:
            await self._noted.do(partial(ledger.rename, moved))
        found: builtins.list[Trigger] = []
        for trigger in triggers:
            fired = known.get(records[trigger.id][0], Fired())
            following = self._next(trigger, fired)
            found.append(msgspec.structs.replace(trigger, fired=fired, next_at=following))
        return found

    def _record(self, trigger: str) -> str:
        return self._mark + self._records.get(trigger, trigger)

    def _next(self, trigger: Trigger, fired: Fired) -> float | None:
        if trigger.kind != "schedule" or fired.paused or trigger.invalid is not None:
            return None
        from atomiton.conductor.cron import moments  # few blueprints have a schedule

        try:
            cron = str(trigger.settings["cron"])
            zone = str(trigger.settings.get("timezone", "UTC"))
            return next(moments(cron, zone, self._now()), None)
        except AtomitonError:
            return None  # its problem is told where it fires

    async def _all_triggers(self) -> builtins.list[Trigger]:
        """The triggers of the newest revisions of all kept blueprints, in order."""
        store, began = await self._shelf.open(), self.driver.loop.time()
        seen: dict[str, str] = {}
        after: str | None = None
        while True:
            page = await store.list(after=after, limit=_PAGE)
            for info in page.items:
                seen[info.id] = info.etag
                known = self._triggered.get(info.id)
                if known is None or known[0] != info.etag:
                    self._triggered[info.id] = (info.etag, await self._read_triggered(info.id))
            after = page.next
            if after is None:
                break
        self._note_seen(seen, began)
        for gone in self._triggered.keys() - seen.keys():
            del self._triggered[gone]
        return [trigger for _, (_, of) in sorted(self._triggered.items()) for trigger in of]

    async def _read_triggered(self, id_: str) -> Sequence[Trigger]:
        text = (await self.blueprint(id_)).text
        try:
            blueprint, _ = read_blueprint(text, filename=id_)
        except AtomitonError as error:  # not finished yet
            found = _half_written(id_, text, error)
            for trigger in found:
                _log.warning("trigger %s starts nothing: %s", trigger.id, trigger.invalid)
            return found
        return triggers_of(blueprint.id, blueprint.triggers)

    async def pause_trigger(self, trigger: str, *, paused: bool = True) -> None:
        """Let a trigger start nothing, or something again; ``NotFound`` if there is none."""
        await self._trigger(trigger)
        await self._noted.do(partial(ledger.pause, self._record(trigger), paused))

    async def fire_trigger(
        self, trigger: str, inputs: Mapping[str, object] | None = None, *, key: str | None = None
    ) -> Run:
        """Start a run of a trigger's blueprint now, also of one that is paused.

        Args:
            trigger: Its id.
            inputs: Those that the trigger would give.
            key: A second firing under the same key is not made.

        Raises:
            NotFound: There is no such trigger.
            InputError: The inputs do not fit.
        """
        found = await self._trigger(trigger)
        blueprint = await self._kept(found.blueprint)
        return await self._fire(found, blueprint, dict(inputs or {}), key)

    async def fire(
        self,
        trigger: Trigger,
        given: Mapping[str, object],
        *,
        key: str | None = None,
        only: bool = False,
    ) -> Run:
        """Start the run of a trigger.

        Args:
            trigger: Which.
            given: What it has to give; a blueprint gets those that it declares.
            key: One firing is made under it, in whichever process.
            only: Whether it waits for the end of those that the trigger has started before.
        """
        blueprint = await self._kept(trigger.blueprint, fresh=FRESH)
        inputs = {name: value for name, value in given.items() if name in blueprint.inputs}
        return await self._fire(trigger, blueprint, inputs, key, only=only)

    async def _fire(
        self,
        trigger: Trigger,
        blueprint: Blueprint,
        inputs: Mapping[str, object],
        key: str | None,
        *,
        only: bool = False,
    ) -> Run:
        turn = (0, f"{ALONE}{trigger.id}" if only else "", 0.0)
        known = None if key is None else f"trigger:{trigger.id}@{key}"
        if known is not None:
            check_options(None, known)
        ready = self.library.ready(blueprint)
        run, execution = await self._start(ready, inputs, None, known, turn)
        if trigger.kind != "webhook":  # those come by the thousand
            await self._note_fired(trigger, run)
        return Run(self, run) if execution is None else DrivenRun(self, execution)

    async def _note_fired(self, trigger: Trigger, run: str) -> None:
        await self._noted.do(partial(ledger.fired, self._record(trigger.id), self._now(), run))

    async def sync_triggers(self, *, prune: bool = False, again: bool = False) -> Synced:
        """Let the server that fires schedules by itself know those of the kept blueprints.

        Args:
            prune: Whether those of blueprints that are not kept here are removed too.
            again: Whether those that are as they should be are put there again.

        Raises:
            AtomitonError: There is none: a server of this store fires them, while it runs.
        """
        del prune, again
        message = (
            "there is nothing to sync: the schedules of this store fire while atomiton serve runs "
            "on it; those of runs on Temporal are synced, --store temporal://HOST"
        )
        raise AtomitonError(message, code="NOT_SUPPORTED")

    async def _trigger(self, id_: str) -> Trigger:
        for trigger in await self.triggers():
            if trigger.id == id_:
                return trigger
        raise NotFound(f"there is no trigger {id_!r}; atomiton triggers list shows all")

    async def note_handled(self, trigger: str, moment: float) -> None:
        """Note up to which moment a schedule was looked after."""
        await self._noted.do(partial(ledger.handled, self._record(trigger), moment))

    async def note_failed(self, trigger: str, problem: str | None) -> None:
        """Note why a trigger could not start a run; None that it can."""
        await self._noted.do(partial(ledger.failed, self._record(trigger), problem))

    async def publish(
        self,
        kind: str,
        data: object = None,
        *,
        key: str,
    ) -> builtins.list[Run]:
        """Tell of an event: every trigger of its kind that is not paused starts a run.

        The run gets ``inputs.event``, ``{type, key, data}``, if it declares it. One that cannot be
        started, as of a blueprint with inputs that nobody gives, is noted as that trigger's problem
        and keeps no other from being started.

        Args:
            kind: Its type, such as ``order.created``.
            data: Plain data.
            key: Names it: told again, it starts nothing again.

        Returns:
            The runs, which are on record by now.

        Raises:
            AtomitonError: It is of a type that only the ends of runs have.
        """
        if kind in RUN_EVENTS:
            message = f"'{kind}' is told by the end of a run; give your event another type"
            raise AtomitonError(message, code="INVALID_INPUT")
        event = {"type": kind, "key": key, "data": data}
        started: builtins.list[Run] = []
        for trigger in await self.triggers("event"):
            wanted = trigger.settings.get("type") == kind
            if not wanted or trigger.fired.paused or trigger.invalid is not None:
                continue
            try:
                started.append(await self.fire(trigger, {"event": event}, key=key))
            except StoreError:
                raise  # it is told again under its key
            except AtomitonError as error:
                _log.warning("trigger %s: %s", trigger.id, error.message)
                await self.note_failed(trigger.id, error.message)
        return started

    async def cause(self, run: str) -> tuple[str, str] | None:
        """The run whose end has started this one, and its blueprint; None if none has.

        Raises:
            NotFound: One of the two is not on record.
        """
        known = self._known(run)
        if known is not None and known.recorder is None:
            keys = (key for (_, key), of in self._keys.items() if of == run)
            key = next(keys, None)
        else:
            key = (await self.header(run)).key
        begin, _, cause = (key or "").rpartition("@")
        if not begin.startswith("trigger:") or not cause.startswith("run_"):
            return None
        return cause, (await self.header(cause)).blueprint


def _half_written(blueprint: str, text: str, error: AtomitonError) -> Sequence[Trigger]:
    """The triggers of a blueprint that is not valid, as far as they can be made out."""
    from atomiton.blueprint.triggers import TRIGGERS
    from atomiton.blueprint.yaml import load

    try:
        written = load(text).data.get("triggers")
    except AtomitonError:
        return ()
    named: builtins.list[dict[str, object]] = []
    for entry in as_list(written) or ():
        for kind, settings in (as_object(entry) or {}).items():
            known = as_object(settings)
            if kind in TRIGGERS and known is not None:
                named.append({kind: known})
    problems = error.problems if isinstance(error, BlueprintError) else ()
    place = f" (line {problems[0].line})" if problems and problems[0].line else ""
    why = f"{problems[0].message if problems else error.message}{place}"
    found = triggers_of(blueprint, named)
    return [msgspec.structs.replace(trigger, invalid=why) for trigger in found]
