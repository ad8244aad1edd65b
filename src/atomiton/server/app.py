"""From a request to a conductor and back: every route of the table, behind one wrapper."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import NamedTuple

from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atomiton.conductor import Conductor
from atomiton.conductor.library import Source
from atomiton.conductor.wire import SSE, StartRun
from atomiton.nodes.registry import Registry
from atomiton.server.access import Sessions, Tokens
from atomiton.server.bus import Recent
from atomiton.server.coding import decode_body, decode_query, encode
from atomiton.server.monitor import Monitor
from atomiton.server.pages import error_page, wants_page
from atomiton.server.problems import Refusal, details_of, problem_answer
from atomiton.server.replays import Replays
from atomiton.server.routing import Router
from atomiton.server.streams import HEARTBEAT, Stream
from atomiton.server.table import Call, Principal, Reply, Route, routes
from atomiton.server.webhooks import Hooks

_log = logging.getLogger("atomiton.server")

PRINCIPAL = "atomiton.principal"
"""Under which name the gate leaves who asks, in the scope of a request."""


class Limits(NamedTuple):
    """Bounds of one request.

    Attributes:
        body: Bytes of a body.
        message: Bytes of a message to a webhook, whose sender nobody knows yet.
        messages: Bytes of all such messages that are being read.
        text: Bytes of the text of a blueprint.
        seconds: In which a body must have come in.
        headers: Bytes of all headers.
    """

    body: int = 8 * 1024 * 1024
    message: int = 1024 * 1024
    messages: int = 64 * 1024 * 1024
    text: int = 1024 * 1024
    seconds: float = 30.0
    headers: int = 32 * 1024


@dataclass
class Surroundings:
    """What the routes work with.

    Attributes:
        conductor: Does everything.
        version: Of Atomiton.
        tokens: Who has a token.
        sessions: Who has logged in.
        login: Gives the path of a new login link.
        address: Where the server is on the network; None if it is not.
        limits: Bounds of a request.
        heartbeat: Seconds without an event before a stream says that it is there.
        stopping: Set when the server takes in nothing new.
        replays: Requests that were answered under a key.
        hooks: The webhooks that there are.
        opened: Id of the blueprint that the studio shows first, if any.
        monitor: Watches all of it.
        recent: What was announced lately, for other processes.
        unknown: Bytes of messages that are held for senders whom nobody knows.
    """

    conductor: Conductor
    version: str = ""
    _: KW_ONLY
    tokens: Tokens
    sessions: Sessions
    login: Callable[[], str] | None = None
    address: str | None = None
    limits: Limits = field(default_factory=Limits)
    heartbeat: float = HEARTBEAT
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    replays: Replays = field(default_factory=Replays)
    hooks: Hooks = field(default_factory=Hooks)
    opened: str | None = None
    monitor: Monitor = field(init=False)
    recent: Recent = field(init=False)
    unknown: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Begin to watch."""
        self.recent = Recent(self.conductor.bus)
        self.monitor = Monitor(self.conductor, self.tokens.folder)

    @property
    def registry(self) -> Registry:
        """The node types."""
        return self.conductor.library.registry

    async def source(self, asked: StartRun) -> Source:
        """What a run is to be of."""
        if asked.source is not None:
            return await self.conductor.read(asked.source)
        if asked.document is not None:
            from atomiton.blueprint.document import read_document

            return read_document(asked.document)
        return asked.blueprint or ""

    def openapi(self) -> dict[str, object]:
        """The description of the API."""
        return self._openapi

    @cached_property
    def _openapi(self) -> dict[str, object]:
        from atomiton.server.openapi import describe_api

        return describe_api(routes(), self.version)


class Answer(NamedTuple):
    """What is sent back, all of it."""

    status: int
    headers: dict[str, str]
    body: bytes


def make_app(around: Surroundings) -> ASGIApp:
    """The application without its gate: it takes whom the gate says it is."""
    router = Router((of.method, of.path, _Endpoint(of, around)) for of in routes())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = router.find(scope["method"], scope["path"])
        if found is not None:
            scope["path_params"] = found.params
            await found.target(scope, receive, send)
            return
        methods = router.methods(scope["path"])
        refusal = Refusal(404, "there is nothing here", "NOT_FOUND")
        if methods:
            allowed = {"allow": ", ".join(methods)}
            refusal = Refusal(405, "this cannot be done here", "NOT_ALLOWED", allowed)
        await _send(send, _told(refusal, _headers(scope)))

    return app


class _Endpoint:
    """One route: who may, what was sent, what is answered."""

    def __init__(self, route: Route, around: Surroundings) -> None:
        self._route = route
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = _headers(scope)
        began = time.monotonic()
        self._around.monitor.asked(headers)
        try:
            # Before a byte of the body is read.
            principal = self._admit(scope)
            if self._route.first is not None:
                await self._route.first(self._call(scope, headers, principal, None))
            body = await self._read(headers, receive)
            try:
                done = await self._answer(scope, headers, principal, body)
            finally:
                self._forget(len(body))
        except Exception as error:  # whatever it was, the client is told, and nothing else ends
            done = _told(error, headers)
        self._note(scope, headers, done, time.monotonic() - began)
        if isinstance(done, Stream):
            response = StreamingResponse(
                done.pieces,
                media_type=SSE,
                headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            )
            await response(scope, receive, send)
        else:
            await _send(send, done)

    def _note(
        self, scope: Scope, headers: Mapping[str, str], done: Answer | Stream, seconds: float
    ) -> None:
        """Count a request, and write down who has asked for it if it was to change something."""
        route, monitor = self._route, self._around.monitor
        status = 200 if isinstance(done, Stream) else done.status
        monitor.request(route.method, route.path, status, seconds)
        location = "" if isinstance(done, Stream) else done.headers.get("location", "")
        run = location.rpartition("/")[2] if "/runs/" in location else ""
        if run:
            monitor.caused(run, headers)
        monitor.answered()
        if (route.method != "GET" and route.body is not bytes) or status == 403:
            principal = scope.get(PRINCIPAL)
            who, role = "", ""
            if isinstance(principal, Principal):
                who, role = principal.name, principal.role
            monitor.audit.note(who, role, route.method, scope["path"], status, run)

    def _admit(self, scope: Scope) -> Principal:
        principal = scope.get(PRINCIPAL)
        role = self._route.role
        if role is None:
            return Principal("", "viewer")
        if not isinstance(principal, Principal):
            raise Refusal(401, "who asks is not known", "UNAUTHENTICATED")
        if not principal.may(role):
            raise Refusal(
                403, f"this needs the role {role}; '{principal.name}' is a {principal.role}"
            )
        return principal

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        limits = self._around.limits
        if self._route.body is None:
            return b""
        most = limits.text if self._route.body is str else limits.body
        if self._route.body is bytes:
            most = limits.message
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > most:
            raise Refusal(413, f"a body has at most {most} bytes", "LIMIT_EXCEEDED")
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the client has gone")
                    piece: bytes = message.get("body", b"")
                    self._hold(len(piece))
                    size += len(piece)
                    if size > most:
                        raise Refusal(413, f"a body has at most {most} bytes", "LIMIT_EXCEEDED")
                    pieces.append(piece)
                    if not message.get("more_body", False):
                        return b"".join(pieces)
        except TimeoutError as error:
            self._forget(size)
            raise Refusal(408, f"the body took over {limits.seconds} s", "TIMEOUT") from error
        except BaseException:
            self._forget(size)
            raise

    def _hold(self, size: int) -> None:
        """Count bytes of somebody who is not known yet."""
        if self._route.role is None:
            self._around.unknown += size
            if self._around.unknown > self._around.limits.messages:
                self._around.unknown -= size
                message = "too many messages are being read; send it again in a while"
                raise Refusal(503, message, "UNAVAILABLE", {"retry-after": "5"})

    def _forget(self, size: int) -> None:
        if self._route.role is None:
            self._around.unknown -= size

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], principal: Principal, body: bytes
    ) -> Answer | Stream:
        keyed = self._route.method == "POST" and self._route.role is not None
        key = headers.get("idempotency-key") if keyed else None
        if key is None:
            return await self._handle(scope, headers, principal, body, None)
        if not 0 < len(key) <= 255:
            raise Refusal(400, "an Idempotency-Key has 1 to 255 characters", "INVALID_INPUT")
        asked = "\n".join([scope["path"], *(headers.get(name, "") for name in _SHAPING)])

        async def work() -> Answer:
            try:
                done = await self._handle(scope, headers, principal, body, key)
            except Exception as error:  # it is told, and told again to who asks again
                return _told(error, headers)
            assert isinstance(done, Answer)
            return done

        return await self._around.replays.once((principal.name, key), asked, body, work)

    def _call(
        self, scope: Scope, headers: Mapping[str, str], principal: Principal, key: str | None
    ) -> Call:
        call = Call(self._around, principal, scope.get("path_params", {}), headers, key=key)
        call.method = scope["method"]
        call.search = scope.get("query_string", b"").decode("latin-1")
        return call

    async def _handle(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        principal: Principal,
        body: bytes,
        key: str | None,
    ) -> Answer | Stream:
        route = self._route
        call = self._call(scope, headers, principal, key)
        if route.query is not None:
            call.query = decode_query(scope.get("query_string", b""), route.query)
        if route.body is str:
            call.text = _text(body)
        elif route.body is bytes:
            call.raw = body
        elif route.body is not None:
            call.body = decode_body(body, headers.get("content-type", ""), route.body)
        done = await route.handler(call)
        if isinstance(done, Stream):
            return done
        reply = done if isinstance(done, Reply) else Reply(done, route.status)
        if isinstance(reply.value, bytes):
            return Answer(reply.status, reply.headers, reply.value)
        if isinstance(reply.value, str):  # a page
            return Answer(
                reply.status,
                {"content-type": "text/html; charset=utf-8", **reply.headers},
                reply.value.encode(),
            )
        if reply.status in (204, 304):
            return Answer(reply.status, reply.headers, b"")
        encoded, kind = encode(reply.value, headers.get("accept", ""))
        return Answer(reply.status, {"content-type": kind, **reply.headers}, encoded)


_SHAPING = ("accept", "content-type")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(422, f"the text is not UTF-8: {error}", "INVALID_BLUEPRINT") from error


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _told(error: Exception, headers: Mapping[str, str]) -> Answer:
    if wants_page(headers.get("accept", "")):
        details = details_of(error)
        page = error_page(details.status, details.detail)
        return Answer(details.status, {"content-type": "text/html; charset=utf-8"}, page)
    return Answer(*problem_answer(error))


async def _send(send: Send, answer: Answer) -> None:
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    if answer.status in (204, 304):
        del headers["content-length"]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
