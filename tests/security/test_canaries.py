"""A secret is planted, used everywhere, and looked for in every byte that is written."""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.acceptance.cli.shell import Shell
from tests.contract.places import serving

from atomiton import Conductor
from atomiton.client import connect
from atomiton.conductor.sealing import VARIABLE, Sealing
from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.server.logs import JsonLines
from atomiton.server.traces import Traces

CANARY = "canary-7f3e91c2-Zq+/=&x"
SECOND = "whsec_Y2FuYXJ5LW51bWJlci10d28tMTIzNDU2Nzg="

USES = """
atomiton: 1
id: uses
secrets: [K]
triggers: [{webhook: {path: hook, secret: HOOK, respond: result}}]
nodes:
  whole: {uses: data.value, with: {value: "${{ secrets.K }}"}}
  inside: {uses: data.value, with: {value: "Bearer ${{ secrets.K }}, and more"}}
  list: {uses: data.value, with: {value: {a: ["${{ secrets.K }}"]}}}
  again: {uses: data.value, with: {value: "${{ whole }}"}, on_error: continue}
  fails:
    uses: flow.fail
    with: {message: "wrong key ${{ secrets.K }}", code: BAD}
    retry: {attempts: 2, delay: 1ms, on: [BAD]}
    on_error: continue
output: ${{ [inside, whole] }}
"""


def forms(secret: str) -> list[bytes]:
    """How a secret may be written."""
    raw = secret.encode()
    encoded = base64.b64encode(raw).rstrip(b"=")
    return [raw, raw.hex().encode(), encoded, urllib.parse.quote(secret, safe="").encode(),
            json.dumps(secret)[1:-1].encode()]  # fmt: skip


def assert_clean(name: str, data: bytes) -> None:
    for secret in (CANARY, SECOND):
        for form in forms(secret):
            assert form not in data, f"{form!r} is in {name}"


async def test_no_byte_that_is_written_has_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)  # not by the attribute alone: loggers remember what is enabled
    exporter = InMemorySpanExporter()
    answers: list[bytes] = []
    try:
        async with serving(str(tmp_path / "runs.db"), tmp_path) as server:
            traces = Traces(server.around.conductor, exporter)
            async with connect(server.address, token=server.tokens.owner()) as client:
                await client.set_secret("K", CANARY)
                await client.set_secret("HOOK", SECOND)
                await client.save_blueprint(USES)
                assert [of.name for of in await client.secrets()] == ["HOOK", "K"]
                result = await client.run("uses")
                assert result.nodes["fails"].error is not None
                calls = client.calls.http
                token = {"accept": "application/json"}
                for path in (
                    f"/api/v1/runs/{result.run}",
                    f"/api/v1/runs/{result.run}/events",
                    f"/api/v1/runs/{result.run}/document",
                    "/api/v1/secrets",
                    "/api/v1/audit",
                    "/api/v1/triggers",
                    "/metrics",
                ):
                    got = await calls.ask("GET", path, token, b"")
                    assert got.status == 200
                    answers.append(got.body)
                hook = await calls.ask("POST", "/hooks/hook", {"webhook-id": "m"}, b"{}")
                assert hook.status == 401
                answers.append(hook.body)
                with pytest.raises(AtomitonError) as wrong:
                    await client.set_secret("no name", CANARY)
                answers.append(str(wrong.value).encode())
            traces.close()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"runs.db", "secrets.key", "audit.jsonl"} <= {file.name for file in written}
    for file in written:
        assert_clean(file.name, file.read_bytes())
    for answer in answers:
        assert_clean("an answer", answer)
    assert_clean("the log", log.getvalue().encode())
    assert log.getvalue()
    assert exporter.get_finished_spans()
    for span in exporter.get_finished_spans():
        assert_clean("a span", span.to_json().encode())
    out, err = capfd.readouterr()
    assert_clean("what was printed", (out + err).encode())


async def test_secrets_are_known_to_runs_and_forgotten(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    async with Conductor(store) as conductor:
        await conductor.set_secret("K", "one")
        await conductor.set_secret("K", "two")
        assert conductor.secret("K") == "two"
    async with Conductor(store) as one, Conductor(store) as other:
        assert one.secret("K") == "two"
        await one.delete_secret("K")
        assert one.secret("K") is None
        assert await other.secrets() == []
        with pytest.raises(NotFound):
            await one.delete_secret("K")
        for name, value in (("", "x"), ("a b", "x"), ("K", ""), ("K", "x" * 70_000)):
            with pytest.raises(AtomitonError):
                await one.set_secret(name, value)
    key = tmp_path / "runs.db.server" / "secrets.key"
    assert key.stat().st_mode & 0o777 == 0o600


async def test_what_was_sealed_opens_with_its_key_and_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing = Sealing(tmp_path / "key")
    sealed = sealing.seal("A", CANARY)
    assert sealing.seal("A", CANARY) != sealed
    assert sealing.open("A", sealed) == CANARY
    with pytest.raises(StoreError, match="another key"):
        sealing.open("B", sealed)
    with pytest.raises(StoreError, match="another key"):
        sealing.open("A", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    monkeypatch.setenv(VARIABLE, base64.b64encode(b"k" * 32).decode())
    with pytest.raises(StoreError, match="another key"):
        sealing.open("A", sealed)
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(StoreError):
        sealing.seal("A", "x")
    monkeypatch.delenv(VARIABLE)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        sealing.open("A", sealed)


@pytest.mark.slow
def test_the_command_line(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.env["XDG_RUNTIME_DIR"] = str(tmp_path)
    (tmp_path / "s.yaml").write_text(
        "atomiton: 1\nid: s\nsecrets: [K]\nnodes:\n"
        '  a: {uses: data.value, with: {value: "${{ size(secrets.K) }}"}}\noutput: ${{ a }}\n'
    )
    kept = shell.run("secrets", "set", "K", input_=CANARY + "\n")
    assert (kept.code, kept.err.splitlines()) == (0, ["kept K"])
    assert shell.run("run", "s.yaml").out == f"{len(CANARY)}\n"
    assert shell.run("secrets", "list", "--json").data[0]["name"] == "K"
    assert shell.run("secrets", "delete", "K").code == 0
    assert shell.run("secrets", "list").out == ""
    assert shell.run("secrets", "delete", "K").code == 2
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert_clean(file.name, file.read_bytes())
    helped = subprocess.run(
        [sys.executable, "-m", "atomiton", "secrets", "--help"], capture_output=True, check=True
    )
    assert b"ATOMITON_SECRETS_KEY" in helped.stdout
