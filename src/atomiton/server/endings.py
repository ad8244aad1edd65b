"""Triggers on how runs end: a blueprint that is started by the failure of another one.

The end of a run that this process drives starts them at once. What other processes have ended, and
what ended while no server ran, is found in the lists of runs, now and then. The id of the run that
has ended is the key of the firing, so that it starts each of them once, whoever looks.

No blueprint comes twice in a chain of runs that have started each other: an alarm that fails does
not set itself off, nor do two that listen to each other go around for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.ports.journal import RunHeader
from atomiton.ports.triggers import RUN_EVENTS, Trigger
from atomiton.server.firing import pause

_log = logging.getLogger("atomiton.triggers")

#: Seconds between looks for ends that this process was not told of.
LOOK = 10.0
#: Seconds between looks which triggers there are.
_KNOWN = 2.0
#: Seconds by which clocks may differ, and an end be late on record.
_LATE = 60.0
#: Of which runs ends are looked for: how long ago they began, and how many of them, by event.
_REACH = {"run.failed": (7 * 86400.0, 10_000), "run.cancelled": (7 * 86400.0, 10_000)}
_REACH_OTHERS = (3600.0, 2_000)
_PAGE = 1000
#: Longest chain of runs that is followed, and how many firings are remembered.
_LONGEST = 100
_REMEMBERED = 10_000
#: Most ends that wait to be looked at: those beyond are found in the lists.
_WAITING = 10_000


class Endings:
    """Starts what is to be started by the ends of runs.

    Args:
        conductor: Whose runs.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, conductor: Conductor, now: Callable[[], float] = time.time) -> None:
        self._conductor = conductor
        self._now = now
        self._triggers: list[Trigger] = []
        self._know_at = 0.0
        self._ended: deque[RunHeader] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()
        self._fired: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._told: dict[str, str] = {}
        conductor.on_ended.append(self._note)

    async def run(self) -> None:
        """Fire until cancelled."""
        loop = asyncio.get_running_loop()
        looked_at = -LOOK
        while True:
            self._news.clear()
            try:
                await self.know()
                await self.tell()
                if self._triggers and loop.time() - looked_at >= LOOK:
                    looked_at = loop.time()
                    await self.look()
            except AtomitonError as error:  # the store is away: there is a next time
                _log.warning("ends of runs were not looked at: %s", error.message)
            except Exception:  # nothing that is odd about one of them stops the others for good
                _log.exception("ends of runs were not looked at")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_KNOWN, LOOK)):
                    await self._news.wait()

    async def know(self) -> None:
        """Find the triggers; one that is new, or paused, has missed nothing."""
        began = time.monotonic()
        if began < self._know_at:
            return
        found: list[Trigger] = []
        for trigger in await self._conductor.triggers("event"):
            if trigger.settings.get("type") not in RUN_EVENTS:
                continue
            if trigger.invalid is not None:
                continue
            if trigger.fired.paused or trigger.fired.handled_at is None:
                # Not even what is late: looks go back by as much.
                await self._conductor.note_handled(trigger.id, self._now() + _LATE)
            if not trigger.fired.paused:
                found.append(trigger)
        ended = time.monotonic()
        self._triggers, self._know_at = found, ended + pause(_KNOWN, ended - began)

    async def tell(self) -> None:
        """Fire for the ends that this process was told of."""
        while self._ended:
            header = self._ended.popleft()
            for trigger in self._triggers:
                await self._fire(trigger, header)

    async def look(self) -> None:
        """Fire for the ends on record that nobody was told of."""
        for trigger in self._triggers:
            now, since = self._now(), trigger.fired.handled_at
            if since is None:
                continue  # it is new
            for header in await self._ends(str(trigger.settings["type"]), now):
                if header.ended_at is not None and header.ended_at > since - _LATE:
                    await self._fire(trigger, header)
            await self._conductor.note_handled(trigger.id, now)

    async def _ends(self, event: str, now: float) -> Sequence[RunHeader]:
        reach, most = _REACH.get(event, _REACH_OTHERS)
        found: list[RunHeader] = []
        status, before = event.removeprefix("run."), None
        while len(found) < most:
            page = await self._conductor.list(status=status, before=before, limit=_PAGE)
            found += [header for header in page if header.created_at >= now - reach]
            if len(page) < _PAGE or page[-1].created_at < now - reach:
                break
            before = page[-1].run
        return found[::-1]

    def _note(self, execution: Execution) -> None:
        state = execution.state
        event = f"run.{state.status}"
        if not state.ended or not any(of.settings["type"] == event for of in self._triggers):
            return
        failure = state.failure
        self._ended.append(
            RunHeader(
                run=state.id,
                blueprint=state.plan.id,
                blueprint_hash=state.plan.hash,
                created_at=state.started_at,
                status=state.status,
                ended_at=state.ended_at,
                error_code=None if failure is None else failure.code,
                error_message=None if failure is None else failure.message,
            )
        )
        self._news.set()

    async def _fire(self, trigger: Trigger, header: RunHeader) -> None:
        settings, key = trigger.settings, (trigger.id, header.run)
        wanted = settings.get("blueprint", header.blueprint) == header.blueprint
        if settings["type"] != f"run.{header.status}" or not wanted or key in self._fired:
            return
        try:
            if trigger.blueprint not in await self._chain(header):
                await self._conductor.fire(trigger, {"event": event_of(header)}, key=header.run)
        except StoreError:
            raise  # it is found again
        except AtomitonError as error:  # as of a blueprint with inputs that nobody gives
            if self._told.get(trigger.id) != error.message:
                self._told[trigger.id] = error.message
                _log.warning("trigger %s: %s", trigger.id, error.message)
            await self._conductor.note_failed(trigger.id, error.message)
        self._fired[key] = None
        if len(self._fired) > _REMEMBERED:
            self._fired.popitem(last=False)

    async def _chain(self, header: RunHeader) -> set[str]:
        """The blueprints of a run, of the run whose end has started it, and so on."""
        blueprints = {header.blueprint}
        run = header.run
        for _ in range(_LONGEST):
            try:
                known = await self._conductor.cause(run)
            except NotFound:  # it was deleted meanwhile
                break
            if known is None:
                break
            run, blueprint = known
            blueprints.add(blueprint)
        return blueprints


def event_of(header: RunHeader) -> dict[str, object]:
    """What a run is given that was started by the end of another one.

    Example:
        >>> header = RunHeader(run="run_1", blueprint="a", blueprint_hash="", created_at=1.0,
        ...                    status="failed", ended_at=2.0, error_code="X", error_message="no")
        >>> event_of(header)["type"], event_of(header)["data"]["error"]
        ('run.failed', {'code': 'X', 'message': 'no'})
    """
    error = None
    if header.error_code is not None:
        error = {"code": header.error_code, "message": header.error_message or ""}
    data = {
        "run": header.run,
        "blueprint": header.blueprint,
        "status": header.status,
        "started_at": header.created_at,
        "ended_at": header.ended_at,
        "error": error,
    }
    return {"type": f"run.{header.status}", "key": header.run, "data": data}
