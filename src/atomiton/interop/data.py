"""Reading what others wrote: bounded, and without trust in its shape."""

from __future__ import annotations

import json
import re
from typing import TypeGuard

from atomiton.blueprint.yaml import MAX_DEPTH, decode, load
from atomiton.errors import BlueprintError, Problem

_LIST = re.compile(r"\s*\[")
#: Levels that a list at the top is given besides its own.
_KEY = "list"


def read(text: str | bytes, filename: str) -> object:
    """Read JSON or YAML within the bounds of blueprints; a JSON text may be a list.

    Raises:
        BlueprintError: It is neither, or beyond the bounds; with the place.

    Example:
        >>> read("[1, 2]", "flows.json")
        [1, 2]
    """
    clean = decode(text, filename)
    if not _LIST.match(clean):
        return load(clean, filename=filename).data
    try:
        return load(f'{{"{_KEY}": {clean}\n}}', filename=filename).data[_KEY]
    except BlueprintError as error:
        shift = len(_KEY) + 6
        moved = [
            Problem(p.code, p.message, "", p.line, p.column, p.hint)
            if p.line != 1 or p.column is None
            else Problem(p.code, p.message, "", 1, max(1, p.column - shift), p.hint)
            for p in error.problems
        ]
        raise BlueprintError(moved) from None
    except KeyError:
        raise refused("the text is no JSON list") from None


def refused(message: str, hint: str | None = None) -> BlueprintError:
    """What is raised for a file that cannot be imported at all."""
    return BlueprintError([Problem("INVALID_BLUEPRINT", message, hint=hint)])


def is_map(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is an object; data that was read has no other keys than text."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def mapping(value: object) -> dict[str, object]:
    """The value if it is an object, or else an empty one."""
    return value if is_map(value) else {}


def listing(value: object) -> list[object]:
    """The value if it is a list, or else an empty one."""
    return value if is_list(value) else []


def text(value: object, default: str = "") -> str:
    """The value if it is text."""
    return value if isinstance(value, str) else default


def whole(value: object, default: int | None = None) -> int | None:
    """The value if it is a whole number, also as text."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,15}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def depth(value: object) -> int:
    """How many levels of lists and objects stand in each other."""
    levels = 0
    row = [value]
    while row:
        parts: list[object] = []
        for one in row:
            parts += listing(one)
            parts += mapping(one).values()
        row = parts
        levels += bool(row)
    return levels


def kept(value: object) -> object:
    """What the file says of a part, to be kept beside the blueprint: as text if it is deep."""
    if depth(value) > MAX_DEPTH - 20:
        return json.dumps(value, ensure_ascii=False)
    return value
