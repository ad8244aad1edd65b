"""A server that imported workflows call."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.integration.interop.running import PETS


async def pet(request: web.Request) -> web.Response:
    found = PETS.get(request.match_info["id"])
    return web.json_response(found) if found else web.Response(status=404, text="no such pet")


async def by_status(request: web.Request) -> web.Response:
    return web.json_response([{"id": 1, "status": request.query["status"]}])


async def password(request: web.Request) -> web.Response:
    pair = f"{request.match_info['name']}:{request.match_info['word']}"
    wanted = f"Basic {base64.b64encode(pair.encode()).decode()}"
    good = request.headers.get("authorization") == wanted
    return web.json_response({"authenticated": good}, status=200 if good else 401)


async def echo(request: web.Request) -> web.Response:
    body = await request.text()
    return web.json_response(
        {
            "method": request.method,
            "query": dict(request.query),
            "agent": request.headers.get("x-agent"),
            "auth": request.headers.get("authorization"),
            "body": json.loads(body) if body else None,
        }
    )


async def users(_: web.Request) -> web.Response:
    return web.json_response([{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}])


@pytest.fixture
async def server() -> AsyncIterator[str]:
    seen: list[str] = []

    async def unsteady(_: web.Request) -> web.Response:
        seen.append("asked")
        return web.json_response({"ok": True}, status=200 if len(seen) > 2 else 503)

    app = web.Application()
    app.router.add_get("/v2/pet/getPetByName/{id}", pet)
    app.router.add_get("/v2/pet/findByStatus", by_status)
    app.router.add_get("/v2/pet/{id}", pet)
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/users", users)
    app.router.add_get("/basic-auth/{name}/{word}", password)
    app.router.add_get("/unsteady", unsteady)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
