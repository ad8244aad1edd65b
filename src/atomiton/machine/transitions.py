"""The table of the machine: what each fact does. Read this first.

    RunRequested        new              -> running: nodes without dependencies become ready
    RunAdmitted         gated            -> the same, for a run that had to wait for it
    AttemptStarted      an attempt is out: nothing changes; it is on record that it may have acted
    AttemptCompleted    an attempt is out -> completed; successors whose last need this was open
    AttemptFailed       an attempt is out -> retrying, or failed; without a fallback the run stops
    AttemptLost         an attempt is out -> out again under the same key, or lost (effect: once),
                                             or ready if it is held back: it never acted
    CostSpent           what an attempt has cost, even one given up, counts towards the limit
    AttemptRepeated     lost             -> ready, and out again under the same key
    TimerFired          retrying -> ready, running -> stopping (TIMEOUT), waiting -> completed
    SignalReceived      waiting -> completed: the wait that has waited longest; else it is kept
    ApprovalGiven       waiting -> completed
    InputChanged        pending, ready, ...: the node will be called on these parameters
    CancelRequested     running          -> stopping: what runs is cancelled, nothing new starts
    FailRequested       running          -> stopping, and failed in the end
    Paused, Resumed, StepRequested       whether, and how many, ready nodes start
    BreakpointsSet      before which nodes the run stops; each attempt of one is asked about
    BreakpointChecked   asked about      -> ready, and the run goes on, or is paused before it

After every fact, what has opened is decided about, bodies in which everything has ended end the
node that holds them, and ready nodes start as far as the limits allow. The run ends when nothing is
left. A fact that cannot happen now raises ``IllegalEvent`` and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from atomiton.errors import ErrorInfo, IllegalEvent
from atomiton.machine.attempts import start_attempt
from atomiton.machine.commands import CheckBreakpoint, Command, SetTimer, StartAttempt
from atomiton.machine.ending import complete, end_stopped, fail, fail_attempt
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    Breakpoint,
    BreakpointChecked,
    BreakpointsSet,
    CancelRequested,
    CostSpent,
    Event,
    FailRequested,
    InputChanged,
    Paused,
    Resumed,
    RunAdmitted,
    RunRequested,
    SignalReceived,
    StepRequested,
    TimerFired,
)
from atomiton.machine.finishing import close_frames
from atomiton.machine.firing import fire
from atomiton.machine.starting import open_nodes, start_ready
from atomiton.machine.state import (
    COMPLETED,
    LOST,
    READY,
    RUN_ACTIVE,
    RUN_NEW,
    RUNNING,
    STOPPING,
    TIMER_RUN,
    Frame,
    RunState,
    Timer,
)
from atomiton.machine.stopping import cancel, stop
from atomiton.machine.timers import drop_timer, set_timer
from atomiton.machine.waiting import decide, deliver

_OfAttempt = AttemptStarted | AttemptCompleted | AttemptFailed | AttemptLost


def apply(run: RunState, event: Event) -> list[Command]:
    """Feed one fact to a run.

    Args:
        run: The run; changed in place.
        event: What has happened.

    Returns:
        What should happen next, in order.

    Raises:
        IllegalEvent: If it cannot have happened; the run is unchanged.
    """
    out: list[Command] = []
    _TABLE[type(event)](run, event, out)
    if run.opened or run.closing or run.ready:
        _follow(run, event.time, out)
    return out


def _follow(run: RunState, now: float, out: list[Command]) -> None:
    """Do all that follows at once from what has changed."""
    more = True
    while more:
        while run.opened or run.closing:
            if run.opened:
                open_nodes(run, now, out)
            if run.closing:
                close_frames(run, now, out)
        more = start_ready(run, now, out)


def outstanding(run: RunState) -> list[Command]:
    """The wishes that have no answer yet: what a driver reissues after a restart."""
    out: list[Command] = [SetTimer(number, timer.at) for number, timer in run.timers.items()]
    for frame in run.frames.values():
        for node, status in enumerate(frame.status):
            step = frame.nodes[node].step
            if status in (RUNNING, STOPPING) and step >= 0:
                attempt, end = frame.attempts[node], _end(frame, node)
                out.append(StartAttempt(frame.id, node, attempt, step, end))
    if run.asked is not None and not run.ended:
        out.append(CheckBreakpoint(run.asked[0].id, run.asked[1]))
    return out


def _end(frame: Frame, node: int) -> float | None:
    number = frame.timers.get(node)
    ends = [
        None if frame.stopping else frame.deadline,  # what cleans up has time all the same
        None if number is None else frame.run.timers[number].at,
    ]
    return min((end for end in ends if end is not None), default=None)


def _requested(run: RunState, event: RunRequested, out: list[Command]) -> None:
    if run.status != RUN_NEW:
        raise IllegalEvent(f"run {run.id} was requested twice")
    run.status = RUN_ACTIVE
    run.id = event.run
    run.inputs = event.inputs
    run.seed = event.seed
    run.forked_from = event.forked_from
    run.started_at = event.time
    if event.paused:
        run.paused = True
        run.free = False
    if event.breakpoints is not None:
        _set_breakpoints(run, event.breakpoints)
    top = run.top
    if run.plan.timeout is not None:
        top.deadline = event.time + run.plan.timeout
        set_timer(run, Timer(TIMER_RUN, top.deadline), out)
    if event.gated:
        run.gated = True
    else:
        run.open_sources()


def _admitted(run: RunState, _event: RunAdmitted, _out: list[Command]) -> None:
    if not run.gated:
        raise IllegalEvent(f"run {run.id} does not wait to be admitted")
    run.open_sources()


def _started(run: RunState, event: AttemptStarted, _out: list[Command]) -> None:
    _attempt_out(run, event)


def _completed(run: RunState, event: AttemptCompleted, out: list[Command]) -> None:
    frame, node = _attempt_out(run, event), event.node
    run.running -= 1
    if frame.timers:
        drop_timer(frame, node, out)
    if frame.status[node] == RUNNING:
        complete(frame, node, event.output, event.time, out)
    else:
        end_stopped(frame, node, (event.output,), event.time, out)


def _failed(run: RunState, event: AttemptFailed, out: list[Command]) -> None:
    try:
        frame = _attempt_out(run, event)
    except IllegalEvent:
        frame = _attempt_lost(run, event.frame, event.node, event.attempt)
        fail(frame, event.node, event.error, event.time, out)
        return
    run.running -= 1
    drop_timer(frame, event.node, out)
    if frame.status[event.node] == RUNNING:
        fail_attempt(frame, event.node, event.error, event.time, out)
    else:
        end_stopped(frame, event.node, None, event.time, out)


def _lost(run: RunState, event: AttemptLost, out: list[Command]) -> None:
    frame = _attempt_out(run, event)
    node = event.node
    run.running -= 1
    drop_timer(frame, node, out)
    plan_node = frame.nodes[node]
    error = ErrorInfo("ATTEMPT_LOST", "the process died; nobody saw how the attempt ended")
    if frame.status[node] == STOPPING:
        end_stopped(frame, node, None, event.time, out)
    elif event.held:
        _line_up(frame, node)
    elif not event.acted:
        _again(frame, node, event.time, out)
    elif plan_node.retry is not None and error.code in plan_node.retry.on:
        fail_attempt(frame, node, error, event.time, out)
    elif plan_node.once:
        frame.status[node] = LOST
    else:
        _again(frame, node, event.time, out)


def _spent(run: RunState, event: CostSpent, _out: list[Command]) -> None:
    """Count what an attempt has cost: no other begins once the run may spend no more."""
    _alive(run)
    if not 0 < event.amount < math.inf:
        raise IllegalEvent(f"an attempt cannot cost {event.amount}")
    if not 0 <= event.frame < run.next_frame:
        raise IllegalEvent(f"there is no frame {event.frame}")
    run.cost += event.amount


def _repeated(run: RunState, event: AttemptRepeated, _out: list[Command]) -> None:
    """Make a lost attempt ready, before all others."""
    frame = _attempt_lost(run, event.frame, event.node, event.attempt)
    _line_up(frame, event.node)


def _line_up(frame: Frame, node: int) -> None:
    """Make the same attempt again, under the same number and key, when a place is free."""
    # Until then it counts as an attempt: it may have acted.
    frame.again = (frame.again or set()) | {node}
    frame.run.steps -= 1
    frame.started[node] = 0.0  # nobody decides within a deadline: it begins anew
    frame.status[node] = READY
    frame.run.ready.appendleft((frame, node))


def _again(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Make the same attempt again, under the same number and key."""
    frame.attempts[node] -= 1
    frame.run.steps -= 1
    start_attempt(frame, node, now, out)


def _fired(run: RunState, event: TimerFired, out: list[Command]) -> None:
    if event.timer not in run.timers:
        raise IllegalEvent(f"timer {event.timer} is not set")
    fire(run, event.timer, event.time, out)


def _signal(run: RunState, event: SignalReceived, out: list[Command]) -> None:
    _alive(run)
    deliver(run, event, out)


def _approval(run: RunState, event: ApprovalGiven, out: list[Command]) -> None:
    _alive(run)
    decide(run, event, out)


def _input(run: RunState, event: InputChanged, _out: list[Command]) -> None:
    _alive(run)
    frame = run.frames.get(event.frame)
    if (
        frame is None
        or not 0 <= event.node < len(frame.status)
        or frame.nodes[event.node].step < 0
        or frame.status[event.node] >= COMPLETED
        or (event.attempt and event.attempt != frame.attempts[event.node])
    ):
        raise IllegalEvent(f"node {event.node} in frame {event.frame} is not going to be called")
    run.changed[event.frame, event.node, event.attempt] = event.parameters


def _cancel(run: RunState, event: CancelRequested, out: list[Command]) -> None:
    _alive(run)
    cancel(run, event.reason, event.by, event.time, out)


def _fail_run(run: RunState, event: FailRequested, out: list[Command]) -> None:
    _alive(run)
    run.paused = False  # or what is to clean up would wait for somebody
    stop(run, event.error, event.time, out)


def _paused(run: RunState, _event: Paused, _out: list[Command]) -> None:
    _alive(run)
    _pause(run)


def _resumed(run: RunState, _event: Resumed, _out: list[Command]) -> None:
    _alive(run)
    run.paused = False
    run.until = None
    run.free = not run.plan.bounded and run.breaks is None


def _step(run: RunState, event: StepRequested, _out: list[Command]) -> None:
    _alive(run)
    if not run.paused:
        raise IllegalEvent(f"run {run.id} is not paused; only a paused run can be stepped")
    _wish_step(run, event.until)


def _breakpoints(run: RunState, event: BreakpointsSet, _out: list[Command]) -> None:
    _alive(run)
    _set_breakpoints(run, event.breakpoints)


def _checked(run: RunState, event: BreakpointChecked, _out: list[Command]) -> None:
    _alive(run)
    _take_answer(run, event)


def _set_breakpoints(run: RunState, breakpoints: Iterable[Breakpoint]) -> None:
    """Let the run stop at these breakpoints, and at no others; from now on it is debugged."""
    run.breaks = {of.node: of.condition for of in breakpoints}
    run.free = False


def _take_answer(run: RunState, event: BreakpointChecked) -> None:
    """Go on with the node that was asked about, or pause before it."""
    asked = run.asked
    if asked is None or (asked[0].id, asked[1]) != (event.frame, event.node):
        raise IllegalEvent(f"nobody asked about node {event.node} in frame {event.frame}")
    run.asked = None
    frame, node = asked
    if frame.status[node] != READY:
        return  # it was cancelled meanwhile
    run.ready.appendleft((frame, node))
    run.passed[frame.id, node] = None
    if event.stops:
        _pause(run)


def _pause(run: RunState) -> None:
    """Start nothing more, whatever was wanted before."""
    run.paused = True
    run.free = False
    run.credits = 0
    run.until = None


def _wish_step(run: RunState, until: tuple[int, int] | None) -> None:
    """Let one more attempt start, or all that is in a node until it has ended."""
    if until is None:
        run.credits += 1
        return
    frame, node = run.frames.get(until[0]), until[1]
    if frame is None or not 0 <= node < len(frame.status) or frame.status[node] >= COMPLETED:
        raise IllegalEvent(f"node {node} in frame {until[0]} has ended, or is not there")
    if run.breaks is None:
        _set_breakpoints(run, ())
    run.until = (frame, node)


def _alive(run: RunState) -> None:
    if run.ended or run.status == RUN_NEW:
        raise IllegalEvent(f"run {run.id} is {run.status}")


def _attempt_out(run: RunState, event: _OfAttempt) -> Frame:
    number, node = event.frame, event.node
    frame = run.frames.get(number)
    if frame is not None and 0 <= node < len(frame.status):
        status = frame.status[node]
        if (
            status in (RUNNING, STOPPING)
            and frame.attempts[node] == event.attempt
            and frame.nodes[node].step >= 0
        ):
            return frame
    raise IllegalEvent(f"no attempt {event.attempt} of node {node} in frame {number} is out")


def _attempt_lost(run: RunState, frame: int, node: int, attempt: int) -> Frame:
    of = run.frames.get(frame)
    if (
        of is not None
        and 0 <= node < len(of.status)
        and of.status[node] == LOST
        and of.attempts[node] == attempt
    ):
        return of
    raise IllegalEvent(f"attempt {attempt} of node {node} in frame {frame} is not lost")


# Each handler takes exactly the fact it is filed under.
_TABLE: Mapping[type[Event], Callable[..., None]] = {
    RunRequested: _requested,
    RunAdmitted: _admitted,
    AttemptStarted: _started,
    AttemptCompleted: _completed,
    AttemptFailed: _failed,
    AttemptLost: _lost,
    CostSpent: _spent,
    AttemptRepeated: _repeated,
    TimerFired: _fired,
    SignalReceived: _signal,
    ApprovalGiven: _approval,
    InputChanged: _input,
    CancelRequested: _cancel,
    FailRequested: _fail_run,
    Paused: _paused,
    Resumed: _resumed,
    StepRequested: _step,
    BreakpointsSet: _breakpoints,
    BreakpointChecked: _checked,
}
