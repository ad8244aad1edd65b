"""Reads YAML text within bounds: JSON data and the place of every value, or every reason why not.

The parser's events are turned into data one by one, with the counters checked in between: nothing
recurses, and a text that is too deep, too large or too repetitive is refused where it becomes so.
Words mean what YAML 1.2 says. What JSON cannot hold (tags, other keys than text, merge keys,
infinity) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from json import JSONDecodeError, loads
from typing import NoReturn, cast

import msgspec
import yaml as pyyaml

from atomiton.blueprint.model import Json
from atomiton.blueprint.positions import (
    LazyPositions,
    Place,
    Places,
    json_positions,
    place,
)
from atomiton.blueprint.problems import Path, dotted
from atomiton.blueprint.scalars import CONSTANTS, INT_MAX, INT_MIN, resolve
from atomiton.blueprint.syntax import BEGINNING, explain
from atomiton.errors import BlueprintError, Problem

__all__ = ["MAX_ALIASES", "MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "Document", "load", "place"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_NODES = 100_000
_MAX_PROBLEMS = 100
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# The parser of libyaml is twenty times as fast as the one in Python, which is always there.
Loader = cast("type[pyyaml.SafeLoader]", getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader))


class Document(msgspec.Struct, frozen=True, eq=False):
    """What a text holds.

    Attributes:
        data: The plain data.
        positions: Path to line and column, from 1, of every value.
        key_positions: Path to line and column of every key.
    """

    data: dict[str, Json]
    positions: Places
    key_positions: Places


def load(text: str | bytes, *, filename: str = "<blueprint>") -> Document:
    r"""Read YAML or JSON text.

    Args:
        text: The text, or its UTF-8 bytes; at most 1 MiB.
        filename: Name of the text in messages about the text as a whole.

    Raises:
        BlueprintError: The text is not YAML of a mapping within the limits; carries the places.

    Example:
        >>> document = load("id: no\nsteps: [1, 0x10]\n")
        >>> document.data
        {'id': 'no', 'steps': [1, 16]}
        >>> document.positions["steps", 1]
        (2, 12)
    """
    clean = decode(text, filename)
    data = _load_json(clean)
    if data is not None:
        return _document(data, lambda: json_positions(clean))
    builder = Builder(clean, record=False)
    root = builder.build()
    if builder.problems:
        raise BlueprintError(builder.problems)
    assert isinstance(root, dict)  # any other root is refused as it begins
    return _document(root, lambda: _record(clean))


def _document(
    data: dict[str, Json], find: Callable[[], tuple[dict[Path, Place], dict[Path, Place]]]
) -> Document:
    both = cache(find)  # one reading finds the places of values and those of keys
    return Document(data, LazyPositions(lambda: both()[0]), LazyPositions(lambda: both()[1]))


def _record(text: str) -> tuple[dict[Path, Place], dict[Path, Place]]:
    builder = Builder(text, record=True)
    builder.build()
    return builder.values, builder.keys


def decode(source: str | bytes, filename: str) -> str:
    """Check size, encoding and characters; drop the byte order mark."""
    if len(source) > MAX_BYTES or (isinstance(source, str) and _utf8_length(source) > MAX_BYTES):
        _refuse(f"{filename} is larger than 1 MiB", 1, 1)
    text = source if isinstance(source, str) else _decode_bytes(source, filename)
    text = text.removeprefix("\ufeff")
    bad = _NOT_TEXT.search(text)
    if bad:
        line, column = _end_of(text[: bad.start()])
        hint = "in double quotes, write it as an escape such as \\x1B"
        _refuse(f"the character U+{ord(bad[0]):04X} cannot stand in YAML", line, column, hint)
    return text


def _decode_bytes(source: bytes, filename: str) -> str:
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        _refuse(f"{filename} is UTF-16", 1, 1, "save it as UTF-8")
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _end_of(source[: error.start].decode("utf-8"))
        _refuse(f"{filename} is not UTF-8", line, column, "save it as UTF-8")


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _end_of(text: str) -> Place:
    return (text.count("\n") + 1, len(text) - text.rfind("\n"))


def _refuse(message: str, line: int, column: int, hint: str | None = None) -> NoReturn:
    problem = Problem("INVALID_BLUEPRINT", message, line=line, column=column, hint=hint)
    raise BlueprintError([problem])


def _load_json(text: str) -> dict[str, Json] | None:
    """Read JSON, twenty times as fast as YAML; None to let the YAML reader decide or explain."""
    if not text.lstrip(" \t\r\n").startswith("{"):
        return None
    try:
        data = cast("Json", loads(text, object_pairs_hook=_unique, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return None  # JSONDecodeError is a ValueError
    return data if isinstance(data, dict) and _within_limits(data) else None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise JSONDecodeError("duplicate key", "", 0)
    return data


def _no_constant(word: str) -> None:
    raise JSONDecodeError(word, "", 0)


def _within_limits(data: dict[str, Json]) -> bool:
    level: list[Json] = [data]
    count = depth = 1
    while level:
        below: list[Json] = []
        for value in level:
            if isinstance(value, dict):
                count += 2 * len(value)
                below.extend(value.values())
                if not all(map(_is_text, value)):
                    return False
            elif isinstance(value, list):
                count += len(value)
                below.extend(value)
            elif not _is_atom(value):
                return False
        containers = any(isinstance(value, dict | list) for value in below)
        depth += containers
        if count > MAX_NODES or depth > MAX_DEPTH:
            return False
        level = below
    return True


def _is_text(value: str) -> bool:
    # A lone surrogate can be escaped in JSON, but is no character and cannot be stored.
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _is_atom(value: Json) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return value - value == 0
    return not isinstance(value, int) or INT_MIN <= value <= INT_MAX


Container = dict[str, Json] | list[Json]


EMPTY = Problem(
    "INVALID_BLUEPRINT",
    "the document is empty",
    line=1,
    column=1,
    hint=BEGINNING,
)


class _Stop(Exception):
    """Nothing more can be read."""


class _Frame:
    """a list or mapping that is being read."""

    __slots__ = ("anchor", "before", "deepest", "key", "skip", "value")

    def __init__(
        self, value: dict[str, Json] | list[Json], anchor: str | None, before: int
    ) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before  # nodes read before it, so that an alias knows its size
        self.deepest = 0  # depth of the deepest container within
        self.key: str | None = None  # the key that waits for its value
        self.skip = False  # whether that key was refused, and its value is dropped


class Builder:
    """Builds data from the events of one text; collects problems."""

    def __init__(self, text: str, *, record: bool) -> None:
        self.text = text
        self.record = record
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self.root: Json = None
        self._stack: list[_Frame] = []
        self._nodes = self._aliases = self._documents = 0
        self._anchors: dict[str, tuple[Json, int, int, Path]] = {}
        self._open_anchors: set[str] = set()

    def build(self) -> Json:
        """Read the text to its end, or to where it cannot be read on."""
        handlers: dict[type, Callable[..., None]] = {
            pyyaml.ScalarEvent: self._scalar,
            pyyaml.MappingStartEvent: self._mapping,
            pyyaml.SequenceStartEvent: self._sequence,
            pyyaml.MappingEndEvent: self._end,
            pyyaml.SequenceEndEvent: self._end,
            pyyaml.AliasEvent: self._alias,
            pyyaml.DocumentStartEvent: self._document,
        }
        events: Iterator[pyyaml.Event] = pyyaml.parse(self.text, Loader=Loader)
        try:
            for event in events:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except pyyaml.MarkedYAMLError as error:
            self._syntax(error)
        except pyyaml.YAMLError as error:
            self.problems.append(
                Problem("INVALID_BLUEPRINT", f"the YAML is malformed: {error}", line=1, column=1)
            )
        except _Stop:
            pass
        if self._documents == 0 and not self.problems:
            self.problems.append(EMPTY)
        return self.root

    def _syntax(self, error: pyyaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        # A quoted text that is never closed is found out at the end, but began somewhere.
        if error.problem and "end of stream" in error.problem and error.context_mark:
            mark = error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        offset = _offset(self.text, line, column)
        message, hint = explain(self.text, offset, error.context, error.problem or "")
        lines = self.text.count("\n")
        if line > lines:  # the place after the last line is shown at the end of the last line
            line, column = lines, len(self.text) - self.text.rfind("\n") - 1
        self.problems.append(
            Problem("INVALID_BLUEPRINT", message, line=line + 1, column=column + 1, hint=hint)
        )

    def _problem(self, event: pyyaml.Event, message: str, hint: str | None = None) -> None:
        line, column = _start(event)
        path = dotted(self._path())
        self.problems.append(
            Problem("INVALID_BLUEPRINT", message, path=path, line=line, column=column, hint=hint)
        )
        if len(self.problems) >= _MAX_PROBLEMS:
            raise _Stop

    def _fatal(self, event: pyyaml.Event, message: str, hint: str | None = None) -> NoReturn:
        self._problem(event, message, hint)
        raise _Stop

    def _path(self) -> Path:
        path: list[str | int] = []
        for frame in self._stack:
            if isinstance(frame.value, list):
                path.append(len(frame.value))
            elif frame.key is not None:
                path.append(frame.key)
        return tuple(path)

    def _refuse_root(self, event: pyyaml.Event) -> None:
        empty = isinstance(event, pyyaml.ScalarEvent) and event.value == ""
        what = "is empty" if empty else "does not hold keys and values"
        self._fatal(event, f"the document {what}", BEGINNING)

    def _document(self, event: pyyaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fatal(event, "the file holds more than one document", "remove `---`")

    def _count(self, event: pyyaml.Event, nodes: int = 1) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._fatal(event, f"the document holds more than {MAX_NODES:,} values and keys")

    def _scalar(self, event: pyyaml.ScalarEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._count(event, 0)
        if event.tag is not None:
            self._tag(event)
        if not self._stack:
            self._refuse_root(event)
        frame = self._stack[-1]
        if frame.key is None and type(frame.value) is dict:
            self._key(event, frame)
            return
        value: Json = event.value
        if event.implicit[0]:
            try:
                value = resolve(event.value)
            except ValueError as error:
                self._problem(event, str(error), "put quotes around it if it is text")
                value = None
        if self.record or event.anchor is not None or type(frame.value) is not list:
            self._add(event, value, event.anchor)
        else:
            frame.value.append(value)  # the common case, and the one of a flood of values

    def _key(self, event: pyyaml.ScalarEvent, frame: _Frame) -> None:
        key: str = event.value
        if event.implicit[0]:
            if key == "<<":
                self._problem(event, "merge keys are not supported", "write the keys out")
                frame.skip = True
            elif key in CONSTANTS or not isinstance(_resolved(key), str):
                self._problem(event, f"the key {key or 'null'} is not text", f'write "{key}"')
        if event.anchor is not None:
            self._anchors[event.anchor] = (key, 1, 0, ())
        if key in frame.value:
            self._problem(event, f"the key {key[:80]} appears twice", "remove one of the two")
        frame.key = key
        if self.record:
            self.keys[self._path()] = _start(event)

    def _mapping(self, event: pyyaml.MappingStartEvent) -> None:
        self._open(event, {})

    def _sequence(self, event: pyyaml.SequenceStartEvent) -> None:
        self._open(event, [])

    def _open(
        self, event: pyyaml.CollectionStartEvent, value: dict[str, Json] | list[Json]
    ) -> None:
        self._count(event)
        if event.tag is not None:
            self._tag(event)
        stack = self._stack
        if len(stack) >= MAX_DEPTH:
            self._fatal(event, f"the document is nested deeper than {MAX_DEPTH} levels")
        if stack and stack[-1].key is None and type(stack[-1].value) is dict:
            hint = "write an expression as ${{ ... }}, and quote text that begins with { or ["
            self._fatal(event, "a key must be text, not a list or mapping", hint)
        if not stack and type(value) is list:
            self._refuse_root(event)
        if self.record:
            self.values[self._path()] = _start(event)
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)
        stack.append(_Frame(value, event.anchor, self._nodes - 1))

    def _end(self, _event: pyyaml.CollectionEndEvent) -> None:
        frame = self._stack.pop()
        height = frame.deepest + 1
        if frame.anchor is not None:
            self._open_anchors.discard(frame.anchor)
            size = self._nodes - frame.before
            self._anchors[frame.anchor] = (frame.value, size, height, self._path())
        if self._stack and self._stack[-1].deepest < height:
            self._stack[-1].deepest = height
        self._put(frame.value)

    def _alias(self, event: pyyaml.AliasEvent) -> None:
        name = event.anchor or ""
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._fatal(event, f"the document holds more than {MAX_ALIASES} aliases")
        if name in self._open_anchors:
            self._fatal(event, f"the alias *{name} stands inside its own anchor")
        if name not in self._anchors:
            self._fatal(event, f"there is no anchor &{name} before this alias", _QUOTE_STAR)
        value, size, height, origin = self._anchors[name]
        self._count(event, size)
        frame = self._stack[-1]  # an alias at the top has no anchor before it
        if len(self._stack) + height > MAX_DEPTH:
            self._fatal(event, f"the document is nested deeper than {MAX_DEPTH} levels")
        if frame.key is None and type(frame.value) is dict:
            self._fatal(event, "an alias cannot be a key", "write the key out")
        frame.deepest = max(frame.deepest, height)
        if self.record:
            self._copy_places(origin, self._path(), value)
        self._add(event, _copy(value), None)

    def _copy_places(self, origin: Path, target: Path, value: Json) -> None:
        """Give the values behind an alias the places they have at the anchor."""
        if not isinstance(value, dict | list):
            return
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for step, child in entries:
            for places in (self.values, self.keys):
                found = places.get((*origin, step))
                if found is not None:
                    places[*target, step] = found
            self._copy_places((*origin, step), (*target, step), child)

    def _tag(self, event: pyyaml.ScalarEvent | pyyaml.CollectionStartEvent) -> None:
        hint = "remove it, or put quotes around text that begins with !"
        self._problem(event, f"the tag {str(event.tag)[:80]} is not allowed", hint)

    def _add(self, event: pyyaml.Event, value: Json, anchor: str | None) -> None:
        if self.record:
            self.values[self._path()] = _start(event)
        if anchor is not None:
            self._anchors[anchor] = (value, 1, 0, self._path())
        self._put(value)

    def _put(self, value: Json) -> None:
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        container = frame.value
        if type(container) is list:
            container.append(value)
        elif type(container) is dict and frame.key is not None:
            if not frame.skip:
                container[frame.key] = value
            frame.key = None
            frame.skip = False


_QUOTE_STAR = "put quotes around text that begins with *"


def _start(event: pyyaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None  # the parser marks every event
    return (mark.line + 1, mark.column + 1)


def _resolved(word: str) -> Json:
    try:
        return resolve(word)
    except ValueError:
        return 0  # a number, though one that cannot be held


def _copy(value: Json) -> Json:
    """Copy plain data, so that no two places share what may be changed."""
    if isinstance(value, dict):
        return {key: _copy(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_copy(child) for child in value]
    return value


def _offset(text: str, line: int, column: int) -> int:
    offset = 0
    for _ in range(line):
        newline = text.find("\n", offset)
        if newline < 0:
            return len(text)
        offset = newline + 1
    return min(offset + column, len(text))
