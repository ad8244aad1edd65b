"""Where every key and value of a YAML text begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml as pyyaml

from atomiton.blueprint.problems import Path
from atomiton.blueprint.yaml import Loader
from atomiton.errors import BlueprintError, Problem

_HEADER = re.compile(r"(?:&\S+\s+)?[|>][0-9+-]*")
_ANCHOR = re.compile(r"&\S+\s+")
_SPACE = re.compile(r"[ \t\r\n\x85\u2028\u2029]")
_DOUBLE = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<line>\r\n|[\r\n])|(?P<char>.))|.",
    re.DOTALL,
)
_SINGLE = re.compile(r"''|.", re.DOTALL)
_PLAIN = re.compile(r".", re.DOTALL)
#: Escapes that stand for another character than themselves; blank for those that are space.
_ESCAPES = {
    **dict.fromkeys("tnrNLP \t", " "),
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "v": "\v",
    "f": "\f",
    "e": "\x1b",
    "_": "\xa0",
}


class Span:
    """A value in a text.

    Attributes:
        start: Offset of its first character.
        end: Offset behind its last one; comments and blank lines behind it are not its own.
        column: Column of ``start``, from 0: for a list or mapping in block style, of its entries.
        block: Whether it is a list or mapping in block style.
        header: Offset behind the sign of a block of text; None for other values.
        is_list: Whether it is a list.
        children: Its values, by key or index; None for a scalar.
        keys: Offsets of its keys.
    """

    __slots__ = ("block", "children", "column", "end", "header", "is_list", "keys", "start")

    def __init__(self, event: pyyaml.Event) -> None:
        start, end = event.start_mark, event.end_mark
        assert start is not None  # the parser marks every event
        assert end is not None
        self.start: int = start.index
        self.end: int = end.index
        self.column: int = start.column
        self.block = False
        self.header: int | None = None
        self.is_list = False
        self.children: dict[str | int, Span] | None = None
        self.keys: dict[str, tuple[int, int]] = {}

    def find(self, path: Path) -> Span | None:
        """The value at a path below this one."""
        span: Span | None = self
        for key in path:
            span = span.children.get(key) if span and span.children is not None else None
        return span


def scan(text: str) -> Span:
    """Find the spans of a text that ``load`` accepts; it has no byte order mark.

    Raises:
        BlueprintError: It is JSON that is no YAML, as it writes an emoji as two escapes.
    """
    try:
        return _scan(text)
    except pyyaml.YAMLError as error:
        message = "the text cannot be changed in place: it holds JSON that YAML does not know"
        raise BlueprintError([Problem("NOT_SUPPORTED", message)]) from error


def _scan(text: str) -> Span:
    root: Span | None = None
    stack: list[tuple[Span, str | None]] = []
    for event in pyyaml.parse(text, Loader=Loader):
        if isinstance(event, pyyaml.CollectionEndEvent):
            span = stack.pop()[0]
            _close(span, event)
            continue
        if not isinstance(event, pyyaml.NodeEvent):
            continue
        parent, key = stack[-1] if stack else (None, None)
        if parent is not None and not parent.is_list and key is None:
            assert isinstance(event, pyyaml.ScalarEvent)  # load refuses other keys
            spot = Span(event)
            parent.keys[event.value] = (spot.start, spot.end)
            stack[-1] = (parent, event.value)
            continue
        span = _open(event, text)
        if parent is None:
            root = span
        elif parent.children is not None:
            parent.children[len(parent.children) if key is None else key] = span
            stack[-1] = (parent, None)
        if isinstance(event, pyyaml.CollectionStartEvent):
            stack.append((span, None))
    assert root is not None
    return root


def _open(event: pyyaml.NodeEvent, text: str) -> Span:
    span = Span(event)
    if isinstance(event, pyyaml.CollectionStartEvent):
        span.children = {}
        span.block = not event.flow_style
        span.is_list = isinstance(event, pyyaml.SequenceStartEvent)
    elif isinstance(event, pyyaml.ScalarEvent) and event.style in ("|", ">"):
        header = _HEADER.match(text, span.start)
        assert header is not None
        span.header = header.end()
        # Blank lines at the end are its own only if its sign says that they count.
        content = text[span.start : span.end]
        kept = len(content) - 1 if content.endswith("\n") else len(content)
        if "+" not in header[0]:
            kept = len(content.rstrip())
        span.end = span.start + max(kept, header.end() - span.start)
    return span


def _close(span: Span, event: pyyaml.CollectionEndEvent) -> None:
    if not span.block:
        assert event.end_mark is not None
        span.end = event.end_mark.index
        return
    assert span.children
    last = list(span.children)[-1]
    span.end = span.children[last].end
    if isinstance(last, str):
        # A key without a value: what stands for the value may be marked further down.
        first = next(iter(span.keys.values()))
        span.end = max(span.end, span.keys[last][1], first[1])


def letters(
    text: str, start: int, end: int, value: str, header: int | None = None
) -> dict[int, tuple[int, int]]:
    """Where the characters of a scalar stand in the text.

    Space is left out: indentation and folded lines make it another in the value.

    Args:
        text: The whole text.
        start: Where the scalar begins.
        end: Offset behind it.
        value: What it holds.
        header: Offset behind the sign of a block of text; None for other scalars.

    Returns:
        Index in the value to the offsets of the character's first letter and behind its last.

    Raises:
        BlueprintError: The text does not hold that value there.

    Example:
        >>> letters("a: 'it''s'", 3, 10, "it's")[2]
        (6, 8)
    """
    written = list(_written(text, start, end, header))
    held = [(at, char) for at, char in enumerate(value) if not _SPACE.match(char)]
    if [char for _, char in held] != [char for char, _ in written]:
        message = "the text cannot be changed in place: it holds something else there"
        raise BlueprintError([Problem("NOT_SUPPORTED", message)])
    return {at: place for (at, _), (_, place) in zip(held, written, strict=True)}


def _written(
    text: str, start: int, end: int, header: int | None
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The characters of a scalar that are no space, each with its place."""
    anchor = _ANCHOR.match(text, start)
    start = start if anchor is None else anchor.end()
    pattern = _PLAIN
    if header is not None:
        line_end = text.find("\n", header)  # a comment may follow the sign
        start = end if line_end < 0 else line_end
    elif text[start : start + 1] in ("'", '"'):
        pattern = _DOUBLE if text[start] == '"' else _SINGLE
        start, end = start + 1, end - 1
    for found in pattern.finditer(text, start, end):
        char = found[0] if len(found[0]) == 1 else _decoded(found)
        if not _SPACE.match(char):
            yield char, found.span()


def _decoded(found: re.Match[str]) -> str:
    if found[0] == "''":
        return "'"
    if found["line"]:
        return " "
    if found["char"]:
        return _ESCAPES.get(found["char"], found["char"])
    return chr(int(found["x"] or found["u"] or found["U"], 16))
