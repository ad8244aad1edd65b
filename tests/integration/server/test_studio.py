"""The files of the studio, as the server gives them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.server.asking import Asked, asked

from atomiton.server import studio

SCRIPT = b"export const a = 1;\n" * 50


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as made:
        yield made


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Studio</title>")
    (folder / "assets" / "main-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "secret.pem").write_text("no file of a kind that pages load")
    (tmp_path / "outside.js").write_text("1")
    monkeypatch.setattr(studio, "FOLDER", folder)
    return folder


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "FOLDER", tmp_path / "nothing")


@pytest.mark.usefixtures("bare")
async def test_where_it_was_not_built_the_page_says_how_to(server: Asked) -> None:
    got = await server.ask("GET", "/")
    assert got.status == 200
    assert b"make studio" in got.body


@pytest.mark.usefixtures("built")
async def test_the_page_lets_in_nothing_but_its_own_files(server: Asked) -> None:
    got = await server.ask("GET", "/")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert b"<title>Studio</title>" in got.body
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert got.headers["x-frame-options"] == "DENY"


@pytest.mark.usefixtures("built")
async def test_files_are_packed_for_those_who_take_it_and_kept_for_good(server: Asked) -> None:
    plain = await server.ask("GET", "/assets/main-abc.js")
    assert (plain.status, plain.body) == (200, SCRIPT)
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["x-content-type-options"] == "nosniff"
    packed = await server.ask("GET", "/assets/main-abc.js", headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == SCRIPT
    assert len(packed.body) < len(SCRIPT)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    ["/assets/secret.pem", "/assets/index.html", "/assets/none.js", "/assets/..", "/outside.js",
     "/assets/../outside.js", "/assets/%2e%2e/outside.js", "/index.html"],
)  # fmt: skip
async def test_nothing_else_can_be_had(server: Asked, path: str) -> None:
    assert (await server.ask("GET", path)).status == 404


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", ["/", "/assets/main-abc.js", "/api/v1/studio"])
async def test_nobody_has_it_without_being_known(server: Asked, path: str) -> None:
    assert (await server.ask("GET", path, token=None)).status == 401


async def test_it_is_told_who_looks_and_what_to_open(server: Asked) -> None:
    server.around.opened = "order-report"
    token = server.around.tokens.add("guest", "viewer")
    told = (await server.ask("GET", "/api/v1/studio", token=token)).data
    assert told["role"] == "viewer"
    assert told["open"] == "order-report"


KEPT = """# of mine
atomiton: 1
id: kept
nodes:
  a: {uses: data.value, with: {value: 1}}  # one
"""
YAML = {"content-type": "application/yaml"}


async def test_the_text_of_a_run_is_that_it_began_with(server: Asked) -> None:
    assert (await server.ask("PUT", "/api/v1/blueprints/kept", KEPT.encode(), headers=YAML)).status
    run = (await server.ask("POST", "/api/v1/runs", {"blueprint": "kept"})).data["run"]
    later = KEPT.replace("value: 1", "value: 2")
    assert (await server.ask("PUT", "/api/v1/blueprints/kept", later.encode(), headers=YAML)).status
    told = (await server.ask("GET", f"/api/v1/runs/{run}/text")).data
    assert told == {"text": KEPT, "exact": True, "revision": 1}
    loose = KEPT.replace("id: kept", "id: loose")
    run = (await server.ask("POST", "/api/v1/runs", {"source": loose})).data["run"]
    told = (await server.ask("GET", f"/api/v1/runs/{run}/text")).data
    assert not told["exact"]
    assert "id: loose" in told["text"]
    assert "# one" not in told["text"]


async def test_the_text_of_a_run_that_calls_others_is_its_own(server: Asked) -> None:
    assert (await server.ask("PUT", "/api/v1/blueprints/kept", KEPT.encode(), headers=YAML)).status
    caller = "atomiton: 1\nid: caller\nnodes:\n  c: {call: kept}\n"
    await server.ask("PUT", "/api/v1/blueprints/caller", caller.encode(), headers=YAML)
    run = (await server.ask("POST", "/api/v1/runs", {"blueprint": "caller"})).data["run"]
    await server.ask("DELETE", "/api/v1/blueprints/caller")
    told = (await server.ask("GET", f"/api/v1/runs/{run}/text")).data
    assert "call: kept" in told["text"]


async def test_since_when_a_node_waits_is_told(server: Asked) -> None:
    waiting = "atomiton: 1\nid: w\nnodes:\n  w: {wait: {signal: go}}\n  a: {uses: data.value}\n"
    waiting = waiting.replace("uses: data.value", "uses: data.value, with: {value: 1}")
    run = (await server.ask("POST", "/api/v1/runs", {"source": waiting})).data["run"]
    nodes = (await server.ask("GET", f"/api/v1/runs/{run}")).data["nodes"]
    assert nodes["w"]["since"] > 1e9
    assert "since" not in nodes["a"]


async def test_only_an_owner_changes_what_a_node_is_called_on(server: Asked) -> None:
    await server.ask("PUT", "/api/v1/blueprints/kept", KEPT.encode(), headers=YAML)
    started = {"blueprint": "kept", "breakpoints": [{"node": "a"}]}
    run = (await server.ask("POST", "/api/v1/runs", started)).data["run"]
    operator = server.around.tokens.add("op", "operator")
    viewer = server.around.tokens.add("eye", "viewer")
    at = f"/api/v1/runs/{run}"
    change = {"node": "a", "parameters": {"value": 2}}
    assert (await server.ask("POST", f"{at}/inputs", change, token=operator)).status == 403
    assert (await server.ask("GET", f"{at}/inputs?node=a", token=viewer)).data["open"]
    watched = await server.ask("POST", f"{at}/watch", {"expressions": ["1 + 1"]}, token=viewer)
    assert watched.data == {"watched": [{"expression": "1 + 1", "value": 2}]}
    stops = {"breakpoints": [{"node": "a", "if": "1"}]}
    assert (await server.ask("POST", f"{at}/breakpoints", stops, token=operator)).status == 422
    assert (await server.ask("POST", f"{at}/step", {}, token=viewer)).status == 403
    assert (await server.ask("POST", f"{at}/inputs", change)).status == 200
    assert (await server.ask("POST", f"{at}/step", {"mode": "out"}, token=operator)).status == 200
