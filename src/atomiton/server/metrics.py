"""Numbers for Prometheus: runs, attempts, the queue, requests."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.machine.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptLost,
    Event,
    RunRequested,
)

#: So many blueprints have numbers of their own; others are counted together.
_MOST = 500
_OUTCOMES: dict[type[Event], str] = {
    AttemptCompleted: "completed",
    AttemptFailed: "failed",
    AttemptLost: "lost",
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)


class Metrics:
    """Counts what a conductor and its server do.

    Args:
        conductor: Whose runs are counted.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._blueprints: set[str] = set()
        self.registry = registry = CollectorRegistry()
        self._started = Counter(
            "atomiton_runs_started", "Runs that began here.", ["blueprint"], registry=registry
        )
        self._ended = Counter(
            "atomiton_runs_ended",
            "Runs that ended here.",
            ["blueprint", "status"],
            registry=registry,
        )
        self._took = Histogram(
            "atomiton_run_seconds",
            "From the request of a run to its end.",
            ["blueprint"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._attempts = Counter(
            "atomiton_attempts", "Attempts of nodes that ended.", ["outcome"], registry=registry
        )
        self._driven = Gauge("atomiton_runs_driven", "Runs in memory.", registry=registry)
        self._queue = Gauge("atomiton_queue_runs", "Queued runs.", ["state"], registry=registry)
        self._requests = Counter(
            "atomiton_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self._answered = Histogram(
            "atomiton_request_seconds",
            "From a request to its answer.",
            ["route"],
            registry=registry,
            buckets=_SECONDS[:12],
        )
        began = Gauge("atomiton_start_time_seconds", "When the server began.", registry=registry)
        began.set(time.time())
        self._by_outcome = {name: self._attempts.labels(name) for name in _OUTCOMES.values()}
        conductor.on_facts.append(self._note)
        conductor.on_ended.append(self._end)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._answered.labels(route).observe(seconds)

    async def text(self) -> bytes:
        """All numbers as they are now."""
        sizes = await self._conductor.queue_sizes()
        for state in ("waiting", "delayed", "running"):
            self._queue.labels(state).set(getattr(sizes, state))
        self._driven.set(len(self._conductor.driver.runs))
        return generate_latest(self.registry)

    def _note(self, execution: Execution, first: int, last: int) -> None:
        facts = execution.facts
        for number in range(first, last):
            outcome = _OUTCOMES.get(type(facts[number]))
            if outcome is not None:
                self._by_outcome[outcome].inc()
        if not first and isinstance(facts[0], RunRequested):
            self._started.labels(self._named(execution.state.plan.id)).inc()

    def _end(self, execution: Execution) -> None:
        state = execution.state
        if not state.ended:
            return  # it goes on elsewhere
        name = self._named(state.plan.id)
        self._ended.labels(name, state.status).inc()
        self._took.labels(name).observe(max(0.0, state.ended_at - state.started_at))

    def _named(self, blueprint: str) -> str:
        if blueprint not in self._blueprints:
            if len(self._blueprints) >= _MOST:
                return "(others)"
            self._blueprints.add(blueprint)
        return blueprint
