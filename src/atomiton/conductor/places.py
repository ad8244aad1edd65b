"""Where the main process of a store is met: a socket that only its user can reach."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from atomiton.errors import StoreError
from atomiton.store.open import open_journal

#: What the address of a Temporal server begins with.
SCHEME = "temporal://"
#: Longest path of a socket, in bytes; systems of the BSD family have a shorter one.
LONGEST = 107 if sys.platform == "linux" else 103


def is_temporal(address: str | None) -> bool:
    """Whether an address names a Temporal server."""
    return address is not None and address.startswith(SCHEME)


def store_path(store: str | None = None) -> Path | None:
    """The file of a store; None for one in memory.

    Args:
        store: Its address; by default ATOMITON_STORE, else the user's data folder.
    """
    address = os.environ.get("ATOMITON_STORE", "") if store is None else store
    if address == "memory:" or is_temporal(address):
        return None
    path: object = getattr(open_journal(address), "path", None)
    return path if isinstance(path, Path) else None


def runtime_folder() -> Path:
    """The folder of this user for sockets; it is made, for this user alone.

    Raises:
        StoreError: Somebody else has made it, or it cannot be made.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(given) / "atomiton" if given else Path(f"/tmp/atomiton-{os.getuid()}")  # noqa: S108 - checked below
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stat = folder.lstat()
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
    if stat.st_uid != os.getuid() or stat.st_mode & 0o077 or folder.is_symlink():
        raise StoreError(
            f"{folder} is not this user's alone; set XDG_RUNTIME_DIR to a folder that is"
        )
    return folder


def socket_path(store: Path) -> Path:
    """Where the main process of a store listens."""
    name = sha256(str(store.expanduser().resolve()).encode()).hexdigest()[:16]
    path = runtime_folder() / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST:
        raise StoreError(
            f"the path {path} is too long for a socket; set XDG_RUNTIME_DIR to a shorter one"
        )
    return path


def tokens_folder(store: Path | None) -> Path:
    """Where the tokens of a store's server are kept."""
    if store is None:
        import platformdirs  # imported here: start-up time is a promise

        return Path(platformdirs.user_data_dir("atomiton", appauthor=False)) / "memory.server"
    return store.with_name(store.name + ".server")


def server_folder(store: str | None) -> Path:
    """Where what belongs to a store's server is kept, such as its tokens.

    Args:
        store: Its address; by default ATOMITON_STORE, else the user's data folder.
    """
    address = os.environ.get("ATOMITON_STORE", "") if store is None else store
    if not is_temporal(address):
        return tokens_folder(store_path(address))
    from atomiton.conductor.temporal.address import parse

    return tokens_folder(None).with_name(f"{parse(address).name}.server")


def main_process(store: str | None = None) -> str | None:
    """The address of the process that serves a store on this machine; None if there is none.

    Args:
        store: Its address; by default ATOMITON_STORE, else the user's data folder.
    """
    path = store_path(store)
    if path is None or not hasattr(socket, "AF_UNIX"):
        return None
    return next((f"unix://{of}" for of in _places(path) if _answers(of)), None)


@contextmanager
def announced(store: Path, place: Path) -> Generator[None]:
    """Let clients of this user find the server of a store at a socket of its own choice.

    What is written down, beside its tokens, is the path and which file it is: when another server
    listens there later, it is not taken for this one.

    Args:
        store: The file of the store.
        place: The socket; it is there.

    Raises:
        StoreError: It cannot be written down.
    """
    note = _note(store)
    beside = note.with_name(f".{note.name}.{os.getpid()}")
    try:
        content = json.dumps([str(place.absolute()), *_identity(place)]).encode()
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        beside.replace(note)
    except OSError as error:
        raise StoreError(f"{note} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            if note.read_bytes() == content:  # not that of a server that came later
                note.unlink()


def _note(store: Path) -> Path:
    return tokens_folder(store) / "socket"


def _identity(place: Path) -> tuple[int, int]:
    """What tells a socket from another one that is made at the same path."""
    found = place.lstat()
    return found.st_ino, found.st_mtime_ns


def _places(store: Path) -> Iterator[Path]:
    """Where the main process of a store may listen."""
    with suppress(StoreError):
        yield socket_path(store)
    with suppress(OSError, ValueError, TypeError):
        note = _note(store)
        if not all(_is_ours_alone(of) for of in (note.parent, note)):
            return
        path, *identity = json.loads(note.read_bytes())
        if tuple(identity) == _identity(Path(path)) and _is_ours_alone(Path(path)):
            yield Path(path)


def _is_ours_alone(place: Path) -> bool:
    """Whether nobody but this user can have made or changed a file."""
    found = place.lstat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o077


def _answers(place: Path) -> bool:
    """Whether somebody listens at a socket."""
    if not place.exists():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(place))
        except OSError:  # what a process that died has left
            return False
    return True
