"""Collecting everything that is wrong with a blueprint, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from atomiton.errors import BlueprintError, Problem

Path = tuple[str | int, ...]


class Problems:
    """What was found wrong so far, in the order it was found."""

    def __init__(self, positions: Mapping[Path, tuple[int, int]] | None = None) -> None:
        self._positions = positions or {}
        self._found: list[Problem] = []

    def add(self, code: str, message: str, path: Path, hint: str | None = None) -> None:
        """Note a problem at a place; its line and column are those of the nearest known place."""
        line, column = self._place(path)
        self._found.append(Problem(code, message, dotted(path), line, column, hint))

    def raise_any(self) -> None:
        """Raise ``BlueprintError`` with all problems, by line, if there are any."""
        if self._found:
            raise BlueprintError(sorted(self._found, key=_by_place))

    def _place(self, path: Path) -> tuple[int | None, int | None]:
        while path not in self._positions:
            if not path:
                return None, None
            path = path[:-1]
        return self._positions[path]


def _by_place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def dotted(path: Path) -> str:
    """A path as people write it.

    Example:
        >>> dotted(("nodes", "read", "needs", 0))
        'nodes.read.needs[0]'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest right name, if one is near.

    Example:
        >>> nearest("raed", ["read", "write"])
        "did you mean 'read'?"
        >>> nearest("wiht", ["weight", "with"])
        "did you mean 'with'?"
    """
    names = list(known)
    letters = sorted(name)  # two that changed places are the commonest slip, and not the nearest
    found = [word for word in names if sorted(word) == letters]
    found = found or get_close_matches(name, names, n=1)
    return f"did you mean '{found[0]}'?" if found else None
