"""What starts runs by itself, as it is told to people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec

from atomiton.blueprint.model import RUN_EVENTS

__all__ = ["RUN_EVENTS", "Fired", "Kind", "Synced", "Trigger", "records_of", "triggers_of"]

Kind = Literal["webhook", "schedule", "event", "watch"]


class Fired(msgspec.Struct, frozen=True):
    """What is on record of a trigger.

    Attributes:
        paused: Whether it starts nothing.
        handled_at: Up to which moment a schedule was looked after, seconds since 1970, UTC.
        fired_at: When it last started a run.
        count: How many runs it has started; webhooks are not counted.
        run: The last of them.
        problem: Why the last one could not be started.
    """

    paused: bool = False
    handled_at: float | None = None
    fired_at: float | None = None
    count: int = 0
    run: str | None = None
    problem: str | None = None


class Trigger(msgspec.Struct, frozen=True):
    """A trigger of a kept blueprint.

    Attributes:
        id: ``BLUEPRINT.KIND``, from the second one of a kind on ``BLUEPRINT.KIND.2``.
        blueprint: Id of the blueprint.
        kind: What it waits for.
        settings: As the blueprint writes them.
        fired: What is on record of it.
        next_at: When a schedule fires next.
        invalid: Why it starts nothing: what is wrong with its blueprint.
    """

    id: str
    blueprint: str
    kind: Kind
    settings: Mapping[str, object]
    fired: Fired = Fired()
    next_at: float | None = None
    invalid: str | None = None


class Synced(msgspec.Struct, frozen=True):
    """What was done so that a server fires the schedules of kept blueprints.

    Attributes:
        created, updated, removed: Ids of the triggers whose schedules were.
        unchanged: Of those that were as they should be.
        left: Of those that were left alone: their blueprints are not kept here.
        problems: By id, why a trigger starts nothing.
    """

    created: list[str] = []
    updated: list[str] = []
    removed: list[str] = []
    unchanged: list[str] = []
    left: list[str] = []
    problems: dict[str, str] = {}


def triggers_of(blueprint: str, written: Iterable[Mapping[str, object]]) -> list[Trigger]:
    """The triggers of a blueprint, in the order of its file.

    Example:
        >>> written = ({"event": {"type": "a"}}, {"event": {"type": "b"}})
        >>> [trigger.id for trigger in triggers_of("x", written)]
        ['x.event', 'x.event.2']
    """
    found: list[Trigger] = []
    for trigger in written:
        for kind, settings in trigger.items():
            number = sum(other.kind == kind for other in found) + 1
            id_ = f"{blueprint}.{kind}" + (f".{number}" if number > 1 else "")
            found.append(
                msgspec.convert(
                    {"id": id_, "blueprint": blueprint, "kind": kind, "settings": settings},
                    Trigger,
                )
            )
    return found


def records_of(triggers: Iterable[Trigger], known: Collection[str]) -> dict[str, tuple[str, str]]:
    """Find what is on record of each trigger, also of one that has moved, or was edited.

    A trigger keeps its record as long as its settings stay, wherever it stands; one that was edited
    keeps that of its place, unless another trigger has it by its settings.

    Args:
        triggers: All of them.
        known: The names of the records.

    Returns:
        By id, the name of the record there is, which is empty for none, and the name it is to have.

    Example:
        >>> one, two = triggers_of("x", [{"event": {"type": "a"}}, {"event": {"type": "b"}}])
        >>> name = records_of([two], [])["x.event.2"][1]
        >>> moved = msgspec.structs.replace(two, id="x.event")
        >>> records_of([moved], [name])["x.event"][0] == name
        True
    """
    wanted = {trigger.id: f"{trigger.id}#{_digest(trigger)}" for trigger in triggers}
    left = dict.fromkeys(known)
    found: dict[str, str] = {}

    def take(trigger: str, name: str | None) -> None:
        if name is not None and name in left:
            del left[name]
            found[trigger] = name

    for id_, name in wanted.items():
        take(id_, name)
    by_settings = {(_group(name), name.partition("#")[2]): name for name in left}
    for id_, name in wanted.items():
        if id_ not in found:
            take(id_, by_settings.get((_group(id_), name.partition("#")[2])))
    by_place = {name.partition("#")[0]: name for name in left}
    for id_ in wanted:
        if id_ not in found:
            take(id_, by_place.get(id_))
    return {id_: (found.get(id_, ""), name) for id_, name in wanted.items()}


def _group(name: str) -> str:
    """The blueprint and the kind of a trigger."""
    return ".".join(name.partition("#")[0].split(".")[:2])


def _digest(trigger: Trigger) -> str:
    return sha256(msgspec.json.encode(trigger.settings, order="sorted")).hexdigest()[:12]
