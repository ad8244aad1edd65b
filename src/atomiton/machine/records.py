"""Facts as bytes, for a journal: versioned, plain data, readable by any MessagePack decoder."""

from __future__ import annotations

import msgspec

from atomiton.errors import StoreError
from atomiton.machine.events import Event

#: First byte of every record. A reader refuses versions it does not know.
VERSION = b"\x01"

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(event: Event) -> bytes:
    """Write a fact down.

    Raises:
        OverflowError: If a value in it does not fit (an integer beyond 64 bits).

    Example:
        >>> from atomiton.machine.events import Paused
        >>> decode(encode(Paused(1.5)))
        Paused(time=1.5, by='')
    """
    return VERSION + _encoder.encode(event)


def decode(record: bytes) -> Event:
    """Read a fact back.

    Raises:
        StoreError: If the record is of a later version, or is not a record at all.
    """
    if record[:1] != VERSION:
        raise StoreError(
            f"a record of version {record[0] if record else '?'} was written by a later Atomiton"
        )
    try:
        return _decoder.decode(record[1:])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        # Text that is no UTF-8, moments that do not exist, values nested too deep.
        raise StoreError(f"a record cannot be read: {error}") from error
