"""Facts as bytes, for a journal: versioned, plain data, readable by any MessagePack decoder."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec.structs import replace

from atomiton.errors import StoreError
from atomiton.machine.events import AttemptCompleted, Event, InputChanged, RunRequested

#: First byte of a record: what follows is the fact.
VERSION = b"\x01"
#: First byte of a record whose value stands apart: the length of the head (four bytes, most
#: significant first), the head (the fact without its value), then the value.
SPLIT = b"\x02"
#: Values that take more bytes than this stand apart, so that a store can keep each once.
LARGE = 256 * 1024

_encoder = msgspec.msgpack.Encoder()
_values: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder(object)
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(event: Event) -> bytes:
    """Write a fact down in one piece.

    Raises:
        OverflowError: If a value in it does not fit (an integer beyond 64 bits).

    Example:
        >>> from atomiton.machine.events import Paused
        >>> decode(encode(Paused(1.5)))
        Paused(time=1.5, by='')
    """
    return VERSION + _encoder.encode(event)


def pieces(event: Event) -> bytes | tuple[bytes, bytes]:
    """Write a fact down: in two pieces, head and value, when it holds a large value."""
    record = encode(event)
    if len(record) > LARGE:
        if isinstance(event, AttemptCompleted):
            return _split(replace(event, output=None), event.output)
        if isinstance(event, RunRequested):
            return _split(replace(event, inputs={}), event.inputs)
        if isinstance(event, InputChanged):
            return _split(replace(event, parameters={}), event.parameters)
    return record


def _split(event: Event, value: object) -> tuple[bytes, bytes]:
    head = _encoder.encode(event)
    return SPLIT + len(head).to_bytes(4, "big") + head, _encoder.encode(value)


def decode(record: bytes) -> Event:
    """Read a fact back.

    Raises:
        StoreError: If the record is of a later version, or is not a record at all.
    """
    version = record[:1]
    if version not in (VERSION, SPLIT):
        raise StoreError(
            f"a record of version {record[0] if record else '?'} was written by a later Atomiton"
        )
    try:
        if version == VERSION:
            return _decoder.decode(record[1:])
        end = 5 + int.from_bytes(record[1:5], "big")
        return _joined(_decoder.decode(record[5:end]), _values.decode(record[end:]))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        # Text that is no UTF-8, moments that do not exist, values nested too deep.
        raise StoreError(f"a record cannot be read: {error}") from error


def _joined(event: Event, value: object) -> Event:
    if isinstance(event, AttemptCompleted):
        return replace(event, output=value)
    if isinstance(event, RunRequested) and isinstance(value, dict):
        return replace(event, inputs=cast("dict[str, object]", value))
    if isinstance(event, InputChanged) and isinstance(value, dict):
        return replace(event, parameters=cast("dict[str, object]", value))
    raise StoreError("a record cannot be read: its fact has no value that could stand apart")
