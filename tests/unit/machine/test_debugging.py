"""Breakpoints, and steps over and out of what holds a body."""

from __future__ import annotations

from typing import cast

import pytest
from tests.unit.machine.driving import T0, Driven

from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.errors import IllegalEvent
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import CheckBreakpoint
from atomiton.machine.debugging import in_turn, without_numbers
from atomiton.machine.events import (
    Breakpoint,
    BreakpointChecked,
    BreakpointsSet,
    CancelRequested,
    Event,
    Paused,
    Resumed,
    RunRequested,
    SignalReceived,
    StepRequested,
)

CHAIN = "a: {CALL}, b: {CALL, needs: [a]}, c: {CALL, needs: [b]}"
GROUP = "g: {nodes: {a: {CALL}, b: {CALL, needs: [a]}}}, z: {CALL, needs: [g]}"
MAP = "each: {map: [1, 2, 3], CALL}, z: {CALL, needs: [each]}"


class Debugged(Driven):
    """A run that was requested with breakpoints; every question is answered as it is told to."""

    def __init__(self, nodes: str, *stops: str, more: str = "", paused: bool = False) -> None:
        self.asked: list[str] = []
        self.answers: list[bool] = []
        self.facts: list[Event] = []
        found = tuple(Breakpoint(stop) for stop in stops)
        request = RunRequested(T0, "r", {}, paused=paused, breakpoints=found)
        super().__init__(nodes, more, request=request)

    def feed(self, event: Event) -> list[object]:  # type: ignore[override]  # commands
        self.facts.append(event)
        commands = cast("list[object]", super().feed(event))
        for command in commands:
            if isinstance(command, CheckBreakpoint):
                path = self.run.frames[command.frame].path(command.node)
                self.asked.append(path)
        return commands

    def answer(self, *, stops: bool = True) -> None:
        """Answer what is asked."""
        assert self.run.asked is not None
        frame, node = self.run.asked
        self.feed(BreakpointChecked(T0, frame.id, node, stops))

    def resume(self) -> None:
        self.feed(Resumed(T0))

    def step(self) -> None:
        self.feed(StepRequested(T0))

    def over(self, path: str) -> None:
        frame, node = self.at(path)
        self.feed(StepRequested(T0, until=(frame.id, node)))

    def replays(self) -> None:
        """Whoever reads the facts comes to where the run is."""
        again = RunState(self.run.plan)
        for fact in self.facts:
            apply(again, fact)
        assert snapshot(again) == snapshot(self.run)
        assert outstanding(again) == outstanding(self.run)


def test_a_run_stops_before_a_node_and_goes_on() -> None:
    run = Debugged(CHAIN, "b")
    assert run.told == ["a"]
    run.ok("a")
    assert (run.told, run.asked) == (["a"], ["b"])
    assert outstanding(run.run) == [CheckBreakpoint(0, 1)]
    run.answer()
    assert run.run.paused
    assert run.run.public_status() == "paused"
    assert outstanding(run.run) == []
    run.replays()
    run.resume()
    assert run.told == ["a", "b"]
    run.ok("b", "c")
    assert run.run.status == "completed"
    assert run.run.passed == {}
    run.replays()


def test_a_condition_that_does_not_hold_lets_the_node_start() -> None:
    run = Debugged(CHAIN, "a", "c")
    run.answer(stops=False)
    assert not run.run.paused
    run.ok("a", "b")
    assert run.asked == ["a", "c"]
    assert run.run.public_status() == "running"


def test_every_attempt_is_asked_about() -> None:
    run = Debugged("a: {CALL, retry: {attempts: 2, delay: 1s}}", "a")
    run.answer(stops=False)
    run.bad("a")
    run.fire()
    assert run.asked == ["a", "a"]
    run.answer()
    run.step()
    assert run.told == ["a", "a 2"]


def test_items_are_asked_about_one_after_the_other_and_the_map_is_not() -> None:
    run = Debugged(MAP, "each")
    run.answer(stops=False)
    run.answer()
    assert run.asked == ["each[0]", "each[1]"]
    assert run.told == ["each[0]"]
    run.resume()
    assert run.told == ["each[0]", "each[1]"]
    assert run.asked == ["each[0]", "each[1]", "each[2]"]
    run.replays()


def test_one_item_can_be_named() -> None:
    run = Debugged(MAP, "each[1]")
    assert run.told == ["each[0]"]
    assert run.asked == ["each[1]"]
    run.answer()
    run.resume()
    assert run.told == ["each[0]", "each[1]", "each[2]"]


def test_a_group_a_branch_and_a_wait_can_have_breakpoints() -> None:
    run = Debugged(
        "g: {nodes: {a: {CALL}}}, w: {wait: {for: 5s}}, b: {branch: {yes: 'true'}}", "g", "w", "b"
    )
    run.answer()
    assert run.told == []
    run.resume()
    assert run.status("g", "w") == ["running", "pending"]
    run.answer(stops=False)
    assert run.status("w") == ["waiting"]
    run.answer(stops=False)
    assert run.told == ["g.a"]
    assert run.status("b") == ["completed"]


def test_what_nobody_asked_is_no_answer() -> None:
    run = Debugged(CHAIN, "b")
    with pytest.raises(IllegalEvent, match="nobody asked"):
        run.feed(BreakpointChecked(T0, 0, 1, True))
    run.ok("a")
    with pytest.raises(IllegalEvent, match="nobody asked"):
        run.feed(BreakpointChecked(T0, 0, 2, True))


def test_an_answer_comes_too_late_for_what_was_cancelled() -> None:
    group = "g: {nodes: {a: {CALL}, b: {CALL}}, on_error: continue}"
    run = Debugged(f"{group}, z: {{CALL, needs: [g], join: settled}}", "g.b")
    assert run.asked == ["g.b"]
    run.bad("g.a")
    assert run.status("g.b") == ["cancelled"]
    run.answer()
    assert not run.run.paused


def test_a_run_that_has_ended_asks_nothing() -> None:
    run = Debugged("a: {CALL}", "a")
    run.feed(CancelRequested(T0))
    assert run.run.status == "cancelled"
    assert outstanding(run.run) == []


def test_what_was_ready_and_is_cancelled_does_not_start() -> None:
    group = "g: {nodes: {a: {CALL}, b: {CALL}}, on_error: continue}"
    run = Debugged(f"{group}, z: {{CALL, needs: [g], join: settled}}", paused=True)
    run.step()
    run.step()
    run.bad("g.a")
    assert run.status("g.b") == ["cancelled"]
    run.resume()
    assert run.told == ["g.a", "z"]


def test_breakpoints_can_be_set_and_taken_away_while_it_runs() -> None:
    run = Driven(CHAIN)
    run.feed(BreakpointsSet(T0, (Breakpoint("b"), Breakpoint("c"))))
    run.ok("a")
    assert run.run.asked is not None
    run.feed(BreakpointChecked(T0, 0, 1, True))
    run.feed(BreakpointsSet(T0, ()))
    run.feed(Resumed(T0))
    run.ok("b")
    assert run.told == ["a", "b", "c"]


def test_what_cleans_up_does_not_stop() -> None:
    run = Debugged("a: {CALL, compensate: {CALL}}, b: {CALL, needs: [a]}", "a", "b", "a:compensate")
    run.answer(stops=False)
    run.ok("a")
    run.answer(stops=False)
    run.bad("b")
    assert run.told == ["a", "b", "a:compensate"]


def test_a_step_goes_over_a_group_and_all_in_it() -> None:
    run = Debugged(GROUP, paused=True)
    assert run.told == []  # the group itself is what is next
    run.over("g")
    assert run.told == ["g.a"]
    assert run.run.public_status() == "running"
    run.ok("g.a", "g.b")
    assert run.told == ["g.a", "g.b"]
    assert run.status("g", "z") == ["completed", "pending"]
    assert run.run.public_status() == "paused"
    run.replays()


def test_a_step_goes_into_a_group() -> None:
    run = Debugged(GROUP, paused=True)
    run.step()
    assert run.status("g") == ["running"]
    assert run.told == []
    run.step()
    assert run.told == ["g.a"]
    run.ok("g.a")
    assert run.told == ["g.a"]
    run.over("g")  # out of it
    assert run.told == ["g.a", "g.b"]


def test_steps_go_deeper_before_they_go_on_beside() -> None:
    run = Debugged("m: {map: [1, 2], nodes: {a: {CALL}}}, z: {CALL}", paused=True)
    for _ in ("m", "m[0]", "m[0].a"):
        run.step()
    assert run.told == ["m[0].a"]
    for _ in ("m[1]", "m[1].a"):
        run.step()
    assert run.told == ["m[0].a", "m[1].a"]
    run.step()
    assert run.told == ["m[0].a", "m[1].a", "z"]


def test_a_step_starts_what_the_run_has_stopped_before() -> None:
    run = Debugged("g: {nodes: {a: {CALL}}}, b: {CALL}", "b", paused=True)
    run.step()
    run.resume()
    run.answer()
    assert run.told == []
    run.step()
    assert run.told == ["b"]


def test_a_step_waits_until_something_is_ready() -> None:
    run = Debugged(CHAIN, paused=True)
    run.step()
    run.step()
    run.ok("a")
    assert run.told == ["a", "b"]


def test_a_step_over_one_item_leaves_the_others() -> None:
    run = Debugged(MAP, paused=True)
    run.step()
    run.over("each[1]")
    assert run.told == ["each[1]"]
    run.ok("each[1]")
    assert run.told == ["each[1]"]
    run.over("each")
    assert run.told == ["each[1]", "each[0]", "each[2]"]


def test_a_step_over_a_node_makes_all_its_attempts() -> None:
    run = Debugged("a: {CALL, retry: {attempts: 2, delay: 1s}}, b: {CALL, needs: [a]}", paused=True)
    run.over("a")
    run.bad("a")
    assert run.run.public_status() == "waiting"
    run.fire()
    assert run.told == ["a", "a 2"]
    run.ok("a")
    assert run.run.paused
    assert run.told == ["a", "a 2"]


def test_a_breakpoint_within_ends_a_step_over_but_its_own_does_not() -> None:
    run = Debugged(GROUP, "g", "g.b", paused=True)
    run.over("g")
    assert run.asked == []
    run.ok("g.a")
    assert run.asked == ["g.b"]
    run.answer()
    assert run.run.until is None
    run.resume()
    assert run.told == ["g.a", "g.b"]


def test_a_single_step_is_made_while_a_step_over_is_under_way() -> None:
    run = Debugged("a: {CALL}, b: {CALL}", paused=True)
    run.over("a")
    run.step()
    assert run.told == ["a", "b"]


def test_a_step_has_nothing_to_start_where_all_that_was_ready_is_cancelled() -> None:
    group = "g: {nodes: {a: {CALL}, b: {CALL}}, on_error: continue}"
    end = "z: {CALL, needs: [g, c], join: settled}"
    run = Debugged(f"c: {{CALL}}, {group}, {end}", paused=True)
    for _ in ("c", "g", "g.a"):
        run.step()
    run.bad("g.a")
    run.step()
    assert run.told == ["c", "g.a"]
    run.ok("c")
    assert run.told == ["c", "g.a", "z"]


def test_nothing_starts_before_the_answer() -> None:
    run = Debugged("a: {CALL}, b: {CALL}", "a")
    run.feed(SignalReceived(T0, "anything"))
    assert run.told == []
    run.answer(stops=False)
    assert run.told == ["a", "b"]


def test_waits_begin_while_a_run_is_paused_and_bodies_do_not() -> None:
    run = Debugged("w: {wait: {for: 5s}}, g: {nodes: {a: {CALL}}}", paused=True)
    assert run.status("w", "g") == ["waiting", "pending"]


def test_turns_of_a_loop_are_asked_about_and_the_loop_is_not() -> None:
    run = Debugged("l: {loop: {times: 2}, CALL}", "l")
    assert run.asked == ["l[0]"]
    run.answer(stops=False)
    run.ok("l[0]")
    assert run.asked == ["l[0]", "l[1]"]


def test_what_is_ready_in_a_run_that_is_not_debugged_comes_as_it_is() -> None:
    run = Driven("a: {CALL}, b: {CALL}, c: {CALL, needs: [a]}, d: {CALL, needs: [a]}")
    run.feed(Paused(T0))
    run.ok("a")
    assert [frame.path(node) for frame, node in in_turn(run.run)] == ["c", "d"]


def test_a_pause_ends_a_step_over() -> None:
    run = Debugged(GROUP, paused=True)
    run.over("g")
    run.feed(Paused(T0))
    run.ok("g.a")
    assert run.told == ["g.a"]


def test_there_must_be_something_to_step_over() -> None:
    run = Debugged(CHAIN, paused=True)
    run.step()
    run.ok("a")
    for until in ((0, 0), (0, 9), (0, -1), (7, 0)):
        with pytest.raises(IllegalEvent, match="has ended, or is not there"):
            run.feed(StepRequested(T0, until=until))


def test_a_run_that_was_not_debugged_can_be_stepped_over() -> None:
    run = Driven(GROUP)
    run.feed(Paused(T0))
    frame, node = run.at("g")
    run.feed(StepRequested(T0, until=(frame.id, node)))
    run.ok("g.a", "g.b")
    assert run.told == ["g.a", "g.b"]
    run.feed(Resumed(T0))
    assert run.told == ["g.a", "g.b", "z"]


def test_bounds_hold_for_a_run_that_is_debugged() -> None:
    run = Debugged("a: {CALL}, b: {CALL}", "x", more="limits: {concurrency: 1},")
    assert run.told == ["a"]
    run.ok("a")
    assert run.told == ["a", "b"]
    run = Debugged("a: {CALL}, g: {nodes: {b: {CALL}}}", "g", more="limits: {steps: 1},")
    run.answer(stops=False)
    assert run.run.failure is not None
    assert run.run.failure.code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("path", "plain"),
    [("a", "a"), ("a[10].b", "a.b"), ("a[1].b[2][3].c:compensate", "a.b.c:compensate")],
)
def test_paths_without_numbers(path: str, plain: str) -> None:
    assert without_numbers(path) == plain
