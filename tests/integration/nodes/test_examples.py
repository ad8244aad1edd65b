"""Every example runs as it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP
from tests.integration.nodes.brokers import nats_server
from tests.integration.nodes.ftp import ftp_server
from tests.integration.nodes.ssh import serving

import atomiton
from atomiton.blueprint.document import read_blueprint
from atomiton.nodes.registry import BUILTIN, Registry


class Box:
    """Takes every mail."""

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - the name that is asked for
        return "250 taken"


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[str]:
    """A server of queues, with a stream that takes orders."""

    async def make() -> None:
        client = await nats.connect(address)
        await client.jetstream().add_stream(name="ORDERS", subjects=["orders"])
        await client.close()

    with nats_server(tmp_path_factory.mktemp("nats")) as address:
        asyncio.run(make())
        yield address


@pytest.fixture(scope="module")
def ftp(tmp_path_factory) -> Iterator[str]:
    with ftp_server(tmp_path_factory.mktemp("ftp")) as address:
        yield address


@pytest.fixture
async def around(s3, broker, ftp, tmp_path_factory, tools_url) -> AsyncIterator[dict[str, object]]:
    """What examples ask for by the names of their inputs: servers that really are there."""

    async def complete(request: web.Request) -> web.Response:
        message = {"role": "assistant", "content": '{"topic": "parcel", "urgent": true}'}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"rate": 1.1, "got": (await request.read()).decode()})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    mail = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Box(), hostname="test"), "127.0.0.1", 0
    )
    endpoint, client = s3
    client.create_bucket(Bucket="reports")
    ssh = serving(tmp_path_factory.mktemp("remote"))
    here = await ssh.__aenter__()
    yield {
        "broker": broker,
        "ftp": ftp,
        "sftp": here.server,
        "host_key": here.key,
        "tools_url": tools_url,
        "model_url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1",
        "endpoint": endpoint,
        "url": f"http://127.0.0.1:{runner.addresses[0][1]}/",
        "server": f"smtp+insecure://127.0.0.1:{mail.sockets[0].getsockname()[1]}",
    }
    await ssh.__aexit__(None, None, None)
    mail.close()
    await runner.cleanup()


@pytest.mark.parametrize("name", sorted(BUILTIN))
async def test_an_example_runs(name, tmp_path, monkeypatch, around) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATOMITON_SECRET_SIGNING_KEY", "a key that nobody knows")
    monkeypatch.setenv("ATOMITON_SECRET_S3_SECRET_KEY", "secret")
    monkeypatch.setenv("ATOMITON_SECRET_SFTP_PASSWORD", "geheim")
    path = tmp_path / "example.yaml"
    path.write_text(Registry.builtin().get(name).example)
    wanted = read_blueprint(path.read_text())[0].inputs
    given = {key: value for key, value in around.items() if key in wanted}
    async with atomiton.Conductor(store="memory:") as conductor:
        result = await conductor.run(path, given)
    assert (result.status, result.error) == ("completed", None)
    assert result.output is not None
