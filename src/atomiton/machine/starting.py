"""From waiting for others to having an attempt out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atomiton.blueprint.plan import (
    BRANCH,
    GROUP,
    LOOP,
    MAP,
    USES,
    WAIT_APPROVAL,
    WAIT_FOR,
    WAIT_SIGNAL,
    WAIT_UNTIL,
    Routes,
)
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine.attempts import start_attempt
from atomiton.machine.bodies import open_group, open_loop, open_map
from atomiton.machine.commands import Command
from atomiton.machine.ending import complete, evaluation_failure, fail, skip
from atomiton.machine.joining import joined
from atomiton.machine.state import PENDING, READY, RUN_ACTIVE, RUNNING, Frame, RunState
from atomiton.machine.stopping import stop
from atomiton.machine.waiting import begin_wait


def open_nodes(run: RunState, now: float, out: list[Command]) -> None:
    """Decide about every node whose last dependency has ended; skipping opens further ones."""
    opened = run.opened
    for frame, node in opened:  # grows while it is gone through
        if frame.status[node] != PENDING:
            continue  # decided before: it need not wait for all, or what it is in is ending
        plan_node = frame.nodes[node]
        wanted = joined(frame, node)
        if wanted is None:
            continue
        if not wanted or not plan_node.enabled:
            skip(frame, node, now)
        elif plan_node.condition is None or _holds(frame, node, now, out):
            open_node(frame, node, now, out)
    opened.clear()


def _holds(frame: Frame, node: int, now: float, out: list[Command]) -> bool:
    """Evaluate the condition of a node; when it does not hold, the node has ended."""
    condition = frame.nodes[node].condition
    assert condition is not None
    try:
        if condition(frame.scope(node)):
            return True
    except AtomitonError as error:
        fail(frame, node, evaluation_failure(error), now, out)
        return False
    skip(frame, node, now)
    return False


def open_node(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Begin with a node that is wanted: calls wait for a free place, all else begins now."""
    if frame.nodes[node].kind == USES or _stands_in_line(frame, node):
        frame.status[node] = READY
        frame.run.ready.append((frame, node))
    else:
        _open(frame, node, now, out)


def _stands_in_line(frame: Frame, node: int) -> bool:
    """Whether a node that calls no type waits for its turn, as the run is debugged."""
    if frame.run.breaks is None:
        return False
    from atomiton.machine.debugging import stands_in_line  # few runs are debugged

    return stands_in_line(frame.run, frame, node)


def _choose(run: RunState, out: list[Command]) -> bool:
    """Bring what may start next in a run that is debugged to the front, if there is anything."""
    from atomiton.machine.debugging import choose  # few runs are debugged

    return choose(run, out)


def _open(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Begin with a node that calls no type."""
    kind = frame.nodes[node].kind
    if frame.run.notices is not None:
        frame.run.notices.append((RUNNING, frame, node))
    try:
        _OPENERS[kind](frame, node, now, out)
    except AtomitonError as error:
        fail(frame, node, evaluation_failure(error), now, out)


def _branch(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Choose the routes; their conditions are evaluated in order, once."""
    routes = frame.nodes[node].detail
    assert isinstance(routes, Routes)
    frame.attempts[node] = 1
    frame.started[node] = now
    scope = frame.scope(node)
    taken: list[str] = []
    for name, condition in routes.conditions:
        if not taken if condition is None else condition(scope):
            taken.append(name)
            if not routes.every:
                break
    if routes.every:
        complete(frame, node, {"routes": taken}, now, out)
    else:
        complete(frame, node, {"route": taken[0] if taken else None}, now, out)


_OPENERS: Mapping[int, Callable[[Frame, int, float, list[Command]], None]] = {
    WAIT_FOR: begin_wait,
    WAIT_UNTIL: begin_wait,
    WAIT_SIGNAL: begin_wait,
    WAIT_APPROVAL: begin_wait,
    BRANCH: _branch,
    GROUP: open_group,
    MAP: open_map,
    LOOP: open_loop,
}


def _spent_up(run: RunState) -> str:
    """Why no attempt may be made any more, in words; empty if one may."""
    plan = run.plan
    if plan.steps and run.steps >= plan.steps:
        return f"the run needs more than its {plan.steps} steps"
    if plan.cost is not None and run.cost >= plan.cost:
        return f"the run has cost {run.cost:g} and may cost {plan.cost:g}: nothing more is begun"
    return ""


def start_ready(run: RunState, now: float, out: list[Command]) -> bool:
    """Start what is ready, as far as limits, pause and steps allow.

    Returns:
        Whether there is more to decide: a body was opened, or the run was stopped.
    """
    ready = run.ready
    plan = run.plan
    while ready:
        if run.breaks is not None and not _choose(run, out):
            return False
        frame, node = ready[0]
        if frame.status[node] == READY:
            if plan.concurrency and run.running >= plan.concurrency:
                return False
            if run.paused:
                if run.credits:
                    run.credits -= 1
                elif run.until is None:
                    return False
            if frame.nodes[node].kind != USES:
                run.passed.pop((frame.id, node), None)
                ready.popleft()
                _open(frame, node, now, out)
                return True
            if run.status == RUN_ACTIVE and (message := _spent_up(run)):
                stop(run, ErrorInfo("LIMIT_EXCEEDED", message), now, out)
                return True
            if run.passed:
                run.passed.pop((frame.id, node), None)
            start_attempt(frame, node, now, out)
        ready.popleft()  # it has been started, or was cancelled meanwhile
    return False
