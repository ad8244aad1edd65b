"""How a process runtime and its workers talk: lengths and MessagePack, never pickle.

A frame is four bytes of length and a MessagePack value. There is one request at a time for a
worker, and one answer to it. Both sides trust each other no further than the values of a
blueprint reach: nothing that is decoded here can run.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import msgspec

HEADER = struct.Struct("!I")
LARGEST = 2**32 - 1


class Request(msgspec.Struct, array_like=True):
    """What a worker is to call; with an empty name, only news: a path, or ``CANCEL``.

    Attributes:
        module: Name of the module that holds the function.
        file: File to load as that module; None to import it by name.
        name: Name of the function inside the module, such as ``Class.function``.
        arguments: Arguments by name.
        path: The new ``sys.path``; None when it is as before.
    """

    module: str
    file: str | None
    name: str
    arguments: dict[str, object]
    path: list[str] | None = None


class Failure(msgspec.Struct, array_like=True):
    """An exception, as plain data.

    Attributes:
        type: Name of its class.
        message: Its text.
        traceback: Its traceback as text.
        cancelled: Whether it is the answer to a request to stop.
        code: Stable code; None when the exception has none.
        retryable: Whether trying again may help; None when the exception does not say.
        details: Anything else it carries.
    """

    type: str
    message: str
    traceback: str = ""
    cancelled: bool = False
    code: str | None = None
    retryable: bool | None = None
    details: dict[str, object] | None = None


class Answer(msgspec.Struct, array_like=True):
    """What came out of a request; of a new worker, that it is ready."""

    result: object = None
    failure: Failure | None = None


_encoder = msgspec.msgpack.Encoder()


def encode(value: Request | Answer) -> bytearray:
    r"""Return the frame of a value.

    Raises:
        TypeError: If it holds something that has no place in MessagePack.
        OverflowError: If it holds an integer of more than 64 bits.
        ValueError: If it is larger than a frame can be, or text in it is not Unicode.

    Example:
        >>> bytes(encode(Answer(1)))
        b'\x00\x00\x00\x03\x92\x01\xc0'
    """
    frame = bytearray(HEADER.size)
    _encoder.encode_into(value, frame, HEADER.size)
    size = len(frame) - HEADER.size
    if size > LARGEST:
        raise ValueError(f"{size} bytes are too many to hand to a process")
    HEADER.pack_into(frame, 0, size)
    return frame


CANCEL = bytes(encode(Request("", None, "", {})))
"""Asks to stop what runs; goes before the signal, which alone could hit the wrong job."""


def plain(value: Mapping[str, object]) -> dict[str, object]:
    """Return details as data that surely can be encoded: what cannot be becomes text.

    Example:
        >>> plain({"a": 1, "b": print})
        {'a': 1, 'b': '<built-in function print>'}
    """
    kept: dict[str, object] = {}
    for key, item in value.items():
        try:
            _encoder.encode(item)
        except (TypeError, ValueError, OverflowError, RecursionError):
            kept[str(key)] = repr(item)
        else:
            kept[str(key)] = item
    return kept
