"""What is true of every run: facts are taken or refused whole, and the same facts say the same."""

from __future__ import annotations

import datetime
import math
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atomiton.blueprint.model import Retry
from atomiton.blueprint.plan import USES, WAIT_APPROVAL, Plan
from atomiton.drivers.simulated_blueprints import random_plan
from atomiton.drivers.simulated_documents import Weather
from atomiton.drivers.simulated_snapshot import snapshot
from atomiton.errors import ErrorInfo, IllegalEvent, StoreError
from atomiton.machine import RunState, apply, outstanding
from atomiton.machine.commands import FinishRun
from atomiton.machine.events import (
    ApprovalGiven,
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    AttemptRepeated,
    AttemptStarted,
    Breakpoint,
    BreakpointChecked,
    BreakpointsSet,
    CancelRequested,
    CostSpent,
    Event,
    FailRequested,
    InputChanged,
    Paused,
    Resumed,
    RunAdmitted,
    RunRequested,
    SignalReceived,
    StepRequested,
    TimerFired,
)
from atomiton.machine.progress import ProgressMeter
from atomiton.machine.records import VERSION, decode, encode
from atomiton.machine.retry import retry_delay
from atomiton.machine.state import COMPLETED, LOST, RUNNING, STOPPING, WAITING

T0 = 1_700_000_000.0
SIGNALS = ("early_x", "late_x", "never_x", "nobody_waits_for_this")
PAYLOADS: tuple[object, ...] = ({"value": 4, "id": "a"}, {"value": 3, "id": "b"}, "noise", None)
ERRORS = (
    ErrorInfo("FLAKY", "again", retryable=True),
    ErrorInfo("NOT_FOUND", "never"),
    ErrorInfo("CANCELLED", "stopped"),
)


def candidates(run: RunState, draw: Random, now: float) -> list[Event]:
    """Facts of every kind, possible or not, with every node and with numbers that fit nothing."""
    found: list[Event] = [
        RunRequested(now, "r", {}, 1, draw.random() < 0.2, draw.random() < 0.2),
        RunAdmitted(now),
        FailRequested(now, ErrorInfo("HOOK_FAILED", "no")),
        CancelRequested(now, draw.choice(("", "why")), draw.choice(("", "me"))),
        Paused(now),
        Resumed(now),
        StepRequested(now),
        BreakpointsSet(now, some_breakpoints(run, draw)),
        *(TimerFired(now, timer) for timer in (*run.timers, -1, 0, run.next_timer)),
    ]
    found += [SignalReceived(now, name, draw.choice(PAYLOADS)) for name in SIGNALS]
    for number, node in places(run):
        frame = run.frames.get(number)
        there = frame is not None and 0 <= node < len(frame.attempts)
        latest = frame.attempts[node] if there else 1
        found += [ApprovalGiven(now, number, node, draw.random() < 0.5)]
        found += [BreakpointChecked(now, number, node, draw.random() < 0.5)]
        found += [StepRequested(now, until=(number, node))]
        for attempt in (latest - 1, latest, latest + 1):
            of = (now, number, node, attempt)
            found += [AttemptStarted(*of), AttemptRepeated(*of)]
            found += [CostSpent(*of, draw.choice((0.5, 2.0, 0.0, -1.0, math.nan)))]
            found += [AttemptLost(*of, acted=acted) for acted in (True, False)]
            found += [AttemptCompleted(*of, {"value": attempt})]
            found += [AttemptFailed(*of, draw.choice(ERRORS))]
            found += [InputChanged(now, number, node, {"x": 1}, "me", attempt)]
    return found


def some_breakpoints(run: RunState, draw: Random) -> tuple[Breakpoint, ...]:
    """Breakpoints at some of the nodes that there are by now."""
    frames = run.frames.values()
    paths = [frame.path(node) for frame in frames for node in range(len(frame.status))]
    return tuple(Breakpoint(path) for path in paths if draw.random() < 0.3)


def places(run: RunState) -> list[tuple[int, int]]:
    """Every node of every body, and numbers that fit none."""
    found = [(-1, 0), (run.next_frame, 0)]
    for number, frame in run.frames.items():
        found += [(number, node) for node in range(-1, len(frame.status) + 1)]
    return found


def possible(run: RunState, event: Event) -> bool:
    """Whether a fact can happen now: the table of ``transitions``, said once more."""
    if isinstance(event, RunRequested):
        return run.status == "new"
    if isinstance(event, TimerFired):
        return event.timer in run.timers
    alive = run.status in ("running", "stopping", "compensating", "closing")
    if isinstance(event, RunAdmitted):
        return run.gated
    if isinstance(event, StepRequested):
        return alive and run.paused and (event.until is None or has_not_ended(run, event.until))
    if isinstance(event, BreakpointChecked):
        asked = run.asked and (run.asked[0].id, run.asked[1])
        return alive and asked == (event.frame, event.node)
    anytime = CancelRequested | FailRequested | Paused | Resumed | SignalReceived | BreakpointsSet
    if isinstance(event, anytime):
        return alive
    if isinstance(event, CostSpent):
        return alive and 0 <= event.frame < run.next_frame and event.amount > 0
    frame = run.frames.get(event.frame)
    if frame is None or not 0 <= event.node < len(frame.status):
        return False
    status, plan_node = frame.status[event.node], frame.nodes[event.node]
    if isinstance(event, ApprovalGiven):
        return status == WAITING and plan_node.kind == WAIT_APPROVAL
    out, lost = status in (RUNNING, STOPPING) and plan_node.kind == USES, status == LOST
    right = frame.attempts[event.node] == event.attempt
    if isinstance(event, InputChanged):
        calls = plan_node.step >= 0
        return alive and calls and status < COMPLETED and (right or not event.attempt)
    if isinstance(event, AttemptRepeated):
        return right and lost
    return right and (out or (lost and isinstance(event, AttemptFailed)))


def has_not_ended(run: RunState, place: tuple[int, int]) -> bool:
    frame, node = run.frames.get(place[0]), place[1]
    return frame is not None and 0 <= node < len(frame.status) and frame.status[node] < COMPLETED


def frozen(run: RunState) -> bytes:
    return msgspec.msgpack.encode(snapshot(run))


def replayed(plan: Plan, facts: list[Event]) -> RunState:
    run = RunState(plan)
    for fact in facts:
        apply(run, fact)
    return run


def try_everything(run: RunState, draw: Random, now: float) -> list[Event]:
    """Feed every fact that cannot happen now; give those that can."""
    legal = list[Event]()
    before, kind, facts = frozen(run), type(None), candidates(run, draw, now)
    for event in sorted(facts, key=lambda fact: type(fact).__name__):
        if type(event) is not kind:
            assert frozen(run) == before, f"a {kind.__name__} was refused, but changed the run"
            kind = type(event)
        if possible(run, event):
            legal.append(event)
            continue
        try:
            apply(run, event)
        except IllegalEvent:
            continue
        raise AssertionError(f"{event} was taken")
    assert frozen(run) == before, f"a {kind.__name__} was refused, but changed the run"
    return legal


def draw_weather(seed: int) -> Weather:
    return ("storm", "calm", "file")[seed % 3]


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_every_fact_is_taken_or_refused_whole_in_every_state(seed: int, way: int) -> None:
    draw, plan = Random(way), random_plan(seed, draw_weather(seed))
    run, facts, now = RunState(plan), list[Event](), T0
    meter, mark = ProgressMeter(run), 0.0
    for _ in range(40):
        legal = try_everything(run, draw, now)
        if not legal:
            break
        # Ends are drawn seldom, so that walks go deep.
        rare = (CancelRequested, FailRequested, InputChanged, Paused)
        event = draw.choice(
            [e for e in legal if not isinstance(e, rare) or draw.random() < 0.1] or legal
        )
        facts.append(event)
        commands = apply(run, event)
        assert [isinstance(command, FinishRun) for command in commands].count(True) <= 1
        assert run.ended == bool(commands and isinstance(commands[-1], FinishRun))
        assert not run.opened
        assert not run.closing
        fraction = meter.read(now).fraction
        assert mark <= fraction <= 1
        mark = fraction
        now += draw.choice((0.0, 0.5, 20.0, -1.0))
    assert frozen(replayed(plan, [decode(encode(fact)) for fact in facts])) == frozen(run)
    assert (
        run.ended
        or run.status == "new"
        or outstanding(run)
        or run.paused
        or run.reason() is not None
        or run.gated
    )


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_every_run_can_be_cancelled_and_then_ends(seed: int, way: int) -> None:
    draw, run = Random(way), RunState(random_plan(seed))
    apply(run, RunRequested(T0, "r", {}, seed))
    for _ in range(draw.randint(0, 12)):
        legal = [event for event in candidates(run, draw, T0) if possible(run, event)]
        if not legal:
            return
        apply(run, draw.choice(legal))
    if not run.ended:
        apply(run, CancelRequested(T0))
    for _ in range(500):  # what cleans up, compensates or closes may try again and again
        event = None if run.ended else to_its_end(run)
        if event is None:
            break
        apply(run, event)
    if not run.ended:  # what cleans up may wait for somebody
        assert "waits for" in (run.reason() or "")
        return
    assert not run.timers
    assert not run.running
    assert all(status >= COMPLETED for frame in run.frames.values() for status in frame.status)


def to_its_end(run: RunState) -> Event | None:
    """Something that brings a run that is ending nearer to its end, if anything does."""
    for frame in run.frames.values():
        for node, status in enumerate(frame.status):
            of = (T0, frame.id, node, frame.attempts[node])
            if status in (RUNNING, STOPPING) and frame.nodes[node].kind == USES:
                return AttemptFailed(*of, ERRORS[1])
            if status == LOST:
                return AttemptFailed(*of, ERRORS[1])
    if run.asked is not None:
        return BreakpointChecked(T0, run.asked[0].id, run.asked[1], False)
    if run.paused:
        return Resumed(T0)
    return TimerFired(T0, min(run.timers)) if run.timers else None


MOMENTS = st.datetimes(timezones=st.just(datetime.UTC))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | MOMENTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TIMES = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers(0, 2**31)
ERROR = st.builds(
    ErrorInfo,
    st.text(),
    st.text(),
    st.none() | st.text(),
    st.none() | NUMBERS,
    st.booleans(),
    st.none() | st.dictionaries(st.text(), VALUES, max_size=3),
)
OF = (TIMES, NUMBERS, NUMBERS, NUMBERS)
STOPS = st.builds(Breakpoint, st.text(), st.text())
EVENTS = st.one_of(
    st.builds(
        RunRequested,
        TIMES,
        st.text(),
        st.dictionaries(st.text(), VALUES, max_size=4),
        st.integers(-(2**63), 2**64 - 1),
        st.booleans(),
    ),
    st.builds(AttemptStarted, *OF),
    st.builds(AttemptCompleted, *OF, VALUES),
    st.builds(AttemptFailed, *OF, ERROR),
    st.builds(AttemptLost, *OF, st.booleans()),
    st.builds(CostSpent, *OF, st.floats(min_value=0, exclude_min=True, allow_infinity=False)),
    st.builds(AttemptRepeated, *OF, st.text()),
    st.builds(TimerFired, TIMES, NUMBERS),
    st.builds(SignalReceived, TIMES, st.text(), VALUES, st.text()),
    st.builds(
        ApprovalGiven,
        TIMES,
        NUMBERS,
        NUMBERS,
        st.booleans(),
        st.text(),
        st.text(),
        st.dictionaries(st.text(), VALUES, max_size=3),
    ),
    st.builds(CancelRequested, TIMES, st.text(), st.text()),
    st.builds(Paused, TIMES, st.text()),
    st.builds(Resumed, TIMES, st.text()),
    st.builds(StepRequested, TIMES, st.text(), st.text(), st.none() | st.tuples(NUMBERS, NUMBERS)),
    st.builds(BreakpointsSet, TIMES, st.lists(STOPS, max_size=3).map(tuple), st.text()),
    st.builds(BreakpointChecked, TIMES, NUMBERS, NUMBERS, st.booleans(), st.text()),
)


@given(EVENTS)
def test_a_fact_is_read_back_as_it_was_written(event: Event) -> None:
    record = encode(event)
    assert record[:1] == VERSION
    assert decode(record) == event
    assert encode(decode(record)) == record


@given(st.binary())
@example(b"\x01\x81\xa4type\xa6paused")
def test_whatever_is_no_record_is_refused(data: bytes) -> None:
    try:
        event = decode(data)
    except StoreError:
        return
    assert decode(encode(event)) == event


@given(EVENTS, st.just(0) | st.integers(9, 255))
def test_other_versions_are_refused(event: Event, version: int) -> None:
    with pytest.raises(StoreError, match=f"version {version} "):
        decode(bytes([version]) + encode(event)[1:])


@given(
    st.builds(
        Retry,
        attempts=st.just(9),
        delay=st.floats(0, 1e6),
        factor=st.floats(1, 100),
        max_delay=st.floats(0, 1e6),
        jitter=st.floats(0, 1),
    ),
    st.integers(1, 10_000),
    st.integers(-(2**70), 2**70),
    st.integers(0, 2**40),
)
def test_a_wait_between_tries_is_bounded_and_the_same_again(
    rule: Retry, attempt: int, seed: int, salt: int
) -> None:
    wait = retry_delay(rule, attempt, seed, salt)
    assert 0 <= wait <= rule.max_delay
    assert wait == retry_delay(rule, attempt, seed, salt)
    try:
        plain = min(rule.delay * rule.factor ** (attempt - 1), rule.max_delay)
    except OverflowError:
        plain = rule.max_delay
    assert wait >= plain * (1 - rule.jitter) * (1 - 1e-9)
    assert wait <= plain * (1 + rule.jitter) * (1 + 1e-9)
