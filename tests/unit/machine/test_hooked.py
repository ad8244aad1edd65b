"""What hooks need of the machine: a gate before everything, changed inputs, notices."""

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
from atomiton.blueprint.plan import JOIN_SETTLED
from atomiton.errors import ErrorInfo, IllegalEvent
from atomiton.machine import RunState, apply
from atomiton.machine.commands import FinishRun, SetTimer
from atomiton.machine.events import (
    AttemptRepeated,
    CancelRequested,
    Event,
    FailRequested,
    InputChanged,
    RunAdmitted,
    RunRequested,
    TimerFired,
)
from atomiton.machine.state import COMPLETED, FAILED, RETRYING, RUNNING, SKIPPED

ERROR = ErrorInfo("HOOK_FAILED", "no")


def gated(*nodes, **limits) -> RunState:
    run = RunState(plan_of(*nodes, **limits))
    apply(run, RunRequested(T0, "r1", {}, gated=True))
    return run


def test_nothing_begins_before_a_gated_run_is_admitted() -> None:
    run = gated(uses("a"), wait("b", when=lambda _: 5.0))
    assert names(run) == ["pending", "pending"]
    assert (run.public_status(), run.reason()) == ("running", None)
    commands = apply(run, RunAdmitted(T0 + 1))
    assert started(commands) == [(0, 1)]
    assert [command.at for command in commands if isinstance(command, SetTimer)] == [T0 + 6]


def test_a_run_is_admitted_once_and_only_if_it_waits_for_that() -> None:
    run = gated(uses("a"))
    apply(run, RunAdmitted(T0))
    with pytest.raises(IllegalEvent):
        apply(run, RunAdmitted(T0))
    open_run, _ = begun(plan_of(uses("a")))
    with pytest.raises(IllegalEvent):
        apply(open_run, RunAdmitted(T0))


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (FailRequested(T0, ERROR), "failed"),
        (CancelRequested(T0, "no"), "cancelled"),
        (TimerFired(T0, 1), "failed"),
    ],
)
def test_a_gated_run_can_be_stopped(event: Event, status: str) -> None:
    run = gated(uses("a"), uses("b", 0), timeout=5.0)
    assert isinstance(apply(run, event)[-1], FinishRun)
    assert (run.status, names(run)) == (status, ["cancelled", "cancelled"])
    with pytest.raises(IllegalEvent):
        apply(run, RunAdmitted(T0))


def test_what_cleans_up_does_so_in_a_gated_run_that_is_stopped() -> None:
    tidy = uses("tidy")
    tidy.join = JOIN_SETTLED
    run = gated(uses("a"), tidy)
    assert started(apply(run, FailRequested(T0, ERROR))) == [(1, 1)]
    ok(run, 1)
    assert (run.status, run.failure) == ("failed", ERROR)


def test_a_run_fails_with_the_error_it_is_to_fail_with() -> None:
    run, _ = begun(plan_of(uses("a")))
    apply(run, FailRequested(T0, ERROR))
    bad(run, 0, code="CANCELLED", retryable=False)
    assert (run.status, run.failure) == ("failed", ERROR)
    with pytest.raises(IllegalEvent):
        apply(run, FailRequested(T0, ERROR))


def test_an_input_may_be_changed_for_one_attempt_or_for_all() -> None:
    run, _ = begun(plan_of(uses("a", retry=Retry(attempts=2))))
    apply(run, InputChanged(T0, 0, 0, {"x": 1}))
    apply(run, InputChanged(T0, 0, 0, {"x": 2}, "hook", 1))
    assert run.changed == {(0, 0, 0): {"x": 1}, (0, 0, 1): {"x": 2}}
    bad(run, 0)
    fire(run)
    with pytest.raises(IllegalEvent):
        apply(run, InputChanged(T0, 0, 0, {"x": 3}, "hook", 1))
    ok(run, 0)
    with pytest.raises(IllegalEvent):
        apply(run, InputChanged(T0, 0, 0, {"x": 3}))


def test_notices_tell_what_became_of_nodes() -> None:
    run = RunState(
        plan_of(
            uses("a", retry=Retry(attempts=2)),
            uses("b", 0),
            wait("w", 1, when=lambda _: 1.0),
            uses("off", enabled=False),
            uses("bad", fallback=(1,)),
        )
    )
    run.notices, run.top.quick = [], False
    apply(run, RunRequested(T0, "r1", {}))

    def noticed() -> list[tuple[int, int]]:
        assert run.notices is not None
        told = [(status, node) for status, _frame, node in run.notices]
        run.notices.clear()
        return told

    assert noticed() == [(SKIPPED, 3)]
    bad(run, 0)
    assert noticed() == [(RETRYING, 0)]
    fire(run)
    ok(run, 0)
    assert noticed() == [(COMPLETED, 0)]
    ok(run, 1)
    assert noticed() == [(COMPLETED, 1), (RUNNING, 2)]
    bad(run, 4)
    fire(run)
    assert noticed() == [(FAILED, 4), (COMPLETED, 2)]
    assert run.status == "completed"


def test_a_decision_about_a_lost_attempt_keeps_its_changed_input() -> None:
    run, _ = begun(plan_of(uses("a", effect="once")))
    apply(run, InputChanged(T0, 0, 0, {"x": 2}, "hook", 1))
    lost(run, 0)
    assert started(apply(run, AttemptRepeated(T0, 0, 0, 1))) == [(0, 1)]
    assert (0, 0, 1) in run.changed
