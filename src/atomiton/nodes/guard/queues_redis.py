"""Queues as streams of Redis, or of what speaks like it, by redis-py."""

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

#: Name of the field of an entry that holds the message.
FIELD = b"message"
#: Seconds for which a key is remembered, so that a message is not there twice.
REMEMBERED = 86_400
#: Seconds that the server has for an answer, which may be to wait for a message.
_PATIENCE = 330
#: Adds an entry unless one was added under the same key: in one step, or a crash could part them.
_ADD_ONCE = """
local there = redis.call('GET', KEYS[2])
if there then return {there, 1} end
local id = redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], id, 'EX', ARGV[3])
return {id, 0}
"""


async def publish(
    broker: Broker, reach: Reach | None, queue: str, content: bytes, key: str
) -> tuple[str, bool]:
    """See ``Queues.publish``."""
    async with _client(broker, reach, queue) as client:
        mark = f"{{{queue}}}:atomiton:{key}"  # in braces: on one machine of a cluster
        id_, there = await client.eval(_ADD_ONCE, 2, queue, mark, FIELD, content, REMEMBERED)
    return id_.decode(), bool(there)


async def take(
    broker: Broker,
    reach: Reach | None,
    queue: str,
    group: str,
    most: int,
    wait: float,
    again: float,
    key: str,
) -> list[QueueMessage]:
    """See ``Queues.take``: what this key took before and did not acknowledge comes first."""
    redis = _redis()
    async with _client(broker, reach, queue) as client:
        try:
            await client.xgroup_create(queue, group, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        found = _entries(await client.xreadgroup(group, key, {queue: "0"}, count=most))
        if not found:
            claimed = await client.xautoclaim(
                queue, group, key, min_idle_time=round(again * 1000), count=most
            )
            found = claimed[1]
        if not found:
            block = round(wait * 1000) or None
            found = _entries(
                await client.xreadgroup(group, key, {queue: ">"}, count=most, block=block)
            )
    return [_message(id_, fields) for id_, fields in found if fields]


async def acknowledge(
    broker: Broker, reach: Reach | None, queue: str, group: str, ids: Sequence[str]
) -> None:
    """See ``Queues.acknowledge``."""
    async with _client(broker, reach, queue) as client:
        await client.xack(queue, group, *ids)


def _entries(answer: Any) -> Any:  # noqa: ANN401 - as the library has it, untyped
    """The entries of the one stream that was read."""
    return answer[0][1] if answer else []


def _message(id_: bytes, fields: dict[bytes, bytes]) -> QueueMessage:
    if FIELD in fields:
        return {"id": id_.decode(), "content": text_or_bytes(fields[FIELD])}
    # Of a program that names its fields otherwise: all of them, as JSON.
    import json

    said = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
    return {"id": id_.decode(), "content": json.dumps(said, ensure_ascii=False)}


def _redis() -> Any:  # noqa: ANN401 - the library itself
    try:
        return import_module("redis.asyncio") and import_module("redis")
    except ModuleNotFoundError:
        raise missing("redis-py") from None


@contextlib.asynccontextmanager
async def _client(broker: Broker, reach: Reach | None, queue: str) -> AsyncGenerator[Any]:
    """A connection of its own; what goes wrong in it becomes the error of a node."""
    redis = _redis()
    failed = redis.exceptions
    if broker.path and not broker.path.isdecimal():
        message = "the path of a Redis server is the number of its database"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "server"})
    client = redis.asyncio.Redis(
        host=await broker.address(reach),
        port=broker.port,
        db=int(broker.path or 0),
        username=broker.username or None,
        password=broker.password or None,
        ssl=broker.secure,
        socket_connect_timeout=PATIENCE,
        socket_timeout=_PATIENCE,
        retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),  # a blueprint says so itself
        protocol=2,
    )
    try:
        with outside():
            yield client
    except (failed.AuthenticationError, failed.NoPermissionError) as error:
        raise NodeError(f"{broker}: {error}", code="AUTHENTICATION") from None
    except (failed.ConnectionError, failed.TimeoutError, OSError) as error:
        raise NodeError(f"{broker}: {error}", code="CONNECTION") from None
    except failed.ResponseError as error:
        if str(error).startswith("WRONGTYPE"):
            message = f"{broker}: {queue!r} is there, and is no stream"
            raise NodeError(message, code="INVALID_INPUT") from None
        if str(error).startswith("NOAUTH"):
            raise NodeError(f"{broker} wants a password", code="AUTHENTICATION") from None
        raise NodeError(f"{broker}: {error}", code="NODE_FAILED") from None
    finally:
        with contextlib.suppress(failed.RedisError, OSError):
            await client.aclose()
