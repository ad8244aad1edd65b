"""Queues of messages on other machines: streams of NATS and of Redis, by the address given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from atomiton.errors import NodeError
from atomiton.nodes.guard.reach import Reach
from atomiton.ports.capabilities import QueueMessage

#: Scheme of an address to its usual port.
_PORTS = {"nats": 4222, "tls": 4222, "redis": 6379, "rediss": 6379}


class Broker(NamedTuple):
    """A server of queues: where it is, and what lets us in."""

    scheme: str
    host: str
    port: int
    username: str
    password: str
    path: str

    @property
    def secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme in ("tls", "rediss")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def address(self, reach: Reach | None) -> str:
        """What to connect to: an address that may be reached, or a name that TLS will prove.

        Raises:
            NotAllowed: If it is out of reach.
        """
        if reach is None:
            return self.host
        found = await reach.find(self.host, self.port)
        return self.host if self.secure else found[0]


class QueuesGuard:
    """``Queues`` by nats-py and redis-py, which are imported with the first call.

    Args:
        reach: Which addresses servers may have; None for all.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach

    async def publish(self, server: str, queue: str, content: bytes, key: str) -> tuple[str, bool]:
        """Put a message into a queue; gives its id, and whether it was there under that key."""
        broker = read_broker(server)
        if broker.scheme in ("nats", "tls"):
            from atomiton.nodes.guard import queues_nats

            return await queues_nats.publish(broker, self._reach, queue, content, key)
        from atomiton.nodes.guard import queues_redis

        return await queues_redis.publish(broker, self._reach, queue, content, key)

    async def take(
        self, server: str, queue: str, group: str, *, most: int, wait: float, again: float, key: str
    ) -> list[QueueMessage]:
        """Take messages out for a group; those that nobody acknowledges come again."""
        broker = read_broker(server)
        if broker.scheme in ("nats", "tls"):
            from atomiton.nodes.guard import queues_nats

            return await queues_nats.take(broker, self._reach, queue, group, most, wait, again)
        from atomiton.nodes.guard import queues_redis

        return await queues_redis.take(broker, self._reach, queue, group, most, wait, again, key)

    async def acknowledge(self, server: str, queue: str, group: str, ids: Sequence[str]) -> None:
        """Say of messages that they are done with."""
        broker = read_broker(server)
        if broker.scheme in ("nats", "tls"):
            from atomiton.nodes.guard import queues_nats

            return await queues_nats.acknowledge(broker, self._reach, queue, ids)
        from atomiton.nodes.guard import queues_redis

        return await queues_redis.acknowledge(broker, self._reach, queue, group, ids)


def read_broker(server: str) -> Broker:
    """Read an address.

    Raises:
        NodeError: With code INVALID_INPUT: it is none. The message does not repeat it, for it may
            hold a password.

    Example:
        >>> read_broker("redis://:geheim@db.example/2").port
        6379
    """
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        raise _no_address("its port is none") from None
    if parts.scheme not in _PORTS:
        raise _no_address("it begins with none of these")
    if not parts.hostname:
        raise _no_address("it names no host")
    return Broker(
        parts.scheme,
        parts.hostname,
        port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.path.strip("/"),
    )


def _no_address(why: str) -> NodeError:
    message = (
        "server is not the address of a server of queues, such as nats://USER:PASSWORD@HOST:4222 "
        f"or redis://:PASSWORD@HOST:6379/0 (tls:// and rediss:// with TLS): {why}"
    )
    return NodeError(message, code="INVALID_INPUT", details={"parameter": "server"})


def missing(library: str) -> NodeError:
    """The error of a library that is not installed."""
    return NodeError(f"this needs {library}: pip install 'atomiton[queue]'", code="NOT_SUPPORTED")


def text_or_bytes(content: bytes) -> str | bytes:
    r"""The content of a message: text if it is UTF-8.

    Example:
        >>> text_or_bytes(b"caf\xc3\xa9"), text_or_bytes(b"\xff")
        ('café', b'\xff')
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
