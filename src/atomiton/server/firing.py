"""Triggers that fire by themselves: schedules and watched folders, for as long as a server runs.

Each moment and each file has a key, under which one run is made in whichever process: a restart and
a second server on the same store start nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatch
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

from atomiton.conductor import Conductor
from atomiton.conductor.cron import moments
from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.ports.triggers import Kind, Trigger

_log = logging.getLogger("atomiton.triggers")

#: Seconds between looks at the clock and at folders.
TICK = 1.0
#: A moment that is later than this was missed; it fires only as far as ``catch_up`` says.
LATE = 60.0
#: Most moments that are looked at after a long absence.
_MOST = 10_000
#: How many times as long as a look the rest after it is, and the longest one in seconds.
_REST = 10.0
_LONGEST_REST = 5.0
#: Most files of a folder.
_FILES = 10_000
#: Words of the problems that a look itself has, as opposed to those of what it finds.
_OF_LOOKS = ("cannot be watched", "is outside of the folder", "cannot be looked after")


def pause(seconds: float, taken: float) -> float:
    """How long to rest after a look: with very many blueprints, most of the time all the same.

    Args:
        seconds: At least.
        taken: Seconds that the look has taken.

    Example:
        >>> pause(1.0, 0.002), pause(1.0, 0.25), pause(1.0, 60.0)
        (1.0, 2.5, 5.0)
    """
    return min(max(seconds, _REST * taken), max(seconds, _LONGEST_REST))


class Firing:
    """Fires the triggers of the blueprints that a conductor keeps.

    Args:
        conductor: Keeps them, and runs them.
        folder: Where paths of watched folders begin; nothing outside of it is watched.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(
        self,
        conductor: Conductor,
        folder: Path,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._conductor = conductor
        self._folder = folder.resolve()
        self._now = now
        #: What files looked like the last time, by trigger and path.
        self._files: dict[str, dict[str, tuple[int, int]]] = {}
        self._handled: dict[tuple[str, str], tuple[int, int]] = {}
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Fire until cancelled."""
        while True:
            began = time.monotonic()
            try:
                await self.look()
            except AtomitonError as error:  # the store is away: there is a next time
                _log.warning("triggers were not looked at: %s", error.message)
            except Exception:  # nothing that is odd about one of them stops the others for good
                _log.exception("triggers were not looked at")
            await asyncio.sleep(pause(TICK, time.monotonic() - began))

    async def look(self) -> None:
        """Fire what is due now."""
        kind: Kind | None = None if self._conductor.fires_schedules else "watch"
        for trigger in await self._conductor.triggers(kind):
            if trigger.invalid is not None:
                continue
            if trigger.fired.paused:
                if trigger.kind == "schedule":  # what passes meanwhile was not missed
                    await self._conductor.note_handled(trigger.id, self._now())
                continue
            try:
                if trigger.kind == "schedule":
                    await self._schedule(trigger)
                elif trigger.kind == "watch":
                    await self._watch(trigger)
            except StoreError:
                raise  # not the trigger's fault
            except AtomitonError as error:
                await self._failed(trigger, error.message)
            except (OSError, ValueError, RuntimeError) as error:  # as of a path that is none
                await self._failed(trigger, f"it cannot be looked after: {error}")

    async def _failed(self, trigger: Trigger, message: str) -> None:
        if self._told.get(trigger.id) != message:  # once, not every second
            self._told[trigger.id] = message
            _log.warning("trigger %s: %s", trigger.id, message)
            with contextlib.suppress(AtomitonError):
                await self._conductor.note_failed(trigger.id, message)

    async def _mended(self, trigger: Trigger) -> None:
        """A folder could be looked at: a problem with that, if there was one, is over."""
        if any(words in (trigger.fired.problem or "") for words in _OF_LOOKS):
            self._told.pop(trigger.id, None)
            await self._conductor.note_failed(trigger.id, None)

    # -- schedules -----------------------------------------------------------------------------

    async def _schedule(self, trigger: Trigger) -> None:
        now, handled = self._now(), trigger.fired.handled_at
        if handled is None:  # it is new: what was before it does not count
            await self._conductor.note_handled(trigger.id, now)
            return
        cron = str(trigger.settings["cron"])
        zone = str(trigger.settings.get("timezone", "UTC"))
        due: list[float] = []
        for moment in takewhile(lambda at: at <= now, moments(cron, zone, handled)):
            due.append(moment)
            del due[:-_MOST]
        catch_up = trigger.settings.get("catch_up", 0)
        missed = [moment for moment in due if moment < now - LATE]
        most = catch_up if isinstance(catch_up, int) else 0
        chosen = set(missed[len(missed) - min(most, len(missed)) :])
        for moment in due:
            if moment >= now - LATE or moment in chosen:
                await self._fire_at(trigger, moment, late=moment in chosen)
            await self._conductor.note_handled(trigger.id, moment)

    async def _fire_at(self, trigger: Trigger, moment: float, *, late: bool) -> None:
        overlap = trigger.settings.get("overlap", "skip")
        if overlap == "skip" and not late and await self._runs(trigger):
            return
        at = datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
        # What is caught up was asked for: one after another, but none is dropped.
        only = (overlap == "queue" or (late and overlap == "skip")) and not (
            self._conductor.in_memory
        )
        try:
            await self._conductor.fire(trigger, {"scheduled_at": at}, key=at, only=only)
        except AtomitonError as error:  # as of a blueprint with inputs that nobody gives
            await self._failed(trigger, error.message)

    async def _runs(self, trigger: Trigger) -> bool:
        """Whether the last run of a trigger has not ended; asked anew, others fire as well."""
        for current in await self._conductor.triggers("schedule"):
            if current.id == trigger.id and current.fired.run is not None:
                try:
                    header = await self._conductor.header(current.fired.run)
                except NotFound:
                    return False
                return header.ended_at is None
        return False

    # -- files ---------------------------------------------------------------------------------

    async def _watch(self, trigger: Trigger) -> None:
        folder = self._inside(str(trigger.settings["path"]))
        pattern = str(trigger.settings.get("pattern", "*"))
        found = await asyncio.to_thread(_files_of, folder, pattern)
        wrong: str | None = None
        before = self._files.get(trigger.id, {})
        self._files[trigger.id] = found
        for path, looks in found.items():
            # A file is taken once it looks the same twice: who writes it has finished.
            if before.get(path) != looks or self._handled.get((trigger.id, path)) == looks:
                continue
            seen = f"{path}\0{looks[0]}\0{looks[1]}".encode(errors="surrogateescape")
            shown = str(Path(path).relative_to(self._folder))
            try:
                await self._conductor.fire(
                    trigger, {"path": shown}, key=sha256(seen).hexdigest()[:32]
                )
            except StoreError:
                raise
            except AtomitonError as error:  # this file starts nothing; others do
                wrong = f"{shown!r}: {error.message}"
            self._handled[trigger.id, path] = looks
        for path in before.keys() - found.keys():
            self._handled.pop((trigger.id, path), None)
        if wrong is not None:
            self._told.pop(trigger.id, None)  # of another file
            await self._failed(trigger, wrong)
        else:
            await self._mended(trigger)

    def _inside(self, path: str) -> Path:
        folder = (self._folder / path).resolve()
        if not folder.is_relative_to(self._folder):
            message = f"'{path}' is outside of the folder of this server"
            raise AtomitonError(message, code="NOT_ALLOWED")
        return folder


def _files_of(folder: Path, pattern: str) -> dict[str, tuple[int, int]]:
    """The files of a folder, with when they were changed and their size."""
    found: dict[str, tuple[int, int]] = {}
    try:
        for entry in folder.iterdir():
            if not fnmatch(entry.name, pattern) or entry.is_symlink() or not entry.is_file():
                continue
            with contextlib.suppress(OSError):  # it has gone in this moment
                stat = entry.stat()
                found[str(entry)] = (stat.st_mtime_ns, stat.st_size)
            if len(found) >= _FILES:
                break
    except OSError as error:
        message = f"the folder {folder.name} cannot be watched: {error.strerror}"
        raise AtomitonError(message, code="NOT_FOUND") from error
    return dict(sorted(found.items()))
