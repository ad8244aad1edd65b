"""Numbers for Prometheus: runs, attempts, the queue, requests."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from atomiton.conductor import Conductor
from atomiton.server.counting import OUTCOMES, SECONDS, Counting


class Metrics:
    """``Numbers`` that Prometheus asks for.

    Args:
        conductor: Whose runs are counted.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
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
            buckets=SECONDS,
        )
        attempts = Counter(
            "atomiton_attempts", "Attempts of nodes that ended.", ["outcome"], registry=registry
        )
        self._attempts = {outcome: attempts.labels(outcome) for outcome in OUTCOMES.values()}
        self._driven = Gauge("atomiton_runs_driven", "Runs in memory.", registry=registry)
        self._queue = Gauge("atomiton_queue_runs", "Queued runs.", ["state"], registry=registry)
        self._requests = Counter(
            "atomiton_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self._asked: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._answered = Histogram(
            "atomiton_request_seconds",
            "From a request to its answer.",
            ["route"],
            registry=registry,
            buckets=SECONDS[:12],
        )
        began = Gauge("atomiton_start_time_seconds", "When the server began.", registry=registry)
        began.set(time.time())
        Counting(conductor, self)

    def started(self, blueprint: str) -> None:
        """A run has begun here."""
        self._started.labels(blueprint).inc()

    def ended(self, blueprint: str, status: str, seconds: float) -> None:
        """A run has ended here."""
        self._ended.labels(blueprint, status).inc()
        self._took.labels(blueprint).observe(seconds)

    def attempts(self, outcome: str, number: int) -> None:
        """So many attempts of nodes have ended."""
        self._attempts[outcome].inc(number)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        asked = self._asked.get((method, route, status))
        if asked is None:  # routes and statuses are few; to find their numbers takes its time
            name = f"{method} {route}"
            asked = (self._requests.labels(name, str(status)), self._answered.labels(name))
            self._asked[method, route, status] = asked
        count, answered = asked
        count.inc()
        answered.observe(seconds)

    async def text(self) -> bytes:
        """All numbers as they are now."""
        sizes = await self._conductor.queue_sizes()
        for state in ("waiting", "delayed", "running"):
            self._queue.labels(state).set(getattr(sizes, state))
        self._driven.set(len(self._conductor.driver.runs))
        return generate_latest(self.registry)
