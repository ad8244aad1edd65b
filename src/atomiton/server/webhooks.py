"""Webhooks: requests of others that start runs, signed as Standard Webhooks has it.

The id of a message is the key of its run: a message that is sent again, or replayed within the
window of its time stamp, starts nothing again, in this process or any other.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import parse_qsl

import msgspec

from atomiton.blueprint.durations import read_rate
from atomiton.conductor import Conductor
from atomiton.conductor.result import RunResult
from atomiton.conductor.wire import JSON, PREFIX, Started
from atomiton.errors import AtomitonError
from atomiton.nodes.signing import webhook_key, webhook_signature
from atomiton.ports.triggers import Trigger
from atomiton.server.coding import media_type
from atomiton.server.problems import Refusal
from atomiton.server.table import Call, Reply, Route

_log = logging.getLogger("atomiton.server")

#: Seconds by which the time stamp of a message may differ from ours.
WINDOW = 300.0
#: Seconds for which a sender waits for the result of a run.
PATIENCE = 30.0
#: Most characters of the id of a message.
_LONGEST = 200
#: Seconds for which it is known which webhooks there are.
_KNOWN = 1.0
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
#: Headers of an answer that are the server's own business.
_OURS = frozenset(
    {
        "connection", "content-length", "content-security-policy", "date", "keep-alive",
        "server", "set-cookie", "trailer", "transfer-encoding", "upgrade",
        "x-content-type-options", "x-frame-options",
    }
)  # fmt: skip
#: Headers of a request that a run does not see.
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})


class Hooks:
    """The webhooks of the kept blueprints, by method and path; looked up anew now and then."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Trigger] = {}
        self._at = 0.0
        self._looking = asyncio.Lock()
        #: What is wrong with them, and was written to the log.
        self._told: set[str] = set()
        #: When the latest messages came, by trigger, of those that have a rate.
        self._came: dict[str, deque[float]] = {}

    async def find(self, call: Call, method: str, path: str) -> Trigger | None:
        """The trigger of a webhook; None if there is none, or it is paused."""
        async with self._looking:
            if time.monotonic() - self._at > _KNOWN:
                await self._look(call.around.conductor)
        return self._found.get((method, path))

    async def _look(self, conductor: Conductor) -> None:
        places: dict[tuple[str, str], list[Trigger]] = {}
        for trigger in await conductor.triggers("webhook"):
            fires = not trigger.fired.paused and trigger.invalid is None
            if fires:
                settings = trigger.settings
                place = (str(settings.get("method", "POST")), str(settings["path"]).strip("/"))
                places.setdefault(place, []).append(trigger)
        wrong = _wrong_with(places, conductor)
        for problem in wrong:
            if problem not in self._told:
                _log.warning("%s", problem)
        self._told = set(wrong)
        self._found = {place: triggers[0] for place, triggers in places.items()}
        self._at = time.monotonic()

    def count(self, trigger: Trigger) -> None:
        """Count a message of a webhook that has a rate; ``Refusal`` if it is over it."""
        rate = trigger.settings.get("rate")
        if rate is None:
            return
        runs, seconds = read_rate(str(rate))
        came, now = self._came.setdefault(trigger.id, deque()), time.monotonic()
        while came and came[0] <= now - seconds:
            came.popleft()
        if len(came) >= runs:
            wait = max(1, math.ceil(came[0] + seconds - now))
            message = f"this webhook takes {rate}; send it again in {wait} s"
            raise Refusal(429, message, "LIMIT_EXCEEDED", {"retry-after": str(wait)})
        came.append(now)


def _wrong_with(
    places: Mapping[tuple[str, str], Sequence[Trigger]], conductor: Conductor
) -> list[str]:
    """What keeps webhooks from taking messages, in words."""
    wrong: list[str] = []
    for (method, path), triggers in places.items():
        if len(triggers) > 1:
            ids = [trigger.id for trigger in triggers]
            wrong.append(
                f"the webhooks {', '.join(ids[:-1])} and {ids[-1]} have one path, "
                f"{method} /hooks/{path}: {ids[0]} alone takes its messages"
            )
        for trigger in triggers:
            why = _wrong_secret(trigger.settings.get("secret"), conductor)
            if why is not None:
                wrong.append(f"the webhook {trigger.id} refuses every message: {why}")
    return wrong


def _wrong_secret(name: object, conductor: Conductor) -> str | None:
    if name == "none":
        return None
    if name is None:
        return "it says no secret; `secret: none` would take what nobody signed"
    secret = conductor.secret(str(name))
    if not secret:
        return f"its secret {name} is not known here; atomiton secrets set {name} keeps it"
    try:
        _key(secret)
    except Refusal:
        return f"its secret {name} is not Base64 after whsec_"
    return None


def check_signature(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Check that a message is from who knows the secret; gives its id.

    Args:
        secret: ``whsec_`` and Base64, or any text.
        headers: In lower case; ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.
        body: To the byte.
        now: Seconds since 1970, UTC.

    Raises:
        Refusal: It is not, or is too old.

    Example:
        >>> key, body = b"secret", b"{}"
        >>> signature = webhook_signature(key, "m1", "1000", body)
        >>> headers = {
        ...     "webhook-id": "m1",
        ...     "webhook-timestamp": "1000",
        ...     "webhook-signature": f"v1,{signature}",
        ... }
        >>> check_signature("secret", headers, body, 1010.0)
        'm1'
    """
    id_, stamp = check_head(headers, now)
    right = webhook_signature(_key(secret), id_, stamp, body)
    for part in headers.get("webhook-signature", "").split():
        version, _, given = part.partition(",")
        if version == "v1" and hmac.compare_digest(given.encode(), right.encode()):
            return id_
    raise Refusal(401, "the signature of the message is not right", "UNAUTHENTICATED")


def check_head(headers: Mapping[str, str], now: float) -> tuple[str, str]:
    """Check what a signature is about, but not the signature; gives the id and the time stamp.

    Raises:
        Refusal: It is not there, or too old.
    """
    id_, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not 0 < len(id_) <= _LONGEST or not stamp.isdecimal() or len(stamp) > 12 or not given:
        raise Refusal(401, "this webhook takes signed messages only", "UNAUTHENTICATED")
    if abs(now - int(stamp)) > WINDOW:
        raise Refusal(401, "the time stamp of the message is too far from now", "UNAUTHENTICATED")
    return id_, stamp


def _key(secret: str) -> bytes:
    try:
        return webhook_key(secret)
    except ValueError as error:
        message = "the secret of this webhook is not Base64 after whsec_"
        raise Refusal(503, message, "UNAVAILABLE") from error


async def refuse(call: Call) -> None:
    """Refuse a message by its head alone, before a byte of its body is read."""
    trigger = await _trigger(call)
    name = trigger.settings.get("secret")
    if name == "none":
        _key_of(call.headers)
        call.around.hooks.count(trigger)
    elif name is None:
        message = "this webhook says no secret; `secret: none` would take what nobody signed"
        raise Refusal(403, message)
    else:
        _secret(call, str(name))
        check_head(call.headers, time.time())


async def _trigger(call: Call) -> Trigger:
    trigger = await call.around.hooks.find(call, call.method, call.params["hook"])
    if trigger is None:
        raise Refusal(404, "there is no such webhook", "NOT_FOUND")
    return trigger


async def receive(call: Call) -> Reply:
    """Take a message, and start the run of its webhook."""
    trigger = await _trigger(call)
    key = _check(call, trigger)
    conductor = call.around.conductor
    given = {
        "body": _body(call.raw, call.headers.get("content-type", "")),
        "headers": {name: of for name, of in call.headers.items() if name not in _SECRET},
        "query": dict(parse_qsl(call.search, keep_blank_values=True, max_num_fields=1000)),
    }
    run = await conductor.fire(trigger, given, key=key)
    location = {"location": f"{PREFIX}/runs/{run.id}"}
    if trigger.settings.get("respond", "accepted") == "accepted":
        return Reply(Started(run.id), 202, location)
    try:
        async with asyncio.timeout(PATIENCE):
            return _answer(await run.result())
    except TimeoutError:
        return Reply(Started(run.id), 202, location)


def _check(call: Call, trigger: Trigger) -> str | None:
    """The key of a message, once it is clear that it may start a run."""
    name = trigger.settings.get("secret")
    if name == "none":
        return _key_of(call.headers)
    key = check_signature(_secret(call, str(name)), call.headers, call.raw, time.time())
    call.around.hooks.count(trigger)  # only who may send can use it up
    return key


def _key_of(headers: Mapping[str, str]) -> str | None:
    """What names a message that nobody signed."""
    key = headers.get("webhook-id") or headers.get("idempotency-key")
    if key is not None and len(key) > _LONGEST:
        message = f"the id of a message has at most {_LONGEST} characters"
        raise Refusal(422, message, "INVALID_INPUT")
    return key


def _secret(call: Call, name: str) -> str:
    secret = call.around.conductor.secret(name)
    if not secret:
        raise Refusal(503, "the secret of this webhook is not known here", "UNAVAILABLE")
    return secret


def _body(raw: bytes, content_type: str) -> object:
    """What was sent, as its type says."""
    kind = media_type(content_type)
    if not raw:
        return None
    if kind == JSON or kind.endswith("+json"):
        try:
            return msgspec.json.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise AtomitonError(f"the body: {error}", code="INVALID_INPUT") from error
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=1000))
        if kind.startswith("text/"):
            return raw.decode()
    except ValueError as error:
        raise AtomitonError(f"the body: {error}", code="INVALID_INPUT") from error
    return raw


def _answer(result: RunResult) -> Reply:
    """What a run that has ended says to the sender."""
    headers = {"x-atomiton-run": result.run}
    if not result.ok:
        code = "" if result.error is None else f" [{result.error.code}]"
        raise Refusal(500, f"run {result.run} is {result.status}{code}", "NODE_FAILED")
    output: object = result.output
    given = _fields(output)
    status = given.get("status")
    if isinstance(status, int) and 200 <= status <= 599 and given.keys() <= _ANSWER:
        headers.update(_headers(given.get("headers")))
        return Reply(_sent(given.get("body"), headers), status, headers)
    return Reply(_sent(output, headers), 200, headers)


def _fields(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


_ANSWER = frozenset({"status", "headers", "body"})


def _headers(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    named = {
        str(name).lower(): str(value) for name, value in cast("dict[object, object]", given).items()
    }
    return {
        name: value
        for name, value in named.items()
        if _HEADER.fullmatch(name)
        and name not in _OURS
        and value.isprintable()
        and value.isascii()
        and len(value) <= 1000
    }


def _sent(body: object, headers: dict[str, str]) -> object:
    """The body of an answer: bytes and text as they are, everything else as JSON."""
    if isinstance(body, bytes):
        headers.setdefault("content-type", "application/octet-stream")
        return body
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        return body.encode()
    return body


def _route(method: str) -> Route:
    return Route(
        method,
        "/hooks/{hook}",
        None,
        receive,
        "Start the run of a webhook",
        bytes,
        status=202,
        answer=Started,
        first=refuse,
    )


ROUTES = tuple(_route(method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE"))
