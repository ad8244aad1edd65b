"""Whether and when a failed attempt is made again."""

from __future__ import annotations

import pytest
from tests.unit.machine.making import T0, bad, begun, fire, names, ok, plan_of, started, uses

from atomiton.blueprint.model import Retry
from atomiton.errors import ErrorInfo
from atomiton.machine.commands import SetTimer
from atomiton.machine.retry import retry_delay, should_retry


@pytest.mark.parametrize(
    ("rule", "code", "retryable", "attempt", "again"),
    [
        (None, "X", True, 1, False),
        (Retry(attempts=2), "X", True, 1, True),
        (Retry(attempts=2), "X", True, 2, False),
        (Retry(attempts=2), "X", True, 3, False),
        (Retry(attempts=2), "X", False, 1, False),
        (Retry(attempts=2, on=("X",)), "X", False, 1, True),
        (Retry(attempts=2, on=("X",)), "Y", True, 1, False),
        (Retry(attempts=2, not_on=("X",)), "X", True, 1, False),
        (Retry(attempts=2, not_on=("X",)), "Y", True, 1, True),
        (Retry(attempts=2, on=("X",), not_on=("X",)), "X", True, 1, False),
        (Retry(attempts=1, on=("X",)), "X", True, 1, False),
    ],
)
def test_who_is_tried_again(
    rule: Retry | None, code: str, retryable: bool, attempt: int, again: bool
) -> None:
    assert should_retry(rule, ErrorInfo(code, "", retryable=retryable), attempt) is again


def test_waits_grow_up_to_the_longest() -> None:
    rule = Retry(attempts=9, delay=1, factor=2, max_delay=5, jitter=0)
    waits = [retry_delay(rule, attempt, 0, 0) for attempt in range(1, 6)]
    assert waits == [1, 2, 4, 5, 5]


def test_a_wait_beyond_all_numbers_is_the_longest() -> None:
    rule = Retry(attempts=9, delay=1.0, factor=10.0, max_delay=7, jitter=0)
    assert retry_delay(rule, 100_000, 0, 0) == 7


@pytest.mark.parametrize("jitter", [0.1, 0.5, 1.0])
def test_jitter_stays_within_its_share_and_the_longest_wait(jitter: float) -> None:
    rule = Retry(attempts=9, delay=10, factor=1, max_delay=1000, jitter=jitter)
    waits = {retry_delay(rule, 1, seed, salt) for seed in range(50) for salt in range(20)}
    assert len(waits) > 990, "waits of different nodes and runs differ"
    assert 10 * (1 - jitter) <= min(waits) < 10 * (1 - jitter * 0.9)
    assert 10 * (1 + jitter * 0.9) < max(waits) <= 10 * (1 + jitter)
    capped = Retry(attempts=9, delay=10, factor=1, max_delay=10, jitter=jitter)
    assert max(retry_delay(capped, 1, seed, 0) for seed in range(500)) == 10


def test_jitter_is_the_same_for_the_same_run_node_and_attempt() -> None:
    rule = Retry(attempts=9, delay=10)
    assert retry_delay(rule, 1, 7, 3) == retry_delay(rule, 1, 7, 3)
    others = [
        retry_delay(rule, 2, 7, 3) / 2,
        retry_delay(rule, 1, 8, 3),
        retry_delay(rule, 1, 7, 4),
    ]
    assert retry_delay(rule, 1, 7, 3) not in others
    assert retry_delay(rule, 1, -7, 3) != retry_delay(rule, 1, 7, 3)
    assert 9 <= retry_delay(rule, 1, 2**200, 3) <= 11


def test_a_node_is_tried_as_often_as_its_rule_says() -> None:
    run, out = begun(plan_of(uses("a", retry=Retry(attempts=3, delay=1, jitter=0))))
    assert started(out) == [(0, 1)]
    assert bad(run, 0, T0) == [SetTimer(1, T0 + 1)]
    assert names(run) == ["waiting"]
    assert run.public_status() == "waiting"
    assert run.reason() == "'a' waits for attempt 2"
    assert started(fire(run)) == [(0, 2)]
    assert bad(run, 0, T0 + 5) == [SetTimer(2, T0 + 7)]
    assert started(fire(run)) == [(0, 3)]
    bad(run, 0, T0 + 9)
    assert run.status == "failed"
    assert run.failure == ErrorInfo("NODE_FAILED", "broken", "a", 3, retryable=True)
    assert run.steps == 3


def test_a_node_that_succeeds_at_last_keeps_its_last_error() -> None:
    run, _ = begun(plan_of(uses("a", retry=Retry(attempts=2))))
    bad(run, 0)
    fire(run)
    ok(run, 0, 5)
    assert run.output == [5]
    info = run.frames[0].node_info(0)
    assert info["status"] == "completed"
    assert info["attempts"] == 2


def test_the_seed_of_the_run_moves_the_retry() -> None:
    moments = set()
    for seed in range(20):
        run, _ = begun(plan_of(uses("a", retry=Retry(attempts=2))), seed=seed)
        (timer,) = bad(run, 0)
        assert isinstance(timer, SetTimer)
        moments.add(timer.at)
    assert len(moments) == 20
