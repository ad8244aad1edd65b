"""What cannot have happened is refused, whatever it says, and changes nothing."""

from __future__ import annotations

import pytest
from tests.unit.machine.driving import T0, Driven

from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.errors import ErrorInfo, IllegalEvent
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    Event,
    InputChanged,
)

#: Frame, node, attempt: only those of ``x`` are out.
OUT = (1, 1, 1)
NOT_OUT = [
    (2, 1, 1),  # no such body
    (-1, 1, 1),
    (1, -1, 1),  # no such node
    (1, 3, 1),
    (1, 1, 0),  # another attempt
    (1, 1, 2),
    (1, 0, 1),  # it has ended
    (1, 2, 0),  # it has not begun
    (0, 0, 1),  # it calls nothing itself
    (0, 1, 1),  # it waits
]


def driven() -> Driven:
    run = Driven(
        "g: {nodes: {done: {CALL}, x: {CALL}, later: {CALL, needs: x}}},ask: {wait: {approval: {}}}"
    )
    run.ok("g.done")
    return run


def refused(run: Driven, event: Event, words: str) -> None:
    before = snapshot(run.run)
    with pytest.raises(IllegalEvent, match=words):
        run.feed(event)
    assert snapshot(run.run) == before


@pytest.mark.parametrize("of", NOT_OUT)
def test_an_answer_that_nobody_waits_for(of: tuple[int, int, int]) -> None:
    run, at = driven(), (T0, *of)
    answers: list[Event] = [AttemptStarted(*at), AttemptCompleted(*at, 1), AttemptLost(*at)]
    for event in answers:
        refused(run, event, "no attempt .* is out")
    refused(run, AttemptFailed(*at, ErrorInfo("X", "x")), "is not lost")
    refused(run, AttemptRepeated(*at), "is not lost")
    assert not run.run.expects(*of)


def test_an_answer_that_is_waited_for_is_taken() -> None:
    run = driven()
    assert run.run.expects(*OUT)
    run.feed(AttemptStarted(T0, *OUT))
    run.feed(AttemptCompleted(T0, *OUT, 1))
    assert run.status("g.x") == ["completed"]


@pytest.mark.parametrize("of", [of for of in NOT_OUT if of[2]])
def test_an_input_of_what_is_not_going_to_be_called(of: tuple[int, int, int]) -> None:
    frame, node, attempt = of
    refused(driven(), InputChanged(T0, frame, node, {}, "ada", attempt), "not going to be called")


@pytest.mark.parametrize("place", [(2, 1), (-1, 1), (1, -1), (1, 3), (1, 0), (0, 0), (0, 1)])
def test_all_inputs_of_what_is_not_going_to_be_called(place: tuple[int, int]) -> None:
    refused(driven(), InputChanged(T0, *place, {}), "not going to be called")


def test_an_input_of_what_is_going_to_be_called_is_taken() -> None:
    run = driven()
    run.feed(InputChanged(T0, 1, 2, {"x": 1}))
    run.feed(InputChanged(T0, *OUT[:2], {"x": 2}, "ada", OUT[2]))
    assert run.run.changed == {(1, 2, 0): {"x": 1}, (1, 1, 1): {"x": 2}}


@pytest.mark.parametrize("place", [(2, 1), (-1, 1), (0, -1), (0, 2), (0, 0), (1, 0)])
def test_an_approval_of_what_waits_for_none(place: tuple[int, int]) -> None:
    refused(driven(), ApprovalGiven(T0, *place, approved=True), "waits for no approval")
