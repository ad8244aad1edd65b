"""What is wrong with webhooks is in the log of the server, once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.server.asking import Asked, asked


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    monkeypatch.setattr("atomiton.server.webhooks._KNOWN", 0.0)
    async with asked(tmp_path) as made:
        yield made


async def keep(server: Asked, id_: str, settings: str) -> None:
    text = f"""
atomiton: 1
id: {id_}
inputs: {{body: {{default: null}}}}
triggers: [webhook: {{{settings}}}]
nodes:
  a: {{uses: data.value, with: {{value: 1}}}}
"""
    await server.around.conductor.save_blueprint(text)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was warned of since this was last asked."""
    found = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    caplog.clear()
    return found


async def test_of_two_webhooks_with_one_path_the_log_says_which_takes_the_messages(
    server: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(server, "b", "path: orders, secret: none")
    await keep(server, "a", "path: orders, secret: none")
    await keep(server, "c", "path: orders, secret: none, method: PUT")
    for _ in range(2):
        assert (await server.ask("POST", "/hooks/orders", {}, token=None)).status == 202
    assert warnings(caplog) == [
        (
            "the webhooks a.webhook and b.webhook have one path, POST /hooks/orders: "
            "a.webhook alone takes its messages"
        )
    ]
    await server.around.conductor.pause_trigger("a.webhook")
    assert (await server.ask("POST", "/hooks/orders", {}, token=None)).status == 202
    assert warnings(caplog) == []


async def test_a_webhook_that_can_take_nothing_is_in_the_log(
    server: Asked, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(server, "open", "path: open")
    await keep(server, "signed", "path: signed, secret: NOBODY_KNOWS")
    await keep(server, "broken", "path: broken, secret: BROKEN")
    await keep(server, "well", "path: well, secret: KNOWN")
    monkeypatch.setenv("ATOMITON_SECRET_KNOWN", "x")
    monkeypatch.setenv("ATOMITON_SECRET_BROKEN", "whsec_-")
    for path, status in (("open", 403), ("signed", 503), ("broken", 401), ("open", 403)):
        assert (await server.ask("POST", f"/hooks/{path}", {}, token=None)).status == status
    assert warnings(caplog) == [
        (
            "the webhook broken.webhook refuses every message: "
            "its secret BROKEN is not Base64 after whsec_"
        ),
        (
            "the webhook open.webhook refuses every message: "
            "it says no secret; `secret: none` would take what nobody signed"
        ),
        (
            "the webhook signed.webhook refuses every message: its secret NOBODY_KNOWS is "
            "not known here; atomiton secrets set NOBODY_KNOWS keeps it"
        ),
    ]
    monkeypatch.setenv("ATOMITON_SECRET_NOBODY_KNOWS", "x")
    await server.ask("POST", "/hooks/open", {}, token=None)
    assert warnings(caplog) == []
    monkeypatch.delenv("ATOMITON_SECRET_NOBODY_KNOWS")
    await server.ask("POST", "/hooks/open", {}, token=None)
    assert len(warnings(caplog)) == 1
