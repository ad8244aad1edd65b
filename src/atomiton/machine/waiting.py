"""Waits: for a time, a moment, a signal, an approval. None of them holds anything but its state."""

from __future__ import annotations

from datetime import UTC, datetime

from atomiton.blueprint.plan import WAIT_SIGNAL, WAIT_UNTIL, ItemScope, Waiting
from atomiton.errors import AtomitonError, IllegalEvent
from atomiton.machine.attempts import attempt_deadline
from atomiton.machine.commands import Command
from atomiton.machine.ending import complete
from atomiton.machine.events import ApprovalGiven, SignalReceived
from atomiton.machine.state import TIMER_PATIENCE, TIMER_WAIT, WAITING, Frame, RunState, Timer
from atomiton.machine.timers import drop_timer, set_timer


def begin_wait(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Begin a wait; its length or its end is evaluated now."""
    plan_node = frame.nodes[node]
    wait = plan_node.detail
    assert isinstance(wait, Waiting)
    frame.attempts[node] += 1
    frame.started[node] = frame.started[node] or now
    kind, until = TIMER_PATIENCE, attempt_deadline(frame, node, now)
    if wait.when is not None:
        when = wait.when(frame.scope(node))
        assert isinstance(when, float)
        end = when if plan_node.kind == WAIT_UNTIL else now + when
        if until is None or end <= until:
            kind, until = TIMER_WAIT, end
    elif plan_node.kind == WAIT_SIGNAL:
        early = _take(frame, node, wait)
        if early is not None:
            complete(frame, node, early.payload, now, out)
            return
        frame.run.listening.setdefault(wait.signal, []).append((frame, node))
    frame.status[node] = WAITING
    if until is not None:
        set_timer(frame.run, Timer(kind, until, frame.id, node, frame.attempts[node]), out)


def _take(frame: Frame, node: int, wait: Waiting) -> SignalReceived | None:
    """The first signal that came before anybody waited for it, and that this wait takes."""
    kept = frame.run.mail.get(wait.signal, [])
    for place, signal in enumerate(kept):
        if _matches(frame, node, wait, signal):
            del kept[place]
            return signal
    return None


def _matches(frame: Frame, node: int, wait: Waiting, signal: SignalReceived) -> bool:
    """Whether a wait takes a signal; a payload that its condition cannot read is not for it."""
    if wait.match is None:
        return True
    try:
        return wait.match(ItemScope(frame.scope(node), signal.payload)) is True
    except AtomitonError:
        return False


def deliver(run: RunState, signal: SignalReceived, out: list[Command]) -> None:
    """Give a signal to the wait that has waited longest and takes it, or keep it."""
    waits = run.listening.get(signal.name, [])
    waits[:] = [(frame, node) for frame, node in waits if frame.status[node] == WAITING]
    for place, (frame, node) in enumerate(waits):
        wait = frame.nodes[node].detail
        assert isinstance(wait, Waiting)
        if _matches(frame, node, wait, signal):
            del waits[place]
            drop_timer(frame, node, out)
            complete(frame, node, signal.payload, signal.time, out)
            return
    run.mail.setdefault(signal.name, []).append(signal)


def decide(run: RunState, event: ApprovalGiven, out: list[Command]) -> None:
    """Give an approval, or its denial, to the node that waits for it."""
    frame = run.frames.get(event.frame)
    if (
        frame is None
        or not 0 <= event.node < len(frame.status)
        or frame.status[event.node] != WAITING
        or getattr(frame.nodes[event.node].detail, "approval", None) is None
    ):
        raise IllegalEvent(f"node {event.node} in frame {event.frame} waits for no approval")
    drop_timer(frame, event.node, out)
    answer = {
        "approved": event.approved,
        "by": event.by,
        "at": datetime.fromtimestamp(event.time, UTC).isoformat(),
        "comment": event.comment,
        "fields": event.fields,
    }
    complete(frame, event.node, answer, event.time, out)
