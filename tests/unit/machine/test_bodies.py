"""Bodies: groups, races, calls, the items of a map and the turns of a loop."""

from __future__ import annotations

import pytest
from tests.unit.machine.driving import Driven

from atomiton.machine import bodies


def test_bodies_are_numbered_in_the_order_in_which_they_open() -> None:
    run = Driven("a: {nodes: {x: {CALL}}}, b: {nodes: {y: {nodes: {z: {CALL}}}}}, c: {CALL}")
    places = {path: run.at(path)[0].id for path in ("a", "a.x", "b.y", "b.y.z", "c")}
    assert places == {"a": 0, "a.x": 1, "b.y": 2, "b.y.z": 3, "c": 0}
    assert run.run.next_frame == 4


def test_what_was_in_the_body_of_an_earlier_attempt_is_let_go_of() -> None:
    run = Driven("g: {retry: {attempts: 2, jitter: 0}, nodes: {x: {nodes: {y: {CALL}}}}}")
    assert sorted(run.run.frames) == [0, 1, 2]
    run.bad("g.x.y")
    run.fire()
    assert sorted(run.run.frames) == [0, 3, 4]
    run.ok("g.x.y")
    assert run.run.status == "completed"


@pytest.mark.parametrize(("items", "kept"), [(2, 5), (3, 2)])
def test_of_very_many_items_the_bodies_are_let_go_of(
    monkeypatch: pytest.MonkeyPatch, items: int, kept: int
) -> None:
    monkeypatch.setattr(bodies, "KEPT", 2)
    run = Driven(
        f"m: {{map: {list(range(items))}, nodes: {{g: {{nodes: {{x: {{CALL}}}}}}}}}}, z: {{CALL}}"
    )
    assert len(run.run.frames) == 2 + 2 * items
    run.ok(*(f"m[{item}].g.x" for item in range(items)))
    assert len(run.run.frames) == (2 + 2 * items if items == 2 else kept)
    run.ok("z")
    assert run.run.output == {"m": [{"g": {"x": 1}}] * items, "z": 1} or run.run.ended


def test_nodes_without_bounds_start_without_a_closer_look() -> None:
    """Which is what makes runs of very many nodes fast."""
    run = Driven(
        "g: {nodes: {x: {CALL}}}, r: {race: true, nodes: {x: {CALL}}},"
        "d: {deadline: 5, nodes: {x: {CALL}}}"
    )
    assert [run.at(f"{name}.x")[0].quick for name in "grd"] == [True, False, False]
    assert run.run.top.quick
    run.cancel()
    assert not run.run.top.quick


# -- races -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("winner", ["a", "b"])
def test_whoever_is_first_wins_wherever_it_stands(winner: str) -> None:
    run = Driven("r: {race: true, nodes: {a: {CALL}, x: {CALL}, b: {CALL}}}")
    run.bad("r.x")
    run.ok(f"r.{winner}")
    other = "b" if winner == "a" else "a"
    assert run.told == ["r.a", "r.x", "r.b", f"r.{other}~"]
    run.ok(f"r.{other}")  # too late to win, and too late to be stopped
    assert run.at("r.a")[0].winner == run.at(f"r.{winner}")[1]
    assert run.status("r", "r.a", "r.x", "r.b") == ["completed", "completed", "failed", "completed"]


# -- what fails in a body --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["collect", "skip"])
def test_an_item_that_fails_for_certain_leaves_the_others_alone(policy: str) -> None:
    run = Driven(
        f"m: {{map: [0, 1], on_item_error: {policy}, nodes: {{x: {{CALL}}, y: {{CALL}}}}}}"
    )
    run.bad("m[0].x")
    assert run.told[4:] == ["m[0].y~"]
    assert run.status("m", "m[0]", "m[1]") == ["running", "running", "running"]
    run.bad("m[0].y", code="CANCELLED")
    run.ok("m[1].x", "m[1].y")
    assert run.status("m", "m[0]", "m[1]") == ["completed", "failed", "completed"]
    assert run.error("m[0]").node == "m[0].x"


def test_an_item_that_fails_for_certain_ends_a_map_that_wants_all() -> None:
    run = Driven("m: {map: [0, 1], nodes: {x: {CALL}, y: {CALL}}}, z: {CALL}")
    run.bad("m[0].x")
    assert run.told[5:] == ["m[0].y~", "m[1].x~", "m[1].y~", "z~"]
    assert run.run.failure is not None
    assert run.run.failure.node == "m[0].x"
    run.bad("m[0].y", "m[1].x", "m[1].y", "z", code="CANCELLED")
    names = ("m", "m[0]", "m[0].x", "m[0].y", "m[1]", "m[1].x", "z")
    ends = ["failed", "failed", "failed", "cancelled", "cancelled", "cancelled", "cancelled"]
    assert run.status(*names) == ends


@pytest.mark.parametrize(
    "provided",
    ["on_error: continue", "on_error: {value: 1}", "retry: {attempts: 2, jitter: 0}"],
)
def test_a_body_whose_failure_is_provided_for_stops_nothing_around_it(provided: str) -> None:
    run = Driven(
        f"o: {{nodes: {{g: {{{provided}, nodes: {{x: {{CALL}}, y: {{CALL}}}}}}, z: {{CALL}}}}}}"
    )
    run.bad("o.g.x")
    assert run.told[3:] == ["o.g.y~"]
    assert run.status("o", "o.g", "o.z") == ["running", "running", "running"]


def test_a_body_that_fails_for_certain_stops_what_is_around_it_at_once() -> None:
    run = Driven("o: {nodes: {g: {nodes: {x: {CALL}, y: {CALL}}}, z: {CALL}}}, w: {CALL}")
    run.bad("o.g.x")
    assert run.told[4:] == ["o.g.y~", "o.z~", "w~"]
    run.ok("o.g.y", "o.z", "w")
    assert run.status("o", "o.g") == ["failed", "failed"]
    assert {run.error(path).node for path in ("o", "o.g", "o.g.x")} == {"o.g.x"}


def test_what_had_failed_before_it_was_asked_to_stop_has_failed() -> None:
    run = Driven(
        "g: {on_error: {value: 1}, nodes: {x: {CALL}, y: {CALL}}}, h: {nodes: {x: {CALL}}}"
    )
    run.bad("g.x")
    run.cancel()
    assert run.told[3:] == ["g.y~", "h.x~"]
    run.bad("g.y", "h.x", code="CANCELLED")
    assert run.status("g", "h") == ["failed", "cancelled"]
    assert (run.run.status, run.at("g")[0].outputs) == ("cancelled", [None, None])


def test_a_node_that_had_its_time_has_timed_out_whatever_failed_in_it_since() -> None:
    run = Driven("g: {timeout: 5, on_error: {value: 1}, nodes: {x: {CALL}, y: {CALL}}}")
    run.fire()
    run.bad("g.x", "g.y")
    assert (run.status("g"), run.error("g").code) == (["failed"], "TIMEOUT")
