"""Queues as streams of NATS (JetStream), by nats-py."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from importlib import import_module
from typing import Any

from atomiton.errors import NodeError
from atomiton.nodes.guard.dialing import PATIENCE
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.queues import Broker, missing, text_or_bytes
from atomiton.nodes.guard.reach import Reach
from atomiton.ports.capabilities import QueueMessage

#: Seconds that the server has for an answer; it waits for messages on top of that.
_ANSWER = 10.0
#: Seconds for what is there already to come.
_MORE = 0.2


async def publish(
    broker: Broker, reach: Reach | None, queue: str, content: bytes, key: str
) -> tuple[str, bool]:
    """See ``Queues.publish``: the server remembers keys for as long as its stream says."""
    async with _client(broker, reach, queue) as client:
        done = await client.jetstream(timeout=_ANSWER).publish(
            queue, content, headers={"Nats-Msg-Id": key}
        )
    return f"{done.stream}/{done.seq}", bool(done.duplicate)


async def take(
    broker: Broker,
    reach: Reach | None,
    queue: str,
    group: str,
    most: int,
    wait: float,
    again: float,
) -> list[QueueMessage]:
    """See ``Queues.take``: the group is a durable consumer, which is made if there is none."""
    nats = _nats()
    async with _client(broker, reach, queue) as client:
        config = nats.js.api.ConsumerConfig(ack_wait=again)
        stream = client.jetstream(timeout=_ANSWER)
        reader = await stream.pull_subscribe(queue, durable=group, config=config)
        reads = (await reader.consumer_info()).config.filter_subject
        if reads != queue:
            message = f"{broker}: the group {group!r} reads {reads!r}: give one for each queue"
            raise NodeError(message, code="INVALID_INPUT", details={"parameter": "group"})
        found: list[Any] = []
        with contextlib.suppress(TimeoutError):
            # Asked for more than there is, the library waits for all of it: first one, then more.
            found += await reader.fetch(1, timeout=max(wait, _MORE))
            if most > 1:
                found += await reader.fetch(most - 1, timeout=_MORE)
    return [{"id": of.reply, "content": text_or_bytes(of.data)} for of in found]


async def acknowledge(broker: Broker, reach: Reach | None, queue: str, ids: Sequence[str]) -> None:
    """See ``Queues.acknowledge``; each is answered by the server."""
    for id_ in ids:
        if not id_.startswith("$JS.ACK."):
            message = f"{id_[:100]!r} is not the id of a message that queue.consume gave"
            raise NodeError(message, code="INVALID_INPUT", details={"parameter": "ids"})
    async with _client(broker, reach, queue) as client:
        for id_ in ids:
            await client.request(id_, b"+ACK", timeout=_ANSWER)


def _nats() -> Any:  # noqa: ANN401 - the library itself, which has no types
    try:
        for name in ("nats.errors", "nats.js.api", "nats.js.errors"):
            import_module(name)
        return import_module("nats")
    except ModuleNotFoundError:
        raise missing("nats-py") from None


async def _silent(_error: Exception) -> None:
    """Errors are raised where they belong; the library would also print them."""


@contextlib.asynccontextmanager
async def _client(broker: Broker, reach: Reach | None, queue: str) -> AsyncGenerator[Any]:
    """A connection of its own; what goes wrong in it becomes the error of a node."""
    nats = _nats()
    place = await broker.address(reach)
    host = f"[{place}]" if ":" in place else place
    more = {"user": broker.username, "password": broker.password} if broker.username else {}
    client = nats.NATS()
    try:
        with outside():
            # No other server: this one could name machines to go to that are out of reach.
            await client.connect(
                f"{broker.scheme}://{host}:{broker.port}",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=PATIENCE,
                error_cb=_silent,
                **more,
            )
            yield client
    except nats.errors.AuthorizationError:
        raise NodeError(f"{broker} refused the credentials", code="AUTHENTICATION") from None
    except (nats.js.errors.NoStreamResponseError, nats.js.errors.NotFoundError):
        message = f"{broker}: no stream takes {queue!r}: make one, with 'nats stream add'"
        raise NodeError(message, code="NOT_FOUND") from None
    except nats.errors.BadSubjectError:
        message = f"{queue[:100]!r} is not a subject of NATS"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "queue"}) from None
    except (nats.errors.Error, OSError, TimeoutError) as error:
        if "authorization" in str(error).lower():
            raise NodeError(f"{broker} refused the credentials", code="AUTHENTICATION") from None
        raise NodeError(f"{broker}: {error}", code="CONNECTION") from None
    finally:
        await client.close()
