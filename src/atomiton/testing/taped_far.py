"""Mail, objects and files of other machines, whose effects go through a deck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from atomiton.ports.capabilities import (
    Bucket,
    FileEntry,
    Ftp,
    Mail,
    ObjectEntry,
    Objects,
    QueueMessage,
    Queues,
    Sftp,
    SftpServer,
)
from atomiton.testing.tape import Data, Taped, pack_bytes, unpack_bytes


class TapedMail(Taped):
    """``Mail`` through a deck."""

    async def send(
        self, server: str, sender: str, recipients: Sequence[str], message: bytes
    ) -> dict[str, str]:
        """See ``Mail.send``; the address of the server is not written down, only its host."""
        ask: Data = {
            "server": server.rpartition("@")[2],
            "sender": sender,
            "recipients": list(recipients),
            "message": _pack_mail(message),
        }
        return await self.deck.effect(
            "mail.send",
            ask,
            lambda: cast("Mail", self.real()).send(server, sender, recipients, message),
            dict,
            lambda packed: cast("dict[str, str]", packed),
        )


def _pack_mail(message: bytes) -> Data:
    """What a message says, without its id and its bounds, which differ each time it is written."""
    from email import message_from_bytes
    from email.policy import default

    read = message_from_bytes(message, policy=default)
    said: Data = {
        name: str(value)
        for name, value in read.items()
        if name.lower() not in ("message-id", "content-type", "content-transfer-encoding")
    }
    said["parts"] = [
        {
            "type": part.get_content_type(),
            "name": part.get_filename(),
            "content": pack_bytes(cast("bytes", part.get_payload(decode=True))),
        }
        for part in read.walk()
        if not part.is_multipart()
    ]
    return said


class TapedObjects(Taped):
    """``Objects`` through a deck; keys that let somebody in are not written down."""

    async def get(self, bucket: Bucket, key: str) -> bytes:
        """See ``Objects.get``."""
        return await self.deck.effect(
            "objects.get",
            _place(bucket, key),
            lambda: self._objects.get(bucket, key),
            pack_bytes,
            unpack_bytes,
        )

    async def put(self, bucket: Bucket, key: str, content: bytes, *, overwrite: bool) -> str:
        """See ``Objects.put``."""
        return await self.deck.effect(
            "objects.put",
            _place(bucket, key) | {"content": pack_bytes(content), "overwrite": overwrite},
            lambda: self._objects.put(bucket, key, content, overwrite=overwrite),
            str,
            str,
        )

    async def entries(self, bucket: Bucket, prefix: str, most: int) -> list[ObjectEntry]:
        """See ``Objects.entries``."""
        return await self.deck.effect(
            "objects.entries",
            _place(bucket, prefix) | {"most": most},
            lambda: self._objects.entries(bucket, prefix, most),
            list,
            lambda packed: cast("list[ObjectEntry]", packed),
        )

    @property
    def _objects(self) -> Objects:
        return cast("Objects", self.real())


def _place(bucket: Bucket, key: str) -> Data:
    return {"bucket": bucket.name, "endpoint": bucket.endpoint, "key": key}


class TapedSftp(Taped):
    """``Sftp`` through a deck; what lets somebody in is not written down."""

    async def get(self, server: SftpServer, path: str) -> bytes:
        """See ``Sftp.get``."""
        return await self.deck.effect(
            "sftp.get",
            {"host": server.host, "path": path},
            lambda: self._sftp.get(server, path),
            pack_bytes,
            unpack_bytes,
        )

    async def put(self, server: SftpServer, path: str, content: bytes, *, overwrite: bool) -> None:
        """See ``Sftp.put``."""
        said = {"content": pack_bytes(content), "overwrite": overwrite}
        await self.deck.effect(
            "sftp.put",
            {"host": server.host, "path": path, **said},
            lambda: self._sftp.put(server, path, content, overwrite=overwrite),
            lambda _: None,
            lambda _: None,
        )

    async def entries(self, server: SftpServer, path: str) -> list[FileEntry]:
        """See ``Sftp.entries``."""
        return await self.deck.effect(
            "sftp.entries",
            {"host": server.host, "path": path},
            lambda: self._sftp.entries(server, path),
            list,
            lambda packed: cast("list[FileEntry]", packed),
        )

    @property
    def _sftp(self) -> Sftp:
        return cast("Sftp", self.real())


class TapedFtp(Taped):
    """``Ftp`` through a deck; of the address of a server only its host is written down."""

    async def get(self, server: str, path: str) -> bytes:
        """See ``Ftp.get``."""
        return await self.deck.effect(
            "ftp.get",
            {"server": _host(server), "path": path},
            lambda: self._ftp.get(server, path),
            pack_bytes,
            unpack_bytes,
        )

    async def put(self, server: str, path: str, content: bytes, *, overwrite: bool) -> None:
        """See ``Ftp.put``."""
        said = {"content": pack_bytes(content), "overwrite": overwrite}
        await self.deck.effect(
            "ftp.put",
            {"server": _host(server), "path": path, **said},
            lambda: self._ftp.put(server, path, content, overwrite=overwrite),
            lambda _: None,
            lambda _: None,
        )

    async def entries(self, server: str, path: str) -> list[FileEntry]:
        """See ``Ftp.entries``."""
        return await self.deck.effect(
            "ftp.entries",
            {"server": _host(server), "path": path},
            lambda: self._ftp.entries(server, path),
            list,
            lambda packed: cast("list[FileEntry]", packed),
        )

    @property
    def _ftp(self) -> Ftp:
        return cast("Ftp", self.real())


class TapedQueues(Taped):
    """``Queues`` through a deck; of the address of a server only its host is written down."""

    async def publish(self, server: str, queue: str, content: bytes, key: str) -> tuple[str, bool]:
        """See ``Queues.publish``; keys differ from run to run and are not written down."""
        return await self.deck.effect(
            "queues.publish",
            {"server": _host(server), "queue": queue, "content": pack_bytes(content)},
            lambda: self._queues.publish(server, queue, content, key),
            list,
            lambda packed: cast("tuple[str, bool]", tuple(cast("list[object]", packed))),
        )

    async def take(
        self, server: str, queue: str, group: str, *, most: int, wait: float, again: float, key: str
    ) -> list[QueueMessage]:
        """See ``Queues.take``."""
        return await self.deck.effect(
            "queues.take",
            {"server": _host(server), "queue": queue, "group": group, "most": most},
            lambda: self._queues.take(
                server, queue, group, most=most, wait=wait, again=again, key=key
            ),
            lambda found: [
                {"id": of["id"], "content": pack_bytes(_bytes(of["content"]))} for of in found
            ],
            _unpack_messages,
        )

    async def acknowledge(self, server: str, queue: str, group: str, ids: Sequence[str]) -> None:
        """See ``Queues.acknowledge``."""
        await self.deck.effect(
            "queues.acknowledge",
            {"server": _host(server), "queue": queue, "group": group, "ids": list(ids)},
            lambda: self._queues.acknowledge(server, queue, group, ids),
            lambda _: None,
            lambda _: None,
        )

    @property
    def _queues(self) -> Queues:
        return cast("Queues", self.real())


def _host(server: str) -> str:
    return server.rpartition("@")[2]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _unpack_messages(packed: object) -> list[QueueMessage]:
    from atomiton.nodes.guard.queues import text_or_bytes

    return [
        {"id": cast("str", of["id"]), "content": text_or_bytes(unpack_bytes(of["content"]))}
        for of in cast("list[Data]", packed)
    ]
