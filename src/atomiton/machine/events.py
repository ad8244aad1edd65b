"""The facts of a run: what has happened. Appended to the journal, never changed.

Every fact carries its ``time`` (seconds since 1970, UTC), because the machine has no clock. A node
is named by ``frame`` (0 for the top of the blueprint; others in the order they were opened) and
``node`` (its place in document order, or the number of an item or a turn).
"""

from __future__ import annotations

import msgspec

from atomiton.errors import ErrorInfo


class Breakpoint(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a run is to stop.

    Attributes:
        node: Path of the node before whose attempts it stops: ``group.inner``; ``each`` for every
            item of a map, ``each[3]`` for one of them.
        condition: Expression that must hold; empty to stop always.
    """

    node: str
    condition: str = ""


class RunRequested(msgspec.Struct, frozen=True, tag="run_requested", gc=False, omit_defaults=True):
    """A run was accepted: always the first fact.

    Attributes:
        run: Id of the run.
        inputs: Checked inputs, with defaults filled in.
        seed: Seeds every random choice of the run (jitter).
        paused: Whether nothing starts before the run is resumed or stepped.
        gated: Whether nothing begins, waits included, before the run is admitted.
        forked_from: Id of the run whose results it begins with; empty if it is no fork.
        breakpoints: Where it stops; None when it is not debugged.
    """

    time: float
    run: str
    inputs: dict[str, object]
    seed: int = 0
    paused: bool = False
    gated: bool = False
    forked_from: str = ""
    breakpoints: tuple[Breakpoint, ...] | None = None


class RunAdmitted(msgspec.Struct, frozen=True, tag="run_admitted", gc=False):
    """A gated run may begin: what had to be asked before has agreed."""

    time: float


class AttemptStarted(msgspec.Struct, frozen=True, tag="attempt_started", gc=False):
    """An attempt is about to act."""

    time: float
    frame: int
    node: int
    attempt: int


class AttemptCompleted(
    msgspec.Struct, frozen=True, tag="attempt_completed", gc=False, omit_defaults=True
):
    """An attempt ended well and gave ``output``.

    Attributes:
        cached: Id of the run that gave it, when the node was not called since that is kept.
    """

    time: float
    frame: int
    node: int
    attempt: int
    output: object
    cached: str = ""


class AttemptFailed(msgspec.Struct, frozen=True, tag="attempt_failed", gc=False):
    """An attempt ended with an error; CANCELLED when it stopped because it was asked to."""

    time: float
    frame: int
    node: int
    attempt: int
    error: ErrorInfo


class AttemptLost(msgspec.Struct, frozen=True, tag="attempt_lost", gc=False):
    """The process that ran an attempt died; nobody saw how the attempt ended.

    Attributes:
        acted: Whether it may have acted; it cannot have when its start never came on record.
        held: Whether it is made again only when the run goes on that is paused, and never before.
    """

    time: float
    frame: int
    node: int
    attempt: int
    acted: bool = True
    held: bool = False


class CostSpent(msgspec.Struct, frozen=True, tag="cost_spent", gc=False):
    """An attempt has cost something, whatever becomes of it, or has become.

    Attributes:
        amount: How much, in the unit of the blueprint's ``limits.cost``; more than 0.
    """

    time: float
    frame: int
    node: int
    attempt: int
    amount: float


class AttemptRepeated(msgspec.Struct, frozen=True, tag="attempt_repeated", gc=False):
    """Somebody decided that a lost attempt is to be made again."""

    time: float
    frame: int
    node: int
    attempt: int
    by: str = ""


class TimerFired(msgspec.Struct, frozen=True, tag="timer_fired", gc=False):
    """The moment a timer was set for has come."""

    time: float
    timer: int


class CancelRequested(msgspec.Struct, frozen=True, tag="cancel_requested", gc=False):
    """Somebody wants the run to stop; the first one's reason stands."""

    time: float
    reason: str = ""
    by: str = ""


class FailRequested(msgspec.Struct, frozen=True, tag="fail_requested", gc=False):
    """The run is to fail with this error, which none of its nodes had; the first reason stands."""

    time: float
    error: ErrorInfo


class Paused(msgspec.Struct, frozen=True, tag="paused", gc=False):
    """Nothing new starts until the run is resumed or stepped."""

    time: float
    by: str = ""


class Resumed(msgspec.Struct, frozen=True, tag="resumed", gc=False):
    """A paused run goes on."""

    time: float
    by: str = ""


class StepRequested(
    msgspec.Struct, frozen=True, tag="step_requested", gc=False, omit_defaults=True
):
    """A paused run may start one more attempt, or finish a node.

    Attributes:
        key: Names the wish, so that one that is sent again is known; empty if it has no name.
        until: Frame and number of the node that is to end, with all that is in it.
    """

    time: float
    by: str = ""
    key: str = ""
    until: tuple[int, int] | None = None


class SignalReceived(
    msgspec.Struct, frozen=True, tag="signal_received", gc=False, omit_defaults=True
):
    """Somebody sent a signal; one wait takes it, now or when it comes to wait.

    Attributes:
        key: Names this sending, so that one that is sent again is known; empty if it has no name.
    """

    time: float
    name: str
    payload: object = None
    by: str = ""
    key: str = ""


class ApprovalGiven(
    msgspec.Struct, frozen=True, tag="approval_given", gc=False, omit_defaults=True
):
    """Somebody has decided; a denial is a decision too.

    Attributes:
        key: Names this answer, so that one that is sent again is known; empty if it has no name.
    """

    time: float
    frame: int
    node: int
    approved: bool
    by: str = ""
    comment: str = ""
    fields: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    key: str = ""


class InputChanged(msgspec.Struct, frozen=True, tag="input_changed", gc=False, omit_defaults=True):
    """A node is to be called on other parameters than its own: a hook or a person changed them.

    Attributes:
        parameters: All of them, by name. Values of secrets stand in it as marks that the driver
            makes and fills in (``drivers.masks``).
        by: Who changed them.
        attempt: The one attempt that they are for; 0 for every attempt from now on.
    """

    time: float
    frame: int
    node: int
    parameters: dict[str, object]
    by: str = ""
    attempt: int = 0


class BreakpointsSet(msgspec.Struct, frozen=True, tag="breakpoints_set", gc=False):
    """The run stops at these breakpoints from now on, and at no others."""

    time: float
    breakpoints: tuple[Breakpoint, ...]
    by: str = ""


class BreakpointChecked(
    msgspec.Struct, frozen=True, tag="breakpoint_checked", gc=False, omit_defaults=True
):
    """It was found out whether the run stops before an attempt of a node with a breakpoint.

    Attributes:
        stops: Whether it does.
        error: Why the condition could not be worked out, if so; then the run stops.
    """

    time: float
    frame: int
    node: int
    stops: bool
    error: str = ""


Event = (
    RunRequested
    | RunAdmitted
    | AttemptStarted
    | AttemptCompleted
    | AttemptFailed
    | AttemptLost
    | CostSpent
    | AttemptRepeated
    | TimerFired
    | SignalReceived
    | ApprovalGiven
    | InputChanged
    | CancelRequested
    | FailRequested
    | Paused
    | Resumed
    | StepRequested
    | BreakpointsSet
    | BreakpointChecked
)
"""Any fact."""
