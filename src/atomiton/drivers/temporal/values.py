"""Values as payloads: JSON where that can say them, so that people can read them; else MessagePack.

What arrives is what was sent: bytes and moments stay what they are.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, cast

import msgspec
import temporalio.api.common.v1 as common
from temporalio.converter import (
    BinaryNullPayloadConverter,
    BinaryProtoPayloadConverter,
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
    JSONProtoPayloadConverter,
    PayloadCodec,
)

from atomiton.drivers.temporal.wire import RAW

_JSON = "json/plain"
_PACKED = "binary/msgpack"


def readable(value: object) -> bool:
    """Whether JSON says a plain value, and gives it back as it is.

    Example:
        >>> readable({"a": [1, "x", None]}), readable([b"x"]), readable(float("nan"))
        (True, False, False)
    """
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value).items()
        return all(isinstance(key, str) and readable(item) for key, item in entries)
    if isinstance(value, list | tuple):
        return all(map(readable, cast("list[object]", value)))
    return False


class _Packed(EncodingPayloadConverter):
    """Anything plain, and structs of it."""

    @property
    def encoding(self) -> str:
        """What payloads are marked with."""
        return _PACKED

    def to_payload(self, value: Any) -> common.Payload | None:  # noqa: ANN401 - the protocol's
        """Write a value down."""
        plain = msgspec.to_builtins(value, builtin_types=RAW)
        if readable(plain):
            marks = {"encoding": _JSON.encode()}
            return common.Payload(metadata=marks, data=msgspec.json.encode(plain))
        marks = {"encoding": _PACKED.encode()}
        return common.Payload(metadata=marks, data=msgspec.msgpack.encode(plain))

    def from_payload(self, payload: common.Payload, type_hint: type | None = None) -> Any:  # noqa: ANN401
        """Read a value back, as what is asked for."""
        kind: Any = object if type_hint is None else type_hint
        return msgspec.msgpack.decode(payload.data, type=kind)


class _Readable(_Packed):
    """The same, for what was written as JSON."""

    @property
    def encoding(self) -> str:
        """What payloads are marked with."""
        return _JSON

    def from_payload(self, payload: common.Payload, type_hint: type | None = None) -> Any:  # noqa: ANN401
        """Read a value back, as what is asked for."""
        kind: Any = object if type_hint is None else type_hint
        return msgspec.json.decode(payload.data, type=kind)


class Values(CompositePayloadConverter):
    """All values that workflows and activities exchange."""

    def __init__(self) -> None:
        super().__init__(
            BinaryNullPayloadConverter(),
            JSONProtoPayloadConverter(),
            BinaryProtoPayloadConverter(),
            _Readable(),
            _Packed(),
        )


def converter(codec: PayloadCodec | None = None) -> DataConverter:
    """How values go to a server and come back: the same for conductors and workers.

    Args:
        codec: What else is done to payloads, such as keeping large ones elsewhere.
    """
    plain = dataclasses.replace(DataConverter.default, payload_converter_class=Values)
    return plain if codec is None else dataclasses.replace(plain, payload_codec=codec)
