"""The ``queue`` family: messages in streams of NATS and Redis, to other programs and from them."""

from __future__ import annotations

from typing import TypedDict

from atomiton.blueprint.durations import parse_duration
from atomiton.errors import NodeError
from atomiton.nodes.file import encode
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Attempt, QueueMessage, Queues, injected

#: Largest message that is sent, in bytes: what servers take unless they are told otherwise.
LARGEST = 1024 * 1024
#: Most messages that are taken at once.
MOST = 1000


class Published(TypedDict):
    """A message that is in its queue: its id there, and whether it was there already.

    Attributes:
        id: Its id there.
        duplicate: Whether it was there already.
    """

    id: str
    duplicate: bool


class Consumed(TypedDict):
    """Messages that were taken out, the oldest first.

    Attributes:
        messages: The oldest first.
        ids: Their ids, for `queue.ack`.
        count: How many.
    """

    messages: list[QueueMessage]
    ids: list[str]
    count: int


class Acknowledged(TypedDict):
    """How many messages were done with."""

    count: int


@node(
    "queue.publish",
    title="Publish to a queue",
    icon="send",
    plain=True,
    timeout="1m",
    example="""
    atomiton: 1
    id: queue-publish-example
    inputs:
      broker: {type: string, default: "redis://127.0.0.1:6379"}
    nodes:
      tell:
        uses: queue.publish
        with:
          server: ${{ inputs.broker }}
          queue: orders
          message: {order: 17, total: 99.5}
    output: ${{ tell.id }}
    """,
)
async def publish(
    server: str,
    queue: str,
    message: object,
    *,
    queues: Queues = injected,
    attempt: Attempt = injected,
) -> Published:
    """Put a message into a stream of NATS or Redis. Needs `atomiton[queue]`.

    Repeated under the same key, by a retry or after a crash, the message is there once: Redis
    remembers keys for a day, NATS for as long as the stream says (two minutes, unless told).

    Args:
        server: `nats://USER:PASSWORD@HOST:4222` or `redis://:PASSWORD@HOST:6379/0`, with TLS
            `tls://` or `rediss://`; give one with a password as `${{ secrets.NAME }}`.
        queue: The subject in NATS, which a stream there must take; the key of the stream in Redis,
            which is made if there is none.
        message: Text is sent as UTF-8, bytes as they are, anything else as JSON; up to 1 MiB.
        queues: The door to queues.
        attempt: Names the message.
    """
    _check_name(queue, "queue")
    content = encode(message)
    if len(content) > LARGEST:
        text = f"the message has {len(content)} bytes; at most {LARGEST} are sent"
        raise NodeError(text, code="LIMIT_EXCEEDED", details={"parameter": "message"})
    id_, there = await queues.publish(server, queue, content, attempt.key)
    return {"id": id_, "duplicate": there}


@node(
    "queue.consume",
    title="Consume from a queue",
    icon="inbox",
    plain=True,
    timeout="6m",
    example="""
    atomiton: 1
    id: queue-consume-example
    inputs:
      broker: {type: string, default: "redis://127.0.0.1:6379"}
    nodes:
      tell:
        uses: queue.publish
        with: {server: "${{ inputs.broker }}", queue: orders, message: {order: 17}}
      take:
        uses: queue.consume
        needs: [tell]
        with: {server: "${{ inputs.broker }}", queue: orders, group: billing, most: 10}
      done:
        uses: queue.ack
        with:
          server: ${{ inputs.broker }}
          queue: orders
          group: billing
          ids: ${{ take.ids }}
    output: ${{ take.messages }}
    """,
)
async def consume(
    server: str,
    queue: str,
    group: str,
    *,
    most: int = 1,
    wait: str = "5s",
    redeliver: str = "5m",
    queues: Queues = injected,
    attempt: Attempt = injected,
) -> Consumed:
    """Take messages out of a stream of NATS or Redis, for a group that shares them.

    They are kept until `queue.ack` says that they are done with, so none is lost when a run fails
    or a process dies: what nobody acknowledges comes again. In Redis, the same node that is
    repeated gets the messages it took before. Needs `atomiton[queue]`.

    Args:
        server: `nats://USER:PASSWORD@HOST:4222` or `redis://:PASSWORD@HOST:6379/0`, with TLS
            `tls://` or `rediss://`; give one with a password as `${{ secrets.NAME }}`.
        queue: The subject in NATS, the key of the stream in Redis.
        group: Who shares the messages: each goes to one member of the group. It is made if there is
            none, and begins with the oldest message. In NATS it is a durable consumer, which reads
            one subject.
        most: How many messages at most; up to 1,000.
        wait: How long to wait for the first one, such as `30s`; up to 5m.
        redeliver: How long a message may be worked on before somebody else gets it; a consumer of
            NATS that exists has a time of its own.
        queues: The door to queues.
        attempt: Names who takes them.
    """
    _check_name(queue, "queue")
    _check_name(group, "group", also=".*> ")
    if not 1 <= most <= MOST:
        raise _refused(f"most is 1 to {MOST}", "most")
    seconds, again = _seconds(wait, "wait"), _seconds(redeliver, "redeliver")
    if seconds > 300:
        raise _refused("wait is at most 5m: a trigger can start the run again", "wait")
    if again < 1:
        raise _refused("redeliver is at least 1s", "redeliver")
    found = await queues.take(
        server, queue, group, most=most, wait=seconds, again=again, key=attempt.key
    )
    return {"messages": found, "ids": [of["id"] for of in found], "count": len(found)}


@node(
    "queue.ack",
    title="Acknowledge messages",
    icon="check-check",
    plain=True,
    timeout="1m",
    example="""
    atomiton: 1
    id: queue-ack-example
    inputs:
      broker: {type: string, default: "redis://127.0.0.1:6379"}
    nodes:
      take:
        uses: queue.consume
        with: {server: "${{ inputs.broker }}", queue: orders, group: billing, wait: 100ms}
      done:
        uses: queue.ack
        with:
          server: ${{ inputs.broker }}
          queue: orders
          group: billing
          ids: ${{ take.ids }}
    output: ${{ done.count }}
    """,
)
async def ack(
    server: str, queue: str, group: str, ids: list[str], *, queues: Queues = injected
) -> Acknowledged:
    """Say of messages that they are done with, so that they do not come again.

    Twice does no harm. Put it behind the node that does the work. Needs `atomiton[queue]`.

    Args:
        server: As in `queue.consume`.
        queue: As in `queue.consume`.
        group: As in `queue.consume`.
        ids: The ids of the messages; none is fine.
        queues: The door to queues.
    """
    _check_name(queue, "queue")
    _check_name(group, "group", also=".*> ")
    if ids:
        await queues.acknowledge(server, queue, group, ids)
    return {"count": len(ids)}


def _check_name(name: str, parameter: str, also: str = "") -> None:
    if not name or len(name) > 255 or any(sign < " " or sign in also for sign in name):
        raise _refused(f"{name[:100]!r} can be no {parameter}", parameter)


def _seconds(text: str, parameter: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise _refused(f"{parameter}: {error}", parameter) from None


def _refused(message: str, parameter: str) -> NodeError:
    return NodeError(message, code="INVALID_INPUT", details={"parameter": parameter})
