"""Frames: opening the body of a group, the items of a map, the turns of a loop, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace

from atomiton.blueprint.plan import Body, Group, ItemScope, LoopPlan, MapPlan, PlanNode, Unit
from atomiton.errors import AtomitonError, ErrorInfo
from atomiton.machine.attempts import begin
from atomiton.machine.commands import Command
from atomiton.machine.ending import complete, end_stopped, evaluation_failure, fail_attempt
from atomiton.machine.state import (
    BODY,
    COMPLETED,
    FAILED,
    ITEMS,
    PENDING,
    STOPPING,
    TIMER_TURN,
    TURNS,
    WAITING,
    CalledUnit,
    Frame,
    Timer,
)
from atomiton.machine.stopping import stop_up
from atomiton.machine.timers import drop_timer, set_timer

#: Bodies of repeats with more items or turns than this are forgotten when they have ended.
KEPT = 1000


def open_frame(
    parent: Frame, node: int, kind: int, nodes: Sequence[PlanNode], deadline: float | None
) -> Frame:
    """Make the frame in which the body of a node runs; that of an earlier attempt is let go."""
    run = parent.run
    earlier = parent.children.get(node)
    if earlier is not None:
        _forget(earlier)
    scope = parent.scope(node)
    frame = Frame(run, run.next_frame, kind, nodes, scope.unit)
    frame.parent = parent
    frame.node = node
    frame.outer = scope
    frame.deadline = deadline
    run.frames[frame.id] = parent.children[node] = frame
    run.next_frame += 1
    return frame


def open_group(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Run the body of a group, or of a blueprint that is called."""
    group = frame.nodes[node].detail
    assert isinstance(group, Group)
    unit: Unit | None = None
    if group.call is not None:
        unit = CalledUnit(frame.run, group.call, group.call.inputs(frame.scope(node)))
    child = open_frame(frame, node, BODY, group.body.nodes, begin(frame, node, now, out))
    if unit is not None:
        child.unit = unit
        child.outer = None
    open_body(child, group.body, race=group.race)


def open_body(frame: Frame, body: Body, *, race: bool = False) -> None:
    """Let the nodes of a body that wait for nothing begin."""
    frame.body = body
    frame.plain = body.plain
    frame.open = body.open[:]
    frame.race = race
    frame.quick = not race and frame.deadline is None and frame.run.notices is None
    opened = frame.run.opened
    opened.extend((frame, source) for source in body.sources)


def open_map(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Run a node once for each item, as many at once as it says."""
    plan = frame.nodes[node].detail
    assert isinstance(plan, MapPlan)
    items = _items(plan.items(frame.scope(node)))
    deadline = begin(frame, node, now, out)
    child = open_frame(frame, node, ITEMS, [plan.node] * len(items), deadline)
    child.items = items
    child.next = min(plan.concurrency or len(items), len(items))
    frame.run.opened.extend((child, item) for item in range(child.next))
    if not items:
        frame.run.closing.append(child)


def _items(value: object) -> Sequence[object]:
    if isinstance(value, list):
        return cast("list[object]", value)
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value).items()
        return [{"key": key, "value": item} for key, item in entries]
    raise AtomitonError(
        f"'map' needs a list or an object, this gave {type(value).__name__}", code="TYPE_MISMATCH"
    )


def open_loop(frame: Frame, node: int, now: float, out: list[Command]) -> None:
    """Run a node turn after turn."""
    plan = frame.nodes[node].detail
    assert isinstance(plan, LoopPlan)
    scope = frame.scope(node)
    start = None if plan.start is None else plan.start(scope)
    times = None if plan.times is None else plan.times(scope)
    if plan.times is not None and (type(times) is not int or times < 0):
        raise AtomitonError(
            f"'times' must be a whole number from 0 on, this gave {times!r:.60}",
            code="TYPE_MISMATCH",
        )
    child = open_frame(frame, node, TURNS, [], begin(frame, node, now, out))
    child.items = [start, times]
    frame.run.closing.append(child)  # which decides about the first turn


def _next_turn(frame: Frame, plan: LoopPlan, now: float, out: list[Command]) -> bool:
    """Begin another turn, unless the loop has ended or failed."""
    turn = len(frame.status)
    times = frame.items[1]
    try:
        more = turn < times if isinstance(times, int) else _wanted(frame, plan, turn)
        if more and plan.most and turn >= plan.most:
            raise AtomitonError(
                f"the loop has made {plan.most} turns and its end has not come", code="LOOP_LIMIT"
            )
    except AtomitonError as error:
        assert frame.parent is not None
        failure = replace(evaluation_failure(error), node=frame.parent.path(frame.node))
        stop_up(frame, failure, now, out)
        return False
    if not more:
        return False
    _add_slot(frame, plan.node)
    if turn and plan.delay:
        frame.status[turn] = WAITING
        set_timer(frame.run, Timer(TIMER_TURN, now + plan.delay, frame.id, turn), out)
    else:
        frame.run.opened.append((frame, turn))
    return True


def _wanted(frame: Frame, plan: LoopPlan, turn: int) -> bool:
    """Whether the condition of a loop wants another turn."""
    assert frame.outer is not None
    acc = frame.outputs[turn - 1] if turn else frame.items[0]
    if plan.before is not None:
        return bool(plan.before(ItemScope(frame.outer, None, turn, acc)))
    assert plan.after is not None
    return not turn or not plan.after(ItemScope(frame.outer, None, turn - 1, acc))


def _add_slot(frame: Frame, node: PlanNode) -> None:
    nodes = frame.nodes
    assert isinstance(nodes, list)
    nodes.append(node)
    frame.status.append(PENDING)
    frame.outputs.append(None)
    frame.attempts.append(0)
    frame.started.append(0.0)
    frame.ended.append(0.0)
    frame.remaining += 1


def close_frame(frame: Frame, now: float, out: list[Command]) -> None:
    """Everything in a frame has ended: so has the node whose body it is."""
    parent, node = frame.parent, frame.node
    assert parent is not None
    if frame.kind == TURNS and not frame.stopping:
        plan = parent.nodes[node].detail
        assert isinstance(plan, LoopPlan)
        if _next_turn(frame, plan, now, out):
            return
    if parent.kind in (ITEMS, TURNS) and len(parent.nodes) > KEPT:
        del parent.children[node]
        _forget(frame)
    failure = frame.failure or _nobody_won(frame)
    if parent.status[node] == STOPPING:
        if failure is not None:
            parent.verdicts.setdefault(node, failure)
        end_stopped(parent, node, None, now, out)
        return
    drop_timer(parent, node, out)
    if failure is None:
        try:
            output = _output(frame)
        except AtomitonError as error:
            failure = evaluation_failure(error)
        else:
            complete(parent, node, output, now, out)
            return
    fail_attempt(parent, node, failure, now, out)


def _nobody_won(frame: Frame) -> ErrorInfo | None:
    """The first failure of a race in which nobody has come to the end."""
    if not frame.race or frame.winner >= 0:
        return None
    lost: ErrorInfo | None = None
    for node, error in frame.errors.items():
        plan_node = frame.nodes[node]
        if frame.status[node] != FAILED or plan_node.routes_error:
            continue
        if plan_node.fallback is None:
            lost = lost or error
        elif not plan_node.successors:
            return None  # nobody was better than what it gives instead
    return lost


def _output(frame: Frame) -> object:
    """What the nodes of a frame gave together."""
    if frame.kind == BODY:
        assert frame.body is not None
        return frame.body.output(frame)
    if frame.kind == TURNS:
        return frame.outputs[-1] if frame.outputs else frame.items[0]
    assert frame.parent is not None
    plan = frame.parent.nodes[frame.node].detail
    if isinstance(plan, MapPlan) and plan.on_item_error == "skip":
        ended = zip(frame.outputs, frame.status, strict=True)
        return [output for output, status in ended if status == COMPLETED]
    return list(frame.outputs)


def _forget(frame: Frame) -> None:
    """Let go of a body and all bodies in it; what they gave is kept where it is needed."""
    frame.run.frames.pop(frame.id, None)
    for child in frame.children.values():
        _forget(child)
