"""Runs that schedules of the server start: what only their workflow knows of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec.structs import replace
from temporalio import workflow
from temporalio.common import SearchAttributeKey

from atomiton.drivers.temporal.wire import SCHEDULED
from atomiton.machine.events import RunRequested

#: How ids end that schedules give, or how such an end begins.
_MOMENT = re.compile(r"-\d{4}-\d\d-\d\dT\d\d\.(\d{0,2}|\d\d\.\d{0,2}|\d\d\.\d\dZ)$")
#: The server's search attribute that holds the moment.
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
    return replace(
        request, time=workflow.time(), run=shown_id(info.workflow_id), inputs=inputs, seed=seed
    )


def shown_id(workflow: str) -> str:
    """The id of the run of a workflow: no colon is in it, as the server puts into moments.

    So that it may stand in addresses and names of files as it is.

    Example:
        >>> shown_id("run_nightly.schedule-2026-03-29T01:30:00Z")
        'run_nightly.schedule-2026-03-29T01.30.00Z'
    """
    return workflow.replace(":", ".")


def workflow_id(run: str) -> str:
    """The id of the workflow of a run, or how it begins.

    Example:
        >>> workflow_id("run_nightly.schedule-2026-03-29T01.30.00Z")
        'run_nightly.schedule-2026-03-29T01:30:00Z'
        >>> workflow_id("run_nightly.schedule-2026-03-29T01.3"), workflow_id("run_1.5")
        ('run_nightly.schedule-2026-03-29T01:3', 'run_1.5')
    """
    found = _MOMENT.search(run)
    return run if found is None else run[: found.start()] + found[0].replace(".", ":")


def moment_text(moment: datetime) -> str:
    """A moment of a schedule, as its runs are given it.

    Example:
        >>> moment_text(datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
        '2026-03-29T01:30:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
