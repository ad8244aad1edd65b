"""The ``webhook`` family: signed messages to other systems."""

from __future__ import annotations

import hashlib
from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes import json as json_family
from atomiton.nodes.http import failure, read_answer
from atomiton.nodes.signing import webhook_key, webhook_signature
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, Clock, Http, injected

#: Headers that the node itself writes.
_OURS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature", "content-type"})


class Sent(TypedDict):
    """What the receiver answered, and the id of the message; `json` is null when it is not JSON.

    Attributes:
        id: Id of the message.
        status: What the receiver answered with, such as 200.
        body: Its answer, as text.
        json: Its answer as JSON; null when it is none.
    """

    id: str
    status: int
    body: object
    json: object


@node(
    "webhook.send",
    title="Send webhook",
    icon="webhook",
    plain=True,
    example="""
    atomiton: 1
    id: webhook-send-example
    inputs:
      url: {type: string, default: "http://127.0.0.1:9000/hooks/orders"}
    secrets: [SIGNING_KEY]
    nodes:
      tell:
        uses: webhook.send
        with:
          url: ${{ inputs.url }}
          secret: ${{ secrets.SIGNING_KEY }}
          payload: {type: order.paid, data: {id: 7}}
        retry: {attempts: 5}
        timeout: 15s
    output: ${{ tell.status }}
    """,
)
async def send(
    url: str,
    payload: object,
    secret: str,
    *,
    id_: str | None = None,
    headers: dict[str, str] | None = None,
    http: Http = injected,
    clock: Clock = injected,
    attempt: Attempt = injected,
) -> Sent:
    """Send a message as JSON, signed as Standard Webhooks has it, which Atomiton's own hooks take.

    The id of the message is the same however often this node of this run tries, so a receiver that
    looks at `webhook-id` does the same thing only once: the node may be repeated. The signature is
    that of HMAC-SHA256 over `ID.TIMESTAMP.BODY`. Redirects are not followed.

    A status of 300 or more fails the node; 408, 425, 429 and 500 or more may be tried again.

    Args:
        url: Address, with http:// or https://.
        payload: The message; any value.
        secret: What is shared with the receiver: `whsec_` and Base64, or any text; give it as
            `${{ secrets.NAME }}`.
        id_: Id of the message; by default one made of the run and the node.
        headers: More headers.
        http: The door to other systems.
        clock: Says when it is sent.
        attempt: Says which run and node this is.
    """
    try:
        key = webhook_key(secret)
    except ValueError as error:
        raise _refused(str(error), "secret") from None
    if not key:
        raise _refused("the secret is empty", "secret")
    message = id_ if id_ is not None else _id(attempt.key)
    if not 0 < len(message) <= 200 or not message.isascii() or not message.isprintable():
        raise _refused("id must have from 1 to 200 printable characters of ASCII", "id")
    for name in headers or {}:
        if name.lower() in _OURS:
            raise _refused(f"the header {name!r} is written by the node itself", "headers")
    body = json_family.encode(payload)
    stamp = str(int(clock.now()))
    signed = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{webhook_signature(key, message, stamp, body)}",
    }
    answer = await http.request(
        "POST", url, headers={**(headers or {}), **signed}, body=body, follow_redirects=False
    )
    if answer.status >= 300:
        raise failure("POST", answer)
    read = read_answer(answer)
    return {"id": message, "status": read["status"], "body": read["body"], "json": read["json"]}


def _id(key: str) -> str:
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _refused(message: str, parameter: str) -> NodeError:
    return NodeError(message, code="INVALID_INPUT", details={"parameter": parameter})
