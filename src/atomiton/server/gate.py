"""The one gate in front of everything: whoever it does not know gets no further.

It looks at the head of a request only; no byte of a body is read before it has agreed. In this
order: the size of the head, Host, Origin, credentials, the form of the path. What is public stands
in ``PUBLIC``, and is compared byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atomiton.errors import AtomitonError
from atomiton.server.access import SESSION_SECONDS, Sessions, Tokens
from atomiton.server.app import PRINCIPAL
from atomiton.server.audit import Audit
from atomiton.server.pages import POLICY, error_page, wants_page
from atomiton.server.problems import Refusal, problem_answer
from atomiton.server.table import Principal

PUBLIC: Final = frozenset({(b"GET", b"/healthz"), (b"GET", b"/login")})
"""What everybody may ask for: method and path, to the byte."""

HOOK: Final = re.compile(rb"/hooks/[A-Za-z0-9_-]{1,64}")
"""Paths of webhooks: their senders have no token, but sign what they send."""

COOKIE = "atomiton_session"
#: A path that means one thing only: no escapes, no empty parts, no dots, no end on a slash.
_PATH = re.compile(rb"/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_@.~-]+)+")
_SAFE = frozenset({"GET", "HEAD"})
#: Headers of which two would mean that somebody is to be misled.
_SINGLE = frozenset(
    {b"host", b"origin", b"authorization", b"content-type", b"content-length", b"cookie"}
)
_HARDENING: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": POLICY.encode(),
    b"cache-control": b"no-store",
}


@dataclass(frozen=True)
class Doors:
    """How a gate tells friend from foe.

    Attributes:
        tokens: Who has a token.
        sessions: Who has logged in.
        hosts: What ``Host`` may be, in lower case, with the port; None for anything.
        schemes: Of origins: http, or https behind a proxy.
        local: Who comes in over the socket of this user, which the system guards; None
            elsewhere.
        headers: Bytes of all headers together.
        audit: Where it is written down who logs in with a link.
    """

    tokens: Tokens
    sessions: Sessions
    hosts: Collection[str] | None
    schemes: Collection[str] = ("http", "https")
    local: Principal | None = None
    headers: int = 32 * 1024
    audit: Audit | None = None


class Gate:
    """Lets in whom the doors know.

    Args:
        app: What is behind it.
        doors: How to tell.
    """

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        send = _hardened(send)
        try:
            headers = self._head(scope["headers"])
            self._check_host(headers)
            self._check_origin(scope, headers)
            path: bytes = scope.get("raw_path") or scope["path"].encode()
            if HOOK.fullmatch(path) is not None and scope["path"].encode() == path:
                pass
            elif (scope["method"].encode(), path) not in PUBLIC:
                scope[PRINCIPAL] = self._principal(scope["method"], headers)
                if _PATH.fullmatch(path) is None or scope["path"].encode() != path:
                    raise Refusal(404, "there is nothing here", "NOT_FOUND")
            elif path == b"/login":
                await self._login(scope, send)
                return
        except AtomitonError as error:
            await _refuse(error, scope, send)
            return
        await self._app(scope, receive, send)

    def _head(self, given: list[tuple[bytes, bytes]]) -> dict[bytes, str]:
        size = sum(len(name) + len(value) for name, value in given)
        if size > self._doors.headers or len(given) > 100:
            raise Refusal(431, "the headers are too large", "LIMIT_EXCEEDED")
        headers: dict[bytes, str] = {}
        for name, value in given:
            if name in headers and name in _SINGLE:
                raise Refusal(400, f"two headers are called {name.decode('latin-1')}")
            headers[name] = value.decode("latin-1")
        return headers

    def _check_host(self, headers: Mapping[bytes, str]) -> None:
        hosts = self._doors.hosts
        host = headers.get(b"host", "").lower()
        if hosts is not None and host not in hosts:
            hint = "; atomiton serve --allow-host adds one"
            raise Refusal(421, f"this server does not go by the name {host[:80]!r}{hint}")

    def _check_origin(self, scope: Scope, headers: Mapping[bytes, str]) -> None:
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin.lower()):
            raise Refusal(403, "requests of other sites are refused")
        site = headers.get(b"sec-fetch-site", "none")
        if site not in ("none", "same-origin") and (
            scope["path"] != "/login" or headers.get(b"sec-fetch-mode") != "navigate"
        ):
            raise Refusal(403, "requests of other sites are refused")

    def _is_own(self, origin: str) -> bool:
        hosts = self._doors.hosts
        if hosts is None:
            return False  # no browser comes in over a socket of files
        return any(
            origin == f"{scheme}://{host}" for scheme in self._doors.schemes for host in hosts
        )

    def _principal(self, method: str, headers: Mapping[bytes, str]) -> Principal:
        if self._doors.local is not None:
            return self._doors.local
        found: Principal | None = None
        authorization = headers.get(b"authorization")
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            if kind.lower() == "bearer":
                found = self._doors.tokens.find(secret.strip())
        else:
            secret = _cookie(headers.get(b"cookie", ""))
            if secret:
                found = self._doors.sessions.find(secret, self._doors.tokens)
            if found is not None and method not in _SAFE and not _is_own_page(headers):
                raise Refusal(
                    403, "with a cookie, changes are asked for by this server's own pages"
                )
        if found is None:
            challenge = {"www-authenticate": 'Bearer realm="atomiton"'}
            raise Refusal(401, "who asks is not known", "UNAUTHENTICATED", challenge)
        return found

    async def _login(self, scope: Scope, send: Send) -> None:
        codes = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("code", [""])
        secret = self._doors.sessions.open(codes[0]) if len(codes) == 1 else None
        if secret is None:
            message = "this login link was used already, is too old, or is none"
            raise Refusal(401, message, "UNAUTHENTICATED")  # not written down: strangers can ask
        self._note_login(secret)
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = (
            f"{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; "
            f"Max-Age={int(SESSION_SECONDS)}{secure}"
        )
        # A page and not a redirect: the cookie is not sent along with one that another site began.
        page = (
            b'<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Atomiton</title>'
        )
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"set-cookie", cookie.encode()),
            (b"content-length", str(len(page)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    def _note_login(self, secret: str) -> None:
        found = self._doors.sessions.find(secret, self._doors.tokens)
        if self._doors.audit is not None and found is not None:
            self._doors.audit.note(found.name, found.role, "GET", "/login", 200)


def _is_own_page(headers: Mapping[bytes, str]) -> bool:
    """Whether a browser says that a page of this server asks; any Origin was checked before."""
    return b"origin" in headers or headers.get(b"sec-fetch-site") == "same-origin"


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _hardened(send: Send) -> Send:
    """Send, with the headers that keep a browser from being used against its user."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
            known = {name.lower() for name, _ in headers}
            headers += [item for item in _HARDENING.items() if item[0] not in known]
            message = {**message, "headers": headers}
        await send(message)

    return wrapped


async def _refuse(error: AtomitonError, scope: Scope, send: Send) -> None:
    status, headers, body = problem_answer(error)
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    if wants_page(accept.decode("latin-1")):
        headers["content-type"] = "text/html; charset=utf-8"
        body = error_page(status, error.message)
    # The body was not read: the connection cannot be used for another request.
    sent = {**headers, "content-length": str(len(body)), "connection": "close"}
    pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
