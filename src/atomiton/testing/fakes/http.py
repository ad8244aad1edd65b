"""A server that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import copy
import fnmatch
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec

from atomiton.blueprint.problems import nearest
from atomiton.errors import NodeError, NotAllowed
from atomiton.ports.capabilities import HttpResponse
from atomiton.testing.results import InTurn, is_error, raised

__all__ = ["FakeHttp", "Reply", "Request", "reply"]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"})
_TEXT = "text/plain; charset=utf-8"


class Request(msgspec.Struct, frozen=True):
    """A request that a node has sent; ``headers`` have lower-case names."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def json(self) -> object:
        """The body, read as JSON."""
        return cast("object", json.loads(self.body or b"null"))

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the address."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


class Reply(msgspec.Struct, frozen=True):
    """What a server answers, and how many seconds it takes for that; see ``reply``."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay: float


def reply(
    body: object = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
) -> Reply:
    """An answer with everything that can be said of one.

    Args:
        body: Bytes, text, or anything else to be sent as JSON.
        status: Its status.
        headers: Its headers; the content type follows from the body unless it is given.
        delay: Seconds until the answer comes; they take no real time in virtual time.

    Example:
        >>> reply({"rate": 2}).headers
        {'content-type': 'application/json'}
    """
    said = {name.lower(): value for name, value in (headers or {}).items()}
    if isinstance(body, bytes):
        content, kind = body, "application/octet-stream"
    elif isinstance(body, str):
        content, kind = body.encode(), _TEXT
    else:
        content, kind = msgspec.json.encode(body), "application/json"
    if content and "content-type" not in said:
        said["content-type"] = kind
    return Reply(status, said, content, delay)


class FakeHttp:
    """``Http`` without a network.

    Args:
        routes: What is asked to what is answered. A key is an address, with a method before it
            (``GET`` unless told, ``*`` for any), and may hold ``*`` for anything. An address
            without a query stands for all queries. A value is an answer from ``reply``, an integer
            (a status), text, bytes, an object (sent as JSON), an error to raise, a function of the
            ``Request``, or several ``in_turn``.

    Attributes:
        requests: What was asked, in order.

    Example:
        >>> http = FakeHttp({
        ...     "https://rates.example/*": {"rate": 2},
        ...     "POST https://shop.example/orders": lambda request: request.json(),
        ... })
        >>> asyncio.run(http.request("GET", "https://rates.example/EUR")).body
        b'{"rate":2}'
    """

    def __init__(self, routes: Mapping[str, object] | None = None) -> None:
        self.requests: list[Request] = []
        self._routes = [_Route(key, answer) for key, answer in (routes or {}).items()]

    def reset(self) -> None:
        """Forget what was asked."""
        self.requests.clear()
        for route in self._routes:
            route.asked = 0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = True,  # noqa: ARG002 - what a test answers leads nowhere else
        on_part: Callable[[bytes], None] | None = None,
    ) -> HttpResponse:
        """Answer as the routes say; ``NotAllowed`` when none of them fits."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        asked = Request(method.upper(), url, named, body)
        self.requests.append(asked)
        route = next((route for route in self._routes if route.fits(asked)), None)
        if route is None:
            raise NotAllowed(f"the test has no answer to {asked.method} {url}{self._hint(asked)}")
        answer = await route.answer(asked)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if answer.delay:
            await asyncio.sleep(answer.delay)
        elapsed = round((loop.time() - began) * 1000, 3)
        if on_part is not None:
            on_part(answer.body)
        return HttpResponse(answer.status, url, dict(answer.headers), answer.body, elapsed)

    def _hint(self, asked: Request) -> str:
        known = [route.key for route in self._routes]
        near = nearest(f"{asked.method} {asked.url}", known) or nearest(asked.url, known)
        if near is not None:
            return f" ({near})"
        return f"; it has answers to {', '.join(known)}" if known else ""


class _Route:
    def __init__(self, key: str, answer: object) -> None:
        self.key = key
        method, _, address = key.rpartition(" ")
        if method and method.upper() not in _METHODS:
            raise ValueError(f"{key!r} is not a route such as 'GET https://rates.example/*'")
        self._method = method.upper() or "GET"
        self._any_query = "?" not in address
        self._address, self._query = _parts(address)
        self._answer = answer
        self.asked = 0

    def fits(self, asked: Request) -> bool:
        if self._method not in ("*", asked.method):
            return False
        address, query = _parts(asked.url)
        return (self._any_query or query == self._query) and fnmatch.fnmatchcase(
            address, self._address
        )

    async def answer(self, asked: Request) -> Reply:
        """What is answered this time."""
        answer = self._answer
        if isinstance(answer, InTurn):
            answer = answer.at(self.asked)
        self.asked += 1
        if is_error(answer):
            raise raised(answer)
        if callable(answer):
            answer = cast("Callable[[Request], object]", answer)(asked)
            if inspect.isawaitable(answer):
                answer = await cast("Awaitable[object]", answer)
            if is_error(answer):
                raise raised(answer)
        if isinstance(answer, Reply):
            return answer
        if isinstance(answer, int) and not isinstance(answer, bool):
            if not 100 <= answer <= 599:
                raise NodeError(f"{answer} is not a status", code="INVALID_INPUT")
            return reply(status=answer)
        return reply(copy.deepcopy(answer))


def _parts(url: str) -> tuple[str, list[tuple[str, str]]]:
    """An address without its query, and the query in an order of its own."""
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(query="", fragment="", path=parts.path or "/"))
    return address, sorted(parse_qsl(parts.query, keep_blank_values=True))
