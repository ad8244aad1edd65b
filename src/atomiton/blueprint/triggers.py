"""Reading triggers: what starts a run by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from atomiton.blueprint.durations import read_rate
from atomiton.blueprint.model import RUN_EVENTS
from atomiton.blueprint.problems import Path, nearest
from atomiton.blueprint.reading import (
    Reader,
    Table,
    as_list,
    as_mapping,
    choice,
    integer,
    some_text,
)
from atomiton.blueprint.types import describe

_CRON = re.compile(r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(?:\s+\S+){4}")
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,#?-]+")
_HOOK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


def _cron(reader: Reader, value: object, path: Path) -> object:
    hint = 'five fields: minute, hour, day, month, weekday, as in "*/5 * * * *"'
    fits = isinstance(value, str) and _CRON.fullmatch(value.strip())
    if not fits or not all(map(_CRON_FIELD.fullmatch, str(value).lstrip("@").split())):
        return reader.wrong(path, f"'cron' must be a cron expression, got {describe(value)}", hint)
    if not str(value).startswith("@"):
        from cronsim import CronSim, CronSimError  # most blueprints have no schedule

        try:
            CronSim(str(value).strip(), datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            return reader.wrong(path, f"'cron' {value!r} has no moments: {error}", hint)
    return value


def _zone(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and _ZONE.fullmatch(value):
        from zoneinfo import ZoneInfo, available_timezones

        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            known = available_timezones()  # none where the machine knows no time zones at all
            hint = nearest(value, known) or "such as Europe/Berlin or UTC"
            return reader.wrong(path, f"there is no time zone {value!r}", hint) if known else value
        return value
    message = f"'timezone' must be the name of a time zone, got {describe(value)}"
    return reader.wrong(path, message, "such as Europe/Berlin or UTC")


def _rate(reader: Reader, value: object, path: Path) -> object:
    try:
        if isinstance(value, str):
            read_rate(value)
            return value
    except ValueError:
        pass
    message = f"'rate' must be a number in a time, got {describe(value)}"
    return reader.wrong(path, message, "such as 100/1m")


def _hook_path(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and _HOOK.fullmatch(value.strip("/")):
        return value
    message = f"'path' must be letters, digits, - and _, at most 64, got {describe(value)}"
    return reader.wrong(path, message, "such as orders, which is called at /hooks/orders")


def _event(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and value.startswith("run.") and value not in RUN_EVENTS:
        known = sorted(RUN_EVENTS)
        message = f"there is no event {value!r}: those of runs are {', '.join(known)}"
        return reader.wrong(path, message, reader.near(value, known))
    return some_text(reader, value, path)


def _names(reader: Reader, value: object, path: Path) -> object:
    if isinstance(value, str) and "/" in value:
        message = "'pattern' is for the names of files in the folder, and has no '/'"
        return reader.wrong(path, message, "such as *.csv; the folder stands in 'path'")
    return some_text(reader, value, path)


TRIGGERS: Final[dict[str, tuple[Table, tuple[str, ...]]]] = {
    "webhook": (
        {
            "path": ("path", _hook_path),
            "method": ("method", choice("GET", "POST", "PUT", "PATCH", "DELETE")),
            "respond": ("respond", choice("accepted", "result")),
            "secret": ("secret", some_text),
            "rate": ("rate", _rate),
        },
        ("path",),
    ),
    "schedule": (
        {
            "cron": ("cron", _cron),
            "timezone": ("timezone", _zone),
            "overlap": ("overlap", choice("skip", "queue", "allow")),
            "catch_up": ("catch_up", integer(0)),
        },
        ("cron",),
    ),
    "event": ({"type": ("type", _event), "blueprint": ("blueprint", some_text)}, ("type",)),
    "watch": ({"path": ("path", some_text), "pattern": ("pattern", _names)}, ("path",)),
}
"""Kinds of triggers: the keys of each, and those that it needs."""


def read_triggers(reader: Reader, value: object, path: Path) -> object:
    """Check a list of triggers; they stay as they are written."""
    found = as_list(value)
    if found is None:
        hint = "write `- webhook: {path: orders}`"
        return reader.wrong(path, f"'triggers' must be a list, got {describe(value)}", hint)
    for place, trigger in enumerate(found):
        _read_trigger(reader, trigger, (*path, place))
    return tuple(found)


def _read_trigger(reader: Reader, value: object, path: Path) -> None:
    trigger = as_mapping(value)
    kinds = ", ".join(TRIGGERS)
    if trigger is None:
        message = f"a trigger must hold keys and values, got {describe(value)}"
        reader.wrong(path, message, f"one of {kinds}")
        return
    known = [key for key in trigger if key in TRIGGERS]
    for key in trigger:
        if key not in TRIGGERS:
            reader.unknown((*path, key), TRIGGERS, "a trigger")
    if len(known) > 1 or not trigger:
        reader.wrong(path, f"a trigger has exactly one kind of {kinds}", "write two triggers")
    for key in known:
        table, required = TRIGGERS[key]
        read = reader.fields(trigger[key], (*path, key), table, f"'{key}'", required) or {}
        if key == "event" and "blueprint" in read and read.get("type") not in RUN_EVENTS:
            message = "'blueprint' goes with the ends of runs, and other events have none"
            hint = f"with a type of {', '.join(sorted(RUN_EVENTS))}"
            reader.wrong((*path, key, "blueprint"), message, hint)
