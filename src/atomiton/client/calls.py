"""Calls of the API: written down, sent, sent again when that is safe, and read."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from atomiton.client.http import Answer, Http, Lost
from atomiton.client.streams import Sent, read_events
from atomiton.conductor.run import Run, checked_id
from atomiton.conductor.wire import MSGPACK, PREFIX, SSE, Asking, ProblemDetails, error_of
from atomiton.errors import AtomitonError, Unavailable

T = TypeVar("T")
#: Seconds between tries: the first, and the longest.
_FIRST, _LONGEST = 0.05, 2.0
#: Seconds without a sign of life after which a stream counts as lost.
_SILENCE = 45.0


class Calls:
    """Sends calls to a server.

    Args:
        http: The way there.
        patience: Seconds for which a call is tried again when the server cannot be reached.
    """

    def __init__(self, http: Http, patience: float) -> None:
        self.http = http
        self._patience = patience

    async def get(self, path: str, type_: type[T], query: Asking | None = None) -> T:
        """Look something up."""
        return self._read(await self._ask("GET", _target(path, query), {}), type_)

    async def wait(self, path: str, query: Asking, seconds: float) -> Answer:
        """Ask for something that may take the server some seconds."""
        answer = await self._ask("GET", _target(path, query), {}, patience=seconds)
        _check(answer)
        return answer

    async def post(
        self,
        path: str,
        body: Asking | None,
        type_: type[T],
        headers: dict[str, str] | None = None,
    ) -> T:
        """Ask for something to be done: once, however often it has to be sent."""
        given = {"idempotency-key": secrets.token_urlsafe(18), **(headers or {})}
        encoded = b""
        if body is not None:
            given["content-type"] = MSGPACK
            encoded = msgspec.msgpack.encode(body)
        return self._read(await self._ask("POST", _target(path), given, encoded), type_)

    async def put(
        self, path: str, text: str, type_: type[T], headers: dict[str, str] | None = None
    ) -> T:
        """Send the text of a blueprint."""
        given = {"content-type": "application/yaml; charset=utf-8", **(headers or {})}
        return self._read(await self._ask("PUT", _target(path), given, text.encode()), type_)

    async def delete(self, path: str, headers: dict[str, str] | None = None) -> None:
        """Take something away."""
        _check(await self._ask("DELETE", _target(path), headers or {}))

    async def _ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        patience: float = 0.0,
    ) -> Answer:
        sent = {"accept": f"{MSGPACK}, application/json;q=0.5", **headers}
        end = asyncio.get_running_loop().time() + self._patience
        pause = _FIRST
        while True:
            try:
                answer = await self.http.ask(method, target, sent, body, patience=patience)
                if answer.status != 503:
                    return answer
                _check(answer)
                return answer  # not ready, which is an answer
            except Unavailable as error:
                # What changes something without a key is sent once only.
                safe = method == "GET" or "idempotency-key" in headers
                unsent = isinstance(error, Lost) and not error.sent
                if not (safe or unsent) or asyncio.get_running_loop().time() + pause > end:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - not secret
            pause = min(pause * 2, _LONGEST)

    async def stream(
        self, path: str, query: Asking | None = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[Sent]:
        """Read a stream of events until it ends or is lost.

        Raises:
            Lost: It has ended without saying so.
        """
        target = _target(path, query)
        given = {"accept": SSE, **(headers or {})}
        async with self.http.open("GET", target, given) as (head, pieces):
            if head.status != 200:
                body = b"".join([piece async for piece in pieces])
                _check(Answer(head.status, head.headers, body))
            events = aiter(read_events(pieces))
            while True:
                try:
                    async with asyncio.timeout(_SILENCE):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise Lost("the stream has fallen silent", sent=True) from error
                if event is not None:
                    yield event

    def _read(self, answer: Answer, type_: type[T]) -> T:
        _check(answer)
        return read_answer(answer, type_)


def read_answer(answer: Answer, type_: type[T]) -> T:
    """Read what was answered; ``AtomitonError`` if it is something else."""
    try:
        if answer.headers.get("content-type", "").startswith(MSGPACK):
            return msgspec.msgpack.decode(answer.body, type=type_)
        return msgspec.json.decode(answer.body, type=type_)
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"the server has answered what this version cannot read: {error}"
        raise AtomitonError(message, code="NOT_SUPPORTED") from error


def _check(answer: Answer) -> None:
    """Raise the error that a server told of."""
    if answer.status < 400:
        return
    with suppress(msgspec.MsgspecError, ValueError):
        raise error_of(msgspec.json.decode(answer.body, type=ProblemDetails))
    code = "UNAVAILABLE" if answer.status >= 500 else "NOT_SUPPORTED"
    message = f"the server has answered {answer.status}, and not as Atomiton does"
    raise (Unavailable(message) if code == "UNAVAILABLE" else AtomitonError(message, code=code))


def _target(path: str, query: Asking | None = None) -> str:
    given: dict[str, object] = {} if query is None else msgspec.to_builtins(query)
    return f"{PREFIX}{path}" + (f"?{urlencode(given)}" if given else "")


def part(name: str) -> str:
    """A name as a part of a path; one that cannot be is sent as one that nothing has.

    Example:
        >>> part("run_1"), part("../x")
        ('run_1', '~')
    """
    if isinstance(cast("object", name), Run):
        checked_id(name)  # which refuses it
    return name if name and quote(name, safe="@") == name and name not in (".", "..") else "~"
