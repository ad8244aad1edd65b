"""The wishes of the machine: what should happen next. Never stored: recomputed from the facts."""

from __future__ import annotations

import msgspec

from atomiton.errors import ErrorInfo


class StartAttempt(msgspec.Struct, frozen=True, tag="start_attempt", gc=False):
    """Run a node's type on its parameters and answer how it ended.

    Attributes:
        step: Number of the call among those of the plan.
        deadline: Moment by which it must have ended; None when it has all the time.
    """

    frame: int
    node: int
    attempt: int
    step: int
    deadline: float | None = None


class CancelAttempt(msgspec.Struct, frozen=True, tag="cancel_attempt", gc=False):
    """Stop an attempt; an answer follows within the grace period whatever the node does."""

    frame: int
    node: int
    attempt: int


class SetTimer(msgspec.Struct, frozen=True, tag="set_timer", gc=False):
    """Answer ``TimerFired`` at the moment ``at``, or as soon as possible after it."""

    timer: int
    at: float


class CancelTimer(msgspec.Struct, frozen=True, tag="cancel_timer", gc=False):
    """A timer is no longer wanted."""

    timer: int


class CheckBreakpoint(msgspec.Struct, frozen=True, tag="check_breakpoint", gc=False):
    """Find out whether the run stops before an attempt; answered before anything else."""

    frame: int
    node: int


class FinishRun(msgspec.Struct, frozen=True, tag="finish_run", gc=False):
    """The run has ended: always the last command.

    Attributes:
        status: completed, failed or cancelled.
    """

    status: str
    output: object = None
    error: ErrorInfo | None = None


Command = StartAttempt | CancelAttempt | SetTimer | CancelTimer | CheckBreakpoint | FinishRun
"""Any wish."""
