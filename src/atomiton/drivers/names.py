"""Expressions over a run as it stands: conditions of breakpoints, and what people watch.

They see what the expressions of a node see, and ``parameters``: what it is to be called on. Names
are looked up in the run, since they were not there when the blueprint was compiled. There are no
secrets in them: their values are blotted out before, or a condition could ask for one letter by
letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from atomiton.blueprint.expressions import Expression, Reference, parse
from atomiton.blueprint.plan import Group, ItemScope, MapPlan
from atomiton.blueprint.problems import nearest
from atomiton.blueprint.scope import BUILT_IN
from atomiton.drivers.answers import blot
from atomiton.drivers.masks import changed_parameters
from atomiton.errors import AtomitonError, ExpressionError
from atomiton.machine import RunState
from atomiton.machine.commands import StartAttempt
from atomiton.machine.debugging import without_numbers
from atomiton.machine.events import BreakpointChecked
from atomiton.machine.state import BODY, COMPLETED, TURNS, Frame

#: Work that one evaluation may do: about a tenth of a second.
STEPS = 100_000
#: What a node is to be called on.
PARAMETERS = "parameters"

Place = tuple[Frame, int | None]
"""A node, or a frame and None for what all nodes of its body see."""
_Load = Callable[[object], object]
_Absent = Callable[[object], bool]

read = lru_cache(1000)(parse)
"""Parse an expression; the same one may be asked about before each of very many attempts."""


def evaluate(expression: Expression, place: Place, steps: int = STEPS) -> object:
    """The value of an expression, as it is at a place in a run.

    Args:
        expression: As ``read`` gives it.
        place: Where.
        steps: Work that it may do.

    Raises:
        AtomitonError: It names what is not there, or cannot be worked out.
    """
    loaders: dict[str, _Load] = {}
    missing: dict[str, _Absent] = {}
    for reference in expression.references:
        if reference.name not in loaders:
            value, absent = _value(reference, place, expression)
            loaders[reference.name] = _giving(value)
            if absent:
                missing[reference.name] = _always
    found = expression.bind(loaders, steps=steps, missing=missing)(None)
    return blot(found, place[0].run.secrets)


def check(state: RunState, now: float) -> BreakpointChecked:
    """Whether a run is to stop before the attempt that is asked about.

    Also if that cannot be told, with the reason.
    """
    assert state.asked is not None
    frame, node = state.asked
    holds: object = True
    error = ""
    condition = condition_of(state, frame.path(node))
    if condition:
        try:
            holds = evaluate(read(condition), (frame, node))
        except AtomitonError as broken:
            error = str(blot(broken.message, state.secrets))
        else:
            if not isinstance(holds, bool):
                holds, error = True, "the condition is neither true nor false"
    return BreakpointChecked(now, frame.id, node, holds is True, error)


def condition_of(state: RunState, path: str) -> str:
    """The condition of the breakpoint that a node has; empty when it has none of its own."""
    breaks = state.breaks or {}
    return breaks.get(path, breaks.get(without_numbers(path), ""))


def parameters_at(frame: Frame, node: int) -> dict[str, object]:
    """What a node is to be called on next, secrets and all.

    Raises:
        AtomitonError: They cannot be worked out, as when a secret is not set here.
    """
    state, plan_node = frame.run, frame.nodes[node]
    start = StartAttempt(frame.id, node, frame.attempts[node] + 1, plan_node.step)
    changed = changed_parameters(state, start) if state.changed else None
    return plan_node.prepare(frame.scope(node)) if changed is None else changed


def shown_parameters(frame: Frame, node: int) -> dict[str, object]:
    """The same, as it may be shown: without secrets, and without what is an expression."""
    plain = {k: value for k, value in parameters_at(frame, node).items() if not callable(value)}
    return {name: blot(value, frame.run.secrets) for name, value in plain.items()}


def _value(reference: Reference, place: Place, expression: Expression) -> tuple[object, bool]:
    """What a name means at a place, and whether that is nothing at all."""
    name = reference.name
    for frame, node in _outward(place):
        names = _names(frame, node)
        if name in names:
            return names[name]
    top, number = place
    if name == "nodes":
        return _infos(expression, place), False
    if name == PARAMETERS and number is not None:
        return shown_parameters(top, number), False
    if name in BUILT_IN and name != "secrets":
        return BUILT_IN[name](top), False
    known = [PARAMETERS, "inputs", "nodes", "run", "vars"]
    known += [name for at in _outward(place) for name in _names(*at)]
    hint = nearest(name, known)
    what = "secrets cannot be looked at" if name == "secrets" else f"unknown name '{name}'"
    raise ExpressionError(
        what + (f"; {hint}" if hint else ""),
        source=expression.source,
        offset=reference.offset,
        code="UNKNOWN_REFERENCE",
    )


def _names(frame: Frame, node: int | None) -> dict[str, tuple[object, bool]]:
    """What a frame adds to the names in it."""
    if frame.kind == BODY:
        return {
            of.id: (frame.outputs[n], frame.outputs[n] is None and frame.status[n] != COMPLETED)
            for n, of in enumerate(frame.nodes)
        }
    scope = None if node is None else frame.scope(node)
    if not isinstance(scope, ItemScope):
        return {}
    found: dict[str, tuple[object, bool]] = {"index": (scope.index, False)}
    if frame.kind == TURNS:
        return {**found, "acc": (scope.acc, False)}
    plan = None if frame.parent is None else frame.parent.nodes[frame.node].detail
    names = {"item", plan.name} if isinstance(plan, MapPlan) else {"item"}
    return {**found, **dict.fromkeys(sorted(names), (scope.item, False))}


def _outward(place: Place) -> Iterator[Place]:
    """A place and those around it, up to the blueprint that it belongs to."""
    frame, node = place
    while True:
        yield frame, node
        parent = frame.parent
        if parent is None:
            return
        detail = parent.nodes[frame.node].detail
        if frame.kind == BODY and isinstance(detail, Group) and detail.call is not None:
            return
        frame, node = parent, frame.node


def _infos(expression: Expression, place: Place) -> dict[str, object]:
    """How the nodes fare that an expression asks about."""
    wanted = {of.path[0] for of in expression.references if of.name == "nodes" and of.path}
    found: dict[str, object] = {}
    for frame, _ in _outward(place):
        if frame.kind == BODY:
            for number, node in enumerate(frame.nodes):
                if node.id in wanted:
                    found.setdefault(node.id, frame.node_info(number))
    return found


def _giving(value: object) -> _Load:
    return lambda _scope: value


def _always(_scope: object) -> bool:
    return True
