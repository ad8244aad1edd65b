"""Bugs planted in routes, joins, bodies, signals and compensation are found within 1,000 seeds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.simulation.planting import Plant, found_by

from atomiton.blueprint.plan import ERROR, ROUTE, Edge, ItemScope, LoopPlan, MapPlan, PlanNode
from atomiton.drivers import simulated_process
from atomiton.drivers.simulated_world import Effect
from atomiton.drivers.simulation import check_seed
from atomiton.errors import ErrorInfo
from atomiton.machine import (
    bodies,
    ending,
    finishing,
    joining,
    settling,
    starting,
    stopping,
    transitions,
    waiting,
)
from atomiton.machine.commands import Command
from atomiton.machine.events import SignalReceived
from atomiton.machine.state import BODY, COMPLETED, ITEMS, Frame, RunState

SEEDS = 1_000


# -- compensation ----------------------------------------------------------------------------------


def compensation_in_the_order_of_completion(patch: pytest.MonkeyPatch) -> None:
    right = finishing._compensates

    def wrong(run: RunState) -> bool:
        run.undo.reverse()
        return right(run)

    patch.setattr(finishing, "_compensates", wrong)


def an_item_is_compensated_twice(patch: pytest.MonkeyPatch) -> None:
    right = settling.remember

    def wrong(frame: Frame, node: int) -> None:
        right(frame, node)
        if frame.kind == ITEMS:
            right(frame, node)

    for module in (settling, ending):
        patch.setattr(module, "remember", wrong)


def what_has_failed_is_compensated_unasked(patch: pytest.MonkeyPatch) -> None:
    right = ending.fail

    def wrong(frame: Frame, node: int, *rest: object) -> None:
        undo = frame.nodes[node].undo
        if undo is not None and not undo.when_failed:
            settling.remember(frame, node)
        right(frame, node, *rest)  # type: ignore[arg-type]

    patch.setattr(ending, "fail", wrong)


def what_was_cancelled_is_not_compensated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settling, "remember", lambda frame, node: None)


def compensation_when_nobody_wants_it(patch: pytest.MonkeyPatch) -> None:
    right = finishing._compensates

    def wrong(run: RunState) -> bool:
        was, run.plan.compensate_on = run.plan.compensate_on, ("failure", "cancel")
        try:
            return right(run)
        finally:
            run.plan.compensate_on = was

    patch.setattr(finishing, "_compensates", wrong)


def compensations_all_at_once(patch: pytest.MonkeyPatch) -> None:
    right = finishing._sequence

    def wrong(run: RunState, *rest: object) -> Frame:
        frame = right(run, *rest)  # type: ignore[arg-type]
        run.opened.extend((frame, node) for node in range(1, len(frame.nodes)))
        frame.next = len(frame.nodes)
        return frame

    patch.setattr(finishing, "_sequence", wrong)


def compensation_under_another_name_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    def wrong(time: float, life: int, key: str, *rest: object) -> Effect:
        return Effect(time, life, f"{key}:{life}" if life > 1 else key, *rest)  # type: ignore[arg-type]

    patch.setattr(simulated_process, "Effect", wrong)


def on_runs_before_compensation(patch: pytest.MonkeyPatch) -> None:
    right = finishing._compensates

    def wrong(run: RunState) -> bool:
        found = right(run)
        if found and run.plan.on:
            finishing._close(run, run.started_at, [])
        return found

    patch.setattr(finishing, "_compensates", wrong)


# -- bodies ----------------------------------------------------------------------------------------


def a_map_forgets_an_item(patch: pytest.MonkeyPatch) -> None:
    right = settling.settle

    def wrong(frame: Frame, node: int, *, given: bool) -> None:
        if frame.kind == ITEMS and frame.next == 2 and len(frame.nodes) > 3:
            frame.next += 1
            frame.remaining -= 1
        right(frame, node, given=given)

    for module in (settling, ending):
        patch.setattr(module, "settle", wrong)


def a_map_runs_all_at_once(patch: pytest.MonkeyPatch) -> None:
    right = starting._OPENERS[7]

    def wrong(frame: Frame, node: int, now: float, out: list[Command]) -> None:
        plan = frame.nodes[node].detail
        assert isinstance(plan, MapPlan)
        frame.nodes[node].detail = plan._replace(concurrency=0)
        try:
            right(frame, node, now, out)
        finally:
            frame.nodes[node].detail = plan

    patch.setitem(starting._OPENERS, 7, wrong)  # type: ignore[arg-type]


def what_was_collected_loses_its_place(patch: pytest.MonkeyPatch) -> None:
    right = bodies._output

    def wrong(frame: Frame) -> object:
        given = right(frame)
        if frame.kind == ITEMS and ending._policy(frame) == "collect":
            assert isinstance(given, list)
            well = [out for out, s in zip(given, frame.status, strict=True) if s == COMPLETED]
            return [*well, *(out for out in given if out not in well)]
        return given

    patch.setattr(bodies, "_output", wrong)


def a_loop_is_off_by_one(patch: pytest.MonkeyPatch) -> None:
    def wrong(frame: Frame, plan: LoopPlan, turn: int) -> bool:
        assert frame.outer is not None
        acc = frame.outputs[turn - 1] if turn else frame.items[0]
        if plan.before is not None:
            return bool(plan.before(ItemScope(frame.outer, None, turn, acc)))
        assert plan.after is not None
        return not turn or not plan.after(ItemScope(frame.outer, None, turn, acc))

    patch.setattr(bodies, "_wanted", wrong)


def a_loop_begins_a_turn_too_early(patch: pytest.MonkeyPatch) -> None:
    right = bodies._next_turn

    def wrong(frame: Frame, plan: LoopPlan, now: float, out: list[Command]) -> bool:
        return right(frame, plan._replace(delay=0), now, out)

    patch.setattr(bodies, "_next_turn", wrong)


def a_race_goes_on_after_it_is_won(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "stop_frame", lambda frame, failure, now, out: None)


def a_group_that_tries_again_keeps_its_old_body(patch: pytest.MonkeyPatch) -> None:
    right = bodies.open_frame

    def wrong(parent: Frame, node: int, *rest: object) -> Frame:
        before = parent.children.get(node)
        frame = right(parent, node, *rest)  # type: ignore[arg-type]
        if before is not None:
            parent.children[node] = before
        return frame

    patch.setattr(bodies, "open_frame", wrong)


def a_failure_does_not_leave_its_group(patch: pytest.MonkeyPatch) -> None:
    right = bodies.close_frame

    def wrong(frame: Frame, now: float, out: list[Command]) -> None:
        if frame.kind == BODY and frame.failure is not None:
            frame.failure = None
        right(frame, now, out)

    for module in (bodies, finishing):
        patch.setattr(module, "close_frame", wrong)


def a_body_goes_on_after_the_one_around_it_has_failed(patch: pytest.MonkeyPatch) -> None:
    def wrong(frame: Frame, failure: ErrorInfo, now: float, out: list[Command]) -> None:
        stopping.stop_frame(frame, failure, now, out)  # and none of those around it

    patch.setattr(bodies, "stop_up", wrong)
    right = ending.stop_up

    def only_at_the_top(frame: Frame, failure: ErrorInfo, now: float, out: list[Command]) -> None:
        (right if frame.parent is None else wrong)(frame, failure, now, out)

    patch.setattr(ending, "stop_up", only_at_the_top)


# -- routes and joins ------------------------------------------------------------------------------


def a_route_not_taken_is_gone(patch: pytest.MonkeyPatch) -> None:
    right = joining.satisfied

    def wrong(frame: Frame, edge: Edge) -> bool:
        return frame.status[edge.source] == COMPLETED if edge.kind == ROUTE else right(frame, edge)

    patch.setattr(joining, "satisfied", wrong)


def a_branch_takes_more_than_one_route(patch: pytest.MonkeyPatch) -> None:
    right = starting._OPENERS[5]

    def wrong(frame: Frame, node: int, now: float, out: list[Command]) -> None:
        routes = frame.nodes[node].detail
        frame.nodes[node].detail = routes._replace(conditions=routes.conditions[::-1])  # type: ignore[union-attr,call-arg]
        try:
            right(frame, node, now, out)
        finally:
            frame.nodes[node].detail = routes

    patch.setitem(starting._OPENERS, 5, wrong)  # type: ignore[arg-type]


def an_error_is_handled_that_was_none(patch: pytest.MonkeyPatch) -> None:
    right = joining.satisfied

    def wrong(frame: Frame, edge: Edge) -> bool:
        return right(frame, edge) or (edge.kind == ERROR and frame.status[edge.source] == COMPLETED)

    patch.setattr(joining, "satisfied", wrong)


def routes_do_not_stand_in_for_each_other(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(joining, "_stood_in", lambda plan_node, given: False)


def one_of_two_is_enough(patch: pytest.MonkeyPatch) -> None:
    right = starting.joined

    def wrong(frame: Frame, node: int) -> bool | None:
        plan_node: PlanNode = frame.nodes[node]
        was, plan_node.least = plan_node.least, min(plan_node.least, 1)
        try:
            return right(frame, node)
        finally:
            plan_node.least = was

    patch.setattr(starting, "joined", wrong)


def what_cleans_up_is_cancelled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stopping, "JOIN_SETTLED", -1)


def what_cleans_up_is_not_begun(patch: pytest.MonkeyPatch) -> None:
    right = starting.joined

    def wrong(frame: Frame, node: int) -> bool | None:
        return None if frame.stopping else right(frame, node)

    patch.setattr(starting, "joined", wrong)


def the_last_failure_stands(patch: pytest.MonkeyPatch) -> None:
    right = stopping.stop_up

    def wrong(frame: Frame, failure: ErrorInfo, now: float, out: list[Command]) -> None:
        right(frame, failure, now, out)
        if frame.parent is None and frame.kind == BODY:
            frame.run.failure = failure

    patch.setattr(ending, "stop_up", wrong)


# -- signals ---------------------------------------------------------------------------------------


def a_signal_is_delivered_and_kept(patch: pytest.MonkeyPatch) -> None:
    right = transitions.deliver

    def wrong(run: RunState, signal: SignalReceived, out: list[Command]) -> None:
        right(run, signal, out)
        kept = run.mail.setdefault(signal.name, [])
        if signal not in kept:
            kept.append(signal)

    patch.setattr(transitions, "deliver", wrong)


def an_early_signal_is_dropped(patch: pytest.MonkeyPatch) -> None:
    right = transitions.deliver

    def wrong(run: RunState, signal: SignalReceived, out: list[Command]) -> None:
        right(run, signal, out)
        run.mail.pop(signal.name, None)

    patch.setattr(transitions, "deliver", wrong)


def a_signal_goes_to_whom_it_does_not_fit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(waiting, "_matches", lambda frame, node, wait, signal: True)


def who_came_last_gets_the_signal(patch: pytest.MonkeyPatch) -> None:
    right = transitions.deliver

    def wrong(run: RunState, signal: SignalReceived, out: list[Command]) -> None:
        run.listening.get(signal.name, []).reverse()
        right(run, signal, out)
        run.listening.get(signal.name, []).reverse()

    patch.setattr(transitions, "deliver", wrong)


def a_signal_of_the_past_is_read_with_another_payload(patch: pytest.MonkeyPatch) -> None:
    right = waiting._take

    def wrong(frame: Frame, node: int, wait: object) -> SignalReceived | None:
        found = right(frame, node, wait)  # type: ignore[arg-type]
        return None if found is None else replace(found, payload={"value": 0, "id": "none"})

    patch.setattr(waiting, "_take", wrong)


BUGS: Sequence[tuple[Plant, set[str]]] = [
    (compensation_in_the_order_of_completion, {"compensation"}),
    (an_item_is_compensated_twice, {"compensation"}),
    (what_has_failed_is_compensated_unasked, {"compensation"}),
    (what_was_cancelled_is_not_compensated, {"compensation"}),
    (compensation_when_nobody_wants_it, {"compensation"}),
    (compensations_all_at_once, {"concurrency"}),
    (compensation_under_another_name_after_a_crash, {"compensation"}),
    (on_runs_before_compensation, {"compensation", "fail fast"}),
    (a_map_forgets_an_item, {"liveness", "bodies", "order"}),
    (a_map_runs_all_at_once, {"concurrency"}),
    (what_was_collected_loses_its_place, {"map"}),
    (a_loop_is_off_by_one, {"loop"}),
    (a_loop_begins_a_turn_too_early, {"time"}),
    (a_race_goes_on_after_it_is_won, {"fail fast"}),
    (a_group_that_tries_again_keeps_its_old_body, {"bodies", "fail fast"}),
    (a_failure_does_not_leave_its_group, {"bodies"}),
    (a_body_goes_on_after_the_one_around_it_has_failed, {"fail fast"}),
    (a_route_not_taken_is_gone, {"order"}),
    (a_branch_takes_more_than_one_route, {"routes"}),
    (an_error_is_handled_that_was_none, {"order"}),
    (routes_do_not_stand_in_for_each_other, {"skip"}),
    (one_of_two_is_enough, {"order"}),
    (what_cleans_up_is_cancelled, {"clean-up"}),
    (what_cleans_up_is_not_begun, {"liveness"}),
    (the_last_failure_stands, {"one end"}),
    (a_signal_is_delivered_and_kept, {"signals"}),
    (an_early_signal_is_dropped, {"signals"}),
    (a_signal_goes_to_whom_it_does_not_fit, {"signals"}),
    (who_came_last_gets_the_signal, {"signals"}),
    (a_signal_of_the_past_is_read_with_another_payload, {"signals"}),
]


@pytest.mark.parametrize(("plant", "laws"), BUGS, ids=[plant.__name__ for plant, _ in BUGS])
def test_a_planted_bug_is_found(
    plant: Plant, laws: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    found = found_by(
        lambda: [check_seed(seed, every_place=False, random_runs=2) for seed in range(SEEDS)]
    )
    print(f"{plant.__name__}: {found} ({found.__notes__[0]})")
    assert found.law in laws
