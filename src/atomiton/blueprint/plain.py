"""Whether data is plain: what JSON can hold, within bounds."""

from __future__ import annotations

from typing import Final, cast

from atomiton.blueprint.problems import Path
from atomiton.blueprint.scalars import INT_MAX, INT_MIN
from atomiton.blueprint.types import describe

MAX_DATA_DEPTH: Final = 200
"""Deepest nesting of data; fifty groups in each other, with their parameters, fit into it."""

_ATOMS = frozenset({str, int, float, bool, type(None)})
_MOST = 20


def find_not_plain(data: object) -> list[tuple[Path, str]]:
    """Find what JSON cannot hold: at most twenty paths, each with what is wrong there.

    Example:
        >>> find_not_plain({"a": [1, {2}]})
        [(('a', 1), 'set is not plain data')]
    """
    return [] if _is_plain(data) else _search(data)


def _is_plain(data: object) -> bool:
    """Look through the data level by level.

    What stands in several places is looked at once on each level, so that data that refers to
    itself, or shares its parts a million times, takes no longer than its size.
    """
    level: list[object] = [data]
    for _ in range(MAX_DATA_DEPTH):
        below: dict[int, object] = {}
        for value in level:
            parts: list[object]
            if isinstance(value, dict):
                entries = cast("dict[object, object]", value)
                if not all(map(_is_key, entries)):
                    return False
                parts = list(entries.values())
            elif isinstance(value, list):
                parts = cast("list[object]", value)
            else:
                return False
            for part in parts:
                kind = type(part)
                if kind is dict or kind is list:
                    below[id(part)] = part
                elif kind is str:
                    if not cast("str", part).isascii() and not _is_unicode(cast("str", part)):
                        return False
                elif kind not in _ATOMS or not _is_bounded(part):
                    return False
        if not below:
            return True
        level = list(below.values())
    return False


def _is_key(key: object) -> bool:
    return type(key) is str and (key.isascii() or _is_unicode(key))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_bounded(value: object) -> bool:
    if isinstance(value, float):
        return value - value == 0
    return not isinstance(value, int) or INT_MIN <= value <= INT_MAX


def _complaint(value: object) -> str | None:
    if isinstance(value, str):
        return None if _is_unicode(value) else "the text holds half of a surrogate pair"
    if type(value) not in _ATOMS:
        return f"{describe(value)} is not plain data"
    if not _is_bounded(value):
        return f"{value if isinstance(value, float) else 'the integer'} is out of range"
    return None


def _search(data: object) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    seen: set[int] = set()
    stack: list[tuple[Path, object]] = [((), data)]
    while stack and len(found) < _MOST:
        path, value = stack.pop()
        if not isinstance(value, dict | list):
            complaint = _complaint(value)
            if complaint:
                found.append((path, complaint))
            continue
        container = cast("dict[object, object] | list[object]", value)
        if id(container) in seen:
            continue
        seen.add(id(container))
        if isinstance(container, dict):
            entries = container
            bad = [key for key in entries if not _is_key(key)]
            found.extend((path, f"the key {key!r:.60} is not text") for key in bad)
            stack.extend(((*path, str(key)), part) for key, part in reversed(entries.items()))
        else:
            items = list(enumerate(container))
            stack.extend(((*path, place), part) for place, part in reversed(items))
    deep = f"the document is nested deeper than {MAX_DATA_DEPTH} levels, or contains itself"
    return found or [((), deep)]
