"""Attempts whose end nobody saw: made again, or left to a decision."""

from __future__ import annotations

import pytest
from tests.unit.machine.making import (
    T0,
    bad,
    begun,
    fire,
    lost,
    names,
    ok,
    plan_of,
    started,
    uses,
)

from atomiton.blueprint.model import Retry
from atomiton.blueprint.plan import Undo
from atomiton.errors import ErrorInfo, IllegalEvent
from atomiton.machine import apply, outstanding
from atomiton.machine.commands import CancelTimer, SetTimer, StartAttempt
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    CancelRequested,
    Paused,
    Resumed,
    TimerFired,
)
from atomiton.machine.state import LOST


@pytest.mark.parametrize("effect", ["pure", "idempotent"])
def test_what_may_be_repeated_is_made_again_under_the_same_number(effect: str) -> None:
    run, _ = begun(plan_of(uses("a", effect=effect)))
    assert started(lost(run, 0)) == [(0, 1)]
    assert run.running == run.steps == 1
    ok(run, 0, 7)
    assert run.output == [7]


def test_what_acts_once_waits_for_a_decision() -> None:
    run, _ = begun(plan_of(uses("a", effect="once")))
    assert lost(run, 0) == []
    assert run.frames[0].status[0] == LOST
    assert (run.running, run.public_status(), names(run)) == (0, "waiting", ["waiting"])
    assert "attempt 1 of 'a' was lost" in str(run.reason())
    assert outstanding(run) == []


@pytest.mark.parametrize("effect", ["idempotent", "once"])
def test_what_never_acted_waits_for_a_paused_run_to_go_on(effect: str) -> None:
    run, _ = begun(plan_of(uses("a", effect=effect, timeout=5, retry=Retry(attempts=2))))
    apply(run, Paused(T0))
    assert apply(run, AttemptLost(T0 + 1, 0, 0, 1, acted=False)) == [CancelTimer(1)]
    assert (run.running, run.steps, run.frames[0].attempts[0]) == (0, 0, 0)
    assert (run.public_status(), outstanding(run)) == ("paused", [])
    assert started(apply(run, Resumed(T0 + 9))) == [(0, 1)]
    assert run.frames[0].started[0] == T0 + 9
    bad(run, 0, T0 + 10)
    fire(run)
    apply(run, Paused(T0 + 11))
    apply(run, AttemptLost(T0 + 12, 0, 0, 2, acted=False))
    assert run.frames[0].started[0] == T0 + 9
    assert started(apply(run, Resumed(T0 + 13))) == [(0, 2)]


def test_a_lost_attempt_can_be_repeated() -> None:
    run, _ = begun(plan_of(uses("a", effect="once")))
    lost(run, 0)
    assert started(apply(run, AttemptRepeated(T0, 0, 0, 1))) == [(0, 1)]
    ok(run, 0, 1)
    assert run.status == "completed"
    assert run.steps == 1


def test_a_lost_attempt_can_be_given_up() -> None:
    run, _ = begun(plan_of(uses("a", effect="once", retry=Retry(attempts=5))))
    lost(run, 0)
    apply(run, AttemptFailed(T0, 0, 0, 1, ErrorInfo("ATTEMPT_LOST", "given up", retryable=True)))
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.node == "a"


def test_a_decision_does_not_exceed_the_concurrency() -> None:
    run, _ = begun(plan_of(uses("a", effect="once"), uses("b"), uses("c"), concurrency=1))
    assert started(lost(run, 0)) == [(1, 1)]
    assert apply(run, AttemptRepeated(T0, 0, 0, 1)) == []
    assert run.running == 1
    assert started(ok(run, 1)) == [(0, 1)], "what was lost goes first"
    assert started(ok(run, 0)) == [(2, 1)]


def test_two_decisions_need_no_steps_of_their_own() -> None:
    nodes = [uses("a", effect="once"), uses("b", effect="once"), uses("c")]
    run, _ = begun(plan_of(*nodes, concurrency=2, steps=3))
    lost(run, 0)
    lost(run, 1)
    apply(run, AttemptRepeated(T0, 0, 0, 1))
    apply(run, AttemptRepeated(T0, 0, 1, 1))
    for node in (2, 0, 1):
        ok(run, node)
    assert (run.status, run.steps) == ("completed", 3)


def test_a_decision_in_a_paused_run_waits_for_it_to_go_on() -> None:
    run, _ = begun(plan_of(uses("a", effect="once")))
    lost(run, 0)
    apply(run, Paused(T0))
    assert apply(run, AttemptRepeated(T0, 0, 0, 1)) == []
    assert started(apply(run, Resumed(T0))) == [(0, 1)]


def test_a_loss_does_not_give_a_node_more_time() -> None:
    run, out = begun(plan_of(uses("a", deadline=10.0)))
    assert out == [SetTimer(1, T0 + 10), StartAttempt(0, 0, 1, 0, T0 + 10)]
    again = [CancelTimer(1), SetTimer(2, T0 + 10), StartAttempt(0, 0, 1, 0, T0 + 10)]
    assert lost(run, 0, T0 + 7) == again
    assert run.frames[0].started[0] == T0


def test_a_loss_gives_an_attempt_its_time_again() -> None:
    run, _ = begun(plan_of(uses("a", timeout=10.0)))
    assert StartAttempt(0, 0, 1, 0, T0 + 17) in lost(run, 0, T0 + 7)


def test_a_decision_gives_a_node_its_time_again() -> None:
    run, _ = begun(plan_of(uses("a", effect="once", deadline=10.0)))
    lost(run, 0)
    out = apply(run, AttemptRepeated(T0 + 1000, 0, 0, 1))
    assert StartAttempt(0, 0, 1, 0, T0 + 1010) in out


@pytest.mark.parametrize("effect", ["pure", "idempotent", "once"])
def test_a_rule_that_names_the_loss_makes_it_a_failure(effect: str) -> None:
    rule = Retry(attempts=2, delay=1, jitter=0, on=("ATTEMPT_LOST",))
    run, _ = begun(plan_of(uses("a", effect=effect, retry=rule)))
    assert started(lost(run, 0)) == []
    assert started(fire(run)) == [(0, 2)]
    lost(run, 0)
    assert run.status == "failed"


@pytest.mark.parametrize("effect", ["pure", "idempotent", "once"])
def test_what_cannot_have_acted_is_made_again_with_all_its_time(effect: str) -> None:
    rule = Retry(attempts=2, on=("ATTEMPT_LOST",))
    run, _ = begun(plan_of(uses("a", effect=effect, timeout=10.0, retry=rule)))
    out = apply(run, AttemptLost(T0 + 500, 0, 0, 1, acted=False))
    assert out == [CancelTimer(1), SetTimer(2, T0 + 510), StartAttempt(0, 0, 1, 0, T0 + 510)]
    assert run.steps == 1


def test_a_loss_while_stopping_is_the_end_that_was_asked_for() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    apply(run, CancelRequested(T0))
    lost(run, 0)
    lost(run, 1)
    assert names(run) == ["cancelled", "cancelled"]
    assert run.status == "cancelled"


def test_a_loss_after_a_timeout_is_the_timeout() -> None:
    run, _ = begun(plan_of(uses("a", timeout=1.0)))
    fire(run)
    lost(run, 0)
    assert run.failure is not None
    assert run.failure.code == "TIMEOUT"


def test_failure_elsewhere_ends_what_is_lost() -> None:
    run, _ = begun(plan_of(uses("a", effect="once"), uses("b")))
    lost(run, 0)
    bad(run, 1)
    assert names(run) == ["cancelled", "failed"]
    with pytest.raises(IllegalEvent):
        apply(run, AttemptRepeated(T0, 0, 0, 1))


@pytest.mark.parametrize("of", [(0, 0, 2), (0, 1, 1), (0, 9, 1), (0, -1, 1), (9, 0, 1), (-1, 0, 1)])
def test_only_a_lost_attempt_can_be_repeated(of: tuple[int, int, int]) -> None:
    run, _ = begun(plan_of(uses("a", effect="once"), uses("b")))
    lost(run, 0)
    with pytest.raises(IllegalEvent, match="is not lost"):
        apply(run, AttemptRepeated(T0, *of))


def test_a_late_answer_to_a_lost_attempt_is_refused() -> None:
    run, _ = begun(plan_of(uses("a", effect="once")))
    lost(run, 0)
    for late in (AttemptCompleted(T0, 0, 0, 1, None), TimerFired(T0, 1)):
        with pytest.raises(IllegalEvent):
            apply(run, late)


def test_what_may_have_acted_is_compensated_also_while_it_waits_to_be_made_again() -> None:
    node = uses("a", effect="once")
    node.undo = Undo(uses("a:compensate"), when_failed=True)
    node.undo.node.step = 2
    run, _ = begun(plan_of(node, uses("b")))
    lost(run, 0)
    apply(run, Paused(T0))
    apply(run, AttemptRepeated(T0, 0, 0, 1))
    assert (run.top.attempts[0], run.steps) == (1, 1)
    bad(run, 1)
    assert names(run) == ["cancelled", "failed"]
    assert run.undone is not None
    assert run.undone.path(0) == "a:compensate"
