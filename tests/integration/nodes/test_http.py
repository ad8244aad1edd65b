"""``http.request`` against a real server on the loopback interface."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import sys

import pytest
from aiohttp import web

from atomiton import Conductor
from atomiton.blueprint.document import read_document
from atomiton.errors import NodeError
from atomiton.nodes import http as family
from atomiton.nodes.guard.http import HttpGuard


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "query": list(request.query.items()),
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode("latin-1"),
        }
    )


async def status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["code"]), text="why not")


async def redirect(request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def circle(request: web.Request) -> web.Response:
    raise web.HTTPFound("/circle")


async def content(request: web.Request) -> web.Response:
    kind = request.query["type"]
    return web.Response(body=bytes.fromhex(request.query["hex"]), headers={"Content-Type": kind})


async def slow(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def cookie(request: web.Request) -> web.Response:
    response = web.json_response(dict(request.cookies))
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def broken(request: web.Request) -> web.Response:
    request.transport.close()
    return web.Response()


@pytest.fixture
async def server():
    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/status/{code}", status)
    handlers = [redirect, circle, content, slow, cookie, broken]
    app.add_routes([web.get(f"/{handler.__name__}", handler) for handler in handlers])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()


@pytest.fixture
async def http():
    guard = HttpGuard(largest=1 << 20)
    yield guard
    await guard.aclose()


async def test_get(server, http) -> None:
    got = await family.request(
        f"{server}/echo?a=1", query={"b": "ü &", "c": [1, 2], "d": None, "e": True}, http=http
    )
    assert (got["status"], got["ok"]) == (200, True)
    assert got["json"]["method"] == "GET"
    assert got["json"]["query"] == [["a", "1"], ["b", "ü &"], ["c", "1"], ["c", "2"], ["e", "true"]]
    assert got["headers"]["content-type"].startswith("application/json")
    assert isinstance(got["body"], str)
    assert got["elapsed_ms"] > 0
    assert got["url"].startswith(f"{server}/echo?a=1&b=")


@pytest.mark.parametrize(
    ("given", "body", "kind"),
    [
        ({"json": {"ü": 1}}, '{"ü":1}'.encode().decode("latin-1"), "application/json"),
        ({"form": {"a": "x y", "b": [1, 2]}}, "a=x+y&b=1&b=2", "application/x-www-form-urlencoded"),
        ({"body": "text"}, "text", "text/plain; charset=utf-8"),
        ({"body": b"\x00\xff"}, "\x00\xff", "application/octet-stream"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "<a/>", "text/xml"),
    ],
)
async def test_bodies(server, http, given, body, kind) -> None:
    got = (await family.request(f"{server}/echo", "POST", http=http, **given))["json"]
    assert (got["method"], got["body"]) == ("POST", body)
    assert got["headers"]["content-type"] == kind


async def test_one_body_only(server, http) -> None:
    with pytest.raises(NodeError, match="only one of"):
        await family.request(f"{server}/echo", "POST", json=1, body="x", http=http)
    with pytest.raises(NodeError, match="text or bytes"):
        await family.request(f"{server}/echo", "POST", body={"a": 1}, http=http)


async def test_auth(server, http) -> None:
    async def header(auth):
        got = await family.request(f"{server}/echo", auth=auth, http=http)
        return got["json"]["headers"]["authorization"]

    assert await header({"type": "bearer", "token": "T"}) == "Bearer T"
    basic = await header({"type": "basic", "username": "ada", "password": "pw:ü"})
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == "ada:pw:ü"
    for bad in ({"type": "bearer"}, {"type": "basic"}, {}):
        with pytest.raises(NodeError, match="needs"):
            await header(bad)


@pytest.mark.parametrize(
    ("code", "error", "retryable"),
    [
        (400, "HTTP_STATUS", False),
        (401, "AUTHENTICATION", False),
        (403, "AUTHENTICATION", False),
        (404, "NOT_FOUND", False),
        (408, "HTTP_STATUS", True),
        (425, "HTTP_STATUS", True),
        (429, "HTTP_STATUS", True),
        (500, "HTTP_STATUS", True),
        (503, "HTTP_STATUS", True),
    ],
)
async def test_errors(server, http, code, error, retryable) -> None:
    with pytest.raises(NodeError, match=f"answered {code}") as caught:
        await family.request(f"{server}/status/{code}?key=hush", http=http)
    assert (caught.value.code, caught.value.retryable) == (error, retryable)
    assert caught.value.details["status"] == code
    assert caught.value.details["body"] == "why not"
    assert "hush" not in repr((caught.value.message, caught.value.details))
    got = await family.request(f"{server}/status/{code}", fail_on_error=False, http=http)
    assert (got["status"], got["ok"], got["body"]) == (code, False, "why not")


@pytest.mark.parametrize(
    ("kind", "data", "body", "json"),
    [
        ("application/json", b'{"a":1}', '{"a":1}', {"a": 1}),
        ("application/problem+json; charset=utf-8", b"[]", "[]", []),
        ("application/json", b"{", "{", None),
        ("text/plain; charset=iso-8859-1", b"\xfc", "ü", None),
        ("text/plain; charset=no-such", b"\xc3\xbc", "ü", None),
        ("image/svg+xml", b"<svg/>", "<svg/>", None),
        ("image/png", b"\x89PNG", b"\x89PNG", None),
        ("application/octet-stream", b"{}", b"{}", None),
        ("image/png", b"", "", None),
    ],
)
async def test_what_the_body_becomes(server, http, kind, data, body, json) -> None:
    query = {"type": kind, "hex": data.hex()}
    got = await family.request(f"{server}/content", query=query, http=http)
    assert (got["body"], got["json"]) == (body, json)


async def test_redirects(server, http) -> None:
    got = await family.request(f"{server}/redirect", http=http)
    assert got["url"] == f"{server}/echo"
    stay = await family.request(f"{server}/redirect", follow_redirects=False, http=http)
    assert (stay["status"], stay["headers"]["location"]) == (302, "/echo")
    with pytest.raises(NodeError, match="redirects"):
        await family.request(f"{server}/circle", http=http)


async def test_cookies_are_not_kept_and_repeated_headers_are_joined(server, http) -> None:
    first = await family.request(f"{server}/cookie", http=http)
    assert "a=1" in first["headers"]["set-cookie"]
    assert "b=2" in first["headers"]["set-cookie"]
    assert (await family.request(f"{server}/cookie", http=http))["json"] == {}


async def test_no_connection(server, http) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", f"{server}/broken"):
        with pytest.raises(NodeError) as caught:
            await family.request(url, http=http)
        assert (caught.value.code, caught.value.retryable) == ("CONNECTION", True)


async def test_why_there_is_no_connection_is_said_in_plain_words(http) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = f"GET http://127.0.0.1:{port}/: no connection to 127.0.0.1:{port}: Connection refused"
    with pytest.raises(NodeError, match=f"^{re.escape(refused)}$"):
        await family.request(f"http://127.0.0.1:{port}/", http=http)
    with pytest.raises(NodeError, match=r": no connection to no\.such\.invalid:80: [A-Z][a-z ]+$"):
        await family.request("http://no.such.invalid/", http=http)


@pytest.mark.parametrize("url", ["", "ftp://x/", "x", "http://", "http://[x", "file:///etc/passwd"])
async def test_what_is_no_address(http, url) -> None:
    with pytest.raises(NodeError, match="is not an address") as caught:
        await family.request(url, http=http)
    assert caught.value.code == "INVALID_INPUT"


async def test_cancelling_and_large_answers(server, http) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await family.request(f"{server}/slow", http=http)
    small = HttpGuard(largest=10)
    with pytest.raises(NodeError, match="more than 10 bytes") as caught:
        await family.request(f"{server}/echo", http=small)
    assert caught.value.code == "LIMIT_EXCEEDED"
    await small.aclose()


async def test_many_at_once(server, http) -> None:
    got = await asyncio.gather(
        *(family.request(f"{server}/echo", query={"n": n}, http=http) for n in range(200))
    )
    assert [one["json"]["query"][0][1] for one in got] == [str(n) for n in range(200)]
    assert len(http._sessions) == 1


def test_a_guard_serves_one_loop_after_another() -> None:
    guard = HttpGuard()

    async def once() -> None:
        with pytest.raises(NodeError):
            await guard.request("GET", "http://127.0.0.1:1/")
        await guard.aclose()

    asyncio.run(once())
    asyncio.run(once())
    assert not guard._sessions


async def test_without_aiohttp_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(NodeError, match=r"pip install 'atomiton\[http\]'"):
        await HttpGuard().request("GET", "http://127.0.0.1:1/")


async def test_headers_that_are_not_utf8_are_read_as_latin_1() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")
        writer.write("X-U: caf\xe9 \u20ac\r\n".encode() + b"X-B: caf\xe9\r\n\r\n")
        writer.close()

    guard = HttpGuard()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        got = await family.request(f"http://127.0.0.1:{port}/", http=guard)
    await guard.aclose()
    assert (got["headers"]["x-b"], got["headers"]["x-u"]) == ("caf\xe9", "caf\xe9 \u20ac")


@pytest.mark.parametrize("wrong", ["user", "pasword"])
async def test_a_wrong_key_of_auth_names_itself(wrong: str) -> None:
    request = {
        "uses": "http.request",
        "with": {"url": "http://127.0.0.1:1/", "auth": {"username": "a", wrong: "b"}},
    }
    async with Conductor("memory:") as conductor:
        result = await conductor.run(
            read_document({"atomiton": 1, "id": "x", "nodes": {"a": request}})
        )
    assert result.error is not None
    assert result.error.code == "INVALID_INPUT"
    assert result.error.message == (
        f"auth has no key '{wrong}', only type, username, password, token"
    )
