"""The ``http`` family: requests to other systems."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal, TypedDict, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from atomiton.errors import NodeError
from atomiton.nodes import json as json_family
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Http, HttpResponse, injected

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
#: Answers of which a later try may be better.
PASSING = frozenset({408, 425, 429})
_TEXT = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class Answer(TypedDict):
    """What a server answered; `json` is null when the body is not JSON.

    Attributes:
        status: Such as 200.
        ok: Whether the status is below 400.
        headers: Names in small letters.
        body: Text, or bytes where it is no text.
        json: What the body says, if its content type is JSON; else null.
        url: Where the answer came from, after redirects.
        elapsed_ms: Milliseconds until all of it was there.
    """

    status: int
    ok: bool
    headers: dict[str, str]
    body: object
    json: object
    url: str
    elapsed_ms: float


class Auth(TypedDict, total=False):
    """Credentials: `basic` with `username` and `password`, or `bearer` with `token`."""

    type: Literal["basic", "bearer"]
    username: str
    password: str
    token: str


@node(
    "http.request",
    title="HTTP request",
    icon="globe",
    plain=True,
    example="""
    atomiton: 1
    id: http-example
    inputs:
      url: {type: string, default: "http://127.0.0.1:9000/rate"}
    nodes:
      rate:
        uses: http.request
        with:
          url: ${{ inputs.url }}
          query: {to: EUR}
        retry: {attempts: 3}
        timeout: 10s
    output: ${{ rate.json }}
    """,
)
async def request(
    url: str,
    method: Method = "GET",
    *,
    query: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
    json: object = None,
    body: object = None,
    form: dict[str, object] | None = None,
    auth: Auth | None = None,
    follow_redirects: bool = True,
    fail_on_error: bool = True,
    http: Http = injected,
) -> Answer:
    """Send a request and read the answer.

    A status of 400 or more fails the node; 408, 425, 429 and 500 or more may be tried again. The
    node counts as repeatable: hand the run's id or a key of your own to a server that must not do
    the same thing twice.

    `json` is the value of a body whose Content-Type says JSON. It is null when the body is not
    JSON after all; whoever must be sure parses `body` with `json.parse`, which then fails.
    `headers` have lower-case names; values are read as UTF-8, and as Latin-1 where they are not.

    Args:
        url: Address, with http:// or https://.
        method: What to ask for.
        query: Parameters added to the address; a list gives one for each item, null gives none.
        headers: Headers of the request.
        json: Body, as JSON.
        body: Body, as text or bytes.
        form: Body, as the fields of a form.
        auth: Credentials: `{username, password}` for basic, `{token}` for bearer authentication;
            nothing else is in it but perhaps `type`, `basic` or `bearer`.
        follow_redirects: Whether to go where the server points to.
        fail_on_error: Whether a status of 400 or more fails the node.
        http: The door to other systems.
    """
    content, kind = _content(json, body, form)
    sent = dict(headers or {})
    names = {name.lower() for name in sent}
    if kind and "content-type" not in names:
        sent["Content-Type"] = kind
    if auth is not None:
        sent["Authorization"] = _authorization(auth)
    answer = await http.request(
        method,
        _address(url, query),
        headers=sent,
        body=content,
        follow_redirects=follow_redirects,
    )
    if fail_on_error and answer.status >= 400:
        raise failure(method, answer)
    return read_answer(answer)


def _content(
    json: object, body: object, form: Mapping[str, object] | None
) -> tuple[bytes | None, str | None]:
    """The body of a request, and its type."""
    if sum(part is not None for part in (json, body, form)) > 1:
        raise NodeError("give only one of json, body and form", code="INVALID_INPUT")
    if json is not None:
        return json_family.encode(json), "application/json"
    if form is not None:
        return _encoded(form).encode(), "application/x-www-form-urlencoded"
    if body is None:
        return None, None
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    raise NodeError("body must be text or bytes; give other values as json", code="TYPE_MISMATCH")


def _encoded(fields: Mapping[str, object]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        many = cast("list[object]", value) if isinstance(value, list) else [value]
        pairs += [(name, _text(item)) for item in many if item is not None]
    return urlencode(pairs)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json_family.encode(value).decode()


def _address(url: str, query: Mapping[str, object] | None) -> str:
    if not query:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NodeError(f"{url!r} is not an address", code="INVALID_INPUT") from None
    old = urlencode(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(parts._replace(query="&".join(filter(None, (old, _encoded(query))))))


def _authorization(auth: Auth) -> str:
    known = Auth.__annotations__
    for name in auth:
        if name not in known:
            message = f"auth has no key {name!r}, only {', '.join(known)}"
            raise NodeError(message, code="INVALID_INPUT", details={"parameter": "auth"})
    kind = auth.get("type") or ("bearer" if "token" in auth else "basic")
    if kind == "bearer":
        if not auth.get("token"):
            raise NodeError("auth of type bearer needs token", code="INVALID_INPUT")
        return f"Bearer {auth.get('token')}"
    if "username" not in auth:
        said = "auth needs username and password, or token"
        if "type" in auth:
            said = "auth of type basic needs username"
        raise NodeError(said, code="INVALID_INPUT")
    pair = f"{auth['username']}:{auth.get('password', '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def failure(method: str, answer: HttpResponse) -> NodeError:
    """The error of an answer with a status of 400 or more."""
    status = answer.status
    code = {401: "AUTHENTICATION", 403: "AUTHENTICATION", 404: "NOT_FOUND", 410: "NOT_FOUND"}.get(
        status, "HTTP_STATUS"
    )
    # The query may hold a key; the error is stored and shown.
    place = urlunsplit(urlsplit(answer.url)._replace(query="", fragment=""))
    text = answer.body[:1000].decode(errors="replace")
    return NodeError(
        f"{method} {place} answered {status}",
        code=code,
        retryable=status in PASSING or status >= 500,
        details={"status": status, "url": place, "body": text},
    )


def read_answer(answer: HttpResponse) -> Answer:
    """An answer as nodes give it."""
    kind, _, rest = answer.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    body: object = answer.body
    if is_json or kind.startswith(_TEXT) or kind.endswith("+xml") or not answer.body:
        body = _decoded(answer.body, rest)
    value: object = None
    if is_json and answer.body:
        try:
            value = json_family.decode(answer.body, unique=False)
        except ValueError:
            value = None  # the server says JSON, but it is not; the text is in the body
    return {
        "status": answer.status,
        "ok": answer.status < 400,
        "headers": answer.headers,
        "body": body,
        "json": value,
        "url": answer.url,
        "elapsed_ms": answer.elapsed_ms,
    }


def _decoded(body: bytes, parameters: str) -> str:
    charset = "utf-8"
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'")
    try:
        return body.decode(charset, errors="replace")
    except LookupError:
        return body.decode(errors="replace")
