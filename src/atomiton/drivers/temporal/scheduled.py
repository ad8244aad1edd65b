"""Runs that schedules of the server start: what only their workflow knows of them."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace
from temporalio import workflow
from temporalio.common import SearchAttributeKey

from atomiton.drivers.temporal.wire import SCHEDULED
from atomiton.machine.events import RunRequested

MOMENT = SearchAttributeKey.for_datetime(SCHEDULED)


def request_of(request: RunRequested, scheduled_at: str | None) -> RunRequested:
    """The first fact of a run.

    A schedule starts all of its runs with the same one: their ids, when they begin, their seeds and
    the moments they are for are told apart here.

    Args:
        request: As the workflow was started with it.
        scheduled_at: The input that takes the moment, empty for none; None for a run that no
            schedule has started.
    """
    if scheduled_at is None:
        return request
    info = workflow.info()
    inputs = request.inputs
    if scheduled_at:
        moment = info.typed_search_attributes.get(MOMENT, info.workflow_start_time)
        inputs = {**inputs, scheduled_at: moment_text(moment)}
    seed = workflow.random().getrandbits(32)
    return replace(request, time=workflow.time(), run=info.workflow_id, inputs=inputs, seed=seed)


def moment_text(moment: datetime) -> str:
    """A moment of a schedule, as its runs are given it.

    Example:
        >>> moment_text(datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
        '2026-03-29T01:30:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
