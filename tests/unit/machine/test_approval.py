"""Only a node that waits for an approval is given one."""

from __future__ import annotations

import pytest
from tests.unit.machine.making import T0, begun, names, plan_of, uses, wait

from atomiton.blueprint.plan import WAIT_APPROVAL, WAIT_SIGNAL, PlanNode, Waiting
from atomiton.errors import IllegalEvent
from atomiton.machine import RunState, apply
from atomiton.machine.events import ApprovalGiven, SignalReceived


def waits(name: str, kind: int, detail: Waiting) -> PlanNode:
    node = wait(name, when=lambda scope: 1.0, kind=kind)
    node.detail = detail
    return node


def asking() -> RunState:
    ask = waits("ask", WAIT_APPROVAL, Waiting(approval={"title": "ok?"}))
    hear = waits("hear", WAIT_SIGNAL, Waiting(signal="go"))
    return begun(plan_of(ask, hear, uses("a")))[0]


@pytest.mark.parametrize("place", [(1, 0), (0, -1), (0, 3), (0, 1), (0, 2)])
def test_an_approval_that_nobody_waits_for_is_refused(place: tuple[int, int]) -> None:
    run = asking()
    with pytest.raises(IllegalEvent, match="waits for no approval"):
        apply(run, ApprovalGiven(T0, *place, approved=True))
    assert names(run) == ["waiting", "waiting", "running"]


def test_an_approval_is_given_once() -> None:
    run = asking()
    apply(run, ApprovalGiven(T0 + 60, 0, 0, approved=False, by="ada", comment="no"))
    assert run.frames[0].outputs[0] == {
        "approved": False,
        "by": "ada",
        "at": "1970-01-01T00:17:40+00:00",
        "comment": "no",
        "fields": {},
    }
    with pytest.raises(IllegalEvent):
        apply(run, ApprovalGiven(T0 + 61, 0, 0, approved=True))


def test_signals_that_nobody_waits_for_are_kept() -> None:
    run = asking()
    for payload in (1, 2):
        apply(run, SignalReceived(T0, "go", payload))
    assert run.frames[0].outputs[1] == 1
    assert [signal.payload for signal in run.mail["go"]] == [2]
