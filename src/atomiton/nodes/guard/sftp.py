"""Files of other machines, over SSH, by asyncssh: nothing of this machine's own SSH is used."""

from __future__ import annotations

import contextlib
import datetime
import os
import stat
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, cast

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.dialing import dial
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.threads import in_thread
from atomiton.ports.capabilities import FileEntry, SftpServer

if TYPE_CHECKING:
    import asyncssh

#: Largest file that is read as one value.
LARGEST = 256 * 1024 * 1024
_MOST_ENTRIES = 100_000


class SftpGuard:
    """``Sftp`` by asyncssh, which is imported with the first call.

    Args:
        reach: Which addresses servers may have; None for all.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach

    async def get(self, server: SftpServer, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        async with self._client(server, path) as client, client.open(path, "rb") as stream:
            parts: list[bytes] = []
            size = 0
            # Opened for bytes, it gives bytes, which its types do not say.
            while data := cast("bytes", await stream.read(1 << 20)):
                size += len(data)
                if size > LARGEST:
                    message = f"{path!r} has more than {LARGEST} bytes"
                    raise NodeError(message, code="LIMIT_EXCEEDED")
                parts.append(data)
            return b"".join(parts)

    async def put(self, server: SftpServer, path: str, content: bytes, *, overwrite: bool) -> None:
        """Write a file so that it is whole or not there."""
        import asyncssh

        temporary = f"{path}.{os.urandom(6).hex()}.tmp"
        async with self._client(server, path) as client:
            if not overwrite and await client.exists(path):
                raise NodeError(f"{path!r} exists already", code="INVALID_INPUT")
            try:
                async with client.open(temporary, "wb") as stream:
                    await stream.write(content)
                if overwrite:
                    await client.posix_rename(temporary, path)
                else:
                    # Unlike the other way this one fails when another file came in between.
                    await client.rename(temporary, path)
            except BaseException:
                with contextlib.suppress(asyncssh.Error):  # what went wrong before says more
                    await client.remove(temporary)
                raise

    async def entries(self, server: SftpServer, path: str) -> list[FileEntry]:
        """What a folder holds, sorted by name."""
        found: list[FileEntry] = []
        async with self._client(server, path) as client:
            async for item in client.scandir(path):
                name = str(item.filename)
                if name in (".", ".."):
                    continue
                found.append(_entry(f"{path.rstrip('/')}/{name}", name, item.attrs))
                if len(found) > _MOST_ENTRIES:
                    message = f"{path!r} holds more than {_MOST_ENTRIES} files"
                    raise NodeError(message, code="LIMIT_EXCEEDED")
        return sorted(found, key=lambda entry: entry["name"])

    @contextlib.asynccontextmanager
    async def _client(self, server: SftpServer, path: str) -> AsyncGenerator[asyncssh.SFTPClient]:
        """A session with a server; what goes wrong in it becomes the error of a node."""
        try:
            import asyncssh
        except ModuleNotFoundError:
            raise NodeError(
                "SFTP needs asyncssh: pip install 'atomiton[sftp]'", code="NOT_SUPPORTED"
            ) from None
        place = f"{server.host}:{server.port}"
        key, own = _host_key(server), _own_key(server)
        try:
            line = await in_thread(dial, server.host, server.port, self._reach)
            line.setblocking(False)
            with outside():
                async with (
                    asyncssh.connect(
                        sock=line,
                        username=server.username,
                        password=server.password,
                        client_keys=own,
                        known_hosts=([key], [], []),
                        # Neither the settings nor the keys of who runs this program.
                        config=None,
                        agent_path=None,
                    ) as connection,
                    connection.start_sftp_client() as client,
                ):
                    yield client
        except asyncssh.PermissionDenied:
            message = f"{place} refused the credentials of {server.username!r}"
            raise NodeError(message, code="AUTHENTICATION") from None
        except asyncssh.HostKeyNotVerifiable:
            raise NotAllowed(f"{place} shows another key than host_key says") from None
        except asyncssh.SFTPNoSuchFile:
            raise NodeError(f"{place}: there is no {path!r}", code="NOT_FOUND") from None
        except asyncssh.SFTPPermissionDenied:
            raise NotAllowed(f"{place} does not permit access to {path!r}") from None
        except asyncssh.SFTPError as error:
            raise NodeError(f"{place}: {path!r}: {error.reason}", code="NODE_FAILED") from None
        except (asyncssh.Error, OSError) as error:
            raise NodeError(f"{place}: {error}", code="CONNECTION") from None


def _host_key(server: SftpServer) -> asyncssh.SSHKey:
    import asyncssh

    try:
        return asyncssh.import_public_key(server.host_key.strip())
    except (asyncssh.KeyImportError, ValueError):
        raise NodeError(
            "host_key is not the public key of a server, such as 'ssh-ed25519 AAAA...'; "
            "ssh-keyscan HOST shows it, and its owner can say whether it is the right one",
            code="INVALID_INPUT",
            details={"parameter": "host_key"},
        ) from None


def _own_key(server: SftpServer) -> list[asyncssh.SSHKey]:
    import asyncssh

    if server.private_key is None:
        return []
    try:
        return [asyncssh.import_private_key(server.private_key)]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        # The key itself stands in no message.
        raise NodeError(
            "private_key is not a private key without a passphrase",
            code="INVALID_INPUT",
            details={"parameter": "private_key"},
        ) from None


def _entry(path: str, name: str, about: asyncssh.SFTPAttrs) -> FileEntry:
    modified = datetime.datetime.fromtimestamp(about.mtime or 0, datetime.UTC)
    is_folder = stat.S_ISDIR(about.permissions or 0)
    return {
        "path": path,
        "name": name,
        "size": 0 if is_folder else about.size or 0,
        "modified": modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "is_folder": is_folder,
    }
