"""The pages about families of nodes: their blueprints run, on real pictures and real servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP
from PIL import Image
from tests.acceptance.test_pages import ROOT, blocks

import atomiton

PAGES = ROOT / "docs" / "how-to"


def saved(page: str, folder: Path) -> Path:
    """The blueprint of a page, in a file of the name that the page says."""
    ((_, name, text),) = blocks(PAGES / page)
    assert name is not None
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


async def test_a_folder_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    sizes = {"a.png": (1600, 900), "b.png": (300, 900), "c.png": (50, 40), "d.png": (900, 1200)}
    for name, size in sizes.items():
        Image.new("RGB", size, "navy").save(tmp_path / "photos" / name)
    async with atomiton.Conductor(store="memory:") as conductor:
        result = await conductor.run(saved("pictures.md", tmp_path))
    assert result.error is None
    fitted = {"a.png": (800, 450), "b.png": (200, 600), "c.png": (50, 40), "d.png": (450, 600)}
    assert result.output == [
        {"name": name, "width": width, "height": height} for name, (width, height) in fitted.items()
    ]
    for name, size in fitted.items():
        with Image.open(tmp_path / "web" / f"{name}.jpg") as made:
            assert (made.format, made.size) == ("JPEG", size)
            right = made.convert("L").crop((size[0] // 2, size[1] // 2, *size))
            assert right.getextrema()[1] > 100 or name == "c.png"  # the mark; the margin fills c


class Box:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope.content)
        return "250 taken"


async def test_a_model_sorts_and_mail_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ['{"topic": "weather", "urgent": true}', '{"topic": "parcel", "urgent": true}']

    async def complete(request: web.Request) -> web.Response:
        message = {"role": "assistant", "content": answers.pop(0)}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        choice = {"message": message, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    box = Box()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="test"), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("ATOMITON_SECRET_MAIL_SERVER", f"smtp+insecure://127.0.0.1:{port}")
    given = {
        "message": "Where is <b>my parcel</b>?",
        "model_url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1",
    }
    async with atomiton.Conductor(store="memory:") as conductor:
        result = await conductor.run(saved("llm-and-mail.md", tmp_path), given)
    server.close()
    await runner.cleanup()
    assert result.error is None
    assert result.output == {"topic": "parcel", "tokens": 110, "cost": pytest.approx(0.000028)}
    (mail,) = box.taken  # after the first answer did not fit, the second did
    assert b"Subject: Urgent: parcel" in mail
    assert b"&lt;b&gt;my parcel" in mail
    assert answers == []
