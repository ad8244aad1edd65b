"""Files of other machines, by FTP over TLS, or without where a blueprint says so."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import io
import os
import socket
import ssl
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.dialing import PATIENCE, dial
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.guard.threads import in_thread
from atomiton.ports.capabilities import FileEntry

T = TypeVar("T")
#: Largest file that is read as one value.
LARGEST = 256 * 1024 * 1024
_MOST_ENTRIES = 100_000


class _Server(NamedTuple):
    secure: bool
    host: str
    port: int
    username: str
    password: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class FtpGuard:
    """``Ftp`` by the standard library.

    Data goes over connections to the very address that the first one went to, whatever the server
    says, so that a server cannot send us elsewhere.

    Args:
        reach: Which addresses servers may have; None for all.
        context: Says which certificates are trusted; by default those that the system trusts.
    """

    def __init__(self, reach: Reach | None = None, context: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._context = context

    async def get(self, server: str, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""

        def read(client: ftplib.FTP) -> bytes:
            content = io.BytesIO()

            def take(data: bytes) -> None:
                if content.tell() + len(data) > LARGEST:
                    message = f"{path!r} has more than {LARGEST} bytes"
                    raise NodeError(message, code="LIMIT_EXCEEDED")
                content.write(data)

            client.retrbinary(f"RETR {path}", take)
            return content.getvalue()

        return await self._do(server, path, read)

    async def put(self, server: str, path: str, content: bytes, *, overwrite: bool) -> None:
        """Write a file so that it is whole or not there."""
        temporary = f"{path}.{os.urandom(6).hex()}.tmp"

        def write(client: ftplib.FTP) -> None:
            if not overwrite and _size(client, path) is not None:
                raise NodeError(f"{path!r} exists already", code="INVALID_INPUT")
            try:
                client.storbinary(f"STOR {temporary}", io.BytesIO(content))
                client.rename(temporary, path)
            except BaseException:
                with contextlib.suppress(ftplib.Error, OSError):  # what went wrong says more
                    client.delete(temporary)
                raise

        await self._do(server, path, write)

    async def entries(self, server: str, path: str) -> list[FileEntry]:
        """What a folder holds, sorted by name."""

        def look(client: ftplib.FTP) -> list[FileEntry]:
            found: list[FileEntry] = []
            try:
                for name, about in client.mlsd(path, ["type", "size", "modify"]):
                    if about.get("type") in ("file", "dir"):
                        found.append(_entry(path, name, about))
                    if len(found) > _MOST_ENTRIES:
                        message = f"{path!r} holds more than {_MOST_ENTRIES} files"
                        raise NodeError(message, code="LIMIT_EXCEEDED")
            except ftplib.error_perm as error:
                if not str(error).startswith("501"):  # as RFC 3659 has it for what is no folder
                    raise
                raise NodeError(f"there is no folder {path!r}", code="NOT_FOUND") from None
            return sorted(found, key=lambda entry: entry["name"])

        return await self._do(server, path, look)

    async def _do(self, address: str, path: str, what: Callable[[ftplib.FTP], T]) -> T:
        """Do something in a session with a server, in a thread; cancelling hangs up."""
        server = _read(address)
        lines: list[socket.socket] = []

        def run() -> T:
            with _told(server, path), self._session(server, lines) as client:
                return what(client)

        try:
            with outside():
                return await in_thread(run)
        except asyncio.CancelledError:
            for line in lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            raise

    @contextlib.contextmanager
    def _session(self, server: _Server, lines: list[socket.socket]) -> Generator[ftplib.FTP]:
        client: ftplib.FTP = ftplib.FTP(timeout=PATIENCE)  # noqa: S321 - only where it was asked for
        if server.secure:
            context = self._context or ssl.create_default_context()
            client = ftplib.FTP_TLS(timeout=PATIENCE, context=context)  # noqa: S321 - with TLS
        # The library would look the name up once more: it is given the connection instead.
        client.sock = dial(server.host, server.port, self._reach)
        lines.append(client.sock)
        try:
            client.host, client.port, client.af = server.host, server.port, client.sock.family
            client.file = client.sock.makefile("r", encoding=client.encoding)
            client.welcome = client.getresp()
            client.login(server.username, server.password)
            if isinstance(client, ftplib.FTP_TLS):
                client.prot_p()
            yield client
            with contextlib.suppress(ftplib.Error, OSError, EOFError):
                client.quit()
        finally:
            client.close()


@contextlib.contextmanager
def _told(server: _Server, path: str) -> Generator[None]:
    """What goes wrong with a server becomes the error of a node."""
    try:
        yield
    except ftplib.error_perm as error:
        code = str(error)[:3]
        if code == "530":
            message = f"{server} refused the credentials of {server.username!r}"
            raise NodeError(message, code="AUTHENTICATION") from None
        if code == "550":
            raise NodeError(f"{server}: {path!r}: {str(error)[4:]}", code="NOT_FOUND") from None
        if code in ("500", "502", "504"):
            raise NodeError(f"{server} cannot do this: {error}", code="NOT_SUPPORTED") from None
        raise NodeError(f"{server}: {path!r}: {error}", code="NODE_FAILED") from None
    except ftplib.error_temp as error:
        raise NodeError(f"{server}: {error}", code="CONNECTION") from None
    except ssl.SSLError as error:
        raise NotAllowed(f"{server}: its certificate is not trusted: {error.reason}") from None
    except (ftplib.Error, OSError, EOFError) as error:
        raise NodeError(f"{server}: {error or 'it hung up'}", code="CONNECTION") from None


def _size(client: ftplib.FTP, path: str) -> int | None:
    """The size of a file; None when there is none."""
    client.voidcmd("TYPE I")  # some servers tell it of bytes only
    try:
        return client.size(path) or 0
    except ftplib.error_perm as error:
        if str(error).startswith("550"):
            return None
        raise


def _entry(folder: str, name: str, about: dict[str, str]) -> FileEntry:
    is_folder = about["type"] == "dir"
    moment = about.get("modify", "19700101000000")
    date, time = moment[:8], moment[8:14]
    return {
        "path": f"{folder.rstrip('/')}/{name}",
        "name": name,
        "size": 0 if is_folder else int(about.get("size", 0)),
        "modified": f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}.000Z",
        "is_folder": is_folder,
    }


def _read(address: str) -> _Server:
    """Read an address; the error does not repeat it, for it may hold a password."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in ("ftps", "ftp+insecure") and parts.hostname:
            return _Server(
                parts.scheme == "ftps",
                parts.hostname,
                parts.port or 21,
                unquote(parts.username or "anonymous"),
                unquote(parts.password or ""),
            )
    raise NodeError(
        "server is not the address of a server of files: ftps://USER:PASSWORD@HOST:21, or "
        "ftp+insecure:// where everybody on the way may read the password and the files",
        code="INVALID_INPUT",
        details={"parameter": "server"},
    )
