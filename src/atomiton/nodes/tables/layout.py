"""From cells to rows with named columns, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from atomiton.errors import NodeError

Cells = list[list[object]]

_RANGE = re.compile(r"\$?([A-Za-z]{0,3})\$?(\d{0,7})(?::\$?([A-Za-z]{0,3})\$?(\d{0,7}))?")
_LAST = 1 << 30


def table(cells: Cells, headers: bool, part: str | None) -> tuple[list[str], list[object]]:  # noqa: FBT001
    """Name the columns of a sheet.

    Args:
        cells: The sheet, row by row.
        headers: Whether the first row names the columns.
        part: Range to cut out first, such as ``A1:D20``.

    Returns:
        The names, and the rows: objects with names, lists without.
    """
    if part is not None:
        top, left, bottom, right = parse_range(part)
        cells = [row[left : right + 1] for row in cells[top : bottom + 1]]
    rows = [row for row in cells if any(cell is not None and cell != "" for cell in row)]
    width = max(map(len, rows), default=0)
    if not headers:
        return [], [row + [None] * (width - len(row)) for row in rows]
    if not rows:
        return [], []
    names = unique_names(rows[0], width)
    # A row that is too short lacks cells at its end; they are null, not absent.
    return names, [
        dict(zip(names, row + [None] * (width - len(row)), strict=True)) for row in rows[1:]
    ]


def unique_names(row: list[object], width: int) -> list[str]:
    """Names of columns: no two the same, none empty."""
    taken: set[str] = set()
    names: list[str] = []
    for index in range(width):
        cell = row[index] if index < len(row) else None
        base = "" if cell is None else str(cell).strip()
        name = base or f"column_{index + 1}"
        number = 2
        while name in taken:
            name = f"{base or 'column'}_{number}"
            number += 1
        taken.add(name)
        names.append(name)
    return names


def parse_range(text: str) -> tuple[int, int, int, int]:
    """Read ``A1:D20``, ``B:C``, ``2:5`` or ``A3:`` as top, left, bottom and right, from 0."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or not text.strip():
        raise NodeError(f"{text!r} is not a range such as A1:D20", code="INVALID_INPUT")
    left, top, right, bottom = match.groups()
    whole = ":" in text
    first = (int(top) - 1 if top else 0, _column(left) if left else 0)
    last_row = int(bottom) - 1 if bottom else (_LAST if whole or not top else first[0])
    last_column = _column(right) if right else (_LAST if whole or not left else first[1])
    if first[0] < 0 or last_row < first[0] or last_column < first[1]:
        raise NodeError(f"the range {text!r} ends before it begins", code="INVALID_INPUT")
    return first[0], first[1], last_row, last_column


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def grid(rows: list[object], headers: bool | list[str]) -> Cells:  # noqa: FBT001
    """Cells of rows that are objects or lists, with the names of the columns on top."""
    objects = [cast("Mapping[str, object]", row) for row in rows if isinstance(row, dict)]
    lists = [cast("list[object]", row) for row in rows if isinstance(row, list)]
    if (objects and lists) or len(objects) + len(lists) != len(rows):
        raise NodeError("rows must all be objects, or all be lists", code="TYPE_MISMATCH")
    if not objects:
        return [*([list[object](headers)] if isinstance(headers, list) else []), *lists]
    names: list[str] = headers if isinstance(headers, list) else _columns(objects)
    cells: Cells = [[row.get(name) for name in names] for row in objects]
    return [list[object](names), *cells] if headers is not False else cells


def _columns(rows: list[Mapping[str, object]]) -> list[str]:
    names: dict[str, None] = {}
    for row in rows:
        if row.keys() != names.keys():
            names.update(dict.fromkeys(row))
    return list(names)
