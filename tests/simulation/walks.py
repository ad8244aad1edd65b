"""Walks: a run that is fed one fact after another, drawn from all that can happen next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.simulation.books import Books

from atomiton.blueprint.plan import Plan, Waiting
from atomiton.drivers.simulated_people import signal_id, waits_of
from atomiton.drivers.simulated_review import Review
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState
from atomiton.machine.commands import Command
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    CancelRequested,
    Event,
    FailRequested,
    Paused,
    Resumed,
    RunAdmitted,
    RunRequested,
    SignalReceived,
    StepRequested,
    TimerFired,
)
from atomiton.machine.state import LOST, RUNNING, STOPPING, WAITING

T0 = 1_700_000_000.0
ERRORS = (
    ErrorInfo("FLAKY", "again", retryable=True),
    ErrorInfo("NODE_FAILED", "again", retryable=True),
    ErrorInfo("NOT_FOUND", "never"),
)
NO = ErrorInfo("HOOK_FAILED", "no")
#: Facts after which a walk goes home: what is out then completes.
LONG = 60
#: Facts that no walk of the blueprints that are drawn needs.
TOO_LONG = 600


class Walk:
    """One run, gone through fact by fact while every law is held.

    Args:
        plan: What is run.
        seed: Draws which way it goes.
        told: Whether somebody wants to know what becomes of nodes.

    Attributes:
        facts: What has happened.
        commands: What was wished after each fact.
        run: Where the run is.
    """

    def __init__(self, plan: Plan, seed: int, *, told: bool = False) -> None:
        self._draw = Random(seed)
        self._review = Review(plan)
        self.run = self._review.run
        if told:
            self.run.notices, self.run.top.quick = [], False
        self._books = Books(self.run)
        self._now = T0
        self._sent = 0
        self._failing = self._draw.choice((0.04, 0.12, 0.3))
        self.facts: list[Event] = []
        self.commands: list[Sequence[Command]] = []

    def go(self) -> RunState:
        """Go on until the run has ended."""
        draw = self._draw
        self._enter(
            RunRequested(T0, "r", {}, draw.randint(0, 99), draw.random() < 0.1, draw.random() < 0.1)
        )
        while not self.run.ended:
            assert len(self.facts) < TOO_LONG, "the run does not come to an end"
            self._now += draw.choice((0.0, 0.0, 0.25, 2.0))
            self._enter(self._next())
        self._review.close()
        return self.run

    def _enter(self, fact: Event) -> None:
        self.facts.append(fact)
        self.commands.append(self._review.enter(fact))
        self._books.enter(fact, self.commands[-1])

    def _next(self) -> Event:
        run, draw, now = self.run, self._draw, self._now
        home = len(self.facts) > LONG
        if draw.random() < (0.2 if home else 0.02):
            return draw.choice((CancelRequested(now, "why", "me"), FailRequested(now, NO)))
        if run.gated:
            return RunAdmitted(now)
        if run.paused and (home or draw.random() < 0.4):
            return draw.choice((Resumed(now), StepRequested(now)))
        if draw.random() < 0.05:
            return Paused(now) if draw.random() < 0.6 else Resumed(now)
        found = [*self._answers(), *self._sendings()]
        due = min(run.timers, key=lambda number: run.timers[number].at, default=None)
        if due is not None and (not found or draw.random() < 0.3):
            self._now = max(now, run.timers[due].at)
            return TimerFired(self._now, due)
        # Only what is paused, or waits for a signal that does not come, has nothing to go on.
        return draw.choice(found) if found else CancelRequested(now)

    def _answers(self) -> Iterator[Event]:
        """What may become of each attempt that is out, or lost, and of each approval."""
        draw, now = self._draw, self._now
        for frame in self.run.frames.values():
            for node, status in enumerate(frame.status):
                of = (now, frame.id, node, frame.attempts[node])
                wait = frame.nodes[node].detail
                if status in (RUNNING, STOPPING) and frame.nodes[node].step >= 0:
                    luck = draw.random()
                    if luck < self._failing:
                        yield AttemptFailed(*of, draw.choice(ERRORS))
                    elif luck < self._failing + 0.05:
                        yield AttemptLost(*of, acted=draw.random() < 0.7)
                    elif luck < self._failing + 0.07:
                        yield AttemptStarted(*of)
                    else:
                        yield AttemptCompleted(*of, {"value": draw.randint(0, 9)})
                elif status == LOST:
                    again = draw.random() < 0.6
                    yield AttemptRepeated(*of) if again else AttemptFailed(*of, ERRORS[1])
                elif status == WAITING and isinstance(wait, Waiting) and wait.approval is not None:
                    yield ApprovalGiven(now, frame.id, node, draw.random() < 0.5, "ann")

    def _sendings(self) -> Iterator[Event]:
        """Signals, whether anybody waits for them or not; each is told from all others."""
        names = sorted({wait.signal for wait in waits_of(self.run.plan) if wait.signal})
        for name in names:
            self._sent += 1
            payload: object = {"value": self._draw.randint(0, 999), "id": f"{name}/{self._sent}"}
            yield SignalReceived(
                self._now, name, payload if self._draw.random() < 0.8 else signal_id(payload)
            )
