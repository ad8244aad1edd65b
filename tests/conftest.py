"""What tests share: servers, each started when the first test asks for it; what campaigns tell."""

import collections
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_configure(config):
    """Measure the processes that run tests, and not every program that a test starts."""
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture
def tell(record_property):
    """Takes the one line that a campaign ends with; all of them stand at the end of the output."""
    # A property of the test's report comes home from the processes of ``-n`` too.
    return lambda line: record_property("told", line)


def pytest_terminal_summary(terminalreporter):
    """After a campaign: one line for each, and one for each page of planted bugs."""
    told = []
    planted = collections.defaultdict(collections.Counter)
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            if getattr(report, "when", "") != "call":
                continue
            told += [line for name, line in report.user_properties if name == "told"]
            if "planted" in report.keywords:
                planted[report.nodeid.partition("::")[0]][outcome] += 1
    if not told:
        return
    terminalreporter.section("campaigns")
    for line in told:
        terminalreporter.line(line)
    for page, found in planted.items():
        terminalreporter.line(f"planted bugs, {page}: {found['passed']} of {found.total()} found")


@pytest.fixture(scope="session")
def postgres():
    """A Postgres server that stays up."""
    from tests.postgres import Postgres

    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres):
    """Address of an empty store of its own."""
    return f"{postgres.url}?schema=t_{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def temporal_server():
    """A Temporal server that stays up."""
    from tests.temporal_server import TemporalServer

    server = TemporalServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def temporal_address(temporal_server):
    """Address of a task queue of its own."""
    return temporal_server.address(f"q-{secrets.token_hex(6)}")


@pytest.fixture(scope="session", params=[[]], ids=[""])
def tools_url(request):
    """Address of a server of tools, which answers with events, or in one piece with ``--json``."""
    script = Path(__file__).parent / "mcp_server.py"
    process = subprocess.Popen(
        [sys.executable, str(script), *request.param],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="session")
def s3():
    """Address of an S3 service that runs here, and a client of it."""
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    yield endpoint, client
    client.close()
    server.stop()


@pytest.fixture
def s3_url(s3, monkeypatch):
    """Address of an empty store of its own."""
    endpoint, client = s3
    bucket = f"bucket-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return f"s3://{bucket}/team/blueprints?endpoint={endpoint}&region=us-east-1"
