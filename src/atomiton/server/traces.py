"""Traces for OpenTelemetry: a span for each run, and in it one for each attempt of a node.

They are made of the facts of a run once it has ended, so a run is not held up by them, and one that
was driven by several processes has one trace.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.machine.events import AttemptCompleted, AttemptFailed, AttemptStarted

_MOST = 10_000


class Traces:
    """Sends the spans of runs that end here.

    Args:
        conductor: Whose runs.
        exporter: Takes the spans; by default one that speaks OTLP over HTTP, to where
            OTEL_EXPORTER_OTLP_ENDPOINT says.
    """

    def __init__(self, conductor: Conductor, exporter: SpanExporter | None = None) -> None:
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter()
        self._provider = TracerProvider(resource=Resource.create({"service.name": "atomiton"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer: Tracer = self._provider.get_tracer("atomiton")
        self._parents: OrderedDict[str, Context] = OrderedDict()
        conductor.on_ended.append(self._end)

    def caused(self, run: str, headers: Mapping[str, str]) -> None:
        """Note the trace that a request belongs to which has started a run (W3C traceparent)."""
        if "traceparent" in headers:
            self._parents[run] = extract(dict(headers))
            if len(self._parents) > _MOST:
                self._parents.popitem(last=False)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _end(self, execution: Execution) -> None:
        state = execution.state
        if not state.ended:
            return  # it goes on elsewhere
        span = self._tracer.start_span(
            f"run {state.plan.id}",
            context=self._parents.pop(state.id, None),
            start_time=_ns(state.started_at),
            attributes={
                "atomiton.run": state.id,
                "atomiton.blueprint": state.plan.id,
                "atomiton.status": state.status,
            },
        )
        self._add_nodes(execution, span)
        if state.status == "failed":
            error = state.failure
            span.set_status(Status(StatusCode.ERROR, None if error is None else error.code))
        span.end(_ns(state.ended_at))

    def _add_nodes(self, execution: Execution, parent: Span) -> None:
        context = trace.set_span_in_context(parent)
        began: dict[tuple[int, int], float] = {}
        frames = execution.state.frames
        for fact in execution.facts:
            if isinstance(fact, AttemptStarted):
                began[fact.frame, fact.node] = fact.time
            elif isinstance(fact, AttemptCompleted | AttemptFailed):
                frame = frames.get(fact.frame)
                if frame is None:
                    continue  # of a body that was left behind
                start = began.pop((fact.frame, fact.node), fact.time)
                path = frame.path(fact.node)
                span = self._tracer.start_span(
                    f"node {path}",
                    context=context,
                    start_time=_ns(start),
                    attributes={
                        "atomiton.run": execution.state.id,
                        "atomiton.node": path,
                        "atomiton.attempt": fact.attempt,
                    },
                )
                if isinstance(fact, AttemptFailed):
                    span.set_status(Status(StatusCode.ERROR, fact.error.code))
                span.end(_ns(fact.time))


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
