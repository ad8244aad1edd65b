"""Reading triggers: what starts a run by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from atomiton.blueprint.durations import read_rate
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


TRIGGERS: Final[dict[str, tuple[Table, tuple[str, ...]]]] = {
    "webhook": (
        {
            "path": ("path", some_text),
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
    "event": ({"type": ("type", some_text), "blueprint": ("blueprint", some_text)}, ("type",)),
    "watch": ({"path": ("path", some_text), "pattern": ("pattern", some_text)}, ("path",)),
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
        reader.fields(trigger[key], (*path, key), table, f"'{key}'", required)
