"""Requests made from the description of the API: nothing breaks the server, nor its description."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.contract.places import Process

from atomiton.server.table import Route, routes

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("s")
    process = Process(str(folder / "runs.db"), folder)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def described(server: Process) -> schemathesis.BaseSchema:
    headers = {"authorization": f"Bearer {server.token}"}
    return schemathesis.openapi.from_url(f"{server.http}/openapi.json", headers=headers)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("route", routes(), ids=lambda route: route.operation)
def test_answers_are_as_described(
    described: schemathesis.BaseSchema, server: Process, route: Route
) -> None:
    operation = described[route.path][route.method]
    headers = {"authorization": f"Bearer {server.token}"}

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=True,
        database=None,
    )
    def ask(case: schemathesis.Case) -> None:
        if case.query:
            case.query.pop("wait", None)  # up to a minute
        response = case.call(headers=headers, timeout=60)
        case.validate_response(response, checks=CHECKS, headers=headers)

    ask()
