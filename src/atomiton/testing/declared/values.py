"""Values in a file of tests: JSON, and a form for bytes and moments, which JSON has not."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import cast

BYTES = "$bytes"
TIME = "$time"


def to_plain(value: object) -> object:
    """A value as YAML and JSON can hold it.

    Example:
        >>> to_plain([b"hi", 1])
        [{'$bytes': 'aGk='}, 1]
    """
    if isinstance(value, bytes):
        return {BYTES: base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {TIME: value.isoformat()}
    if isinstance(value, dict):
        return {str(key): to_plain(it) for key, it in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [to_plain(it) for it in cast("list[object]", value)]
    return value


def from_plain(value: object) -> object:
    """The value again.

    Raises:
        ValueError: What stands under ``$bytes`` or ``$time`` is neither.
    """
    if isinstance(value, list):
        return [from_plain(it) for it in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    data = cast("dict[str, object]", value)
    if data.keys() == {BYTES}:
        try:
            return base64.b64decode(str(data[BYTES]), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{BYTES} is not Base64: {error}") from None
    if data.keys() == {TIME}:
        return datetime.fromisoformat(str(data[TIME]))
    return {key: from_plain(it) for key, it in data.items()}
