"""Debugging runs: where one stands, what nodes are called on, what people watch.

Imported where first used: few runs are debugged.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import cast

from atomiton.blueprint.expressions import Expression
from atomiton.blueprint.narrow import as_list, as_object
from atomiton.blueprint.plan import Group, LoopPlan, MapPlan, Plan, PlanNode
from atomiton.blueprint.problems import nearest
from atomiton.conductor.hooks_of_plan import fitting_parameters
from atomiton.conductor.inputs import own_value
from atomiton.conductor.stops import (
    LARGEST,
    LONGEST,
    MOST,
    NEXT,
    NextNode,
    NodeInputs,
    Standing,
    StepMode,
    Watched,
)
from atomiton.drivers.answers import BLOT, blot
from atomiton.drivers.masks import masked
from atomiton.drivers.names import STEPS, Place, evaluate, parameters_at, read, shown_parameters
from atomiton.drivers.program import Program
from atomiton.drivers.trimming import shortened
from atomiton.errors import AtomitonError, InputError, NodeError, NotFound, Problem
from atomiton.machine import RunState
from atomiton.machine.debugging import in_turn, without_numbers
from atomiton.machine.events import Breakpoint, Event, InputChanged, Resumed, StepRequested
from atomiton.machine.state import COMPLETED, PENDING, READY, RETRYING, Frame


def standing_of(state: RunState, events: int) -> Standing:
    """Where a run stands after so many facts."""
    waiting = in_turn(state)
    stopped = (at for at in waiting if state.paused and (at[0].id, at[1]) in state.passed)
    first = next(stopped, None)
    return Standing(
        status=state.public_status(),
        paused=state.paused and not state.ended,
        stopped=None if first is None else first[0].path(first[1]),
        breakpoints=tuple(Breakpoint(*of) for of in (state.breaks or {}).items()),
        next=tuple(_next_node(*place) for place in waiting[:NEXT]),
        events=events,
    )


def inputs_of(state: RunState, node: str) -> NodeInputs:
    """What a node is to be called on; errors are those of ``Conductor.node_inputs``."""
    frame, number = place_of(state, node, called=True)
    plan_node = frame.nodes[number]
    own = () if plan_node.type is None else plan_node.type.parameters
    return NodeInputs(
        node=frame.path(number),
        type="" if plan_node.type is None else plan_node.type.name,
        attempt=frame.attempts[number] + 1,
        parameters=shown_parameters(frame, number),
        expressions=tuple(port.name for port in own if port.expression),
        changed=_is_changed(frame, number),
        open=state.paused and frame.status[number] in _OPEN,
    )


def change_of(
    state: RunState,
    program: Program,
    node: str,
    parameters: Mapping[str, object],
    by: str,
    now: float,
) -> InputChanged:
    """The fact that a node is called on other parameters; see ``Conductor.change_inputs``."""
    frame, number = place_of(state, node, called=True)
    path, plan_node = frame.path(number), frame.nodes[number]
    if not state.paused or frame.status[number] not in _OPEN:
        why = f"'{path}' has begun" if state.paused else f"run {state.id} is not paused"
        message = f"{why}: inputs can be changed before an attempt of a paused run only"
        raise AtomitonError(message, code="NOT_ALLOWED")
    given = cast("dict[str, object]", own_value(dict(parameters), "the parameters"))
    own = parameters_at(frame, number)
    plain = {name: value for name, value in own.items() if not callable(value)}
    whole = restored(given, blot(plain, state.secrets), plain, path)
    try:
        fitting = fitting_parameters(plan_node, cast("dict[object, object]", whole))
        program.steps[plan_node.step].call.arguments({**own, **fitting}, None)
    except NodeError as error:
        message = str(blot(error.message, state.secrets))
        raise InputError([Problem(error.code, message, f"parameters of {path}")]) from error
    hidden = cast("dict[str, object]", masked(fitting, state.secrets))
    return InputChanged(now, frame.id, number, hidden, by or "somebody")


def watched(
    state: RunState, expressions: Sequence[str], node: str | None
) -> builtins.list[Watched]:
    """What expressions give where a run stands; see ``Conductor.watch``."""
    if len(expressions) > MOST:
        raise AtomitonError(f"at most {MOST} expressions can be watched", code="LIMIT_EXCEEDED")
    place: Place = (state.top, None) if node is None else place_of(state, node)
    steps = STEPS // max(1, len(expressions) // 5)
    return [_watched(text, place, steps) for text in expressions]


#: What a node does whose inputs can still be changed.
_OPEN = frozenset({PENDING, READY, RETRYING})


def check_breakpoints(plan: Plan, given: Sequence[Breakpoint]) -> tuple[Breakpoint, ...]:
    """Check where a run is to stop, each node once.

    Raises:
        InputError: With every node that is not there, and every condition that cannot be read.
    """
    if len(given) > MOST:
        raise AtomitonError(f"a run has at most {MOST} breakpoints", code="LIMIT_EXCEEDED")
    problems: list[Problem] = []
    known = list(dict.fromkeys(_paths(plan.root.nodes, "")))
    for number, breakpoint_ in enumerate(given):
        place = f"breakpoints.{number}"
        if without_numbers(breakpoint_.node) not in known:
            message = f"there is no node '{breakpoint_.node}' to stop before"
            hint = nearest(breakpoint_.node, known) or "its path, such as group.inner"
            problems.append(Problem("NOT_FOUND", message, place, hint=hint))
        problems.extend(_unreadable(breakpoint_.condition, f"{place}.condition"))
    if problems:
        raise InputError(problems)
    return tuple({breakpoint_.node: breakpoint_ for breakpoint_ in given}.values())


def _unreadable(condition: str, place: str) -> Iterator[Problem]:
    """Why a condition cannot be one."""
    if not condition:
        return
    try:
        names = {reference.name for reference in _parsed(condition).references}
    except AtomitonError as error:
        yield Problem(error.code, f"the condition cannot be read: {error.message}", place)
        return
    if "secrets" in names:
        message = "the condition of a breakpoint cannot look at secrets"
        yield Problem("UNKNOWN_REFERENCE", message, place)


def _parsed(text: str) -> Expression:
    if len(text) > LONGEST:
        message = f"an expression here has at most {LONGEST} characters"
        raise AtomitonError(message, code="LIMIT_EXCEEDED")
    return read(text)


def _paths(nodes: Sequence[PlanNode], above: str) -> Iterator[str]:
    """The paths of all nodes, without the numbers of items and turns."""
    for node in nodes:
        path = f"{above}{node.id}"
        yield path
        detail = node.detail
        if isinstance(detail, MapPlan | LoopPlan):
            detail = detail.node.detail
        if isinstance(detail, Group):
            yield from _paths(detail.body.nodes, f"{path}.")


def place_of(state: RunState, path: str, *, called: bool = False) -> tuple[Frame, int]:
    """Where a node is; without numbers, the first item or turn of it that has not ended.

    Args:
        state: Where the run is.
        path: Of the node.
        called: Whether only what calls a node type is meant: of a mapped node, its items.

    Raises:
        NotFound: There is none, or its body has not begun.
    """
    found: tuple[Frame, int] | None = None
    for frame in state.frames.values():
        for node, status in enumerate(frame.status):
            if called and frame.nodes[node].step < 0:
                continue
            own = frame.path(node)
            if own == path:
                return frame, node
            if without_numbers(own) == path and (found is None or _has_ended(found)):
                found = found if found is not None and status >= COMPLETED else (frame, node)
    if found is None:
        what = "no node that calls a node type at" if called else "no node"
        raise NotFound(f"run {state.id} has {what} '{path}', or has not come to it yet")
    return found


def _has_ended(place: tuple[Frame, int]) -> bool:
    return place[0].status[place[1]] >= COMPLETED


def _is_changed(frame: Frame, node: int) -> bool:
    """Whether somebody has changed what the next attempt of a node is called on."""
    changed = frame.run.changed
    return (frame.id, node, frame.attempts[node] + 1) in changed or (frame.id, node, 0) in changed


def _next_node(frame: Frame, node: int) -> NextNode:
    plan_node = frame.nodes[node]
    type_ = "" if plan_node.type is None else plan_node.type.name
    attempt = frame.attempts[node] + 1
    return NextNode(frame.path(node), type_, attempt, _is_changed(frame, node), frame.id, node)


def step_of(
    state: RunState, mode: StepMode, node: str | None, now: float, by: str, key: str
) -> Event:
    """The fact that is a step; see ``Conductor.step``."""
    if mode == "into":
        return StepRequested(now, by, key)
    waiting = in_turn(state)
    if node is None and not waiting:
        return StepRequested(now, by, key)  # what becomes ready first
    frame, number = waiting[0] if node is None else place_of(state, node)
    if mode == "out":
        if frame.parent is None:
            return Resumed(now, by)
        frame, number = frame.parent, frame.node
    if frame.status[number] >= COMPLETED:
        message = f"'{frame.path(number)}' has ended: there is nothing to step over"
        raise AtomitonError(message, code="NOT_ALLOWED")
    return StepRequested(now, by, key, (frame.id, number))


def restored(given: object, shown: object, own: object, path: str) -> object:
    """What was given, with the secrets in it that had been blotted out.

    Args:
        given: What somebody wants, who saw ``shown``.
        shown: Without secrets.
        own: What it was made of.
        path: Names it in errors.

    Raises:
        InputError: What holds a secret was changed in a part.

    Example:
        >>> restored({"a": "***", "b": 2}, {"a": "***", "b": 1}, {"a": "s3cr3t", "b": 1}, "x")
        {'a': 's3cr3t', 'b': 2}
    """
    if shown == own:
        return given
    if given == shown:
        return own
    values, seen, real = as_object(given), as_object(shown), as_object(own)
    if values is not None and seen is not None and real is not None:
        return {
            name: restored(value, seen[name], real[name], f"{path}.{name}")
            if name in seen and name in real
            else value
            for name, value in values.items()
        }
    wanted, some, kept = as_list(given), as_list(shown), as_list(own)
    if wanted is not None and some is not None and kept is not None:
        places = zip_longest(wanted, some[: len(wanted)], kept[: len(wanted)])
        return [restored(*place, f"{path}[{at}]") for at, place in enumerate(places)]
    if isinstance(given, str) and BLOT in given:
        message = f"'{path}' holds a secret: leave it as it is shown, or write all of it anew"
        raise InputError([Problem("INVALID_INPUT", message, path)])
    return given


def _watched(text: str, place: Place, steps: int) -> Watched:
    """What an expression gives, as it may be shown."""
    try:
        value = evaluate(_parsed(text), place, steps)
        shown = shortened(value, LARGEST)
    except AtomitonError as error:
        return Watched(text[:LONGEST], error=error.message)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return Watched(text[:LONGEST], error="what it gives cannot be shown")
    return Watched(text, shown, cut=shown is not value)
