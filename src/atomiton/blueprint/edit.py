"""Changes one place of a blueprint's text and keeps every other byte: comments, order, quoting.

The new text is spliced in at the offsets that the parser gives. Then the result is read again, and
refused unless it holds exactly what was intended.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn, cast

import msgspec

from atomiton.blueprint.emit import block_lines, entry_lines, flow, item_lines, scalar
from atomiton.blueprint.model import Json
from atomiton.blueprint.problems import Path, dotted
from atomiton.blueprint.spans import Span, scan
from atomiton.blueprint.yaml import load
from atomiton.errors import BlueprintError, Problem

__all__ = ["checked", "remove", "rename_key", "set_value", "split_bom"]

_BOM = "\ufeff"
_TO_COLON = re.compile(r"(?:[ \t\r\n]|#[^\n]*\n)*:")


def set_value(text: str, path: Path, value: Json) -> str:
    r"""Set the value at a path.

    What is missing on the way is made: mappings for keys; the index behind the last item of a
    list appends to it.

    Args:
        text: YAML or JSON text of a mapping.
        path: Keys and indexes from the top, at least one.
        value: The new value.

    Returns:
        The text with the value; every byte that is not the value's is kept.

    Raises:
        BlueprintError: The text cannot be read, has no such place, or cannot be changed at this
            place alone, as inside what an alias repeats.

    Example:
        >>> set_value("id: a # mine\nlimits: {steps: 1}\n", ("limits", "steps"), 2)
        'id: a # mine\nlimits: {steps: 2}\n'
    """
    bom, text = split_bom(text)
    data = load(text).data
    _set_data(data, path, value)
    return bom + checked(_Editor(text).set(path, value), data, path)


def remove(text: str, path: Path) -> str:
    r"""Remove the key or item at a path, with the comment on its line.

    Raises:
        BlueprintError: The text cannot be read, has no such place, or cannot be changed at this
            place alone.

    Example:
        >>> remove("a:\n  b: 1\n  c: 2 # two\n", ("a", "c"))
        'a:\n  b: 1\n'
    """
    bom, text = split_bom(text)
    data = load(text).data
    container = _container(data, path)
    if isinstance(container, dict):
        del container[cast("str", path[-1])]
    else:
        del container[cast("int", path[-1])]
    return bom + checked(_Editor(text).remove(path), data, path)


def rename_key(text: str, path: Path, new: str) -> str:
    r"""Give the key at a path another name; its value and place stay.

    Raises:
        BlueprintError: The text cannot be read, has no such key, or has the new one already.

    Example:
        >>> rename_key("a: 1 # one\n", ("a",), "b")
        'b: 1 # one\n'
    """
    bom, text = split_bom(text)
    data = load(text).data
    container = _container(data, path)
    if not isinstance(container, dict):
        _refuse("NOT_FOUND", path, "is no key")
    if new != path[-1] and new in container:
        _refuse("INVALID_BLUEPRINT", path, f"cannot be called '{new}', which is there already")
    container[new] = container.pop(cast("str", path[-1]))
    return bom + checked(_Editor(text).rename(path, new), data, path)


def split_bom(text: str) -> tuple[str, str]:
    """The byte order mark that a text may begin with, and the rest."""
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _refuse(code: str, path: Path, what: str, hint: str | None = None) -> NoReturn:
    place = dotted(path)
    raise BlueprintError([Problem(code, f"'{place}' {what}", place, hint=hint)])


def _container(data: Json, path: Path) -> dict[str, Json] | list[Json]:
    """The list or mapping that holds what is at a path, which must be there."""
    if not path:
        _refuse("NOT_FOUND", path, "is the whole document")
    container: Json = data
    for key in path[:-1]:
        container = _step(container, key) if _has(container, key) else None
    if not _has(container, path[-1]):
        _refuse("NOT_FOUND", path, "is not in the document")
    return cast("dict[str, Json] | list[Json]", container)


def _has(container: Json, key: str | int) -> bool:
    if isinstance(container, dict):
        return key in container
    return isinstance(container, list) and isinstance(key, int) and 0 <= key < len(container)


def _step(container: Json, key: str | int) -> Json:
    return cast("dict[str | int, Json]", container)[key]


def _set_data(data: dict[str, Json], path: Path, value: Json) -> None:
    if not path:
        _refuse("NOT_FOUND", path, "is the whole document")
    container: Json = data
    for place, key in enumerate(path):
        last = place == len(path) - 1
        fresh: Json = value if last else {} if isinstance(path[place + 1], str) else []
        known = _has(container, key)
        if isinstance(container, list) and key == len(container):
            container.append(fresh)
        elif known or (isinstance(container, dict) and isinstance(key, str)):
            if last or not known or _step(container, key) is None:
                cast("dict[str | int, Json]", container)[key] = fresh
        else:
            _refuse("NOT_FOUND", path, "is not in a list or mapping of the document")
        container = _step(container, key)


def checked(text: str, data: Json, path: Path) -> str:
    """Read a changed text again: it must hold what was intended, and nothing else.

    Args:
        text: The text, without a byte order mark.
        data: What it is to hold.
        path: What was changed, for the message.

    Raises:
        BlueprintError: It holds something else, as when an alias repeats what was changed.
    """
    try:
        result = load(text).data
    except BlueprintError:
        result = None
    if _canonical(result) != _canonical(data):
        hint = "change the text by hand; it may be repeated elsewhere by an alias"
        _refuse("NOT_SUPPORTED", path, "cannot be changed without changing more", hint)
    return text


def _canonical(data: Json) -> bytes:
    return msgspec.json.encode(data, order="sorted")


def _style(path: Path) -> tuple[str, ...]:
    return tuple(key if isinstance(key, str) else "-" for key in path)


class _Editor:
    """Makes the splices for one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = scan(text)
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.is_json = _is_json(text)

    # -- setting ---------------------------------------------------------------------------

    def set(self, path: Path, value: Json) -> str:
        """Replace what is at a path, or insert it."""
        span = self.root.find(path)
        if span is not None:
            return self._replace(path, span, value)
        above = path[:-1]
        parent = self.root.find(above)
        key = path[-1]
        if parent is None or not parent.children:
            if not above:
                return self._splice(self.root.start, self.root.end, self._flow({str(key): value}))
            return self.set(above, {key: value} if isinstance(key, str) else [value])
        return self._insert(parent, path, value)

    def _replace(self, path: Path, span: Span, value: Json) -> str:
        parent = self.root.find(path[:-1])
        assert parent is not None
        if not parent.block:
            return self._splice(span.start, span.end, self._flow(value))
        sign = self._after_sign(parent, path[-1], span)
        head, body = self._rendered(parent, path, span, value)
        inline = "\n" not in self.text[sign : span.start]
        stop = span.end
        if span.header is not None and inline:
            stop = span.header
        elif not inline:
            stop = sign
        start = sign
        if inline and head and span.start < span.end:
            start, head = span.start, head.lstrip(" ")  # the space before a value is kept
        rest = self._line_end(stop)
        kept = self.text[stop:rest]
        tail = self.text[max(rest, span.end) :]
        if body:
            kept += self.newline
        return self.text[:start] + head + kept + self.newline.join(body) + tail

    def _rendered(self, parent: Span, path: Path, old: Span, value: Json) -> tuple[str, list[str]]:
        """What stands behind the colon or dash, and the lines below."""
        style = _style(path)
        indent = parent.column
        if parent.is_list:
            lines = item_lines(value, indent, style)
        else:
            lines = entry_lines("k", value, indent, style)
            # A block keeps the column that its author gave it.
            if len(lines) > 1 and old.block and old.column >= indent:
                lines[1:] = block_lines(value, self._column(parent, old, value), style)
        first, *body = "\n".join(lines).split("\n")
        return first[indent + (1 if parent.is_list else 2) :], body

    def _column(self, parent: Span, old: Span, value: Json) -> int:
        # Only a list may stand in the column of its key.
        if old.column == parent.column and isinstance(value, dict):
            return parent.column + 2
        return old.column

    def _insert(self, parent: Span, path: Path, value: Json) -> str:
        key = path[-1]
        assert parent.children
        last_key, last = list(parent.children.items())[-1]
        if parent.block:
            at = self._line_end(parent.end)
            if parent.is_list:
                lines = item_lines(value, parent.column, _style(path))
            else:
                lines = entry_lines(str(key), value, parent.column, _style(path))
            new = self.newline.join("\n".join(lines).split("\n"))
            return self._splice(at, at, self.newline + new)
        begin = parent.keys[last_key][0] if isinstance(last_key, str) else last.start
        indent = self.text[self._line_start(begin) : begin]
        # Entries that stand on lines of their own are followed by another such line.
        gap = " " if indent.strip() or not indent else self.newline + indent
        entry = self._flow(value)
        if isinstance(key, str):
            entry = f"{self._key(key)}: {entry}"
        return self._splice(parent_end := last.end, parent_end, f",{gap}{entry}")

    # -- removing and renaming -------------------------------------------------------------

    def remove(self, path: Path) -> str:
        """Cut out what is at a path."""
        parent = self.root.find(path[:-1])
        span = self.root.find(path)
        assert parent is not None
        assert parent.children is not None
        assert span is not None
        steps = list(parent.children)
        if len(steps) == 1:
            if len(path) == 1:
                return self._splice(self.root.start, self.root.end, "{}")
            return self._replace(path[:-1], parent, [] if parent.is_list else {})
        place = steps.index(path[-1])
        start = self._entry_start(parent, path[-1])
        if parent.block:
            line = self._line_start(start)
            if self.text[line:start].strip():  # the first entry stands behind a dash
                return self._splice(start, self._entry_start(parent, steps[1]), "")
            end = self._line_end(max(span.end, start))
            end = min(end + len(self.newline), len(self.text))
            return self._splice(line, end, "")
        if place:
            return self._splice(parent.children[steps[place - 1]].end, span.end, "")
        return self._splice(start, self._entry_start(parent, steps[1]), "")

    def rename(self, path: Path, new: str) -> str:
        """Replace a key."""
        parent = self.root.find(path[:-1])
        assert parent is not None
        start, end = parent.keys[cast("str", path[-1])]
        return self._splice(start, end, self._key(new, inside=not parent.block))

    # -- places ----------------------------------------------------------------------------

    def _entry_start(self, parent: Span, key: str | int) -> int:
        """Offset of a key, or of the dash of an item."""
        if isinstance(key, str):
            return parent.keys[key][0]
        assert parent.children is not None
        span = parent.children[key]
        if not parent.block:
            return span.start
        at = min(span.start, len(self.text))
        while True:
            dash = self._line_start(at) + parent.column
            if dash <= span.start and self.text[dash : dash + 1] == "-":
                return dash
            at = self._line_start(at) - 1
            if at < parent.start:
                _refuse("NOT_SUPPORTED", (key,), "cannot be found in the text")

    def _after_sign(self, parent: Span, key: str | int, span: Span) -> int:
        """Offset behind the colon or dash before a value."""
        if isinstance(key, int):
            return self._entry_start(parent, key) + 1
        colon = _TO_COLON.match(self.text, parent.keys[key][1])
        if colon is None or colon.end() > max(span.start, parent.keys[key][1] + 1):
            _refuse("NOT_SUPPORTED", (key,), "has no colon in the text")
        return colon.end()

    def _line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _line_end(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def _splice(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    # -- writing ---------------------------------------------------------------------------

    def _flow(self, value: Json) -> str:
        return _json(value) if self.is_json else flow(value)

    def _key(self, key: str, *, inside: bool = True) -> str:
        return _json(key) if self.is_json else scalar(key, inside=inside)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
