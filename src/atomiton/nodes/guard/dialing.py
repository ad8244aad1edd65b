"""Connections to other machines, for protocols that bring no guard of their own."""

from __future__ import annotations

import socket

from atomiton.errors import NotAllowed
from atomiton.nodes.guard.reach import Reach

#: Seconds that a machine has to answer a call, and then each message.
PATIENCE = 30.0


def dial(host: str, port: int, reach: Reach | None) -> socket.socket:
    """Connect to the first address of a name that answers and may be reached.

    The address is looked up once and connected to as it was looked at, so that a name cannot mean
    another machine in between.

    Args:
        host: Name or address.
        port: Number of the port.
        reach: Which addresses may be gone to; None for all.

    Raises:
        NotAllowed: None of its addresses may be reached.
        OSError: None of them answers, or there is no such name.
    """
    failed: OSError | None = None
    for family, kind, protocol, _, place in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        if reach is not None and reach.refuses(str(place[0])):
            continue
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(PATIENCE)
            made.connect(place)
        except OSError as error:
            made.close()
            failed = error
            continue
        return made
    if failed is not None:
        raise failed
    raise NotAllowed(f"{host}:{port}: the owner of this machine lets no request go there")
