"""Errors small enough to be stored: what is too long is cut, and says how much is missing."""

from __future__ import annotations

import re
from typing import Final, cast

import msgspec

from atomiton.errors import ErrorInfo

#: Bytes of a message, in UTF-8, that are kept.
MAX_MESSAGE: Final = 64 * 1024
#: Bytes of the details, as JSON, that are kept.
MAX_DETAILS: Final = 256 * 1024
#: How a text ends that was cut.
CUT: Final = re.compile(r"\n\[cut: [0-9]+ bytes more\]\Z")

#: Each entry of a list or mapping that is cut is given as many bytes, or left out; and a key.
_LEAST = 256


def trimmed(info: ErrorInfo) -> ErrorInfo:
    r"""An error whose message and details are within bounds.

    Args:
        info: An error that can be written as JSON.

    Returns:
        The same error if it is small enough. Otherwise one whose long texts end with
        ``[cut: N bytes more]`` on a line of its own; what is short in the details stays.

    Example:
        >>> trimmed(ErrorInfo("NODE_FAILED", "x" * 100_000)).message[-26:]
        'xx\n[cut: 34464 bytes more]'
    """
    message, details = info.message, info.details
    if len(message) * 4 > MAX_MESSAGE:
        message = _text(message, MAX_MESSAGE)
    if details is not None and _size(details) > MAX_DETAILS:
        details = cast("dict[str, object]", _value(details, MAX_DETAILS))
    if message is info.message and details is info.details:
        return info
    return msgspec.structs.replace(info, message=message, details=details)


def shortened(value: object, most: int) -> object:
    r"""A plain value of about so many bytes of JSON at most; the same one if it is small enough.

    Example:
        >>> shortened("x" * 1000, 3)[:13]
        'xx\n[cut: 998 '
    """
    return _value(value, most)


def _text(text: str, most: int) -> str:
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    kept = encoded[:most].decode(errors="ignore")
    return f"{kept}\n[cut: {len(encoded) - len(kept.encode())} bytes more]"


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))


def _value(value: object, most: int) -> object:
    """A value of about so many bytes at most; a note of what was cut comes on top."""
    size = _size(value)
    if size <= most:
        return value
    if isinstance(value, str):
        # Escapes make JSON longer than its text.
        return _text(value, most * len(value.encode()) // size)
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        kept = list(entries)[: max(1, most // _LEAST)]
        shares = _shares([_size(entries[key]) for key in kept], most)
        fields = {
            _text(key, _LEAST): _value(entries[key], share)
            for key, share in zip(kept, shares, strict=True)
        }
        if len(kept) < len(entries):
            fields["cut"] = f"{len(entries) - len(kept)} fields more"
        return fields
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        first = items[: max(1, most // _LEAST)]
        shares = _shares([_size(item) for item in first], most)
        short = [_value(item, share) for item, share in zip(first, shares, strict=True)]
        if len(first) < len(items):
            short.append(f"[cut: {len(items) - len(first)} items more]")
        return short
    return f"[cut: {size} bytes]"


def _shares(sizes: list[int], most: int) -> list[int]:
    """How much each of several values may take: the short ones what they need."""
    shares = [0] * len(sizes)
    left = len(sizes)
    for place in sorted(range(len(sizes)), key=sizes.__getitem__):
        shares[place] = min(sizes[place], most // left)
        most -= shares[place]
        left -= 1
    return shares
