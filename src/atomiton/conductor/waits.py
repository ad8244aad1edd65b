"""What a run waits for: times, signals, approvals, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from atomiton.blueprint.plan import Waiting
from atomiton.blueprint.problems import nearest
from atomiton.blueprint.types import check_value
from atomiton.errors import AtomitonError, InputError, NotFound, Problem
from atomiton.machine import RunState
from atomiton.machine.state import COMPLETED, LOST, RETRYING, WAITING, Frame

_KINDS = {RETRYING: "retry", LOST: "decision"}


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that a run waits for.

    Attributes:
        node: Path of the node that waits.
        kind: ``time``, ``signal``, ``approval``, ``retry``, or ``decision`` about a lost attempt.
        until: Moment at which waiting ends by itself, seconds since 1970, UTC; None if it does not.
        signal: Name of the signal.
        title, description: What a person is asked.
        fields: JSON Schema of what a person is to fill in, by name.
        frame, number: What the machine calls the node.
    """

    node: str
    kind: str
    until: float | None = None
    signal: str = ""
    title: str = ""
    description: str = ""
    fields: dict[str, dict[str, object]] = {}
    frame: int = 0
    number: int = 0


def waits_of(state: RunState) -> list[Wait]:
    """Everything that a run waits for, in the order of its nodes."""
    if state.ended:
        return []
    return [
        _wait(frame, node)
        for frame in state.frames.values()
        for node, status in enumerate(frame.status)
        if status in (WAITING, RETRYING, LOST)
    ]


def _wait(frame: Frame, node: int) -> Wait:
    status = frame.status[node]
    detail = frame.nodes[node].detail
    timer = frame.timers.get(node)
    until = None if timer is None else frame.run.timers[timer].at
    path = frame.path(node)
    if status == WAITING and isinstance(detail, Waiting):
        if detail.signal:
            return Wait(path, "signal", until, detail.signal, frame=frame.id, number=node)
        if detail.approval is not None:
            asked = detail.approval
            return Wait(
                path,
                "approval",
                until,
                title=str(asked.get("title", "")),
                description=str(asked.get("description", "")),
                fields=fields_of(asked),
                frame=frame.id,
                number=node,
            )
    return Wait(path, _KINDS.get(status, "time"), until, frame=frame.id, number=node)


def answers_of(state: RunState) -> dict[str, object]:
    """What signals carried and approvals said to the waits of a run, by path."""
    return {
        frame.path(node): frame.outputs[node]
        for frame in state.frames.values()
        for node, status in enumerate(frame.status)
        if status == COMPLETED and _asks(frame.nodes[node].detail)
    }


def _asks(detail: object) -> bool:
    return isinstance(detail, Waiting) and bool(detail.signal or detail.approval is not None)


def fields_of(approval: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The fields that an approval asks for, each as JSON Schema; a type's name is short for it."""
    fields = cast("Mapping[str, object]", approval.get("fields") or {})
    return {
        name: {"type": schema} if isinstance(schema, str) else cast("dict[str, object]", schema)
        for name, schema in fields.items()
    }


def choose_approval(state: RunState, node: str | None) -> Wait:
    """The approval that is meant: that of a node, or the only one that is waited for.

    Raises:
        NotFound: The run waits for no such approval.
        AtomitonError: It waits for several, and none was named.
    """
    asked = [wait for wait in waits_of(state) if wait.kind == "approval"]
    named = [wait for wait in asked if node in (None, wait.node)]
    paths = ", ".join(wait.node for wait in asked)
    if not named:
        hint = f"; it waits for one at {paths}" if asked else ""
        what = "an approval" if node is None else f"an approval at '{node}'"
        raise NotFound(f"run {state.id} does not wait for {what}{hint}")
    if len(named) > 1:
        raise AtomitonError(
            f"run {state.id} waits for several approvals; name one of {paths}", code="INVALID_INPUT"
        )
    return named[0]


def check_fields(wait: Wait, given: Mapping[str, object]) -> dict[str, object]:
    """Check what was filled in, and add defaults.

    Raises:
        InputError: With every field that is unknown, missing or wrong.
    """
    problems: list[Problem] = []
    for name in given:
        if name not in wait.fields:
            hint = nearest(name, wait.fields) or f"its fields: {', '.join(wait.fields) or 'none'}"
            problems.append(_problem(f"there is no field '{name}'", name, hint))
    filled: dict[str, object] = {}
    for name, schema in wait.fields.items():
        if name in given:
            filled[name] = given[name]
            for place, message in check_value(given[name], schema, name):
                problems.append(_problem(f"field '{place}': {message}", name, None))
        elif "default" in schema:
            filled[name] = schema["default"]
        else:
            problems.append(_problem(f"the field '{name}' is missing", name, None))
    if problems:
        raise InputError(problems)
    return filled


def _problem(message: str, name: str, hint: str | None) -> Problem:
    return Problem("INVALID_INPUT", message, f"fields.{name}", hint=hint)
