"""What starts runs by itself, as it is told to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["webhook", "schedule", "event", "watch"]

#: Types of events that the ends of runs are; nobody else may tell of them.
RUN_EVENTS = frozenset({"run.completed", "run.failed", "run.cancelled"})


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
    """

    id: str
    blueprint: str
    kind: Kind
    settings: Mapping[str, object]
    fired: Fired = Fired()
    next_at: float | None = None


def triggers_of(blueprint: str, written: tuple[Mapping[str, object], ...]) -> list[Trigger]:
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
