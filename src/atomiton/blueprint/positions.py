"""Where things are in a text: the line and column of each path.

Positions are needed only when something is wrong, so they are found out only then: a
``LazyPositions`` reads its text a second time when it is first asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from atomiton.blueprint.problems import Path

Place = tuple[int, int]
"""A line and a column, both from 1."""

Places = Mapping[Path, Place]


class HasPositions(Protocol):
    """What was read from a text, such as ``atomiton.blueprint.yaml.Document``."""

    @property
    def positions(self) -> Places:
        """Place of every value."""
        ...


def nearest_place(positions: Places | None, path: Path) -> tuple[int | None, int | None]:
    """Find the place of a path, or of its nearest ancestor that has one.

    Example:
        >>> nearest_place({(): (1, 1), ("nodes",): (3, 3)}, ("nodes", "read"))
        (3, 3)
    """
    if positions is None:
        return (None, None)
    for length in range(len(path), -1, -1):
        found = positions.get(path[:length])
        if found is not None:
            return found
    return (None, None)


def place(document: HasPositions | None, path: Path) -> tuple[int | None, int | None]:
    """Find the line and column of a path in a document, or of its nearest known ancestor.

    Args:
        document: What was read from the text; None when there is no text.
        path: Keys and indexes from the top.

    Returns:
        Line and column, from 1; ``(None, None)`` when there is no text.
    """
    return (None, None) if document is None else nearest_place(document.positions, path)


class LazyPositions(Mapping[Path, Place]):
    """Positions that are found out when the first of them is asked for."""

    def __init__(self, find: Callable[[], Places]) -> None:
        self._find: Callable[[], Places] | None = find
        self._places: Places = {}

    def _known(self) -> Places:
        if self._find is not None:
            self._places = self._find()
            self._find = None
        return self._places

    def __getitem__(self, path: Path) -> Place:
        return self._known()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __repr__(self) -> str:
        return f"<positions of {len(self)} places>"


_JSON_PART = re.compile(r'[ \t\r\n]*([{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+)')


class _Lines:
    """Turns growing offsets into lines and columns."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._start = 0

    def at(self, offset: int) -> Place:
        newline = self._text.find("\n", self._start, offset)
        while newline >= 0:
            self._line += 1
            self._start = newline + 1
            newline = self._text.find("\n", self._start, offset)
        return (self._line, offset - self._start + 1)


def json_positions(text: str) -> tuple[dict[Path, Place], dict[Path, Place]]:
    """Find the places of all values and of all keys of a text that is known to be JSON."""
    values: dict[Path, Place] = {}
    keys: dict[Path, Place] = {}
    lines = _Lines(text)
    stack: list[str | int] = []  # the step being read in each open container
    waits_for_key = False
    for match in _JSON_PART.finditer(text):
        part = match[1]
        if part in "]}":
            stack.pop()
        elif part == ",":
            last = stack[-1]
            waits_for_key = isinstance(last, str)
            if isinstance(last, int):
                stack[-1] = last + 1
        elif part == ":":
            waits_for_key = False
        elif waits_for_key:
            stack[-1] = json.loads(part)
            keys[tuple(stack)] = lines.at(match.start(1))
        else:
            values[tuple(stack)] = lines.at(match.start(1))
            if part in "[{":
                waits_for_key = part == "{"
                stack.append("" if waits_for_key else 0)
    return values, keys
