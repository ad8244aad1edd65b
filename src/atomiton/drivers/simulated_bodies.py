"""The laws of groups, races, maps and loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from atomiton.blueprint.plan import Group, ItemScope, LoopPlan, MapPlan
from atomiton.drivers.simulated_joins import gave, is_over
from atomiton.drivers.simulated_world import demand
from atomiton.errors import AtomitonError
from atomiton.machine.state import (
    BODY,
    CANCELLED,
    CLOSING,
    COMPLETED,
    FAILED,
    ITEMS,
    PENDING,
    RUNNING,
    STOPPING,
    UNDO,
    WAITING,
    Frame,
)


def must_stop(frame: Frame) -> str | None:
    """Why a body cannot go on, in words; None if it can, or if it cannot be known."""
    if frame.kind in (UNDO, CLOSING):
        return None
    failed = _failed_in(frame)
    if failed is not None:
        return failed
    parent = frame.parent
    if parent is None:
        return "the run has failed" if frame.run.failure is not None else None
    if parent.children.get(frame.node) is not frame:
        return "another attempt has begun"
    if parent.status[frame.node] == STOPPING:
        return f"{parent.path(frame.node)} was asked to stop"
    won = [node for node in sinks(frame) if gave(frame, node)] if is_race(frame) else []
    return f"{frame.path(won[0])} has won" if won else None


def _failed_in(frame: Frame) -> str | None:
    """What has failed in a body, or in one of those in it, so that the body cannot but fail."""
    for node, status in enumerate(frame.status):
        if _goes_on(frame, node):
            continue
        if status == FAILED:
            return f"{frame.path(node)} has failed"
        if status == RUNNING and node in frame.children and frame.nodes[node].retry is None:
            inner = _failed_in(frame.children[node])
            if inner is not None:
                return inner
    return None


def _goes_on(frame: Frame, node: int) -> bool:
    """Whether the failure of a node is provided for."""
    plan_node = frame.nodes[node]
    if frame.kind == BODY:
        return plan_node.fallback is not None or plan_node.routes_error or is_race(frame)
    return frame.kind == ITEMS and _map_of(frame).on_item_error in ("collect", "skip")


def is_race(frame: Frame) -> bool:
    """Whether the first sink to complete ends a body."""
    detail = None if frame.parent is None else frame.parent.nodes[frame.node].detail
    return isinstance(detail, Group) and detail.race


def sinks(frame: Frame) -> list[int]:
    """The nodes of a body that no other waits for."""
    needed = {source for node in frame.nodes for source in node.needs}
    return [node for node in range(len(frame.nodes)) if node not in needed]


def check_group(frame: Frame, output: object) -> None:
    """A group has completed: so have its nodes, or one has won; it gives what they gave."""
    name = _name(frame)
    assert frame.body is not None
    if is_race(frame):
        failed = any(status == FAILED for status in frame.status)
        won = any(gave(frame, node) for node in sinks(frame))
        demand(won or not failed, "race", f"{name} has completed, and nobody has won")
    else:
        why = must_stop(frame)
        demand(why is None, "bodies", f"{name} has completed, but {why}")
        demand(not frame.stopping, "bodies", f"{name} was stopped and has completed")
    given = frame.body.output(frame)
    demand(output == given, "results", f"{name} gave {output}, its body {given}")


# -- maps ------------------------------------------------------------------------------------------


def check_items(frame: Frame) -> None:
    """The items of a map are what its list holds."""
    assert frame.parent is not None
    items = _map_of(frame).items(frame.parent.scope(frame.node))
    if isinstance(items, dict):
        entries = cast("dict[str, object]", items).items()
        items = [{"key": key, "value": value} for key, value in entries]
    demand(list(frame.items) == items, "map", f"{_name(frame)} maps {frame.items}, not {items}")
    demand(len(frame.status) == len(frame.items), "map", f"{_name(frame)} has forgotten items")


def check_map(frame: Frame, output: object) -> None:
    """A map has completed: its results stand in the order of its items, each in its place."""
    name, policy = _name(frame), _map_of(frame).on_item_error
    expected: list[object] = []
    for item, status in enumerate(frame.status):
        if status == COMPLETED:
            expected.append(frame.outputs[item])
        else:
            demand(
                status == FAILED and policy != "fail", "map", f"{name}[{item}] ended as {status}"
            )
            if policy == "collect":
                error = frame.errors[item]
                place = {"error": {"code": error.code, "message": error.message}}
                expected.append(place)
    found = [_collected(part) for part in cast("list[object]", output)]
    demand(found == expected, "map", f"{name} gave {output}, its items {expected}")


def _collected(part: object) -> object:
    """What a place of a map's result holds, with as much of an error as tells it from others."""
    if not isinstance(part, dict):
        return part
    found = cast("dict[str, object]", part).get("error")
    if not isinstance(found, dict):
        return cast("object", part)
    error = cast("dict[str, object]", found)
    return {"error": {"code": error["code"], "message": error["message"]}}


def _map_of(frame: Frame) -> MapPlan:
    assert frame.parent is not None
    detail = frame.parent.nodes[frame.node].detail
    assert isinstance(detail, MapPlan)
    return detail


# -- loops -----------------------------------------------------------------------------------------


def check_turns(frame: Frame, name: str) -> None:
    """A loop is in its last turn, and all before have completed."""
    done = all(status == COMPLETED for status in frame.status[:-1])
    demand(done and not is_over(frame, -1), "loop", f"the turns of {name}: {frame.status}")
    demand(frame.status[-1] != PENDING, "liveness", f"a turn of {name} does not begin")


def check_pause(frame: Frame, turn: int, before: int, after: int, now: float) -> None:
    """Between two turns there is the pause that the loop wants."""
    assert frame.parent is not None
    plan = frame.parent.nodes[frame.node].detail
    assert isinstance(plan, LoopPlan)
    if turn and plan.delay and before in (PENDING, WAITING) and after != CANCELLED:
        waits, pause = after == WAITING, now - frame.ended[turn - 1]
        enough = waits or (before == WAITING and pause >= plan.delay - 1e-3)
        demand(enough, "time", f"{pause:g} s before {frame.path(turn)}")


def check_loop(frame: Frame, output: object) -> None:
    """A loop has completed: it has made as many turns as it was to make."""
    assert frame.parent is not None
    plan, name, turns = frame.parent.nodes[frame.node].detail, _name(frame), len(frame.status)
    assert isinstance(plan, LoopPlan)
    scope = frame.parent.scope(frame.node)
    start = None if plan.start is None else plan.start(scope)
    demand(all(s == COMPLETED for s in frame.status), "loop", f"{name}: {frame.status}")
    given = [start, *frame.outputs]
    demand(output == given[-1], "loop", f"{name} gave {output}, its last turn {given[-1]}")
    demand(not plan.most or turns <= plan.most, "loop", f"{name} made {turns} of {plan.most} turns")
    demand(_turns_fit(plan, frame, given), "loop", f"{name} ended after {turns} turns")


def _turns_fit(plan: LoopPlan, frame: Frame, given: Sequence[object]) -> bool:
    """Whether a loop of these accumulators ended when it was to end."""
    assert frame.parent is not None
    scope = frame.parent.scope(frame.node)
    turns = len(given) - 1
    try:
        if plan.times is not None:
            return turns == plan.times(scope)
        if plan.before is not None:
            told = [plan.before(ItemScope(scope, None, n, acc)) for n, acc in enumerate(given)]
            return told == [True] * turns + [False]
        assert plan.after is not None
        told = [plan.after(ItemScope(scope, None, n, acc)) for n, acc in enumerate(given[1:])]
        return told == [False] * (turns - 1) + [True]
    except AtomitonError:
        return False


def _name(frame: Frame) -> str:
    assert frame.parent is not None
    return frame.parent.path(frame.node)
