"""What ends while its run ends: cleaned up, tried again or not, and compensated."""

from __future__ import annotations

import pytest
from tests.unit.machine.driving import T0, Driven

from atomiton.errors import ErrorInfo, IllegalEvent
from atomiton.machine.events import CancelRequested, Event, FailRequested, Paused, Resumed

RETRY = "retry: {attempts: 3, delay: 1, jitter: 0}"


def test_what_cleans_up_is_tried_again_also_while_its_run_ends() -> None:
    run = Driven(f"a: {{CALL}}, tidy: {{CALL, needs: a, join: settled, {RETRY}}}")
    run.bad("a")
    run.bad("tidy")
    assert (run.told, run.status("tidy")) == (["a", "tidy"], ["waiting"])
    run.fire()
    run.ok("tidy")
    assert run.told == ["a", "tidy", "tidy 2"]
    assert (run.run.status, run.status("tidy")) == ("failed", ["completed"])


def test_nothing_else_is_tried_again_while_its_run_ends() -> None:
    run = Driven(f"a: {{CALL}}, b: {{CALL, timeout: 5, {RETRY}}}")
    run.fire()
    run.bad("a")
    run.bad("b", code="CANCELLED")
    assert run.told == ["a", "b", "b~"]
    assert (run.status("b"), run.error("b").code) == (["failed"], "TIMEOUT")
    assert run.run.status == "failed"


def test_what_cleans_up_is_not_asked_to_stop() -> None:
    run = Driven("a: {CALL}, tidy: {CALL, join: settled}, g: {nodes: {x: {CALL, join: settled}}}")
    run.cancel()
    assert run.told == ["a", "tidy", "g.x", "a~"]
    run.bad("a", code="CANCELLED")
    run.ok("tidy", "g.x")
    assert run.status("a", "tidy", "g", "g.x") == [
        "cancelled",
        "completed",
        "cancelled",
        "completed",
    ]


def test_a_fallback_does_not_save_what_fails_while_its_run_ends() -> None:
    run = Driven("a: {CALL}, b: {CALL, timeout: 5, on_error: {value: 1}}")
    run.fire()
    run.bad("a")
    run.bad("b")
    assert run.at("b")[0].outputs == [None, None]


def test_the_first_reason_to_end_stands() -> None:
    run = Driven("a: {CALL}, b: {CALL}")
    run.feed(CancelRequested(T0, "enough", "ada"))
    run.feed(CancelRequested(T0, "more", "bob"))
    run.bad("a", "b")
    assert run.run.failure is not None
    assert (run.run.failure.message, run.run.failure.details) == ("enough", {"by": "ada"})
    assert run.status("a", "b") == ["cancelled", "cancelled"]


def test_a_run_that_has_failed_is_not_cancelled() -> None:
    run = Driven("a: {CALL}, b: {CALL}")
    run.bad("a")
    run.cancel()
    run.bad("b")
    assert (run.run.status, run.run.cancelled) == ("failed", False)


@pytest.mark.parametrize(
    "end", [CancelRequested(T0), FailRequested(T0, ErrorInfo("HOOK_FAILED", "no"))]
)
def test_a_paused_run_that_is_ended_cleans_up(end: Event) -> None:
    run = Driven("a: {CALL}, tidy: {CALL, needs: a, join: settled}")
    run.feed(Paused(T0))
    run.feed(end)
    run.bad("a", code="CANCELLED")
    assert run.told == ["a", "a~", "tidy"]


# -- the end of a run ------------------------------------------------------------------------------

UNDO = "compensate: {CALL}"


def test_the_last_that_completed_is_compensated_first() -> None:
    run = Driven(f"a: {{CALL, {UNDO}}}, b: {{CALL, {UNDO}}}, c: {{CALL}}")
    run.ok("b", "a")
    run.bad("c")
    assert run.run.public_status() == "compensating"
    run.ok("a:compensate")
    run.bad("b:compensate")
    assert run.told == ["a", "b", "c", "a:compensate", "b:compensate"]
    assert run.run.status == "failed"


@pytest.mark.parametrize(
    ("when_failed", "ends", "undone"),
    [
        ("", "fail", []),
        ("", "cancel", []),
        (", when_failed: true", "fail", ["a:compensate"]),
        (", when_failed: true", "cancel", ["a:compensate"]),
    ],
)
def test_what_did_not_complete_is_compensated_if_it_says_so(
    when_failed: str, ends: str, undone: list[str]
) -> None:
    run = Driven(f"a: {{CALL, compensate: {{CALL{when_failed}}}}}, z: {{CALL}}")
    if ends == "cancel":
        run.cancel()
        run.bad("z", code="CANCELLED")
        run.bad("a", code="CANCELLED")
    else:
        run.bad("a")
        run.bad("z", code="CANCELLED")
    assert [path for path in run.told if path.endswith(":compensate")] == undone


def test_what_waits_for_another_attempt_may_have_acted() -> None:
    undo = "compensate: {CALL, when_failed: true}"
    run = Driven(f"a: {{CALL, {RETRY}, {undo}}}, b: {{CALL}}")
    run.bad("a", "b")
    assert (run.status("a"), run.told) == (["cancelled"], ["a", "b", "a:compensate"])


def test_what_has_not_begun_is_not_compensated() -> None:
    undo = "compensate: {CALL, when_failed: true}"
    run = Driven(f"a: {{CALL}}, b: {{CALL, needs: a, {undo}}}")
    run.bad("a")
    assert (run.told, run.run.status) == (["a"], "failed")


def test_what_a_compensation_does_is_not_compensated() -> None:
    run = Driven(
        f"g: {{CALL, compensate: {{nodes: {{x: {{CALL, {UNDO}}}, y: {{CALL}}}}}}}}, z: {{CALL}}"
    )
    run.ok("g")
    run.bad("z")
    run.ok("g:compensate.x")
    run.bad("g:compensate.y")
    assert run.told == ["g", "z", "g:compensate.x", "g:compensate.y"]
    assert run.run.status == "failed"


def test_a_compensation_that_fails_keeps_no_other_from_running() -> None:
    body = "compensate: {nodes: {x: {CALL}, y: {CALL}}}"
    run = Driven(f"a: {{CALL, {UNDO}}}, b: {{CALL, needs: a, {body}}}, z: {{CALL, needs: b}}")
    run.ok("a", "b")
    run.bad("z")
    run.bad("b:compensate.x")
    assert run.told[3:] == ["b:compensate.x", "b:compensate.y", "b:compensate.y~"]
    run.bad("b:compensate.y", code="CANCELLED")
    run.ok("a:compensate")
    assert run.run.status == "failed"
    assert run.run.failure is not None
    assert run.run.failure.node == "z"


@pytest.mark.parametrize(
    ("causes", "ends", "compensated"),
    [
        ("[failure]", "fail", True),
        ("[failure]", "cancel", False),
        ("[cancel]", "fail", False),
        ("[cancel]", "cancel", True),
        ("[]", "fail", False),
    ],
)
def test_a_blueprint_says_what_it_compensates_for(
    causes: str, ends: str, compensated: bool
) -> None:
    run = Driven(f"a: {{CALL, {UNDO}}}, z: {{CALL, needs: a}}", f"compensate_on: {causes},")
    run.ok("a")
    if ends == "cancel":
        run.cancel()
    run.bad("z")
    assert ("a:compensate" in run.told) is compensated


ON = "on: {success: {CALL}, failure: {CALL}, cancel: {CALL}, always: {CALL}},"


@pytest.mark.parametrize("ends", ["success", "failure", "cancel"])
def test_what_runs_at_the_end_runs_after_each_other(ends: str) -> None:
    run = Driven(f"a: {{CALL, {UNDO}}}, b: {{CALL, needs: a}}", ON)
    run.ok("a")
    if ends == "cancel":
        run.cancel()
    if ends == "success":
        run.ok("b")
    else:
        run.bad("b")
        run.ok("a:compensate")
    assert run.told[-1] == f"on:{ends}"
    assert (run.run.status, run.run.public_status()) == ("closing", "running")
    run.bad(f"on:{ends}")
    assert run.told[-1] == "on:always"
    run.ok("on:always")
    assert sorted(run.run.frames) == ([0, 1] if ends == "success" else [0, 1, 2])
    right = {"success": "completed", "failure": "failed", "cancel": "cancelled"}[ends]
    assert run.run.status == right


def test_what_runs_at_the_end_is_cancelled_without_changing_how_the_run_ended() -> None:
    run = Driven("a: {CALL}", ON)
    run.ok("a")
    run.feed(CancelRequested(T0, "enough"))
    assert run.told == ["a", "on:success", "on:success~"]
    run.bad("on:success", code="CANCELLED")
    assert (run.run.status, run.run.failure) == ("completed", None)
    with pytest.raises(IllegalEvent):
        run.cancel()


def test_compensation_is_not_cancelled() -> None:
    run = Driven(f"a: {{CALL, {UNDO}}}, z: {{CALL, needs: a}}")
    run.ok("a")
    run.bad("z")
    run.cancel()
    assert run.told == ["a", "z", "a:compensate"]
    run.ok("a:compensate")
    assert (run.run.status, run.run.cancelled) == ("failed", False)


def test_a_paused_run_does_not_compensate_until_it_goes_on() -> None:
    run = Driven(f"a: {{CALL, {UNDO}}}, z: {{CALL, needs: a}}")
    run.ok("a")
    run.feed(Paused(T0))
    run.bad("z")
    assert run.told == ["a", "z"]
    run.feed(Resumed(T0))
    assert run.told == ["a", "z", "a:compensate"]
