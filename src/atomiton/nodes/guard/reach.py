"""Which addresses requests may go to: where a server runs, not every one that a node can name."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from atomiton.errors import NodeError, NotAllowed

REFUSED = "the owner of this machine lets no request go there"
"""What is said of an address that is out of reach."""
#: Where clouds tell machines their secrets, besides the addresses of their own network link.
_METADATA = frozenset({"100.100.100.200", "fd00:ec2::254"})
_NAT64 = IPv6Network("64:ff9b::/96")


class Reach:
    """Says which addresses are out of reach.

    Args:
        public_only: Whether addresses of this machine and of private networks are too.

    Example:
        >>> Reach().refuses("169.254.169.254"), Reach().refuses("127.0.0.1")
        (True, False)
        >>> Reach(public_only=True).refuses("::ffff:10.0.0.1")
        True
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._public_only = public_only

    @property
    def public_only(self) -> bool:
        """Whether addresses of this machine and of private networks are out of reach."""
        return self._public_only

    async def find(self, host: str, port: int) -> list[str]:
        """Look a name up; who connects to what this gives goes nowhere else.

        Args:
            host: A name, or an address.
            port: Of the service.

        Returns:
            Its addresses, of which none is out of reach.

        Raises:
            NotAllowed: One of them is.
            NodeError: With code CONNECTION: there is no such name.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NodeError(f"{host}: {error}", code="CONNECTION") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if any(map(self.refuses, addresses)):
            raise NotAllowed(f"{host}: {REFUSED}")
        return addresses

    def refuses(self, address: str) -> bool:
        """Whether an address, as it stands after names were looked up, is out of reach."""
        place = _plain(ip_address(address.partition("%")[0]))
        if place.is_link_local or place.is_multicast or place.is_unspecified:
            return True
        return str(place) in _METADATA or (self._public_only and not place.is_global)


def _plain(place: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address that another one stands for."""
    if isinstance(place, IPv4Address):
        return place
    if place.ipv4_mapped is not None:
        return place.ipv4_mapped
    if place.sixtofour is not None:
        return place.sixtofour
    return IPv4Address(place.packed[-4:]) if place in _NAT64 else place
