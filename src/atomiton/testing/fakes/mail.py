"""A mail server that keeps what it is given, and doors that stay shut."""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import NoReturn

import msgspec

from atomiton.errors import NotAllowed

__all__ = ["ClosedMail", "ClosedObjects", "FakeMail", "SentMail"]


class SentMail(msgspec.Struct, frozen=True):
    """A message that a node has sent, and for whom the server was to take it."""

    server: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def message(self) -> EmailMessage:
        """The message, read."""
        return message_from_bytes(self.content, policy=default)


class FakeMail:
    """``Mail`` that keeps what is sent.

    Args:
        refused: Recipients that are refused, with the reasons.

    Attributes:
        sent: The messages, in their order.

    Example:
        >>> FakeMail().sent
        []
    """

    def __init__(self, refused: dict[str, str] | None = None) -> None:
        self._refused = dict(refused or {})
        self.sent: list[SentMail] = []

    def reset(self) -> None:
        """Forget everything."""
        self.sent.clear()

    async def send(
        self, server: str, sender: str, recipients: Sequence[str], message: bytes
    ) -> dict[str, str]:
        """Keep a message; see ``Mail.send``."""
        self.sent.append(SentMail(server, sender, tuple(recipients), message))
        return {to: self._refused[to] for to in recipients if to in self._refused}


class ClosedMail:
    """``Mail`` where none is sent."""

    async def send(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise NotAllowed("a test sends no mail: let something stand in for the node, by 'replace'")


class ClosedObjects:
    """``Objects``, ``Sftp`` and ``Ftp`` that nobody reaches."""

    async def get(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise NotAllowed(
            "a test reaches no store: let something stand in for the node, by 'replace'"
        )

    put = entries = get


class ClosedQueues:
    """``Queues`` that nobody reaches."""

    async def take(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise NotAllowed(
            "a test reaches no queue: let something stand in for the node, by 'replace'"
        )

    publish = acknowledge = take
