"""A run as plain data: two of them are compared field by field."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import cast

from atomiton.blueprint.plan import Body, ItemScope, Plan, PlanNode
from atomiton.machine import RunState
from atomiton.machine.state import CalledUnit, Frame, Timer

#: What is the same in every state of a run, or no part of it.
_APART = frozenset({"plan", "secrets", "run", "body", "notices"})
#: Values in these are data of the run, or numbers: nothing in them needs to be named.
_FLAT = frozenset({"status", "open", "attempts", "started", "ended", "outputs", "errors"})


def snapshot(part: RunState | Frame | Timer) -> dict[str, object]:
    """Every field of a run as plain data, to be compared with another time or another replay."""
    slots = cast("Sequence[str]", type(part).__slots__)
    return {slot: _plain(getattr(part, slot, None), slot) for slot in slots if slot not in _APART}


def _plain(value: object, slot: str) -> object:
    if slot == "frames":
        return [snapshot(frame) for frame in cast("dict[int, Frame]", value).values()]
    if slot in _FLAT and isinstance(value, list | dict):
        return cast("list[object] | dict[object, object]", value).copy()
    return _named(value)


def _named(value: object) -> object:
    """A value in which frames, nodes and scopes are told by their numbers and names."""
    if isinstance(value, list | tuple | deque):
        return [_named(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, dict):
        return {key: _named(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, set):
        return sorted(cast("set[int]", value))
    if isinstance(value, Frame):
        return ["frame", value.id, value.kind]
    if isinstance(value, ItemScope):
        own = [_named(value.outer), value.index, value.item, value.acc, value.own]
        return ["item", *own]
    if isinstance(value, Timer):
        return snapshot(value)
    if isinstance(value, PlanNode):
        return value.id
    if isinstance(value, CalledUnit):
        return [value.called.id, value.inputs]
    return type(value).__name__ if isinstance(value, RunState | Plan | Body) else value


def difference(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    """Where two snapshots differ, in words."""
    parts = [f"{key}: {one[key]} or {other[key]}" for key in one if one[key] != other[key]]
    return "; ".join(parts)
