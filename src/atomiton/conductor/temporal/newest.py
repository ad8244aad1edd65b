"""The newest runs of a server, whose own lists are in another order."""

from __future__ import annotations

import heapq

from temporalio.client import WorkflowExecution

from atomiton.ports.journal import RunHeader


class Newest:
    """Knows when the newest runs are among those that were listed.

    The server lists workflows that run by when they began, and those that are over by when they
    ended, the latest first. What is still to come began no later than that.

    Args:
        limit: How many are wanted.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._began: list[float] = []

    def add(self, header: RunHeader) -> None:
        """Count a run."""
        heapq.heappush(self._began, header.created_at)
        if len(self._began) > self._limit:
            heapq.heappop(self._began)

    def passed(self, listed: WorkflowExecution) -> bool:
        """Whether nothing newer can come any more, from the one that is listed now on."""
        moment = listed.close_time or listed.start_time
        return len(self._began) >= self._limit and self._began[0] >= moment.timestamp()
