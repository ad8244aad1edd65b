"""Connections: those over the socket of this user are told apart, and their user is checked."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from importlib.util import find_spec
from typing import Any

from starlette.types import ASGIApp

_CREDENTIALS = struct.Struct("3i")


def peer_user(connection: socket.socket) -> int | None:
    """The user at the other end of a Unix socket; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None  # then the file's permissions alone keep others out
    raw = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def protocol_class(local: ASGIApp) -> type[asyncio.Protocol]:
    """The protocol of a server that has two doors: its own application, and one for this user.

    Args:
        local: The application behind the door of the Unix socket.
    """
    base: Any = _base()

    class Peer(base):  # type: ignore[misc]  # chosen at run time
        """HTTP, whose door is chosen by the kind of socket."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Choose the door; another user's connection is closed before it says anything."""
            found = transport.get_extra_info("socket")
            if found is not None and found.family == getattr(socket, "AF_UNIX", -1):
                user = peer_user(found)
                if user is not None and user not in (os.geteuid(), 0):
                    self.transport = transport
                    transport.abort()
                    return
                self.app = local
            base.connection_made(self, transport)

    return Peer


def _base() -> object:
    """The quicker of the parsers that is there."""
    if find_spec("httptools") is not None:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        return HttpToolsProtocol
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return H11Protocol
