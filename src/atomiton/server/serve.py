"""The process of a server: sockets, start, and an end that loses nothing.

At the first signal it takes nothing in any more, lets nodes that are at work come to their end for
some seconds, and hands all runs back: they are on record, and go on in the next process. A second
signal ends it on the spot, which loses no more than a crash would.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import stat
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import uvicorn

from atomiton.conductor import Conductor
from atomiton.conductor.conductor import conductor_at
from atomiton.conductor.places import (
    LONGEST,
    announced,
    is_temporal,
    server_folder,
    socket_path,
    store_path,
)
from atomiton.errors import AtomitonError, StoreError, Unavailable
from atomiton.ports.admission import Admission
from atomiton.server.access import OWNER, Sessions, Tokens
from atomiton.server.app import Limits, Surroundings, make_app
from atomiton.server.endings import Endings
from atomiton.server.firing import Firing
from atomiton.server.gate import Doors, Gate
from atomiton.server.peers import protocol_class
from atomiton.server.policy import server_library
from atomiton.server.syncing import Syncing
from atomiton.server.table import Principal

if TYPE_CHECKING:
    from atomiton.ports.journal import Journal

_log = logging.getLogger("atomiton.server")

#: Where a server listens when it is told nothing else.
HOST, PORT = "127.0.0.1", 8750
#: Seconds between looks for runs that another process has left.
LOOK = 2.0
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Settings:
    """How a server is to be.

    Attributes:
        store: Where runs are kept.
        host: Address to listen on; None for no port at all.
        port: Port; 0 for any that is free.
        uds: Socket to listen on, instead of one in the folder of this user for sockets.
        nodes: Files of node types.
        folder: What nodes may read and write.
        allow: What else nodes may do: ``shell``, ``files``.
        public_only: Whether requests of nodes reach public addresses only.
        hosts: Names that the server goes by, besides those of this machine, with their ports.
        drain: Seconds for nodes at work to come to their end when the server stops.
        limits: Bounds of one request.
        admission: Bounds on the runs that are under way.
        blueprints: Where blueprints are kept, as for ``create_storage``; by default in the store.
        opened: Id of the blueprint that the studio shows first, if any.
    """

    store: str | Journal | None = None
    host: str | None = HOST
    port: int = PORT
    uds: Path | None = None
    nodes: Sequence[str] = ()
    folder: Path = field(default_factory=Path.cwd)
    allow: Sequence[str] = ()
    public_only: bool = False
    hosts: Sequence[str] = ()
    drain: float = 10.0
    limits: Limits = field(default_factory=Limits)
    admission: Admission = field(default_factory=Admission)
    blueprints: str | None = None
    opened: str | None = None


@dataclass
class Serving:
    """A server that has started.

    Attributes:
        address: Where it is on the network; None if it is not.
        login: Link that logs a browser in, once.
        socket: Its socket for clients of this user.
        tokens: Who has a token.
        around: What the routes work with.
    """

    address: str | None
    login: str | None
    socket: Path | None
    tokens: Tokens
    around: Surroundings


async def serve(
    settings: Settings, started: Callable[[Serving], None], stop: asyncio.Event | None = None
) -> None:
    """Serve until a signal says to stop.

    Args:
        settings: How.
        started: Called once clients can come.
        stop: Says to stop, instead of signals.

    Raises:
        AtomitonError: Something is wanted that runs on Temporal do not have.
        StoreError: The store, the tokens or the socket cannot be used.
        Unavailable: Another process serves the store, or has the port.
    """
    store = settings.store
    path = store_path(store) if store is None or isinstance(store, str) else None
    with contextlib.ExitStack() as held:
        tokens = Tokens(server_folder(store if isinstance(store, str | None) else "memory:"))
        tokens.prepare()
        sockets, place = _listen(settings, path, held)
        conductor = _conductor(settings)
        conductor.library = server_library(
            settings.nodes,
            folder=settings.folder.resolve(),
            allow=settings.allow,
            public_only=settings.public_only,
        )
        conductor.capabilities = conductor.library.capabilities
        async with conductor:
            around = Surroundings(
                conductor, _version(), limits=settings.limits, tokens=tokens, sessions=Sessions()
            )
            server = _Server(settings, around, sockets)
            around.login, around.address = server.login, server.address
            beside = [
                asyncio.create_task(work)
                for work in (
                    Firing(conductor, settings.folder).run(),
                    Endings(conductor).run(),
                    Syncing(conductor).run(),
                )
            ]
            around.opened = settings.opened
            serving = Serving(server.address, server.login_link(), place, tokens, around)
            try:
                await _until(server, around, lambda: started(serving), settings.drain, stop)
            finally:
                for task in beside:
                    task.cancel()
                around.monitor.close()


def _conductor(settings: Settings) -> Conductor:
    """What the server works with; ``AtomitonError`` for what it cannot do there."""
    store, admission = settings.store, settings.admission
    address = os.environ.get("ATOMITON_STORE") if store is None else store
    if not isinstance(address, str) or not is_temporal(address):
        return Conductor(store, blueprints=settings.blueprints, admission=admission)
    if admission.bounds:
        message = (
            "runs on Temporal have no queue here, so there are no bounds to it: leave out "
            "--concurrency, --per-blueprint, --per-lane and --rate; the workers have --attempts"
        )
        raise AtomitonError(message, code="NOT_SUPPORTED")
    return conductor_at(address, blueprints=settings.blueprints)


class _Server(uvicorn.Server):
    """uvicorn, with two doors and without its way of taking signals."""

    def __init__(
        self, settings: Settings, around: Surroundings, sockets: Sequence[socket.socket]
    ) -> None:
        self._around = around
        self._sockets = list(sockets)
        self._open = asyncio.Event()
        app = make_app(around)
        self.address, hosts = _names(sockets, settings.hosts)
        local = Principal(OWNER, "owner", local=True)
        audit, most = around.monitor.audit, settings.limits.headers
        doors = Doors(around.tokens, around.sessions, hosts, headers=most, audit=audit)
        within = Doors(around.tokens, around.sessions, None, local=local, audit=audit)
        inside = Gate(app, within)
        config = uvicorn.Config(
            Gate(app, doors),
            http=protocol_class(inside),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=settings.limits.headers * 2,
            limit_concurrency=2000,
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield

    def login(self) -> str:
        """The path of a new login link."""
        return f"/login?code={self._around.sessions.new_link(OWNER)}"

    def login_link(self) -> str | None:
        """A new login link."""
        return None if self.address is None else self.address + self.login()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for clients, and say so."""
        await super().startup(sockets)
        self._open.set()

    async def listening(self, serving: asyncio.Task[None]) -> None:
        """Wait until clients can come, or until it is clear that they cannot."""
        opening = asyncio.ensure_future(self._open.wait())
        await asyncio.wait([opening, serving], return_when=asyncio.FIRST_COMPLETED)
        opening.cancel()

    async def run(self) -> None:  # type: ignore[override]  # in the loop that runs
        """Serve until ``should_exit``."""
        await self.serve(sockets=self._sockets)


async def _until(
    server: _Server,
    around: Surroundings,
    started: Callable[[], None],
    drain: float,
    stop: asyncio.Event | None,
) -> None:
    conductor = around.conductor
    serving = asyncio.create_task(server.run())
    helpers: list[asyncio.Task[None]] = []
    with contextlib.ExitStack() as held:
        if stop is None:
            held.enter_context(_signals(server, around))
        else:
            helpers.append(asyncio.create_task(_stop_when(stop, server, around)))
        for helper in helpers:
            held.callback(helper.cancel)
        await server.listening(serving)
        if server.started:
            started()
        await serving
        around.stopping.set()
        if not await conductor.drain(drain):
            _log.warning("nodes are still at work: their runs are handed back as they are")


@contextlib.contextmanager
def _signals(server: _Server, around: Surroundings) -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _stop, server, around)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _stop_when(stop: asyncio.Event, server: _Server, around: Surroundings) -> None:
    await stop.wait()
    _stop(server, around)


def _stop(server: _Server, around: Surroundings) -> None:
    """A signal: the first is a wish, the second is meant."""
    if around.stopping.is_set():
        os._exit(130)
    around.stopping.set()
    server.should_exit = True


def _listen(
    settings: Settings, store: Path | None, held: contextlib.ExitStack
) -> tuple[list[socket.socket], Path | None]:
    """Open the sockets; they are closed, and the file of the one removed, with ``held``."""
    sockets: list[socket.socket] = []
    if settings.host is not None:
        sockets.append(held.enter_context(_tcp(settings.host, settings.port)))
    place = settings.uds or (None if store is None else socket_path(store))
    if place is not None and hasattr(socket, "AF_UNIX"):
        _check_place(place)
        taken = f"another process listens on {place} already"
        if settings.uds is None:
            taken = "another process serves this store already; atomiton finds it by itself"
        held.enter_context(_lock(place, taken))
        sockets.append(held.enter_context(_unix(place)))
        held.callback(_remove, place)
        if settings.uds is not None and store is not None:
            held.enter_context(announced(store, place))
    if not sockets:
        raise StoreError("a server needs a port or a socket to listen on")
    return sockets, place


def _tcp(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as failing:
            made = failing.enter_context(socket.socket(family, kind, protocol))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            failing.pop_all()
    except OSError as error:
        hint = "--host names an address of this machine"
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            hint = "--port chooses another port"
        message = f"cannot listen on {host}:{port}: {error.strerror}; {hint}"
        raise Unavailable(message) from error
    return made


def _unix(place: Path) -> socket.socket:
    """A socket of a file that only this user can open; one that is left over is removed."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove(place)
        before = os.umask(0o177)
        try:
            made.bind(str(place))
        finally:
            os.umask(before)
    except OSError as error:
        made.close()
        raise _unusable(place, error) from error
    return made


def _unusable(place: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot listen on {place}: {error.strerror or error}")


def _check_place(place: Path) -> None:
    """Check that there can be a socket at a path; ``StoreError`` says why not."""
    size = len(os.fsencode(place))
    if size > LONGEST:
        message = f"the path of a socket has at most {LONGEST} bytes, and this has {size}"
        raise StoreError(f"cannot listen on {place}: {message}")
    if not place.parent.is_dir():
        raise StoreError(f"cannot listen on {place}: there is no folder {place.parent}")
    _check_is_socket(place)


def _check_is_socket(place: Path) -> None:
    """Check that what is at a path, if anything, is a socket and so may be removed."""
    try:
        mode = place.lstat().st_mode
    except OSError:  # there is none, or opening it will say what is wrong
        return
    if not stat.S_ISSOCK(mode):
        message = f"cannot listen on {place}: there is a file there that is no socket"
        raise StoreError(f"{message}; --uds names a path that is free")


def _remove(place: Path) -> None:
    """Remove a socket, and nothing that has taken its place."""
    with contextlib.suppress(StoreError):
        _check_is_socket(place)
        place.unlink(missing_ok=True)


def _lock(place: Path, taken: str) -> IO[bytes]:
    """Be the one process that listens there.

    Raises:
        Unavailable: Another one does; what to say is given.
    """
    import fcntl  # there are Unix sockets, so there is this

    try:
        file = place.with_name(f"{place.name}.lock").open("ab")
    except OSError as error:
        raise _unusable(place, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Unavailable(taken) from error
    return file


def _names(
    sockets: Sequence[socket.socket], more: Sequence[str]
) -> tuple[str | None, frozenset[str]]:
    """The address of a server, and the names that it goes by."""
    names = {name.lower() for name in more}
    address: str | None = None
    for made in sockets:
        if made.family == getattr(socket, "AF_UNIX", -1):
            continue
        host, port = made.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else str(host)
        if host in ("0.0.0.0", "::"):  # noqa: S104 - asked for
            shown = "127.0.0.1"
        address = f"http://{shown}:{port}"
        names |= {f"{name}:{port}" for name in (*_LOOPBACK, shown.lower())}
        if port == 80:
            names |= {*_LOOPBACK, shown.lower()}
    return address, frozenset(names)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("atomiton")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


def run_server(settings: Settings, started: Callable[[Serving], None]) -> None:
    """Serve until a signal, on the quickest event loop that is there."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(settings, started))
