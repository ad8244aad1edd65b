"""Requests over HTTP, through one pool of connections for each event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes.guard.outside import outside
from atomiton.nodes.guard.reach import REFUSED, Reach
from atomiton.ports.capabilities import HttpResponse

if TYPE_CHECKING:
    import aiohttp

#: Largest answer that is read as one value.
LARGEST = 256 * 1024 * 1024
MAX_REDIRECTS = 10
#: What a connection goes to: an address first.
_Place = tuple[str, int] | tuple[str, int, int, int]
#: Bytes that are read at a time.
_PORTION = 1 << 18


class HttpGuard:
    """``Http`` by aiohttp, which is imported with the first request.

    Args:
        largest: Most bytes of an answer's body.
        connections: Most connections at once.
        reach: Which addresses requests may go to; None for all.
    """

    def __init__(
        self, *, largest: int = LARGEST, connections: int = 100, reach: Reach | None = None
    ) -> None:
        self._largest = largest
        self._reach = reach
        self._connections = connections
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = True,
        on_part: Callable[[bytes], None] | None = None,
    ) -> HttpResponse:
        """Send one request; ``NodeError`` with code CONNECTION when there is no answer.

        ``on_part`` is told each part of the answer's body as it comes; the whole of it comes back.
        """
        try:
            import aiohttp
        except ModuleNotFoundError:
            raise NodeError(
                "HTTP needs aiohttp: pip install 'atomiton[http]'", code="NOT_SUPPORTED"
            ) from None
        _check(url)
        started = time.perf_counter()
        asked = self._session().request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=follow_redirects,
            max_redirects=MAX_REDIRECTS,
        )
        try:
            with outside():
                async with asked as answer:
                    content = await self._body(answer, url, on_part)
            return HttpResponse(
                status=answer.status,
                url=str(answer.url),
                headers=_joined(answer.headers.items()),
                body=content,
                elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
            )
        except aiohttp.TooManyRedirects:
            raise NodeError(
                f"{method} {url}: more than {MAX_REDIRECTS} redirects", code="CONNECTION"
            ) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise NodeError(f"{url!r} is not an address: {error}", code="INVALID_INPUT") from None
        except (aiohttp.ClientError, OSError) as error:
            # Also as one failure of several, of a name with many addresses.
            if REFUSED in f"{error} {error.__cause__}":
                raise NotAllowed(f"{method} {url}: {REFUSED}") from None
            raise NodeError(f"{method} {url}: {_why(error)}", code="CONNECTION") from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        found = self._sessions.get(loop)
        if found is None or found.closed:
            import aiohttp

            for old in [known for known in self._sessions if known.is_closed()]:
                del self._sessions[old]
            found = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    socket_factory=None if self._reach is None else self._socket,
                ),
                # How long an answer may take is the engine's business (``timeout``), not ours.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
                # Nothing of one run's answers may leak into another's requests.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return found

    def _socket(self, info: tuple[object, ...]) -> socket.socket:
        """Make the socket for a connection: here the address is known that it really goes to."""
        family, kind, protocol, _, address = cast("tuple[int, int, int, str, _Place]", info)
        if self._reach is not None and self._reach.refuses(str(address[0])):
            raise PermissionError(errno.EACCES, REFUSED)
        return socket.socket(family, kind, protocol)

    async def _body(
        self,
        answer: aiohttp.ClientResponse,
        url: str,
        on_part: Callable[[bytes], None] | None,
    ) -> bytes:
        length = answer.content_length
        small = length is not None and length <= min(_PORTION, self._largest)
        if small and on_part is None and "Content-Encoding" not in answer.headers:
            return await answer.read()
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(_PORTION):
            size += len(part)
            if size > self._largest:
                raise NodeError(
                    f"{url}: the answer has more than {self._largest} bytes", code="LIMIT_EXCEEDED"
                )
            parts.append(part)
            if on_part is not None:
                on_part(part)
        return b"".join(parts)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise NodeError(
            f"{url!r} is not an address that starts with http:// or https://", code="INVALID_INPUT"
        )


def _why(error: aiohttp.ClientError | OSError) -> str:
    """Why there was no answer."""
    import aiohttp

    if type(error) in (aiohttp.ClientConnectorError, aiohttp.ClientConnectorDNSError):
        assert isinstance(error, aiohttp.ClientConnectorError)
        cause = error.os_error
        number = cause.errno or 0  # that of a name which nobody knows is below 0
        said = os.strerror(number) if number > 0 else cause.strerror or str(cause)
        return f"no connection to {error.host}:{error.port}: {said}"
    # Also TimeoutError, which is an OSError: aiohttp's own bound on connecting.
    return str(error) or type(error).__name__


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers with lower-case names; those that are repeated are joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = _readable(name).lower(), _readable(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _readable(text: str) -> str:
    """A header as text: Latin-1, as it once was for all, where its bytes are not UTF-8."""
    if text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
