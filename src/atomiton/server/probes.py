"""Whether a process is well: two pages for whoever starts and restarts it, and nothing else.

``/healthz`` answers as long as the process does anything at all; who gets no answer restarts it.
``/readyz`` says whether work is taken in, and if not, why: a restart would not help.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from atomiton.errors import AtomitonError, Unavailable

Ready = Callable[[], Awaitable[str]]
"""Says why no work is taken in; nothing if it is."""


@asynccontextmanager
async def probes(where: str, ready: Ready) -> AsyncGenerator[str]:
    """Answer while it is entered.

    Args:
        where: HOST:PORT; port 0 is any that is free.
        ready: What ``/readyz`` asks.

    Yields:
        The address that it answers at.

    Raises:
        AtomitonError: It is no HOST:PORT.
        Unavailable: Nobody can listen there.
    """
    with _listening(where) as listening:
        config = uvicorn.Config(
            _app(ready), ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = _Quiet(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            host, port, *_ = listening.getsockname()
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            server.should_exit = True
            await serving


class _Quiet(uvicorn.Server):
    """uvicorn, without its way of taking signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield


def _app(ready: Ready) -> Starlette:
    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> JSONResponse:
        why = await ready()
        return JSONResponse({"status": why or "ok"}, 503 if why else 200)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)])


def _listening(where: str) -> socket.socket:
    host, colon, port = where.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        message = f"{where!r} is no HOST:PORT, such as 127.0.0.1:9465"
        raise AtomitonError(message, code="INVALID_INPUT")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise Unavailable(f"cannot listen on {where}: {error.strerror or error}") from error
