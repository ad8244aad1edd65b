"""The canary: bugs planted on purpose are found, so that silence means something.

Those of this page are in what any run does; ``test_planted_flow_bugs.py`` has those of bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random

import pytest
from tests.simulation.planting import Plant, found_by

from atomiton.blueprint.plan import USES
from atomiton.drivers import simulated_process
from atomiton.drivers.simulated_journal import SimulatedJournal
from atomiton.drivers.simulated_process import Process
from atomiton.drivers.simulation import check_seed
from atomiton.errors import ErrorInfo
from atomiton.machine import bodies, ending, firing, starting, stopping, transitions, waiting
from atomiton.machine.commands import Command, SetTimer, StartAttempt
from atomiton.machine.events import AttemptLost, AttemptRepeated, TimerFired
from atomiton.machine.state import BODY, READY, STOPPING, Frame, RunState

SEEDS = 300


def no_record_of_starts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Process, "_note_start", lambda self, start, now: None)


def a_dependency_is_not_counted_off(patch: pytest.MonkeyPatch) -> None:
    right = ending.complete

    def wrong(frame: Frame, node: int, *rest: object, **more: object) -> None:
        if frame.kind == BODY and len(frame.nodes[node].successors) == 2:
            frame.open[frame.nodes[node].successors[1]] += 1
        right(frame, node, *rest, **more)  # type: ignore[arg-type]

    for module in (transitions, firing, ending, starting, waiting, bodies):
        patch.setattr(module, "complete", wrong)


def one_try_too_many(patch: pytest.MonkeyPatch) -> None:
    right = ending.should_retry
    patch.setattr(ending, "should_retry", lambda rule, error, n: right(rule, error, n - 1))


def what_acts_once_is_repeated(patch: pytest.MonkeyPatch) -> None:
    right = transitions._TABLE[AttemptLost]

    def wrong(run: RunState, event: AttemptLost, out: list[Command]) -> None:
        node = run.frames[event.frame].nodes[event.node]
        was, node.once = node.once, False
        try:
            right(run, event, out)
        finally:
            node.once = was

    patch.setitem(transitions._TABLE, AttemptLost, wrong)  # type: ignore[arg-type]


def acting_before_it_is_on_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Process, "_must_wait", lambda self, start, *, unsaved: False)


def acting_before_its_start_is_on_record(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Process, start: StartAttempt, *, unsaved: bool) -> bool:
        return unsaved and not self.state.plan.uses[start.step].pure

    patch.setattr(Process, "_must_wait", wrong)


def timers_forgotten_on_recovery(patch: pytest.MonkeyPatch) -> None:
    right = simulated_process.outstanding

    def wrong(run: RunState) -> list[Command]:
        return [command for command in right(run) if not isinstance(command, SetTimer)]

    patch.setattr(simulated_process, "outstanding", wrong)


def attempts_forgotten_on_recovery(patch: pytest.MonkeyPatch) -> None:
    right = simulated_process.outstanding

    def wrong(run: RunState) -> list[Command]:
        return [
            command
            for command in right(run)
            if not isinstance(command, StartAttempt)
            or run.frames[command.frame].status[command.node] != STOPPING
        ]

    patch.setattr(simulated_process, "outstanding", wrong)


def the_disk_lies(patch: pytest.MonkeyPatch) -> None:
    right = SimulatedJournal.lose_power

    def wrong(self: SimulatedJournal, draw: Random) -> None:
        right(self, draw)
        del self.records[-1:]

    patch.setattr(SimulatedJournal, "lose_power", wrong)


def a_decision_exceeds_the_limits(patch: pytest.MonkeyPatch) -> None:
    def wrong(run: RunState, event: AttemptRepeated, out: list[Command]) -> None:
        frame = transitions._attempt_lost(run, event.frame, event.node, event.attempt)
        transitions._again(frame, event.node, event.time, out)

    patch.setitem(transitions._TABLE, AttemptRepeated, wrong)  # type: ignore[arg-type]


def a_loss_is_counted_as_a_failure(patch: pytest.MonkeyPatch) -> None:
    def wrong(frame: Frame, node: int, now: float, out: list[Command]) -> None:
        error = ErrorInfo("ATTEMPT_LOST", "lost", retryable=True)
        ending.fail_attempt(frame, node, error, now, out)

    patch.setattr(transitions, "_again", wrong)


def time_runs_while_nobody_drives(patch: pytest.MonkeyPatch) -> None:
    right = transitions._TABLE[AttemptLost]

    def wrong(run: RunState, event: AttemptLost, out: list[Command]) -> None:
        frame, node = run.frames[event.frame], event.node
        if event.acted or frame.status[node] == STOPPING:
            right(run, event, out)
        else:  # its timer goes on from before
            out.append(StartAttempt(frame.id, node, event.attempt, frame.nodes[node].step))

    patch.setitem(transitions._TABLE, AttemptLost, wrong)  # type: ignore[arg-type]


def late_answers_are_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Process, "_awaited", lambda self, event: True)


def chance_in_the_machine(patch: pytest.MonkeyPatch) -> None:
    count = itertools.count()
    patch.setattr(ending, "retry_delay", lambda *_: next(count) % 7)


def going_on_after_a_failure(patch: pytest.MonkeyPatch) -> None:
    right = stopping.cancel_node

    def wrong(frame: Frame, node: int, now: float) -> None:
        if frame.status[node] != READY:
            right(frame, node, now)

    patch.setattr(stopping, "cancel_node", wrong)


def a_result_that_is_no_function_of_its_inputs(patch: pytest.MonkeyPatch) -> None:
    right = Process._note_start

    def wrong(self: Process, start: StartAttempt, now: float) -> None:
        right(self, start, now)
        frame = self.state.frames[start.frame]
        for needed in frame.nodes[start.node].needs if frame.body is not None else ():
            if frame.nodes[needed].kind == USES:
                frame.outputs[needed] = {"value": 0}

    patch.setattr(Process, "_note_start", wrong)


def told_before_it_is_on_record(patch: pytest.MonkeyPatch) -> None:
    right = Process._commit

    def wrong(self: Process) -> None:
        if not self.dead and not self.stopped and self._unsaved():
            self._around.laws.settled(self.state, len(self.facts), len(self.facts) + 1)
        right(self)

    patch.setattr(Process, "_commit", wrong)


def what_was_told_is_written_anew(patch: pytest.MonkeyPatch) -> None:
    right = SimulatedJournal.append

    def wrong(self: SimulatedJournal, after: int, records: Sequence[bytes], *, sync: bool) -> None:
        right(self, after, records, sync=sync)
        if after > 3 and not sync:
            self.records[-2], self.records[-1] = self.records[-1], self.records[-2]

    patch.setattr(SimulatedJournal, "append", wrong)


def timers_do_not_look_at_the_clock_again(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Process, timer: int, at: float) -> None:
        if not self.dead and not self.stopped:
            del self.timers[timer]
            self.feed(TimerFired(self.world.now(), timer))

    patch.setattr(Process, "_fire", wrong)


def what_costs_much_is_begun_all_the_same(patch: pytest.MonkeyPatch) -> None:
    right = starting._spent_up

    def wrong(run: RunState) -> str:
        return "" if run.cost else right(run)

    patch.setattr(starting, "_spent_up", wrong)


BUGS: Sequence[tuple[Plant, set[str]]] = [
    (no_record_of_starts, {"cause on record"}),
    (a_dependency_is_not_counted_off, {"liveness"}),
    (one_try_too_many, {"retry"}),
    (what_acts_once_is_repeated, {"once"}),
    (acting_before_it_is_on_record, {"cause on record"}),
    (acting_before_its_start_is_on_record, {"cause on record"}),
    (timers_forgotten_on_recovery, {"liveness", "no error"}),
    (attempts_forgotten_on_recovery, {"liveness"}),
    (the_disk_lies, {"acknowledged", "no error", "journal"}),
    (a_decision_exceeds_the_limits, {"concurrency"}),
    (what_costs_much_is_begun_all_the_same, {"cost", "steps"}),
    (a_loss_is_counted_as_a_failure, {"same end"}),
    (time_runs_while_nobody_drives, {"same end"}),
    (late_answers_are_taken, {"no error"}),
    (chance_in_the_machine, {"replay", "determinism"}),
    (going_on_after_a_failure, {"fail fast", "one end", "liveness"}),
    (told_before_it_is_on_record, {"listener"}),
    (what_was_told_is_written_anew, {"listener", "no error", "acknowledged", "journal", "replay"}),
    (timers_do_not_look_at_the_clock_again, {"time", "no error", "replay"}),
    (a_result_that_is_no_function_of_its_inputs, {"replay", "cause on record", "no error"}),
]


@pytest.mark.planted
@pytest.mark.parametrize(("plant", "laws"), BUGS, ids=[plant.__name__ for plant, _ in BUGS])
def test_a_planted_bug_is_found(
    plant: Plant, laws: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    found = found_by(lambda: [check_seed(seed) for seed in range(SEEDS)])
    print(f"{plant.__name__}: {found} ({found.__notes__[0]})")
    assert found.law in laws
