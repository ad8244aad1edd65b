"""From waiting for others to having an attempt out."""

from __future__ import annotations

from atomiton.blueprint.plan import USES, WAIT_FOR
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine.attempts import start_attempt
from atomiton.machine.commands import Command
from atomiton.machine.ending import evaluation_failure, fail, skip
from atomiton.machine.state import (
    READY,
    RUN_ACTIVE,
    TIMER_WAIT,
    WAITING,
    Frame,
    RunState,
    Timer,
)
from atomiton.machine.stopping import stop
from atomiton.machine.timers import set_timer


def open_nodes(run: RunState, now: float, out: list[Command]) -> None:
    """Decide about every node whose last dependency has ended; skipping opens further ones."""
    opened = run.opened
    for frame, node in opened:  # grows while it is gone through
        if run.status != RUN_ACTIVE:
            break  # what ends while the run is stopping opens nothing
        plan_node = frame.body.nodes[node]
        if not plan_node.enabled or (frame.blocked is not None and node in frame.blocked):
            skip(frame, node, now)
        elif plan_node.condition is not None and not _wanted(frame, node, now, out):
            continue
        elif plan_node.kind == USES:
            frame.status[node] = READY
            run.ready.append((frame, node))
        else:
            _wait(frame, node, now, out)
    opened.clear()


def _wanted(frame: Frame, node: int, now: float, out: list[Command]) -> bool:
    """Evaluate the condition of a node; when it does not hold, the node has ended."""
    condition = frame.body.nodes[node].condition
    assert condition is not None
    try:
        if condition(frame):
            return True
    except AtomitonError as error:
        fail(frame, node, evaluation_failure(error), now, out)
        return False
    skip(frame, node, now)
    return False


def start_ready(run: RunState, now: float, out: list[Command]) -> None:
    """Start what is ready, as far as limits, pause and steps allow."""
    ready = run.ready
    plan = run.plan
    while ready and run.status == RUN_ACTIVE:
        if plan.concurrency and run.running >= plan.concurrency:
            return
        if run.paused:
            if not run.credits:
                return
            run.credits -= 1
        if plan.steps and run.steps >= plan.steps:
            message = f"the run needs more than its {plan.steps} steps"
            stop(run, ErrorInfo("LIMIT_EXCEEDED", message), now, out)
            return
        frame, node = ready.popleft()
        start_attempt(frame, node, now, out)


def _wait(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Begin a wait for a time; its length or its end is evaluated now, once."""
    plan_node = frame.body.nodes[node]
    assert plan_node.when is not None
    frame.attempts[node] = 1
    frame.started[node] = now
    try:
        when = plan_node.when(frame)
    except AtomitonError as error:
        fail(frame, node, evaluation_failure(error), now, out)
        return
    assert isinstance(when, float)
    frame.status[node] = WAITING
    until = now + when if plan_node.kind == WAIT_FOR else when
    set_timer(frame.run, Timer(TIMER_WAIT, until, frame.id, node, 1), frame, out)
