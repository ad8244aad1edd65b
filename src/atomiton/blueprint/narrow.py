"""Looking at data of unknown shape, for type checkers: a list, an object, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast


def as_object(value: object) -> Mapping[str, object] | None:
    """The value when it is an object.

    Example:
        >>> as_object([1]) is None
        True
    """
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def as_list(value: object) -> list[object] | None:
    """The value when it is a list or a tuple, as a list.

    Example:
        >>> as_list((1, 2))
        [1, 2]
    """
    if isinstance(value, list):
        return cast("list[object]", value)
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else None
