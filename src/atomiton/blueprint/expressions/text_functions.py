"""Functions on text. Offsets count characters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from atomiton.blueprint.expressions.conversions import Run, Table
from atomiton.blueprint.expressions.limits import (
    Failure,
    Frame,
    charge_items,
    charge_text,
    charge_work,
)
from atomiton.blueprint.expressions.values import a_type, as_list, is_list

_SPACE: Final = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER: Final = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER: Final = str.maketrans(_UPPER.lower(), _UPPER)


def text(value: object, at: int) -> str:
    """The value, which must be a string."""
    if type(value) is str:
        return value
    raise Failure(at, lambda: f"a string is needed, not {a_type(value)}")


def whole(value: object, at: int) -> int:
    """The value, which must be an int."""
    if type(value) is int:
        return value
    raise Failure(at, lambda: f"an int is needed, not {a_type(value)}")


def _within(value: object, most: int, at: int) -> int:
    place = whole(value, at)
    if 0 <= place <= most:
        return place
    raise Failure(at, f"index {place} is out of range: the text has {most} characters")


def _test(how: Callable[[str, str], bool]) -> Run:
    def run(arguments: list[object], at: int, meter: Frame | None) -> object:
        one, two = text(arguments[0], at), text(arguments[1], at)
        if meter is not None:
            charge_work(meter, len(one) << 2, at)
        return how(one, two)

    return run


def _change(how: Callable[[str], str]) -> Run:
    def run(arguments: list[object], at: int, meter: Frame | None) -> object:
        value = text(arguments[0], at)
        charge_text(meter, len(value), at)
        return how(value)

    return run


def _contains(one: str, two: str) -> bool:
    return two in one


def _lower(value: str) -> str:
    return value.lower() if value.isascii() else value.translate(_TO_LOWER)


def _upper(value: str) -> str:
    return value.upper() if value.isascii() else value.translate(_TO_UPPER)


def _trim(value: str) -> str:
    return value.strip(_SPACE)


def _char_at(arguments: list[object], at: int, meter: Frame | None) -> object:
    del meter
    value = text(arguments[0], at)
    place = _within(arguments[1], len(value), at)
    return value[place : place + 1]


def _substring(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = text(arguments[0], at)
    start = _within(arguments[1], len(value), at)
    end = _within(arguments[2], len(value), at) if len(arguments) > 2 else len(value)
    if start > end:
        raise Failure(at, f"the start {start} is after the end {end}")
    charge_text(meter, end - start, at)
    return value[start:end]


def _index_of(arguments: list[object], at: int, meter: Frame | None) -> object:
    value, part = text(arguments[0], at), text(arguments[1], at)
    start = _within(arguments[2], len(value), at) if len(arguments) > 2 else 0
    charge_work(meter, len(value) << 2, at)
    return value.find(part, start)


def _last_index_of(arguments: list[object], at: int, meter: Frame | None) -> object:
    value, part = text(arguments[0], at), text(arguments[1], at)
    last = _within(arguments[2], len(value), at) if len(arguments) > 2 else len(value)
    charge_work(meter, len(value) << 2, at)
    return value.rfind(part, 0, last + len(part))


def _replace(arguments: list[object], at: int, meter: Frame | None) -> object:
    value, old, new = (text(part, at) for part in arguments[:3])
    limit = whole(arguments[3], at) if len(arguments) > 3 else -1
    count = value.count(old)
    if limit >= 0:
        count = min(count, limit)
    charge_text(meter, len(value) + max(0, count * (len(new) - len(old))), at)
    return value.replace(old, new, count)


def _split(arguments: list[object], at: int, meter: Frame | None) -> object:
    value, separator = text(arguments[0], at), text(arguments[1], at)
    limit = whole(arguments[2], at) if len(arguments) > 2 else -1
    if limit == 0:
        return []
    pieces = value.count(separator) + 1 if separator else len(value)
    pieces = pieces if limit < 0 else min(pieces, limit)
    charge_items(meter, pieces, at)
    charge_text(meter, len(value), at)
    if separator:
        return value.split(separator, pieces - 1)
    if not pieces:
        return []
    return [*value[: pieces - 1], value[pieces - 1 :]]


def _join(arguments: list[object], at: int, meter: Frame | None) -> object:
    if not is_list(arguments[0]):
        raise Failure(at, lambda: f"join() takes a list, not {a_type(arguments[0])}")
    separator = text(arguments[1], at) if len(arguments) > 1 else ""
    items = as_list(arguments[0])
    charge_items(meter, len(items), at)
    pieces = [text(item, at) for item in items]
    length = sum(map(len, pieces)) + len(separator) * max(0, len(pieces) - 1)
    charge_text(meter, length, at)
    return separator.join(pieces)


def _reverse(value: str) -> str:
    return value[::-1]


def reverse(arguments: list[object], at: int, meter: Frame | None) -> object:
    """``reverse()`` of a text or a list."""
    if is_list(arguments[0]):
        items = as_list(arguments[0])
        charge_items(meter, len(items), at)
        return items[::-1]
    return _change(_reverse)(arguments, at, meter)


def _url_encode(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = text(arguments[0], at)
    charge_text(meter, len(value) * 12, at)  # at most four bytes a character, three signs a byte
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise Failure(at, "the text holds half a character") from None


def _to_json(arguments: list[object], at: int, meter: Frame | None) -> object:
    try:
        written = msgspec.json.encode(arguments[0]).decode()
    except (RecursionError, OverflowError, TypeError, ValueError):
        raise Failure(at, lambda: f"{a_type(arguments[0])} has no JSON") from None
    charge_text(meter, len(written), at)
    return written


def _encode(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = arguments[0]
    if type(value) is not bytes:
        raise Failure(at, lambda: f"base64.encode() takes bytes, not {a_type(value)}")
    charge_text(meter, len(value) * 4 // 3, at)
    return base64.b64encode(value).decode()


def _decode(arguments: list[object], at: int, meter: Frame | None) -> object:
    value = text(arguments[0], at)
    charge_text(meter, len(value), at)
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Failure(at, "the text is no base64") from None


TABLE: Final[Table] = {
    "startsWith": (_test(str.startswith), 2, 2, True, False),
    "endsWith": (_test(str.endswith), 2, 2, True, False),
    "contains": (_test(_contains), 2, 2, True, False),
    "lowerAscii": (_change(_lower), 1, 1, True, False),
    "upperAscii": (_change(_upper), 1, 1, True, False),
    "trim": (_change(_trim), 1, 1, True, False),
    "charAt": (_char_at, 2, 2, True, False),
    "substring": (_substring, 2, 3, True, False),
    "indexOf": (_index_of, 2, 3, True, False),
    "lastIndexOf": (_last_index_of, 2, 3, True, False),
    "replace": (_replace, 3, 4, True, True),
    "split": (_split, 2, 3, True, True),
    "join": (_join, 1, 2, True, True),
    "toJson": (_to_json, 1, 1, True, False),
    "urlEncode": (_url_encode, 1, 1, True, False),
    "reverse": (reverse, 1, 1, True, False),
    "base64.encode": (_encode, 1, 1, False, False),
    "base64.decode": (_decode, 1, 1, False, False),
}
