"""Reading plain data field by field, collecting everything that is wrong with it.

A *handler* reads one value: it gives the value's reading, or ``ABSENT`` after it has told the
``Reader`` what is wrong. A *table* names the keys of a mapping, each with the name of its reading
and its handler. Hints are computed only for what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar, cast

from atomiton.blueprint.durations import parse_duration
from atomiton.blueprint.positions import Places, nearest_place
from atomiton.blueprint.problems import Path, dotted, nearest
from atomiton.blueprint.types import describe
from atomiton.errors import BlueprintError, Problem

ABSENT: Final = object()
"""What a handler gives for a value that it could not read."""

T = TypeVar("T")
Handler = Callable[["Reader", object, Path], object]
Table = Mapping[str, tuple[str, Handler]]

MAX_PROBLEMS: Final = 1000
_MAX_HINTS = 100  # finding the nearest word is slow, and nobody reads that many
_SHOWN = 60  # characters of a key that a message shows
_LONGEST_WORD = 100


class Reader:
    """What is wrong with a document, and where.

    Attributes:
        bodies: The mappings of nodes around what is being read, outermost first.
        item_names: The ``as`` names of the repeats around what is being read.
    """

    def __init__(self, positions: Places | None, key_positions: Places | None) -> None:
        self.bodies: list[Mapping[str, object]] = []
        self.item_names: list[str] = []
        self._positions = positions
        self._key_positions = key_positions
        self._problems: list[Problem] = []
        self._near: dict[tuple[str, str], str | None] = {}

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that nothing more is noted."""
        return len(self._problems) >= MAX_PROBLEMS

    def wrong(
        self,
        path: Path,
        message: str,
        hint: str | None = None,
        *,
        at_key: bool = False,
        code: str = "INVALID_BLUEPRINT",
    ) -> object:
        """Note a problem; gives ``ABSENT`` so that a handler can return it."""
        if self.is_full:
            return ABSENT
        place = self._key_positions.get(path) if at_key and self._key_positions else None
        line, column = place or nearest_place(self._positions, path)
        self._problems.append(Problem(code, message, dotted(path), line, column, hint))
        return ABSENT

    def unknown(
        self,
        path: Path,
        known: Collection[str],
        what: str,
        synonyms: Mapping[str, str] | None = None,
    ) -> None:
        """Note a key that does not exist, with the nearest that does."""
        if self.is_full:
            return
        key = str(path[-1])
        hint = f"write '{synonyms[key]}'" if synonyms and key in synonyms else None
        hint = hint or self.near(key, known)
        if hint is None and len(known) <= 12:
            hint = f"its keys: {', '.join(known)}"
        self.wrong(path, f"{what} has no key '{key[:_SHOWN]}'", hint, at_key=True)

    def near(self, word: str, known: Collection[str]) -> str | None:
        """A hint with the nearest right word, while there are few problems."""
        cached = (word, next(iter(known), ""))  # the first word tells the vocabularies apart
        if cached in self._near:
            return self._near[cached]
        if len(self._near) >= _MAX_HINTS or len(word) > _LONGEST_WORD:
            return None
        hint = nearest(word, known)
        if hint is None and word != word.lower():
            hint = nearest(word.lower(), known)
        self._near[cached] = hint
        return hint

    def fields(
        self, value: object, path: Path, table: Table, what: str, required: tuple[str, ...] = ()
    ) -> dict[str, object] | None:
        """Read a mapping by a table; None when it is no mapping."""
        found = as_mapping(value)
        if found is None:
            self.wrong(path, f"{what} must hold keys and values, got {describe(value)}")
            return None
        read: dict[str, object] = {}
        for key, part in found.items():
            field = table.get(key)
            if field is None:
                self.unknown((*path, key), table, what)
                continue
            result = field[1](self, part, (*path, key))
            if result is not ABSENT:
                read[field[0]] = result
        for key in required:
            if key not in found:
                self.wrong(path, f"{what} needs the key '{key}'", f"add '{key}:'")
        return read

    def raise_any(self) -> None:
        """Raise everything that is wrong, in document order.

        Raises:
            BlueprintError: Something is wrong.
        """
        if self._problems:
            raise BlueprintError(sorted(self._problems, key=_by_place))


def _by_place(problem: Problem) -> tuple[int, int]:
    return (problem.line or 0, problem.column or 0)


def as_mapping(value: object) -> dict[str, object] | None:
    """The value if it is a mapping, else None."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """The value if it is a list, else None."""
    return cast("list[object]", value) if isinstance(value, list) else None


def make(kind: Callable[..., T], fields: Mapping[str, object]) -> T:
    """Make a part of the model of fields that handlers have read, and so have the right types."""
    return kind(**fields)


def anything(_reader: Reader, value: object, _path: Path) -> object:
    """Any value."""
    return value


def text(reader: Reader, value: object, path: Path) -> object:
    """Text, which may be empty."""
    if isinstance(value, str):
        return value
    hint = f'write "{value}"' if isinstance(value, int | float) else None
    return reader.wrong(path, f"'{path[-1]}' must be text, got {describe(value)}", hint)


def some_text(reader: Reader, value: object, path: Path) -> object:
    """Text that is not empty."""
    if value == "" or value is None:
        return reader.wrong(path, f"'{path[-1]}' is empty")
    return text(reader, value, path)


def condition(reader: Reader, value: object, path: Path) -> object:
    """A bare expression that gives a boolean, or a boolean."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.strip():
        return value
    message = f"'{path[-1]}' must be an expression, got {describe(value)}"
    return reader.wrong(path, message, "write one such as `score.value > 80`")


def boolean(reader: Reader, value: object, path: Path) -> object:
    """True or false."""
    if isinstance(value, bool):
        return value
    hint = "write true or false"
    if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n"):
        hint += f"; in YAML 1.2 `{value}` is text"
    return reader.wrong(path, f"'{path[-1]}' must be true or false, got {describe(value)}", hint)


def mapping(reader: Reader, value: object, path: Path) -> object:
    """A mapping of anything."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    message = f"'{path[-1]}' must hold keys and values, got {describe(value)}"
    return reader.wrong(path, message)


def choice(*words: str) -> Handler:
    """Make a handler of one of some words."""
    known = frozenset(words)

    def read(reader: Reader, value: object, path: Path) -> object:
        if isinstance(value, str) and value in known:
            return value
        hint = reader.near(value, words) if isinstance(value, str) else None
        listed = ", ".join(words[:-1]) + f" or {words[-1]}"
        return reader.wrong(path, f"'{path[-1]}' must be {listed}, got {describe(value)}", hint)

    return read


def integer(least: int, most: int | None = None) -> Handler:
    """Make a handler of whole numbers."""

    def read(reader: Reader, value: object, path: Path) -> object:
        whole = value if isinstance(value, int) and not isinstance(value, bool) else None
        if whole is not None and least <= whole and (most is None or whole <= most):
            return whole
        bound = f"of at least {least}" if most is None else f"from {least} to {most}"
        message = f"'{path[-1]}' must be a whole number {bound}, got {describe(value)}"
        return reader.wrong(path, message)

    return read


def number(least: float, most: float | None = None, *, above: bool = False) -> Handler:
    """Make a handler of numbers; with ``above``, the least one is not among them."""

    def read(reader: Reader, value: object, path: Path) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            high_enough = value > least if above else value >= least
            if high_enough and (most is None or value <= most):
                return float(value)
        bound = f"above {least:g}" if above else f"of at least {least:g}"
        bound = bound if most is None else f"from {least:g} to {most:g}"
        return reader.wrong(path, f"'{path[-1]}' must be a number {bound}, got {describe(value)}")

    return read


def delay(reader: Reader, value: object, path: Path) -> object:
    """A duration, in seconds; may be none at all."""
    try:
        return parse_duration(value)
    except ValueError as error:
        hint = "an expression cannot stand here" if "${{" in str(value)[:1000] else None
        return reader.wrong(path, f"'{path[-1]}': {error}", hint)


def duration(reader: Reader, value: object, path: Path) -> object:
    """A duration of more than nothing, in seconds."""
    seconds = delay(reader, value, path)
    if seconds == 0:
        return reader.wrong(path, f"'{path[-1]}' must be longer than nothing")
    return seconds


def texts(pattern: re.Pattern[str], what: str, example: str, *, single: bool = False) -> Handler:
    """Make a handler of lists of words, as tuples without repetitions."""

    def read(reader: Reader, value: object, path: Path) -> object:
        if single and isinstance(value, str):
            value = [value]
        words = as_list(value)
        if words is None:
            message = f"'{path[-1]}' must be a list, got {describe(value)}"
            return reader.wrong(path, message, f"write [{example}]")
        good = True
        for place, word in enumerate(words):
            if not isinstance(word, str) or not pattern.fullmatch(word):
                shown = f"'{word[:_SHOWN]}'" if isinstance(word, str) else describe(word)
                reader.wrong((*path, place), f"{shown} is not {what}", f"such as {example}")
                good = False
        return tuple(dict.fromkeys(cast("list[str]", words))) if good else ABSENT

    return read
