"""Order, skipping, failure, limits, pauses."""

from __future__ import annotations

import time
from typing import cast

import pytest
from tests.unit.machine.making import T0, bad, begun, fire, names, ok, plan_of, started, uses, wait

from atomiton.blueprint.model import Retry
from atomiton.blueprint.plan import BodyScope, Plan, PlanNode, Scope
from atomiton.errors import ErrorInfo, ExpressionError, IllegalEvent
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import CancelAttempt, FinishRun
from atomiton.machine.events import (
    AttemptStarted,
    CancelRequested,
    Paused,
    Resumed,
    RunRequested,
    StepRequested,
)


def no(scope: Scope) -> object:
    return False


def yes(scope: Scope) -> object:
    return True


def broken(scope: Scope) -> object:
    raise ExpressionError("no such field", source="x.y", offset=2)


def test_a_node_starts_when_all_it_needs_has_ended() -> None:
    run, out = begun(plan_of(uses("a"), uses("b"), uses("c", 0, 1), uses("d", 2)))
    assert started(out) == [(0, 1), (1, 1)]
    assert started(ok(run, 1, "b")) == []
    assert started(ok(run, 0, "a")) == [(2, 1)]
    assert started(ok(run, 2, "c")) == [(3, 1)]
    assert ok(run, 3, "d") == [FinishRun("completed", ["a", "b", "c", "d"])]
    assert (run.public_status(), run.reason()) == ("completed", None)


@pytest.mark.parametrize("kind", ["disabled", "declined"])
def test_what_needs_a_skipped_node_is_skipped(kind: str) -> None:
    skipped = uses("a", enabled=kind != "disabled", condition=no if kind == "declined" else None)
    run, out = begun(plan_of(skipped, uses("b", 0), uses("c", 1, 3), uses("d"), uses("e", 3)))
    assert started(out) == [(3, 1)]
    ok(run, 3)
    assert names(run) == ["skipped", "skipped", "skipped", "completed", "running"]
    ok(run, 4)
    assert run.status == "completed"


def test_a_skipped_wait_does_not_wait() -> None:
    run, out = begun(plan_of(uses("a", enabled=False), wait("w", 0, when=broken)))
    assert isinstance(out[-1], FinishRun)
    assert names(run) == ["skipped", "skipped"]


def test_a_condition_sees_what_came_before() -> None:
    seen: list[object] = []

    def look(scope: Scope) -> object:
        body, unit = cast("BodyScope", scope), scope.unit
        info = body.node_info(0)
        seen.extend([body.outputs[0], info["status"], info["duration_ms"], unit.inputs])
        seen.extend([unit.variables, unit.secrets, unit.info()["id"]])
        return True

    run, _ = begun(plan_of(uses("a"), uses("b", 0, condition=look)))
    assert started(ok(run, 0, 5, T0 + 2)) == [(1, 1)]
    assert seen == [5, "completed", 2000.0, {}, {}, None, "r1"]


def test_a_condition_that_cannot_be_evaluated_fails_its_node() -> None:
    run, out = begun(plan_of(uses("a"), uses("b", condition=broken), uses("c")))
    assert [type(command) for command in out] == [FinishRun], "nothing starts in such a run"
    assert names(run) == ["cancelled", "failed", "cancelled"]


def test_a_condition_that_fails_stops_what_runs() -> None:
    run, _ = begun(plan_of(uses("a"), uses("x"), uses("b", 0, condition=broken)))
    assert ok(run, 0) == [CancelAttempt(0, 1, 1)]
    assert run.failure is not None
    assert (run.failure.code, run.failure.node) == ("EXPRESSION_ERROR", "b")


def test_a_condition_that_fails_has_a_fallback() -> None:
    run, _ = begun(plan_of(uses("a", condition=broken, fallback=(4,)), uses("b", 0)))
    assert names(run) == ["failed", "running"]
    error = run.frames[0].node_info(0)["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["attempt"]) == ("EXPRESSION_ERROR", None)
    ok(run, 1, 5)
    assert run.output == [4, 5]


def test_an_output_that_cannot_be_evaluated_fails_the_run() -> None:
    run, _ = begun(plan_of(uses("a"), output=broken))
    ok(run, 0)
    assert (run.status, names(run)) == ("failed", ["completed"])
    assert run.failure is not None
    assert run.failure.details == {"expression": "x.y", "offset": 2}


def test_the_first_failure_stands_and_stops_the_others() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b"), uses("c"), uses("d", 0), concurrency=2))
    assert bad(run, 0) == [CancelAttempt(0, 1, 1)]
    assert names(run) == ["failed", "running", "cancelled", "cancelled"]
    assert (run.public_status(), run.status) == ("running", "stopping")
    assert bad(run, 1, code="OTHER")[-1] == FinishRun(
        "failed", None, ErrorInfo("NODE_FAILED", "broken", "a", 1, retryable=True)
    )
    assert names(run) == ["failed", "cancelled", "cancelled", "cancelled"]


def test_what_completes_while_the_run_stops_is_seen_and_opens_nothing() -> None:
    nodes = [uses("a"), uses("b"), uses("c", 1), uses("d", 1, condition=yes), uses("e")]
    run, _ = begun(plan_of(*nodes, wait("w", 1, when=lambda scope: 1.0)))
    bad(run, 0)
    assert ok(run, 1, "seen") == []
    assert names(run)[1:4] == ["completed", "cancelled", "cancelled"]
    assert run.frames[0].outputs[1] == "seen"
    assert not run.timers
    ok(run, 4)
    assert run.status == "failed"


def test_a_failure_with_a_fallback_goes_on() -> None:
    run, _ = begun(plan_of(uses("a", fallback=(None,)), uses("b", 0)))
    assert started(bad(run, 0)) == [(1, 1)]
    ok(run, 1)
    assert (run.status, names(run)) == ("completed", ["failed", "completed"])


def test_a_fallback_does_not_save_a_run_that_is_stopping() -> None:
    nodes = [uses("a", timeout=5, fallback=(1,)), uses("b")]
    run, _ = begun(plan_of(*nodes))
    fire(run)
    bad(run, 1)
    bad(run, 0)
    assert names(run) == ["failed", "failed"]
    assert run.failure is not None
    assert run.failure.node == "b"


def test_no_more_run_at_once_than_may() -> None:
    run, out = begun(plan_of(*(uses(name) for name in "abcd"), concurrency=2))
    assert started(out) == [(0, 1), (1, 1)]
    assert started(ok(run, 1)) == [(2, 1)]
    assert started(ok(run, 0)) == [(3, 1)]
    assert run.running == 2


def test_a_place_that_is_free_between_tries_is_used() -> None:
    rule = Retry(attempts=2, delay=1, jitter=0)
    run, _ = begun(plan_of(uses("a", retry=rule), uses("b"), concurrency=1))
    assert started(bad(run, 0)) == [(1, 1)]
    assert started(fire(run)) == []
    assert started(ok(run, 1)) == [(0, 2)]


def test_a_run_that_needs_more_than_its_steps_fails() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0), uses("x"), uses("y"), steps=3))
    assert run.steps == 3
    assert ok(run, 0) == [CancelAttempt(0, 2, 1), CancelAttempt(0, 3, 1)]
    assert names(run)[1] == "cancelled"
    bad(run, 2)
    bad(run, 3)
    assert run.failure == ErrorInfo("LIMIT_EXCEEDED", "the run needs more than its 3 steps")


def test_as_many_steps_as_there_are_suffice() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0), steps=2))
    ok(run, 0)
    ok(run, 1)
    assert run.status == "completed"


def test_a_paused_run_finishes_what_runs_and_starts_nothing() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0), uses("c", 0)))
    assert apply(run, Paused(T0)) == []
    assert run.public_status() == "running"
    assert ok(run, 0) == []
    assert (run.public_status(), run.reason()) == ("paused", "paused")
    assert started(apply(run, Resumed(T0))) == [(1, 1), (2, 1)]


def test_a_paused_run_is_stepped_one_attempt_at_a_time() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0), uses("c", 0), uses("d", 0)))
    apply(run, Paused(T0))
    assert apply(run, StepRequested(T0)) == []
    assert apply(run, StepRequested(T0)) == []
    assert started(ok(run, 0)) == [(1, 1), (2, 1)]
    assert apply(run, Paused(T0)) == []
    assert started(apply(run, StepRequested(T0))) == [(3, 1)]


def test_pausing_again_takes_steps_back() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0)))
    for event in (Paused(T0), StepRequested(T0), Paused(T0)):
        apply(run, event)
    assert ok(run, 0) == []
    assert started(apply(run, Resumed(T0))) == [(1, 1)]


def test_a_run_may_begin_paused() -> None:
    run = RunState(plan_of(uses("a"), uses("b", 0)))
    assert apply(run, RunRequested(T0, "r", {}, paused=True)) == []
    assert started(apply(run, StepRequested(T0))) == [(0, 1)]
    assert ok(run, 0) == []
    assert started(apply(run, Resumed(T0))) == [(1, 1)]


def test_cancelling_ends_a_run_once_all_has_stopped() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b", 0)))
    assert apply(run, CancelRequested(T0)) == [CancelAttempt(0, 0, 1)]
    assert apply(run, CancelRequested(T0, "later")) == []
    assert bad(run, 0, code="CANCELLED") == [
        FinishRun("cancelled", None, ErrorInfo("CANCELLED", "cancelled"))
    ]
    assert names(run) == ["cancelled", "cancelled"]


def test_cancelling_a_run_that_does_nothing_ends_it_at_once() -> None:
    run, _ = begun(plan_of(uses("a", effect="once", retry=Retry(attempts=2))))
    bad(run, 0)
    assert isinstance(apply(run, CancelRequested(T0))[-1], FinishRun)


def test_only_a_run_that_lives_takes_wishes() -> None:
    fresh = RunState(plan_of(uses("a")))
    ended, _ = begun(plan_of(uses("a")))
    ok(ended, 0)
    for run in (fresh, ended):
        for event in (CancelRequested(T0), Paused(T0), Resumed(T0), StepRequested(T0)):
            with pytest.raises(IllegalEvent):
                apply(run, event)
        assert outstanding(run) == []


def test_only_a_paused_run_is_stepped() -> None:
    run, _ = begun(plan_of(uses("a")))
    with pytest.raises(IllegalEvent, match="not paused"):
        apply(run, StepRequested(T0))


def test_a_run_is_requested_once() -> None:
    run, _ = begun(plan_of(uses("a")))
    with pytest.raises(IllegalEvent, match="twice"):
        apply(run, RunRequested(T0, "r2", {}))


def test_that_an_attempt_acts_changes_nothing() -> None:
    run, _ = begun(plan_of(uses("a")))
    assert apply(run, AttemptStarted(T0, 0, 0, 1)) == []
    with pytest.raises(IllegalEvent):
        apply(run, AttemptStarted(T0, 0, 0, 2))


@pytest.mark.parametrize("of", [(1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1), (0, 0, 0), (0, 0, 2)])
def test_only_the_attempt_that_is_out_is_expected(of: tuple[int, int, int]) -> None:
    run, _ = begun(plan_of(uses("a")))
    assert run.expects(0, 0, 1)
    assert not run.expects(*of)
    ok(run, 0)
    assert not run.expects(0, 0, 1)


def test_a_blueprint_without_nodes_completes_at_once() -> None:
    run, out = begun(plan_of())
    assert out == [FinishRun("completed", [])]
    assert run.ended


def test_waiting_of_the_run_is_told_apart() -> None:
    run = RunState(plan_of(uses("a"), concurrency=1))
    assert (run.public_status(), run.reason()) == ("waiting", None)


# -- sizes --------------------------------------------------------------------------------------

MANY = 100_000


def chain(first: PlanNode) -> Plan:
    return plan_of(first, *(uses(f"n{n}", n - 1) for n in range(1, MANY)))


def fan(first: PlanNode) -> Plan:
    return plan_of(first, *(uses(f"n{n}", 0) for n in range(1, MANY)))


@pytest.mark.timed
@pytest.mark.parametrize("shape", [chain, fan])
def test_a_hundred_thousand_nodes_are_skipped_at_once(shape: type) -> None:
    before = time.process_time()
    run, out = begun(shape(uses("a", enabled=False)))
    assert isinstance(out[-1], FinishRun)
    assert set(names(run)) == {"skipped"}
    assert time.process_time() - before < 10


@pytest.mark.timed
@pytest.mark.parametrize("shape", [chain, fan])
def test_a_hundred_thousand_nodes_cost_as_much_each_as_a_few(shape: type) -> None:
    run, _ = begun(shape(uses("a")))
    before = time.process_time()
    for node in range(MANY):
        ok(run, node)
    assert run.status == "completed"
    assert time.process_time() - before < 10, "a completion costs the work of its successors"


def test_a_hundred_thousand_fallbacks_do_not_recurse() -> None:
    nodes = (uses(f"n{n}", n - 1, condition=broken, fallback=(0,)) for n in range(1, MANY))
    run, _ = begun(plan_of(uses("a", enabled=True), *nodes))
    ok(run, 0)
    assert run.status == "completed"
