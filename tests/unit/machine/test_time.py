"""Timeouts, deadlines, the end of a run's time, and waits."""

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
    wait,
)

from atomiton.blueprint.model import Retry
from atomiton.blueprint.plan import WAIT_UNTIL, Scope
from atomiton.errors import ErrorInfo, ExpressionError, IllegalEvent
from atomiton.machine import apply, outstanding
from atomiton.machine.commands import (
    CancelAttempt,
    CancelTimer,
    FinishRun,
    SetTimer,
    StartAttempt,
)
from atomiton.machine.events import CancelRequested, Paused, TimerFired

TWICE = Retry(attempts=2, delay=1, jitter=0)


def test_an_attempt_in_time_drops_its_timer() -> None:
    run, out = begun(plan_of(uses("a", timeout=5), uses("b", 0)))
    assert out == [SetTimer(1, T0 + 5), StartAttempt(0, 0, 1, 0, T0 + 5)]
    assert ok(run, 0) == [CancelTimer(1), StartAttempt(0, 1, 1, 1)]


def test_an_attempt_that_takes_too_long_is_stopped_and_then_failed() -> None:
    run, _ = begun(plan_of(uses("a", timeout=5)))
    assert fire(run) == [CancelAttempt(0, 0, 1)]
    assert names(run) == ["running"]
    bad(run, 0, code="CANCELLED")
    message = "the attempt took longer than 5 s"
    assert run.failure == ErrorInfo("TIMEOUT", message, "a", 1, retryable=True)


def test_what_timed_out_has_timed_out_even_if_it_completes() -> None:
    run, _ = begun(plan_of(uses("a", timeout=5)))
    fire(run)
    ok(run, 0, "late")
    assert run.status == "failed"
    assert run.frames[0].outputs == [None]


def test_a_timeout_is_tried_again() -> None:
    run, _ = begun(plan_of(uses("a", timeout=5, retry=TWICE)))
    fire(run)
    assert bad(run, 0, T0 + 5, "CANCELLED") == [SetTimer(2, T0 + 6)]
    assert fire(run) == [SetTimer(3, T0 + 11), StartAttempt(0, 0, 2, 0, T0 + 11)]


def test_a_timeout_has_a_fallback() -> None:
    run, _ = begun(plan_of(uses("a", timeout=5, fallback=(9,))))
    fire(run)
    bad(run, 0, code="CANCELLED")
    assert (run.status, run.output, names(run)) == ("completed", [9], ["failed"])


def test_the_deadline_spans_all_attempts() -> None:
    node = uses("a", timeout=6, deadline=10, retry=Retry(attempts=9, delay=1, jitter=0))
    run, out = begun(plan_of(node))
    assert out[-1] == StartAttempt(0, 0, 1, 0, T0 + 6)
    bad(run, 0, T0 + 5)
    assert fire(run)[-1] == StartAttempt(0, 0, 2, 0, T0 + 10)
    assert fire(run) == [CancelAttempt(0, 0, 2)]
    bad(run, 0, T0 + 10, "CANCELLED")
    assert run.failure is not None
    assert run.failure.message == "the node with all its attempts took longer than 10 s"
    assert not run.failure.retryable


def test_no_attempt_is_planned_for_after_the_deadline() -> None:
    rule = Retry(attempts=9, delay=6, factor=1, jitter=0)
    run, _ = begun(plan_of(uses("a", deadline=10, retry=rule)))
    bad(run, 0, T0 + 3)
    fire(run)
    assert isinstance(bad(run, 0, T0 + 9.5)[-1], FinishRun)
    assert run.failure is not None
    assert run.failure.code == "NODE_FAILED"


def test_a_rule_that_names_timeouts_does_not_outlive_the_deadline() -> None:
    rule = Retry(attempts=9, delay=0, jitter=0, on=("TIMEOUT",))
    run, _ = begun(plan_of(uses("a", deadline=10, retry=rule)))
    fire(run)
    bad(run, 0, T0 + 10, "CANCELLED")
    assert run.status == "failed"


def test_the_time_of_the_run_is_handed_down() -> None:
    nodes = [uses("a"), uses("b", timeout=3), uses("c", timeout=30), uses("d", deadline=4)]
    _, out = begun(plan_of(*nodes, timeout=20))
    ends = [command.deadline for command in out if isinstance(command, StartAttempt)]
    assert ends == [T0 + 20, T0 + 3, T0 + 20, T0 + 4]


def test_a_restart_hands_down_the_same_ends() -> None:
    nodes = [uses("a"), uses("b", timeout=3), uses("c", timeout=30), uses("d", deadline=4)]
    run, out = begun(plan_of(*nodes, timeout=20))
    assert sorted(map(repr, outstanding(run))) == sorted(map(repr, out))
    run, out = begun(plan_of(uses("a")))
    assert outstanding(run) == out == [StartAttempt(0, 0, 1, 0)]


def test_a_run_that_takes_too_long_fails() -> None:
    run, out = begun(plan_of(uses("a"), uses("b", 0), timeout=20))
    assert out[0] == SetTimer(1, T0 + 20)
    assert fire(run) == [CancelAttempt(0, 0, 1)]
    assert ok(run, 0, 1)[-1] == FinishRun(
        "failed", None, ErrorInfo("TIMEOUT", "the run took longer than 20 s")
    )
    assert names(run) == ["completed", "cancelled"]


def test_a_run_in_time_drops_its_timer() -> None:
    run, _ = begun(plan_of(uses("a"), timeout=20))
    assert ok(run, 0) == [CancelTimer(1), FinishRun("completed", [None])]


def test_the_time_of_a_run_that_is_stopping_changes_nothing() -> None:
    run, _ = begun(plan_of(uses("a"), timeout=20))
    apply(run, CancelRequested(T0, "enough", "me"))
    assert fire(run) == []
    bad(run, 0, code="CANCELLED")
    assert run.status == "cancelled"
    assert run.failure == ErrorInfo("CANCELLED", "enough", details={"by": "me"})


def test_a_run_waits_for_a_time() -> None:
    run, out = begun(plan_of(wait("w", when=lambda scope: 30.0), uses("a", 0)))
    assert out == [SetTimer(1, T0 + 30)]
    assert (run.public_status(), run.reason()) == ("waiting", "'w' waits for its time")
    assert started(fire(run)) == [(1, 1)]
    assert names(run) == ["completed", "running"]


def test_a_run_waits_until_a_moment() -> None:
    _, out = begun(plan_of(wait("w", when=lambda scope: 77.0, kind=WAIT_UNTIL)))
    assert out == [SetTimer(1, 77.0)]


def test_a_wait_whose_length_is_wrong_fails() -> None:
    def broken(scope: Scope) -> object:
        raise ExpressionError("no", source="x", offset=0)

    run, _ = begun(plan_of(wait("w", when=broken)))
    assert run.status == "failed"
    assert run.failure is not None
    assert (run.failure.code, run.failure.node) == ("EXPRESSION_ERROR", "w")


def test_failure_and_cancellation_end_what_waits() -> None:
    nodes = [wait("w", when=lambda scope: 30.0), uses("r", retry=TWICE), uses("a")]
    run, _ = begun(plan_of(*nodes))
    bad(run, 1)
    assert bad(run, 2)[:2] == [CancelTimer(1), CancelTimer(2)]
    assert names(run) == ["cancelled", "cancelled", "failed"]
    assert not run.timers


def test_a_paused_run_lets_time_pass_but_starts_nothing() -> None:
    run, _ = begun(plan_of(uses("a", retry=TWICE), wait("w", when=lambda s: 1.0), uses("b", 1)))
    bad(run, 0)
    apply(run, Paused(T0))
    assert fire(run) == []
    assert fire(run) == []
    assert len(run.ready) == 2


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_timer_that_is_not_set_cannot_fire(number: int) -> None:
    run, _ = begun(plan_of(uses("a", timeout=5)))
    with pytest.raises(IllegalEvent, match=f"timer {number} is not set"):
        apply(run, TimerFired(T0, number))


def test_a_dropped_timer_cannot_fire() -> None:
    run, _ = begun(plan_of(uses("a", timeout=5)))
    lost(run, 0)
    with pytest.raises(IllegalEvent):
        apply(run, TimerFired(T0, 1))


def test_durations_are_never_negative() -> None:
    run, _ = begun(plan_of(uses("a"), uses("b")))
    ok(run, 0, at=T0 - 50)
    assert run.frames[0].duration_ms(0) == 0
    assert run.frames[0].duration_ms(1) is None
