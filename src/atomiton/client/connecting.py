"""From an address to a conductor; and finding the main process of a store."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from atomiton.client.conductor import RemoteConductor
from atomiton.conductor.places import socket_path, store_path
from atomiton.errors import StoreError


def connect(
    address: str | None = None, *, token: str | None = None, patience: float = 10.0
) -> RemoteConductor:
    """A conductor that is elsewhere.

    Args:
        address: ``unix:///PATH``, ``http://HOST:PORT`` or ``https://HOST``; by default the main
            process of the default store on this machine.
        token: What the server knows the caller by; by default ATOMITON_TOKEN. Not needed on a
            Unix socket.
        patience: Seconds for which a call is tried again when the server cannot be reached.

    Raises:
        AtomitonError: The address is none, or no main process runs here.

    Example:
        >>> async def main() -> None:
        ...     async with connect("http://127.0.0.1:8750", token="atk_...") as conductor:
        ...         print((await conductor.run("order-report", {"month": 5})).output)
    """
    if address is None:
        found = main_process()
        if found is None:
            raise StoreError("no main process serves the store here: atomiton serve starts one")
        address = found
    secret = os.environ.get("ATOMITON_TOKEN") if token is None else token
    return RemoteConductor(address, secret or None, patience)


def main_process(store: str | None = None) -> str | None:
    """The address of the process that serves a store on this machine; None if there is none.

    Args:
        store: Its address; by default ATOMITON_STORE, else the user's data folder.
    """
    path = store_path(store)
    if path is None or not hasattr(socket, "AF_UNIX"):
        return None
    try:
        place = socket_path(path)
    except StoreError:
        return None
    return f"unix://{place}" if _answers(place) else None


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
