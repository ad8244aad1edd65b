"""What a server tells of itself."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.server.asking import Asked, asked

from atomiton.blueprint.document import read_document
from atomiton.server.audit import Audit
from atomiton.server.logs import JsonLines
from atomiton.server.meters import Meters
from atomiton.server.traces import Traces


class Heard:
    """A server that notes what it is asked, in a thread of its own."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                named = {name.lower(): value for name, value in self.headers.items()}
                requests.append((self.path, named, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - as the library has it

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as server:
        yield server


def document(id_: str, *nodes: dict[str, object]):
    named = {f"n{number}": node for number, node in enumerate(nodes)}
    return read_document({"atomiton": 1, "id": id_, "nodes": named})


FINE = {"uses": "data.value", "with": {"value": 1}}
FAILS = {
    "uses": "flow.fail",
    "with": {"message": "no", "code": "BAD"},
    "retry": {"attempts": 2, "delay": 0.01, "on": ["BAD"]},
}


async def test_numbers(server: Asked) -> None:
    conductor = server.around.conductor
    for _ in range(3):
        assert (await conductor.run(document("fine", FINE, FINE))).ok
    await conductor.run(document("fails", FAILS))
    await server.ask("GET", "/api/v1/runs/run_none")
    got = await server.ask("GET", "/metrics")
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(got.body.decode())
        for sample in family.samples
    }
    assert found["atomiton_runs_started_total", ("fine",)] == 3
    assert found["atomiton_runs_ended_total", ("completed", "fine")] == 3
    assert found["atomiton_runs_ended_total", ("failed", "fails")] == 1
    assert found["atomiton_run_seconds_count", ("fine",)] == 3
    assert found["atomiton_attempts_total", ("completed",)] == 6
    assert found["atomiton_attempts_total", ("failed",)] == 2
    assert found["atomiton_requests_total", ("404", "GET /api/v1/runs/{run}")] == 1
    assert found["atomiton_queue_runs", ("waiting",)] == 0
    assert (await server.ask("GET", "/metrics", token=None)).status == 401


async def test_traces_have_a_span_for_each_attempt(server: Asked) -> None:
    conductor = server.around.conductor
    exporter = InMemorySpanExporter()
    server.around.monitor._traces = traces = Traces(conductor, exporter)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = {"document": dict(document("d", FINE, FAILS).document)}
    got = await server.ask("POST", "/api/v1/runs", body, headers={"traceparent": parent})
    run = got.data["run"]
    await conductor.result(run)
    traces.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert sorted(span.name for span in exporter.get_finished_spans()) == [
        "node n0", "node n1", "node n1", "run d",
    ]  # fmt: skip
    whole, node = spans["run d"], spans["node n1"]
    assert f"{whole.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert whole.parent is not None
    assert f"{whole.parent.span_id:016x}" == "b7ad6b7169203331"
    assert node.parent is not None
    assert node.parent.span_id == whole.context.span_id
    assert whole.attributes is not None
    assert whole.attributes["atomiton.run"] == run
    assert (whole.status.is_ok, whole.status.description) == (False, "BAD")
    assert whole.start_time is not None
    assert node.start_time is not None
    assert whole.end_time is not None
    assert whole.start_time <= node.start_time <= whole.end_time


ASKS = """
atomiton: 1
id: asks
triggers: [{{webhook: {{path: asks, secret: none, respond: result}}}}]
nodes:
  a: {{uses: http.request, with: {{url: "http://127.0.0.1:{port}/x"}}}}
  own:
    uses: http.request
    with: {{url: "http://127.0.0.1:{port}/own", headers: {{traceparent: mine}}}}
output: 1
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_requests_of_nodes_belong_to_their_spans(server: Asked, heard: Heard) -> None:
    """Out of a node, and in by a webhook: one trace goes through."""
    exporter = InMemorySpanExporter()
    server.around.monitor._traces = traces = Traces(server.around.conductor, exporter)
    await server.ask("PUT", "/api/v1/blueprints/asks", ASKS.format(port=heard.port).encode())
    given = {"traceparent": PARENT, "tracestate": "vendor=1"}
    answered = [
        await server.ask("POST", "/hooks/asks", b"", token=None, headers=headers)
        for headers in (given, {}, {"traceparent": PARENT[:-1] + "0"})
    ]
    assert [got.status for got in answered] == [200] * 3
    traces.close()
    by_span = {f"{span.context.span_id:016x}": span for span in exporter.get_finished_spans()}
    assert len(by_span) == 6  # those of the third are not to be kept, as its parent says
    sent = [dict(headers) for path, headers, _ in heard.requests if path == "/x"]
    own = [headers["traceparent"] for path, headers, _ in heard.requests if path == "/own"]
    assert own == ["mine"] * 3
    parts = [headers["traceparent"].split("-") for headers in sent]
    assert [part[1] == PARENT[3:35] for part in parts] == [True, False, True]
    assert [part[3] for part in parts] == ["01", "01", "00"]
    assert sent[0]["tracestate"] == "vendor=1"
    for part in parts[:2]:
        span = by_span[part[2]]
        assert span.name == "node a"
        assert f"{span.context.trace_id:032x}" == part[1]
    runs = [span for span in by_span.values() if span.name == "run asks"]
    assert [f"{of.parent.span_id:016x}" for of in runs if of.parent] == [PARENT[36:52]]


async def test_numbers_go_to_a_collector_too(server: Asked) -> None:
    reader = InMemoryMetricReader()
    conductor = server.around.conductor
    monitor = server.around.monitor
    monitor._numbers.append(Meters(conductor, reader))
    await conductor.run(document("fine", FINE, FINE))
    await conductor.run(document("fails", FAILS))
    await server.ask("GET", "/api/v1/runs/run_none")
    data = await asyncio.to_thread(reader.get_metrics_data)  # as a sender does
    assert data is not None
    found = {
        (metric.name, tuple(sorted(map(str, (point.attributes or {}).values())))): point
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert data.resource_metrics[0].resource.attributes["service.name"] == "atomiton"
    assert found["atomiton.runs.ended", ("failed", "fails")].value == 1
    assert found["atomiton.runs.started", ("fine",)].value == 1
    assert found["atomiton.attempts", ("completed",)].value == 2
    assert found["atomiton.run.duration", ("fine",)].count == 1
    route = ("/api/v1/runs/{run}", "404", "GET")
    assert found["http.server.request.duration", route].count == 1
    assert found["atomiton.queue.runs", ("waiting",)].value == 0
    assert found["atomiton.runs.driven", ()].value == 0


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, {"/v1/traces", "/v1/metrics"}),
        ({"OTEL_METRICS_EXPORTER": "none"}, {"/v1/traces"}),
        ({"OTEL_TRACES_EXPORTER": "none"}, {"/v1/metrics"}),
        ({"OTEL_SDK_DISABLED": "true"}, set()),
    ],
)
async def test_what_the_environment_says_is_sent(
    tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch, more: dict[str, str],
    wanted: set[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{heard.port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "flows-of-ada")
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    async with asked(tmp_path) as server:
        await server.around.conductor.run(document("fine", FINE))
        await asyncio.to_thread(server.around.monitor.close)
    assert {path for path, _, _ in heard.requests} == wanted
    assert all(b"flows-of-ada" in body for _, _, body in heard.requests)


async def test_who_did_what(server: Asked) -> None:
    token = server.around.tokens.add("ops", "operator")
    text = b"atomiton: 1\nid: a\nnodes: {v: {uses: data.value, with: {value: 1}}}\n"
    await server.ask("PUT", "/api/v1/blueprints/a", text)
    run = (await server.ask("POST", "/api/v1/runs", {"blueprint": "a"}, token=token)).data["run"]
    await server.ask("GET", f"/api/v1/runs/{run}", token=token)
    await server.ask("DELETE", "/api/v1/blueprints/a", token=token)
    lines = (await server.ask("GET", "/api/v1/audit")).data["lines"]
    assert [
        (of["who"], of["role"], of["method"], of["path"], of["status"], of.get("run", ""))
        for of in lines
    ] == [
        ("ops", "operator", "DELETE", "/api/v1/blueprints/a", 403, ""),
        ("ops", "operator", "POST", "/api/v1/runs", 201, run),
        ("owner", "owner", "PUT", "/api/v1/blueprints/a", 201, ""),
    ]
    file = server.around.tokens.folder / "audit.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert server.token not in file.read_text()
    assert (await server.ask("GET", "/api/v1/audit", token=token)).status == 403


def test_an_audit_log_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomiton.server.audit.LARGEST", 2000)
    audit = Audit(tmp_path / "audit.jsonl")
    for number in range(100):
        audit.note("me", "owner", "POST", f"/x/{number}", 200)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 5000
    assert [line.path for line in audit.last(3)] == ["/x/99", "/x/98", "/x/97"]
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"cut')
    assert [line.path for line in audit.last(2)] == ["/x/99"]


async def test_logs_are_json_with_the_run(server: Asked) -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    logger = logging.getLogger("atomiton.runs")
    handler = Keep()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        result = await server.around.conductor.run(document("d", FAILS))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    (line,) = map(json.loads, lines)
    assert (line["run"], line["blueprint"], line["status"]) == (result.run, "d", "failed")
    assert (line["node"], line["level"], line["logger"]) == ("n0", "info", "atomiton.runs")
    assert line["time"].endswith("Z")


@pytest.mark.slow
def test_top(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("atomiton: 1\nid: w\nnodes: {w: {wait: {signal: go}}}\n")
    store = ["--store", str(tmp_path / "r.db")]
    asked_ = [sys.executable, "-m", "atomiton"]
    subprocess.run([*asked_, "run", str(tmp_path / "w.yaml"), "--detach", *store], check=False)
    said = subprocess.run([*asked_, "top", *store], capture_output=True, text=True, check=True)
    assert "waiting 1" in said.stdout
    assert "'w' waits for the signal 'go'" in said.stdout
    data = subprocess.run([*asked_, "top", "--json", *store], capture_output=True, check=True)
    assert json.loads(data.stdout)["counts"]["waiting"] == 1


async def test_who_logs_in_with_a_link_is_written_down(server: Asked) -> None:
    link = (await server.ask("POST", "/api/v1/logins")).data["path"]
    for status in (200, 401):
        assert (await server.ask("GET", link, token=None)).status == status
    lines = (await server.ask("GET", "/api/v1/audit")).data["lines"]
    said = [(of["who"], of["role"], of["method"], of["path"], of["status"]) for of in lines]
    assert said == [  # strangers cannot fill the log
        ("owner", "owner", "GET", "/login", 200),
        ("owner", "owner", "POST", "/api/v1/logins", 201),
    ]
    assert "code=" not in (server.around.tokens.folder / "audit.jsonl").read_text()
