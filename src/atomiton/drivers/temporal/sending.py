"""From attempts to activities, and from how those ended to how the attempts did."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import msgspec
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
)
from temporalio.exceptions import TimeoutError as ActivityTimeout

from atomiton.drivers.answers import stopped
from atomiton.drivers.program import Program
from atomiton.drivers.temporal.scopes import take
from atomiton.drivers.temporal.turns import Since, Timer
from atomiton.drivers.temporal.wire import Done, Options, Outcome, Task, Work, seconds
from atomiton.errors import ErrorInfo
from atomiton.machine import RunState
from atomiton.machine.commands import StartAttempt

#: The error of an activity whose worker stops before it has ended.
WORKER_STOPPED = "WORKER_STOPPED"
#: Longest time an activity can take: signs of life say sooner when its worker is dead.
_LONGEST = timedelta(days=3650)
#: Whether an attempt is made again is the machine's to say.
_ONCE = RetryPolicy(maximum_attempts=1)


class Sent(msgspec.Struct, eq=False):
    """An activity that is out.

    Attributes:
        starts: The attempts in it.
        tasks: What it was told of each.
        handle: It.
        since: When it was sent.
        near: Whether it runs where the workflow is.
        stopping: How many of the attempts are wanted no more.
        size: Bytes that it was told.
        grace: Gives those up that do not stop.
        late: Which these are.
    """

    starts: Sequence[StartAttempt]
    tasks: list[Task]
    handle: workflow.ActivityHandle[Any]
    since: Since
    near: bool = False
    stopping: int = 0
    size: int = 0
    grace: Timer | None = None
    late: list[StartAttempt] = []

    def cancel(self) -> None:
        """Ask the activity to stop."""
        self.handle.cancel()

    @property
    def unwanted(self) -> bool:
        """Whether none of the attempts is wanted any more."""
        return self.stopping >= len(self.starts)


def task_of(state: RunState, start: StartAttempt) -> Task:
    """What an activity is told of an attempt.

    Raises:
        AtomitonError: The parameters cannot be worked out.
    """
    frame, node = state.frames[start.frame], state.plan.uses[start.step]
    place = (start.frame, start.node)
    changed = state.changed.get((*place, start.attempt), state.changed.get((*place, 0)))
    functions = node.type is not None and any(port.expression for port in node.type.parameters)
    parameters = scopes = None
    if state.plan.secrets or functions:
        scopes = take(frame, start.node)
    elif changed is None:
        parameters = node.prepare(frame.scope(start.node))
    path = frame.path(start.node)
    return Task(path, *place, start.attempt, start.deadline, parameters, scopes, changed)


def send(
    program: Program,
    state: RunState,
    options: Options,
    starts: Sequence[StartAttempt],
    tasks: list[Task],
    since: Since,
    *,
    near: bool,
) -> Sent:
    """Let attempts of a node be made.

    A pure node runs where the workflow is, if it is ``near`` to that: what is lost with the process
    is made again, and nobody else needs to know.
    """
    node = program.plan.uses[starts[0].step]
    work = Work(state.id, program.plan.hash, starts[0].step, tasks)
    if node.pure and near and node.queue is None and options.local > 0 and len(starts) == 1:
        return Sent(starts, tasks, _send_near(node.type, work, options), since, near=True)
    return Sent(starts, tasks, _send_far(node.type, work, options, node.queue), since)


def _send_near(type_: object, work: Work, options: Options) -> workflow.ActivityHandle[Any]:
    return workflow.start_local_activity(
        _name(type_),
        work,
        result_type=Done,
        start_to_close_timeout=seconds(options.local),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def _send_far(
    type_: object, work: Work, options: Options, queue: str | None
) -> workflow.ActivityHandle[Any]:
    return workflow.start_activity(
        _name(type_),
        work,
        task_queue=queue,
        result_type=Done,
        start_to_close_timeout=_LONGEST,
        heartbeat_timeout=seconds(options.heartbeat),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=work.tasks[0].node,
    )


def _name(type_: object) -> str:
    return str(getattr(type_, "name", "node"))


def end_of(handle: asyncio.Task[Any]) -> Done | FailureError | None:
    """How an activity ended; None if it did not, and the worker forgets the run."""
    if handle.cancelled():
        return None
    error = handle.exception()
    if error is None:
        return cast("Done", handle.result())
    if isinstance(error, Exception) and not isinstance(error, FailureError):
        raise error
    return error if isinstance(error, FailureError) else None


def size_of(end: Done | FailureError) -> int:
    """Bytes of what an activity gave."""
    return 0 if isinstance(end, FailureError) else len(msgspec.json.encode(end.outcomes))


def answers_of(sent: Sent, end: Done | FailureError) -> Sequence[Outcome | None] | None:
    """How the attempts of an activity ended, in order; None for those of which nobody knows.

    None in place of them is that they have to be made elsewhere.
    """
    if isinstance(end, Done):
        return end.outcomes
    # A replay gives some ends of local activities bare that were wrapped before.
    cause = end.cause if isinstance(end, ActivityError) else end
    if sent.near and not (isinstance(cause, CancelledError) and sent.unwanted):
        return None
    return [_unanswered(cause)] * len(sent.starts)


def _unanswered(cause: BaseException | None) -> Outcome | None:
    if isinstance(cause, CancelledError):
        return Outcome(error=stopped())
    if isinstance(cause, ActivityTimeout):
        return None
    if isinstance(cause, ApplicationError):
        if cause.type == WORKER_STOPPED:
            return None
        code = cause.type or "NODE_FAILED"
        return Outcome(error=ErrorInfo(code, cause.message, retryable=not cause.non_retryable))
    return Outcome(error=ErrorInfo("NODE_FAILED", str(cause), retryable=True))
