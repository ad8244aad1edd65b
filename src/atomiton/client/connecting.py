"""From an address to a conductor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from atomiton.client.conductor import RemoteConductor
from atomiton.conductor.places import is_temporal, main_process
from atomiton.errors import AtomitonError, StoreError

if TYPE_CHECKING:
    from atomiton.conductor.temporal.conductor import TemporalConductor


@overload
def connect(
    address: str | None = None, *, token: str | None = None, patience: float = 10.0
) -> RemoteConductor: ...


@overload
def connect(address: str, *, nodes: Sequence[object]) -> TemporalConductor: ...


def connect(
    address: str | None = None,
    *,
    token: str | None = None,
    patience: float = 10.0,
    nodes: Sequence[object] | None = None,
) -> RemoteConductor | TemporalConductor:
    """A conductor that is elsewhere.

    Args:
        address: ``unix:///PATH``, ``http://HOST:PORT`` or ``https://HOST``; by default the main
            process of the default store on this machine. Or
            ``temporal://HOST:PORT/NAMESPACE?queue=NAME`` of a Temporal server, with ``nodes``.
        token: What the server knows the caller by; by default ATOMITON_TOKEN. Not needed on a
            Unix socket.
        patience: Seconds for which a call is tried again when the server cannot be reached.
        nodes: For a Temporal server: node functions, or files of them, beside the library's, since
            blueprints are read and checked here. Pass ``[]`` if there are none.

    Raises:
        AtomitonError: The address is none, or no main process runs here.

    Example:
        >>> async def main() -> None:
        ...     async with connect("http://127.0.0.1:8750", token="atk_...") as conductor:
        ...         print((await conductor.run("order-report", {"month": 5})).output)
    """
    if address is not None and is_temporal(address):
        return _connect_temporal(address, nodes)
    if nodes is not None:
        message = "nodes are for a Temporal server; a server of Atomiton has its own"
        raise AtomitonError(message, code="INVALID_INPUT")
    if address is None:
        found = main_process()
        if found is None:
            raise StoreError("no main process serves the store here: atomiton serve starts one")
        address = found
    secret = os.environ.get("ATOMITON_TOKEN") if token is None else token
    return RemoteConductor(address, secret or None, patience)


def _connect_temporal(address: str, nodes: Sequence[object] | None) -> TemporalConductor:
    if nodes is None:
        message = (
            "for a Temporal server blueprints are checked here: pass the node types beside the "
            f"library's, as in connect({address!r}, nodes=[]) for none"
        )
        raise AtomitonError(message, code="INVALID_INPUT")
    try:
        from atomiton.conductor.temporal.conductor import TemporalConductor
    except ModuleNotFoundError as error:
        from atomiton.store.open import missing

        raise missing(error, "Temporal", "temporal") from error
    return TemporalConductor(address, nodes=nodes)
