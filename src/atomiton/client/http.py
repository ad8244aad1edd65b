"""Requests and answers over HTTP/1.1, on TCP, TLS or a Unix socket; connections are used again.

Small, because it is there in every call of the command line: a general client takes longer to
import than such a call takes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from atomiton.errors import AtomitonError, Unavailable

#: Idle connections that are kept.
_IDLE = 8
#: Bytes read at once.
_CHUNK = 64 * 1024
#: Largest answer that is read as one, in bytes.
LARGEST = 256 * 1024 * 1024


class Lost(Unavailable):
    """A connection was lost, or none came about.

    Attributes:
        sent: Whether the server may have had the request.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Answer(NamedTuple):
    """What a server has answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        socket: Path of its Unix socket; empty for one on the network.
        host, port: Of one on the network.
        secure: Whether it speaks TLS.
        name: What ``Host`` says.
    """

    socket: str
    host: str
    port: int
    secure: bool
    name: str


def parse_address(address: str) -> Address:
    """Read an address.

    Raises:
        AtomitonError: It is none.

    Example:
        >>> parse_address("http://127.0.0.1:8750").port
        8750
        >>> parse_address("unix:///run/atomiton.sock").socket
        '/run/atomiton.sock'
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme == "unix" and not parts.netloc and parts.path and plain:
        return Address(parts.path, "", 0, secure=False, name="localhost")
    secure = parts.scheme == "https"
    http = (secure or parts.scheme == "http") and parts.path in ("", "/")
    if http and parts.hostname and plain and port != -1:
        whole = port or (443 if secure else 80)
        return Address("", parts.hostname, whole, secure, parts.netloc)
    message = f"{address!r} is no address; write unix:///PATH, http://HOST:PORT or https://HOST"
    raise AtomitonError(message, code="INVALID_INPUT")


class _Connection:
    """One connection: a request, then its answer, then perhaps the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=128 * 1024)
        self.used = False

    async def send(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        """Write a request."""
        request = h11.Request(method=method, target=target, headers=headers)
        parts = [self._http.send(request), self._http.send(h11.Data(body))]
        parts.append(self._http.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))
        await self._writer.drain()

    async def head(self) -> h11.Response:
        """Read the head of the answer."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read the body of the answer, as it comes."""
        while True:
            event = await self._event()
            if isinstance(event, h11.EndOfMessage):
                return
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    async def _event(self) -> object:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(_CHUNK)
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise ConnectionResetError("the server has closed the connection")
                self._http.receive_data(data)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the server has closed the connection")
            else:
                return event

    def reusable(self) -> bool:
        """Whether another request can be sent."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        if self._reader.at_eof() or self._writer.is_closing():
            return False
        self._http.start_next_cycle()
        self.used = True
        return True

    @property
    def alive(self) -> bool:
        """Whether the server has not closed it meanwhile."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    def close(self) -> None:
        """Close it."""
        self._writer.close()


class Http:
    """Asks one server.

    Args:
        address: Where it is.
        token: Sent as credentials; None for none.
        timeout: Seconds for a connection to come about, and for an answer to begin beyond what
            was asked to be waited for.
    """

    def __init__(self, address: Address, token: str | None, timeout: float = 30.0) -> None:
        self._address = address
        self._token = token
        self._timeout = timeout
        self._idle: deque[_Connection] = deque()
        self._closed = False

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        patience: float = 0.0,
    ) -> Answer:
        """Send a request and read the whole answer.

        Args:
            method, target, headers, body: The request.
            patience: Seconds for which the server was asked to wait before it answers.

        Raises:
            Lost: There is no answer.
        """
        async with self.open(method, target, headers, body, patience=patience) as (head, pieces):
            parts: list[bytes] = []
            size = 0
            async for piece in pieces:
                size += len(piece)
                if size > LARGEST:
                    raise AtomitonError("the answer is too large", code="LIMIT_EXCEEDED")
                parts.append(piece)
        return Answer(head.status, head.headers, b"".join(parts))

    @asynccontextmanager
    async def open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        patience: float = 0.0,
    ) -> AsyncGenerator[tuple[Answer, AsyncIterator[bytes]]]:
        """Send a request; gives the head of the answer and its body piece by piece."""
        connection, head = await self._begin(method, target, headers, body, patience)
        names = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        kept = False
        try:
            yield Answer(head.status_code, names, b""), _guarded(connection.pieces())
            if not self._closed and len(self._idle) < _IDLE and connection.reusable():
                kept = True
                self._idle.append(connection)
        finally:
            if not kept:
                connection.close()

    async def _begin(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, patience: float
    ) -> tuple[_Connection, h11.Response]:
        while True:
            connection = await self._connection()
            try:
                async with asyncio.timeout(self._timeout + patience):
                    await connection.send(method, target, self._headers(headers, body), body)
                    return connection, await connection.head()
            except (OSError, h11.RemoteProtocolError, EOFError, TimeoutError) as error:
                connection.close()
                if connection.used and not isinstance(error, TimeoutError) and method == "GET":
                    continue  # it was closed while it lay idle
                why = str(error) or "there is no answer"
                raise Lost(f"{self._shown}: {why}", sent=True) from error
            except BaseException:
                connection.close()
                raise

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                return connection
            connection.close()
        place = self._address
        try:
            async with asyncio.timeout(self._timeout):
                if place.socket:
                    pair = await asyncio.open_unix_connection(place.socket)
                else:
                    context = ssl.create_default_context() if place.secure else None
                    pair = await asyncio.open_connection(place.host, place.port, ssl=context)
        except (OSError, TimeoutError) as error:
            why = str(error) or "it takes too long"
            raise Lost(f"{self._shown} cannot be reached: {why}", sent=False) from error
        return _Connection(*pair)

    def _headers(self, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
        made = [("host", self._address.name), *headers.items()]
        if self._token is not None:
            made.append(("authorization", f"Bearer {self._token}"))
        made.append(("content-length", str(len(body))))
        return made

    @property
    def _shown(self) -> str:
        return f"the server at {self._address.socket or self._address.name}"


async def _guarded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body; a connection that breaks is ``Lost``."""
    try:
        async for piece in pieces:
            yield piece
    except (OSError, h11.RemoteProtocolError, EOFError) as error:
        raise Lost(f"the connection was lost: {error}", sent=True) from error
