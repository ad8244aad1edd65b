"""Traces for OpenTelemetry: a span for each run, and in it one for each attempt of a node.

They are made of the facts of a run once it has ended, so a run is not held up by them, and one that
was driven by several processes has one trace. The ids of spans follow from what they are of: so a
request that a node sends can name the span that will be made of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from hashlib import sha256

from opentelemetry.context import Context
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from atomiton.conductor import Conductor
from atomiton.drivers.execution import Execution
from atomiton.machine.events import AttemptCompleted, AttemptFailed, AttemptStarted
from atomiton.ports.calls import Attempt
from atomiton.server.telemetry import resource

_MOST = 10_000


class _Cause:
    """The headers of a request; none once it is answered, since tasks outlive it that it began."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers: Mapping[str, str] | None = headers


#: The request that is being answered, for the runs that it starts.
_CAUSE: ContextVar[_Cause | None] = ContextVar("atomiton_cause", default=None)


class _Ids(IdGenerator):
    """Ids that were decided before, and random ones for who asks for others."""

    def __init__(self) -> None:
        self.trace: int | None = None
        self.span: int | None = None
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """The id of a trace that begins."""
        return self._random.generate_trace_id() if self.trace is None else self.trace

    def generate_span_id(self) -> int:
        """The id of a span that begins."""
        return self._random.generate_span_id() if self.span is None else self.span


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
        self._ids = _Ids()
        self._provider = TracerProvider(resource=resource(), id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer: Tracer = self._provider.get_tracer("atomiton")
        self._parents: OrderedDict[str, Context] = OrderedDict()
        conductor.on_facts.append(self._begin)
        conductor.on_ended.append(self._end)
        conductor.capabilities.context_of = self.context_of

    def asked(self, headers: Mapping[str, str]) -> None:
        """A request begins: runs that are started in its name belong to its trace."""
        _CAUSE.set(_Cause(headers) if "traceparent" in headers else None)

    def answered(self) -> None:
        """The request is answered."""
        cause = _CAUSE.get()
        if cause is not None:
            cause.headers = None

    def context_of(self, attempt: Attempt) -> dict[str, str]:
        """Headers for the requests of an attempt: they are children of its span."""
        run = attempt.run
        self._note_cause(run)
        parent = get_current_span(self._parents.get(run, Context())).get_span_context()
        trace = parent.trace_id if parent.is_valid else _number(16, run)
        flags, state = parent.trace_flags, parent.trace_state
        if not parent.is_valid:
            sampled = self._provider.sampler.should_sample(None, trace, f"run {run}").decision
            kept = sampled is Decision.RECORD_AND_SAMPLE
            flags = TraceFlags(TraceFlags.SAMPLED if kept else TraceFlags.DEFAULT)
        span = _number(8, run, attempt.node, str(attempt.attempt))
        context = SpanContext(trace, span, is_remote=False, trace_flags=flags, trace_state=state)
        found: dict[str, str] = {}
        inject(found, set_span_in_context(NonRecordingSpan(context), Context()))
        return {name.lower(): value for name, value in found.items()}

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _begin(self, execution: Execution, first: int, _last: int) -> None:
        if not first:
            self._note_cause(execution.state.id)

    def _note_cause(self, run: str) -> None:
        cause = _CAUSE.get()
        if cause is not None and cause.headers is not None:
            self.caused(run, cause.headers)

    def caused(self, run: str, headers: Mapping[str, str]) -> None:
        """Note the trace of the request that has put a run on record, which begins later."""
        if "traceparent" in headers and run not in self._parents:
            self._parents[run] = extract(dict(headers))
            if len(self._parents) > _MOST:
                self._parents.popitem(last=False)

    def _start(
        self, name: str, context: Context | None, at: float, ids: tuple[int | None, int]
    ) -> Span:
        self._ids.trace, self._ids.span = ids
        try:
            return self._tracer.start_span(name, context=context, start_time=_ns(at))
        finally:
            self._ids.trace = self._ids.span = None

    def _end(self, execution: Execution) -> None:
        state = execution.state
        if not state.ended:
            return  # it goes on elsewhere
        ids = (_number(16, state.id), _number(8, state.id))
        parent = self._parents.pop(state.id, None)
        span = self._start(f"run {state.plan.id}", parent, state.started_at, ids)
        span.set_attributes(
            {
                "atomiton.run": state.id,
                "atomiton.blueprint": state.plan.id,
                "atomiton.status": state.status,
            }
        )
        self._add_nodes(execution, span)
        if state.status == "failed":
            error = state.failure
            span.set_status(Status(StatusCode.ERROR, None if error is None else error.code))
        span.end(_ns(state.ended_at))

    def _add_nodes(self, execution: Execution, parent: Span) -> None:
        run, context = execution.state.id, set_span_in_context(parent)
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
                id_ = _number(8, run, path, str(fact.attempt))
                span = self._start(f"node {path}", context, start, (None, id_))
                span.set_attributes(
                    {"atomiton.run": run, "atomiton.node": path, "atomiton.attempt": fact.attempt}
                )
                if isinstance(fact, AttemptFailed):
                    span.set_status(Status(StatusCode.ERROR, fact.error.code))
                span.end(_ns(fact.time))


def _number(size: int, *what: str) -> int:
    """An id that follows from what it is of; never 0, which would be none."""
    return int.from_bytes(sha256("\0".join(what).encode()).digest()[:size], "big") or 1


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
