"""What the standards of HTTP ask of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest
from tests.integration.server.asking import Asked, asked

TEXT = b"atomiton: 1\nid: a\nnodes: {v: {uses: data.value, with: {value: 1}}}\n"
PLACE = "/api/v1/blueprints/a"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as made:
        yield made


async def test_etags_are_compared_weakly_where_nothing_is_changed(server: Asked) -> None:
    etag = (await server.ask("PUT", PLACE, TEXT)).headers["etag"]
    for tags in (etag, f"W/{etag}", f'"00", W/{etag}', "*"):
        got = await server.ask("GET", PLACE, headers={"if-none-match": tags})
        assert (got.status, got.body, got.headers["etag"]) == (304, b"", etag)
    for tags in ('W/"00"', f"w/{etag}", f"W/ {etag}", etag.strip('"')):
        assert (await server.ask("GET", PLACE, headers={"if-none-match": tags})).status == 200
    weak = await server.ask("PUT", PLACE, TEXT, headers={"if-match": f"W/{etag}"})
    assert weak.status == 400  # a weak one says too little to change something by


async def test_only_text_is_kept_as_a_blueprint(server: Asked) -> None:
    assert (await server.ask("PUT", PLACE, TEXT)).status == 201  # a type need not be said
    for kind in ("application/json", "application/msgpack", "text/html", "image/png"):
        read = server.read
        got = await server.ask("PUT", PLACE, b'{"half": 1}', headers={"content-type": kind})
        assert (got.status, got.data["code"]) == (415, "NOT_SUPPORTED")
        assert f"is application/yaml or text/plain, not {kind}" in got.data["detail"]
        assert server.read == read  # nothing of it
    assert (await server.ask("GET", PLACE)).data["text"] == TEXT.decode()
    for kind in ("application/yaml", "text/yaml", "text/plain; charset=utf-8"):
        text = TEXT + f"# {kind}\n".encode()
        got = await server.ask("PUT", PLACE, text, headers={"content-type": kind})
        assert got.status == 200


async def test_the_kind_of_a_problem_is_its_status_and_its_code(server: Asked) -> None:
    asked_for = {
        404: await server.ask("GET", PLACE),
        401: await server.ask("GET", PLACE, token=None),
        405: await server.ask("PATCH", PLACE),
        415: await server.ask("PUT", PLACE, {}),
        422: await server.ask("POST", "/api/v1/runs", {"nothing": 1}),
    }
    for status, got in asked_for.items():
        assert got.status == got.data["status"] == status
        assert got.headers["content-type"] == "application/problem+json"
        assert got.data["type"] == "about:blank"
        assert got.data["title"] == HTTPStatus(status).phrase
        assert got.data["code"]
