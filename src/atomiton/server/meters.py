"""The same numbers for OpenTelemetry, which are sent instead of asked for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

from atomiton.conductor import Conductor
from atomiton.ports.admission import QueueSizes
from atomiton.server.counting import SECONDS, Counting
from atomiton.server.telemetry import resource

#: Seconds for which a sender of numbers waits for those of the queue.
_PATIENCE = 5.0


class Meters:
    """``Numbers`` that are sent to a collector, as often as OTEL_METRIC_EXPORT_INTERVAL says.

    Args:
        conductor: Whose runs are counted.
        reader: Takes the numbers; by default one that speaks OTLP over HTTP.
    """

    def __init__(self, conductor: Conductor, reader: MetricReader | None = None) -> None:
        if reader is None:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

            reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._conductor = conductor
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        buckets = View(
            instrument_name="*.duration", aggregation=ExplicitBucketHistogramAggregation(SECONDS)
        )
        self._provider = MeterProvider([reader], resource(), views=[buckets])
        meter = self._provider.get_meter("atomiton")
        self._started = meter.create_counter("atomiton.runs.started")
        self._ended = meter.create_counter("atomiton.runs.ended")
        self._took = meter.create_histogram("atomiton.run.duration", "s")
        self._attempts = meter.create_counter("atomiton.attempts")
        self._answered = meter.create_histogram("http.server.request.duration", "s")
        meter.create_observable_gauge("atomiton.runs.driven", [self._driven])
        meter.create_observable_gauge("atomiton.queue.runs", [self._queued])
        Counting(conductor, self)

    def started(self, blueprint: str) -> None:
        """A run has begun here."""
        self._started.add(1, {"atomiton.blueprint": blueprint})

    def ended(self, blueprint: str, status: str, seconds: float) -> None:
        """A run has ended here."""
        self._ended.add(1, {"atomiton.blueprint": blueprint, "atomiton.status": status})
        self._took.record(seconds, {"atomiton.blueprint": blueprint})

    def attempts(self, outcome: str, number: int) -> None:
        """So many attempts of nodes have ended."""
        self._attempts.add(number, {"atomiton.outcome": outcome})

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._answered.record(
            seconds,
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
            },
        )

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _driven(self, _: CallbackOptions) -> Iterable[Observation]:
        yield Observation(len(self._conductor.driver.runs))

    def _queued(self, _: CallbackOptions) -> Iterable[Observation]:
        if threading.get_ident() == self._thread:
            return  # the loop cannot be waited for in itself, as when the server ends
        asking = asyncio.run_coroutine_threadsafe(self._conductor.queue_sizes(), self._loop)
        sizes: QueueSizes = asking.result(_PATIENCE)
        for state in ("waiting", "delayed", "running"):
            yield Observation(getattr(sizes, state), {"atomiton.state": state})
