"""Nobody gets past the gate: generated from the table of routes, and over thousands of paths."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.integration.server.asking import HOST, Asked, Got, asked

from atomiton.server.gate import COOKIE, HOOK, PUBLIC
from atomiton.server.table import ROLES, Role, Route, routes

METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
)
VARIANTS = 10_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asked(tmp_path) as server:
        yield server


def concrete(route: Route) -> str:
    """A path that a route takes."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", {"revision": "1"}.get(name, "abc"))
    return path


def is_public(route: Route) -> bool:
    return (route.method.encode(), route.path.encode()) in PUBLIC or is_hook(route)


def is_hook(route: Route) -> bool:
    """Whether a route is of webhooks, whose senders sign what they send instead."""
    return HOOK.fullmatch(concrete(route).encode()) is not None


PRIVATE = [route for route in routes() if not is_public(route)]


def test_what_is_public_is_what_is_said_to_be() -> None:
    open_ = {(route.method, route.path) for route in routes() if route.role is None}
    hooks = {("GET", "POST", "PUT", "PATCH", "DELETE")}
    assert {(method, "/hooks/{hook}") for of in hooks for method in of} <= open_
    assert {of for of in open_ if of[1] != "/hooks/{hook}"} == {
        ("GET", "/healthz"),
        ("GET", "/login"),
    }
    assert {(m.decode(), p.decode()) for m, p in PUBLIC} == {("GET", "/healthz"), ("GET", "/login")}


@pytest.mark.parametrize("route", PRIVATE, ids=lambda route: route.operation)
async def test_nothing_is_done_for_whom_nobody_knows(server: Asked, route: Route) -> None:
    wrong: list[dict[str, str]] = [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer atk_wrong"},
        {"authorization": f"Basic {server.token}"},
        {"authorization": server.token},
        {"authorization": f"Bearer {server.token}x"},
        {"authorization": f"Bearer {server.token[:-1]}"},
        {"cookie": f"{COOKIE}={server.token}"},
        {"cookie": f"{COOKIE}="},
        {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1"},
    ]
    for method, headers in itertools.product(METHODS, wrong):
        got = await server.ask(method, concrete(route), b"{}", token=None, headers=headers)
        assert got.status == 401, (method, headers)
        assert got.data["code"] == "UNAUTHENTICATED"
    assert server.read == 0  # not a byte of a body


def variants(path: str, draw: random.Random) -> Iterator[bytes]:
    """Other ways to write a path, some of them ones that a careless server takes for it."""
    raw = path.encode()
    yield from (raw + end for end in (b"/", b"//", b"/.", b"/..", b";", b";x=1", b"%00", b"%20"))
    yield from (
        raw + end for end in (b".json", b".css", b"?", b"#", b"%3f", b"%23", b"\\", b"/%2e")
    )
    yield from (
        before + raw for before in (b"/", b"//", b"/.", b"/..", b"/%2e", b"http://x", b"\\")
    )
    yield from (b"/healthz/.." + raw, b"/healthz%2f.." + raw, b"/login/../" + raw, b"/login;" + raw)
    yield from (raw.upper(), raw.title(), raw.replace(b"/", b"//"), raw.replace(b"/", b"\\"))
    yield from (raw.replace(b"/", b"%2f"), raw.replace(b"/", b"%252f"), raw.replace(b"/", b"/./"))
    while True:
        changed = "".join(_odd(char, draw) for char in path)
        yield changed.encode("utf-8", "surrogateescape")


def _odd(char: str, draw: random.Random) -> str:
    if draw.random() > 0.15:
        return char
    ways = [
        quote(char, safe=""),
        f"%{ord(char):02x}",
        f"%25{ord(char):02x}",
        char.swapcase(),
        char + "%00",
        f"%u{ord(char):04x}",
        chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char,
        char + "\u200b",
        "/./" if char == "/" else char * 2,
    ]
    return draw.choice(ways)


async def test_no_way_to_write_a_path_gets_past(server: Asked) -> None:
    draw = random.Random(2026)
    made = [variants(concrete(route), draw) for route in routes()]
    tried = 0
    for raw in itertools.chain.from_iterable(zip(*made, strict=True)):
        if tried >= VARIANTS:
            break
        tried += 1
        path = raw.partition(b"?")[0].decode("utf-8", "replace")
        method = METHODS[tried % len(METHODS)]
        if (method.encode(), raw) in PUBLIC:
            continue
        got = await server.send(
            method, path, "", [(b"host", HOST.encode())], b"{}", raw.partition(b"?")[0]
        )
        bare = raw.partition(b"?")[0]
        public = (method.encode(), bare) in PUBLIC or HOOK.fullmatch(bare) is not None
        assert got.status == 401 or public, (method, raw)
    assert tried >= VARIANTS


async def test_a_path_that_is_written_oddly_is_not_found_by_anyone(server: Asked) -> None:
    for odd in (
        "/api/v1/runs/",
        "//api/v1/runs",
        "/api/v1/./runs",
        "/API/v1/runs",
        "/api/v1/runs;a",
    ):
        assert (await server.ask("GET", odd)).status == 404, odd
    got = await server.ask("GET", "/api/v1/runs", raw_path=b"/api/v1/%72uns")
    assert got.status == 404
    assert (await server.ask("GET", "/api/v1/runs")).status == 200


@pytest.mark.parametrize("route", PRIVATE, ids=lambda route: route.operation)
async def test_a_role_may_do_what_it_is_for_and_no_more(server: Asked, route: Route) -> None:
    for role in ROLES:
        token = server.around.tokens.add(role + "s", role)
        server.read = 0
        got = await server.ask(route.method, concrete(route), b"", token=token)
        assert route.role is not None
        if ROLES.index(role) < ROLES.index(route.role):
            assert (got.status, server.read) == (403, 0)
            assert got.data["code"] == "NOT_ALLOWED"
        else:
            assert got.status not in (401, 403)


async def test_an_operator_runs_what_is_kept_and_nothing_else(server: Asked) -> None:
    token = server.around.tokens.add("ops", "operator")
    document = {
        "atomiton": 1,
        "id": "a",
        "nodes": {"v": {"uses": "data.value", "with": {"value": 1}}},
    }
    text = b"atomiton: 1\nid: a\nnodes: {v: {uses: data.value, with: {value: 1}}}\n"
    assert (
        await server.ask("POST", "/api/v1/runs", {"document": document}, token=token)
    ).status == 403
    assert (await server.ask("PUT", "/api/v1/blueprints/a", text, token=token)).status == 403
    assert (await server.ask("PUT", "/api/v1/blueprints/a", text)).status == 201
    assert (await server.ask("POST", "/api/v1/runs", {"blueprint": "a"}, token=token)).status == 201


async def test_only_an_owner_speaks_for_others(server: Asked) -> None:
    token = server.around.tokens.add("ops", "operator")
    nodes = {"w": {"wait": {"signal": "go"}}}
    document = {"atomiton": 1, "id": "a", "nodes": nodes}
    for secret, by in ((token, "ops"), (server.token, "ada")):
        run = (await server.ask("POST", "/api/v1/runs", {"document": document})).data["run"]
        sent = {"reason": "x", "by": "ada"}
        assert (
            await server.ask("POST", f"/api/v1/runs/{run}/cancel", sent, token=secret)
        ).status == 200
        events = (await server.ask("GET", f"/api/v1/runs/{run}/events")).data["events"]
        assert [of["fact"]["by"] for of in events if of["kind"] == "cancel_requested"] == [by]


@pytest.mark.parametrize(
    "host", ["", "example.org", "127.0.0.1", "127.0.0.1:1", "localhost:8750.x", "[::1]"]
)
async def test_a_name_that_is_not_the_servers_is_refused(server: Asked, host: str) -> None:
    for path in ("/healthz", "/login", "/api/v1/runs"):
        assert (await server.ask("GET", path, headers={"host": host})).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://example.org"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:8751"},
        {"origin": f"http://{HOST}.example.org"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_pages_of_other_sites_are_refused(server: Asked, headers: dict[str, str]) -> None:
    for path in ("/healthz", "/api/v1/runs"):
        assert (await server.ask("GET", path, headers=headers)).status == 403
    assert (await server.ask("POST", "/api/v1/runs", {}, headers=headers)).status == 403
    own = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert (await server.ask("GET", "/api/v1/runs", headers=own)).status == 200


async def test_two_headers_that_should_be_one_are_refused(server: Asked) -> None:
    bearer = (b"authorization", f"Bearer {server.token}".encode())
    for twice in ((b"host", b"example.org"), bearer, (b"content-length", b"5")):
        headers = [(b"host", HOST.encode()), bearer, (b"content-length", b"0"), twice]
        assert (await server.send("GET", "/api/v1/runs", "", headers, b"")).status == 400


async def log_in(server: Asked) -> tuple[str, Got]:
    link = (await server.ask("POST", "/api/v1/logins")).data["path"]
    got = await server.ask("GET", link, token=None)
    return link, got


async def test_a_login_link_works_once_and_its_cookie_is_kept_from_scripts(server: Asked) -> None:
    link, got = await log_in(server)
    assert got.status == 200
    cookie = got.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert (await server.ask("GET", link, token=None)).status == 401
    assert (await server.ask("GET", "/login", token=None)).status == 401
    assert (await server.ask("GET", "/login?code=x&code=y", token=None)).status == 401
    session = {"cookie": "a=b; " + cookie.partition(";")[0]}
    assert (await server.ask("GET", "/api/v1/runs", token=None, headers=session)).status == 200
    assert (await server.ask("GET", "/", token=None, headers=session)).status == 200


async def test_with_a_cookie_only_the_servers_pages_change_anything(server: Asked) -> None:
    _, got = await log_in(server)
    session = {"cookie": got.headers["set-cookie"].partition(";")[0]}
    wish = {"source": "id: x"}
    refused = await server.ask("POST", "/api/v1/validate", wish, token=None, headers=session)
    assert refused.status == 403
    own = {**session, "origin": f"http://{HOST}"}
    assert (
        await server.ask("POST", "/api/v1/validate", wish, token=None, headers=own)
    ).status == 200


async def test_a_removed_token_and_its_sessions_open_nothing(server: Asked) -> None:
    tokens = server.around.tokens
    secret = tokens.add("ci", "operator")
    session = server.around.sessions.open(server.around.sessions.new_link("ci"))
    cookie = {"cookie": f"{COOKIE}={session}"}
    assert (await server.ask("GET", "/api/v1/runs", token=secret)).status == 200
    assert (await server.ask("GET", "/api/v1/runs", token=None, headers=cookie)).status == 200
    tokens.remove("ci")
    assert (await server.ask("GET", "/api/v1/runs", token=secret)).status == 401
    assert (await server.ask("GET", "/api/v1/runs", token=None, headers=cookie)).status == 401


async def test_links_and_sessions_come_to_an_end(tmp_path: Path) -> None:
    from atomiton.server.access import LINK_SECONDS, SESSION_SECONDS, Sessions, Tokens

    now = [0.0]
    tokens, sessions = Tokens(tmp_path / "t"), Sessions(lambda: now[0])
    tokens.prepare()
    late, early = sessions.new_link("owner"), sessions.new_link("owner")
    session = sessions.open(early)
    assert session is not None
    now[0] = LINK_SECONDS + 1
    assert sessions.open(late) is None
    assert sessions.find(session, tokens) is not None
    now[0] = SESSION_SECONDS + 1
    assert sessions.find(session, tokens) is None


async def test_tokens_are_kept_private_and_unreadable(server: Asked) -> None:
    folder = server.around.tokens.folder
    server.around.tokens.add("ci", "viewer")
    for place in (folder / "token", folder / "tokens.json"):
        assert place.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert server.token not in (folder / "tokens.json").read_text()


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    from atomiton.errors import StoreError
    from atomiton.server.access import Tokens

    tokens = Tokens(tmp_path / "t")
    tokens.prepare()
    (tmp_path / "t" / "token").chmod(0o644)
    with pytest.raises(StoreError, match="can be read by others"):
        tokens.prepare()


async def test_too_large_a_head_or_a_body_is_refused(tmp_path: Path) -> None:
    from atomiton.server.app import Limits

    async with asked(tmp_path, limits=Limits(body=1000, text=500)) as server:
        big = {"x-big": "x" * 40_000}
        assert (await server.ask("GET", "/healthz", headers=big)).status == 431
        said = {"content-length": "1001"}
        server.read = 0
        got = await server.ask("POST", "/api/v1/runs", b"", headers=said)
        assert (got.status, got.data["code"], server.read) == (413, "LIMIT_EXCEEDED", 0)
        assert (await server.ask("POST", "/api/v1/runs", b"x" * 1001)).status == 413
        assert (await server.ask("PUT", "/api/v1/blueprints/a", b"x" * 501)).status == 413
        wrong = {"content-length": "-1"}
        assert (await server.ask("POST", "/api/v1/runs", b"", headers=wrong)).status == 413


async def test_what_browsers_are_told_keeps_pages_from_being_misused(server: Asked) -> None:
    for path in ("/healthz", "/api/v1/runs", "/nowhere", "/login"):
        got = await server.ask("GET", path)
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert got.headers["cache-control"] == "no-store"
    page = await server.ask("GET", "/api/v1/runs", token=None, headers={"accept": "text/html"})
    assert (page.status, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert b"login link" in page.body
    script = {"accept": "text/html"}
    odd = await server.ask("GET", "/api/v1/runs/<script>alert(1)", headers=script)
    assert b"<script>" not in odd.body


async def test_web_sockets_are_closed(server: Asked) -> None:
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> object:
        return {"type": "websocket.connect"}

    await server.gate({"type": "websocket", "path": "/", "headers": []}, receive, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


SHELL = b"atomiton: 1\nid: sh\nnodes: {a: {uses: shell.run, with: {command: ['id']}}}\n"
READ = """
atomiton: 1
id: reads
inputs: {path: string}
nodes: {a: {uses: file.read, with: {path: "${{ inputs.path }}"}}}
output: ${{ a }}
"""


@pytest.mark.parametrize("allow", [(), ("shell", "files")])
async def test_programs_and_files_elsewhere_only_if_it_is_allowed(
    tmp_path: Path, allow: tuple[Role, ...]
) -> None:
    (tmp_path / "inside.txt").write_text("inside")
    async with asked(tmp_path, allow=allow) as server:
        assert (await server.ask("PUT", "/api/v1/blueprints/sh", SHELL)).status == 201
        got = await server.ask("POST", "/api/v1/runs", {"blueprint": "sh"})
        assert (got.status, got.data.get("code")) == (
            (201, None) if allow else (422, "NOT_ALLOWED")
        )
        assert (await server.ask("PUT", "/api/v1/blueprints/reads", READ.encode())).status == 201
        for path, free in (("inside.txt", True), ("/etc/hostname", False), ("../../x", False)):
            wish = {"blueprint": "reads", "inputs": {"path": path}}
            run = (await server.ask("POST", "/api/v1/runs", wish)).data["run"]
            got = await server.ask("GET", f"/api/v1/runs/{run}/result?wait=5")
            code = (got.data["error"] or {}).get("code")
            assert (code == "NOT_ALLOWED") == (not free and not allow), (path, got.data)


async def test_no_file_is_read_because_a_request_names_it(server: Asked, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("atomiton: 1\nid: secret\nnodes: {}\n")
    for name in (str(secret), "../secret.yaml", "secret.yaml", "./secret.yaml"):
        got = await server.ask("POST", "/api/v1/runs", {"blueprint": name})
        assert got.status == 404, name
        nodes = {"a": {"call": name if name.startswith((".", "/")) else f"./{name}"}}
        document = {"atomiton": 1, "id": "x", "nodes": nodes}
        got = await server.ask("POST", "/api/v1/runs", {"document": document})
        assert got.status == 422, got.data


ASK = """
atomiton: 1
id: asks
inputs: {url: string}
nodes: {a: {uses: http.request, with: {url: "${{ inputs.url }}"}}}
output: ${{ a.status }}
"""


class _Redirect(asyncio.Protocol):
    """Sends everybody on to where clouds tell their secrets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        there = b"Location: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
        status = b"302 Found\r\n" if b"/away" in data else b"200 OK\r\n"
        self.transport.write(b"HTTP/1.1 " + status + there)


@pytest.mark.parametrize("public_only", [False, True])
async def test_requests_of_nodes_do_not_reach_what_is_meant_for_this_machine(
    tmp_path: Path, public_only: bool
) -> None:
    listener = await asyncio.get_running_loop().create_server(_Redirect, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    near = [
        f"http://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://[::ffff:7f00:1]:{port}/",
    ]
    never = [
        f"http://127.0.0.1:{port}/away",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0:80/",
    ]
    private = ["http://10.1.2.3/", "http://192.168.0.1/", "http://[fd12::1]/", "http://100.64.0.1/"]
    async with listener, asked(tmp_path, public_only=public_only) as server:
        assert (await server.ask("PUT", "/api/v1/blueprints/asks", ASK.encode())).status == 201

        async def code(url: str) -> str | None:
            wish = {"blueprint": "asks", "inputs": {"url": url}}
            run = (await server.ask("POST", "/api/v1/runs", wish)).data["run"]
            got = await server.ask("GET", f"/api/v1/runs/{run}/result?wait=5")
            return (got.data["error"] or {}).get("code")

        for url in never + (private if public_only else []):
            assert await code(url) == "NOT_ALLOWED", url
        assert await code("http://2852039166/") == "INVALID_INPUT"  # one number for four
        for url in near:
            assert await code(url) == ("NOT_ALLOWED" if public_only else None), url
