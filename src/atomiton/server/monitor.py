"""What a server tells of itself: numbers, traces, logs of runs, and who did what."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.server.audit import FILE, Audit
from atomiton.server.problems import Refusal
from atomiton.server.telemetry import wanted

if TYPE_CHECKING:
    from atomiton.server.counting import Numbers
    from atomiton.server.meters import Meters
    from atomiton.server.metrics import Metrics
    from atomiton.server.traces import Traces

_log = logging.getLogger("atomiton.runs")


class Monitor:
    """Watches a conductor and the requests to its server.

    Args:
        conductor: Is watched.
        folder: Where the log of who did what is; it is private.
    """

    def __init__(self, conductor: Conductor, folder: Path) -> None:
        self.audit = Audit(folder / FILE)
        self._metrics: Metrics | None = None
        self._meters: Meters | None = None
        self._traces: Traces | None = None
        if find_spec("prometheus_client") is not None:
            from atomiton.server.metrics import Metrics

            self._metrics = Metrics(conductor)
        if wanted("metrics"):
            from atomiton.server.meters import Meters

            self._meters = Meters(conductor)
        if wanted("traces"):
            from atomiton.server.traces import Traces

            self._traces = Traces(conductor)
        self._numbers: list[Numbers] = [
            numbers for numbers in (self._metrics, self._meters) if numbers is not None
        ]
        conductor.on_ended.append(_log_end)

    async def metrics(self) -> bytes:
        """The numbers, in the text format of Prometheus.

        Raises:
            Refusal: What counts them is not installed.
        """
        if self._metrics is None:
            message = "numbers are not counted here: install atomiton[monitor]"
            raise Refusal(404, message, "NOT_FOUND")
        return await self._metrics.text()

    def asked(self, headers: Mapping[str, str]) -> None:
        """Note that a request begins, for the trace of what it leads to."""
        if self._traces is not None:
            self._traces.asked(headers)

    def answered(self) -> None:
        """Note that a request is answered."""
        if self._traces is not None:
            self._traces.answered()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        for numbers in self._numbers:
            numbers.request(method, route, status, seconds)

    def caused(self, run: str, headers: Mapping[str, str]) -> None:
        """Note the trace of the request that has put a run on record."""
        if self._traces is not None:
            self._traces.caused(run, headers)

    def close(self) -> None:
        """Send what is left."""
        for sender in (self._traces, self._meters):
            if sender is not None:
                sender.close()


def _log_end(execution: Execution) -> None:
    state = execution.state
    if state.ended and _log.isEnabledFor(logging.INFO):
        seconds = round(state.ended_at - state.started_at, 3)
        _log.info(
            "run %s of %s %s in %s s",
            state.id,
            state.plan.id,
            state.status,
            seconds,
            extra={
                "run": state.id,
                "blueprint": state.plan.id,
                "status": state.status,
                "seconds": seconds,
                "node": None if state.failure is None else state.failure.node,
            },
        )
