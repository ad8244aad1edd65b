"""Kinds of text by their names, and whether a text is of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from atomiton.blueprint.expressions.conversions import read_timestamp

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
#: A word of the part of an address before the ``@``: no space, no sign that ends an address.
_WORD: Final = re.compile(r"[^\s@.\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
_LABEL: Final = re.compile(r"\w(?:[\w-]{0,61}\w)?")
_LITERAL: Final = re.compile(r"\[[0-9A-Za-z.:]{2,60}\]")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f\x7f]+")
_PERCENT: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
#: Schemes whose addresses name a host.
_HOSTED: Final = frozenset({"http", "https", "ws", "wss", "ftp"})


def _date_time(text: str) -> bool:
    try:
        read_timestamp(text)
    except (ValueError, OverflowError):
        return False
    return True


def _date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _email(text: str) -> bool:
    name, _, host = text.rpartition("@")
    if len(text) > 254 or len(name) > 64:
        return False
    words = all(_WORD.fullmatch(word) for word in name.split("."))
    labels = all(_LABEL.fullmatch(label) for label in host.split("."))
    return words and (labels or _LITERAL.fullmatch(host) is not None)


def _uri(text: str) -> bool:
    if not _URI.fullmatch(text) or _PERCENT.search(text):
        return False
    try:
        parts = urlsplit(text)
        hostless = parts.scheme in _HOSTED and not parts.hostname
        return not hostless and (parts.port is None or parts.port >= 0)
    except ValueError:  # brackets without an address in them, a port that is no number
        return False


def _time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


def _uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "date-time": (_date_time, "2024-05-01T12:00:00Z"),
    "date": (_date, "2024-05-01"),
    "time": (_time, "12:30:00"),
    "email": (_email, "ada@example.org"),
    "uri": (_uri, "https://example.org/page"),
    "uuid": (_uuid, "123e4567-e89b-12d3-a456-426614174000"),
}
"""Formats that are checked: whether a text is of one, and an example. Others are for people."""
