"""Requests and answers as bytes: JSON, or MessagePack for our own client."""

from __future__ import annotations

from typing import TypeVar, cast
from urllib.parse import parse_qsl

import msgspec

from atomiton.conductor.wire import JSON, MSGPACK
from atomiton.errors import AtomitonError

T = TypeVar("T")
#: Most parameters of a query.
_PARAMETERS = 32


def media_type(header: str) -> str:
    """The media type of a header, without its parameters.

    Example:
        >>> media_type("Application/JSON; charset=utf-8")
        'application/json'
    """
    return header.partition(";")[0].strip().lower()


def decode_body(body: bytes, content_type: str, type_: type[T]) -> T:
    """Read a body.

    Raises:
        AtomitonError: It is not what was to be sent; says where.
    """
    kind = media_type(content_type)
    if not body:
        body, kind = b"{}", JSON
    try:
        if kind == MSGPACK:
            return msgspec.msgpack.decode(body, type=type_)
        if kind == JSON:
            return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise AtomitonError(f"the body: {error}", code="INVALID_INPUT") from error
    raise AtomitonError(
        f"a body is {JSON} or {MSGPACK}, not {kind or 'unnamed'}", code="INVALID_INPUT"
    )


def decode_query(query: bytes, type_: type[T]) -> T:
    """Read the parameters of a query; ``AtomitonError`` if they are not those of the type."""
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            max_num_fields=_PARAMETERS,
            errors="strict",
        )
        given = dict(pairs)
        if len(given) != len(pairs):
            raise ValueError("a parameter is given twice")
        return msgspec.convert(given, type_, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise AtomitonError(f"the query: {error}", code="INVALID_INPUT") from error


def encode(value: object, accept: str) -> tuple[bytes, str]:
    """Write an answer as the client wants it; gives its media type too."""
    if MSGPACK in accept:
        return msgspec.msgpack.encode(value), MSGPACK
    return msgspec.json.encode(value), JSON


def fields_of(type_: type) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a struct."""
    return msgspec.structs.fields(cast("type[msgspec.Struct]", type_))
