"""What of a run another one can begin with: the facts about nodes that need not run again.

The nodes of the top of a blueprint are kept, or made again, each as a whole with all that is in it.
The facts about those that are kept are told anew, in their order, to a run of its own: its frames
and timers may have other numbers than those of the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from atomiton.blueprint.plan import Group, LoopPlan, MapPlan, Plan, PlanNode, Waiting
from atomiton.blueprint.problems import nearest
from atomiton.errors import AtomitonError, IllegalEvent, NotFound
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import StartAttempt
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    Event,
    InputChanged,
    Paused,
    RunRequested,
    SignalReceived,
    TimerFired,
)
from atomiton.machine.finishing import undone
from atomiton.machine.state import COMPLETED, FAILED, SKIPPED, TIMER_RUN, Frame

_OfNode = (
    AttemptStarted
    | AttemptCompleted
    | AttemptFailed
    | AttemptLost
    | AttemptRepeated
    | ApprovalGiven
    | InputChanged
)


def fork_points(plan: Plan, name: str) -> list[int]:
    """The node of the top that a fork begins at.

    Raises:
        NotFound: The top of the blueprint has no such node.
    """
    for number, node in enumerate(plan.root.nodes):
        if node.id == name:
            return [number]
    inner = name.partition(".")[0].partition("[")[0]
    if inner in plan.paths():
        message = f"'{name}' is inside of '{inner}', which is made again as a whole: fork from it"
        raise AtomitonError(message, code="NOT_SUPPORTED")
    hint = nearest(name, plan.paths())
    said = f"; {hint}" if hint else ""
    raise NotFound(f"the blueprint '{plan.id}' has no node '{name}' at its top{said}")


def unfinished(state: RunState) -> list[int]:
    """The nodes of the top that have to run when a run is tried again.

    Those that failed, unless the blueprint went on with that; those that had not ended; and those
    that were compensated, since what they did was undone.
    """
    gone = {name.partition(".")[0].partition("[")[0] for names in undone(state) for name in names}
    return [
        number
        for number, node in enumerate(state.plan.root.nodes)
        if node.id in gone or not _settled(state.top, number, node)
    ]


def _settled(top: Frame, number: int, node: PlanNode) -> bool:
    status = top.status[number]
    if status == FAILED:
        return node.fallback is not None or node.routes_error
    return status in (COMPLETED, SKIPPED)


def fork_facts(
    plan: Plan,
    facts: Sequence[Event],
    request: RunRequested,
    points: Iterable[int],
    *,
    paused: bool = False,
) -> list[Event]:
    """The first facts of a fork.

    Args:
        plan: What both runs are pinned to.
        facts: Those of the run that is forked.
        request: The first fact of the fork.
        points: Numbers of nodes at the top that are made again, and with them all that waits
            for them, and all that has not ended.
        paused: Whether the fork is to start nothing before it is resumed or stepped.

    Returns:
        The request, and the facts about the nodes that are kept.

    Raises:
        AtomitonError: A node that is to be kept would run again although nothing has changed.
    """
    first = RunState(plan)
    for fact in facts:
        apply(first, fact)
    again = _with_successors(plan, {*points, *unfinished(first)})
    fork = RunState(plan)
    told: list[Event] = [request]
    apply(fork, request)
    teller = _Teller(plan, fork, again)
    for fact in facts:
        same = teller.tell(fact, request.time)
        apply(teller.source, fact)
        if same is not None:
            try:
                apply(fork, same)
            except IllegalEvent:
                continue  # with other inputs another way is taken: this node is not on it
            told.append(same)
    requested = facts[0]
    assert isinstance(requested, RunRequested)
    if request.inputs == requested.inputs:
        _check_kept(first, fork, again)
    return told + (_hold(fork, request.time) if paused else [])


def _hold(fork: RunState, now: float) -> list[Event]:
    """The facts that keep what would start next from starting.

    A run that is paused from the beginning could not be told what has completed.
    """
    held: list[Event] = [Paused(now)]
    apply(fork, held[0])
    started = [command for command in outstanding(fork) if isinstance(command, StartAttempt)]
    for command in reversed(started):  # each is put before those that are held already
        of = (command.frame, command.node, command.attempt)
        held.append(AttemptLost(now, *of, acted=False, held=True))
        apply(fork, held[-1])
    return held


def _check_kept(first: RunState, fork: RunState, again: Collection[int]) -> None:
    for number, node in enumerate(first.plan.root.nodes):
        ended = first.top.status[number]
        if number not in again and ended != SKIPPED and fork.top.status[number] != ended:
            message = f"run {first.id} cannot be forked: '{node.id}' would be run again"
            raise AtomitonError(message, code="NOT_SUPPORTED")


def _with_successors(plan: Plan, points: set[int]) -> set[int]:
    todo, found = list(points), set(points)
    while todo:
        for successor in plan.root.nodes[todo.pop()].successors:
            if successor not in found:
                found.add(successor)
                todo.append(successor)
    return found


class _Teller:
    """Tells the facts of one run as facts of another."""

    def __init__(self, plan: Plan, fork: RunState, again: Collection[int]) -> None:
        self.source = RunState(plan)
        self._fork = fork
        self._again = again
        kept = [node for number, node in enumerate(plan.root.nodes) if number not in again]
        self._signals = {name for node in kept for name in _signals(node)}

    def tell(self, fact: Event, now: float) -> Event | None:
        """The same fact, before ``source`` knows of it; None if it is not for the fork."""
        if isinstance(fact, _OfNode):
            frame = self._same(fact.frame)
            if frame is None or (frame.id == 0 and fact.node in self._again):
                return None
            return replace(fact, time=now, frame=frame.id)
        if isinstance(fact, TimerFired):
            return self._fired(fact, now)
        if isinstance(fact, SignalReceived) and fact.name in self._signals:
            return replace(fact, time=now)
        return None

    def _fired(self, fact: TimerFired, now: float) -> TimerFired | None:
        timer = self.source.timers.get(fact.timer)
        if timer is None or timer.kind == TIMER_RUN:
            return None
        frame = self._same(timer.frame)
        if frame is None or (frame.id == 0 and timer.node in self._again):
            return None
        number = frame.timers.get(timer.node)
        return None if number is None else TimerFired(now, number)

    def _same(self, number: int) -> Frame | None:
        """The frame of the fork that a frame of the source corresponds to."""
        frame = self.source.frames.get(number)
        way: list[int] = []
        while frame is not None and frame.parent is not None:
            way.append(frame.node)
            frame = frame.parent
        if frame is None or frame.id != 0 or (way and way[-1] in self._again):
            return None  # compensation, or a node of ``on``, or a body that is run again
        found: Frame | None = self._fork.top
        for node in reversed(way):
            found = None if found is None else found.children.get(node)
        return found


def _signals(node: PlanNode) -> Iterator[str]:
    """Names of the signals that a node, or one inside of it, waits for."""
    detail = node.detail
    if isinstance(detail, Waiting) and detail.signal:
        yield detail.signal
    elif isinstance(detail, MapPlan | LoopPlan):
        yield from _signals(detail.node)
    elif isinstance(detail, Group):
        for inner in detail.body.nodes:
            yield from _signals(inner)
