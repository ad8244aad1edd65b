"""What a list shows of runs that a schedule has started."""

from __future__ import annotations

from msgspec.structs import replace
from temporalio.client import WorkflowExecution

from atomiton.drivers.temporal.scheduled import MOMENT, moment_text
from atomiton.drivers.temporal.wire import About


def fired(about: About, found: WorkflowExecution) -> About:
    """What a run is that a schedule has started: its moment is its key, as everywhere."""
    moment = found.typed_search_attributes.get(MOMENT, found.start_time)
    first = found.raw_info.first_run_id in ("", found.run_id)
    begun = found.start_time if first else moment  # else its history has been begun anew since
    key = f"trigger:{about.trigger}@{moment_text(moment)}"
    return replace(about, created_at=begun.timestamp(), key=key)
